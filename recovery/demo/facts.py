"""var/demo.json: where the demo runs, who one can be, and the key of its API."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Role:
    """Somebody a visitor of the demo can be."""

    name: str
    password: str
    role: str


@dataclass(frozen=True, slots=True)
class Facts:
    base_url: str
    users: list[Role]
    api_token: str
    survey: str
    sources: list[dict[str, str]]


def file() -> Path:
    return Path(settings.DEMO_DIR) / "demo.json"


def read() -> Facts | None:
    """None until `demo_load` has run."""
    try:
        found: dict[str, Any] = json.loads(file().read_text())
        users = [Role(**user) for user in found["users"]]
        return Facts(**{**found, "users": users})
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def write(facts: Facts) -> None:
    file().parent.mkdir(parents=True, exist_ok=True)
    unfinished = file().with_suffix(".part")
    unfinished.write_text(json.dumps(asdict(facts), indent=2, ensure_ascii=False) + "\n")
    os.replace(unfinished, file())
