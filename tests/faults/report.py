"""What a run found: a table for people and the same for programs."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Report:
    scenario: str
    seed: int
    rows: list[tuple[str, str, str]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def add(self, figure: str, value: object, bound: str = "") -> None:
        self.rows.append((figure, str(value), bound))

    def must(self, figure: str, value: float, most: float, unit: str = "") -> None:
        """A figure that fails the run above `most`."""
        shown = f"{value:g}" if isinstance(value, int) else f"{value:.1f}"
        self.add(figure, f"{shown}{unit}", f"≤ {most:g}{unit}" if most else "0")
        if value > most:
            self.faults.append(f"{figure}: {shown}{unit}, allowed {most:g}{unit}")

    def blame(self, what: str, rows: list[str]) -> None:
        if rows:
            self.faults.append(f"{what}: {len(rows)}, such as {', '.join(rows[:3])}")

    @property
    def passed(self) -> bool:
        return not self.faults

    def as_text(self) -> str:
        facts = ", ".join(f"{name} {value}" for name, value in self.facts.items())
        lines = [
            f"### {self.scenario}: {'passed' if self.passed else 'FAILED'}",
            "",
            f"Seed {self.seed}; {facts}.",
            "",
        ]
        lines += ["| figure | found | must be |", "|---|---|---|"]
        lines += [f"| {figure} | {value} | {bound} |" for figure, value, bound in self.rows]
        lines += ["", *(f"- FAULT {fault}" for fault in self.faults)]
        return "\n".join(lines).rstrip() + "\n"

    def write(self) -> None:
        folder = ROOT / "var"
        folder.mkdir(exist_ok=True)
        place = folder / f"faults-{self.scenario}"
        place.with_suffix(".md").write_text(self.as_text())
        whole = {"scenario": self.scenario, "seed": self.seed, "passed": self.passed, "facts": self.facts,
                 "rows": self.rows, "faults": self.faults}  # fmt: skip
        place.with_suffix(".json").write_text(json.dumps(whole, indent=1, default=str, ensure_ascii=False))


def machine() -> dict[str, Any]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        postgres = cursor.fetchone()[0]
    return {
        "on": f"{datetime.now(UTC):%Y-%m-%d}",
        "cores": os.cpu_count(),
        "Python": platform.python_version(),
        "PostgreSQL": postgres,
    }
