import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.timezone import now

from recovery import sweeps


class Command(BaseCommand):
    help = "Does everything that is due, from PostgreSQL alone: no Celery, no Redis."

    def add_arguments(self, parser: CommandParser) -> None:
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--once", action="store_true", help="one round, then stop (the default)")
        how.add_argument("--loop", action="store_true", help="round after round, until stopped")
        parser.add_argument("--every", type=float, default=10.0, help="seconds between two rounds (10)")

    def handle(self, *args: Any, **options: Any) -> None:
        self.failed = 0
        taken = self.round()
        while options["loop"]:
            time.sleep(0 if taken else max(options["every"], 0.1))
            taken = self.round()
        if self.failed:
            raise SystemExit(1)

    def round(self) -> int:
        taken = sweeps.run_all(now(), self.report)
        self.stdout.write(f"{taken} done")
        return taken

    def report(self, sweep: sweeps.Sweep, pk: int, error: Exception) -> None:
        self.failed += 1
        self.stderr.write(f"{sweep.name} {pk}: {error.__class__.__name__}: {error}")
