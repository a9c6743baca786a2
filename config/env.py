"""Deployment facts from the environment. `NAME_FILE` may hold the path of a file with the value of `NAME`."""

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import environ

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var"

env = environ.FileAwareEnv()


def given(name: str) -> bool:
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


def database_from_url() -> dict[str, Any]:
    """DATABASE_URL as Django's connection facts. A socket's folder stands percent-encoded for the host."""
    facts: dict[str, Any] = env.db_url("DATABASE_URL")
    return {**facts, "HOST": unquote(facts["HOST"])}


def broker_url(redis_url: str) -> str:
    """The same Redis in the words of Celery's transport, which names a socket differently."""
    path, _, query = redis_url.removeprefix("unix://").partition("?")
    if not redis_url.startswith("unix://"):
        return redis_url
    return f"redis+socket://{path}?virtual_host={parse_qs(query).get('db', ['0'])[0]}"


def secret_key() -> str:
    """The configured key, or one made on first start and kept in var/ for this checkout."""
    if given("SECRET_KEY"):
        return str(env.str("SECRET_KEY"))
    path = VAR / "secret_key"
    VAR.mkdir(exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        key = secrets.token_urlsafe(50)
        file.write(key)
    return key
