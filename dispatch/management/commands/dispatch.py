from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from dispatch import engine, worker
from dispatch.clock import now
from dispatch.kinds import Kind


class Command(BaseCommand):
    help = "Does everything that is due, from PostgreSQL alone: no Celery, no Redis."

    def add_arguments(self, parser: CommandParser) -> None:
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--once", action="store_true", help="one round, then stop (the default)")
        how.add_argument("--loop", action="store_true", help="round after round, until stopped")
        parser.add_argument("--every", type=float, default=2.0, help="seconds between two rounds (2)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["loop"]:
            raise SystemExit(worker.watch(max(options["every"], 0.05)))
        at = now()
        engine.keep_house(at)
        done = engine.drain(now, holder=engine.new_holder(), on_error=self.report)
        self.stdout.write(f"{done.taken - done.failed} done")
        if done.failed:
            raise SystemExit(1)

    def report(self, kind: Kind, pk: int, error: Exception) -> None:
        self.stderr.write(f"{kind.name} {pk}: {error.__class__.__name__}: {error}")
