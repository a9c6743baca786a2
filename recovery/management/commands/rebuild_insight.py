from __future__ import annotations

import sys
import time
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandParser

from recovery.insight import telling
from recovery.models import Ticket

SHOWN: Final = 20
EVERY_SECONDS: Final = 5.0


class Command(BaseCommand):
    help = (
        "The numbers about low scores are counted from stories told before and kept. This tells every one "
        "anew from the ticket's own rows. It may run beside everything else, be interrupted and repeated; no "
        "number on any page changes by it. With --check nothing is written: each kept story is compared with "
        "the ticket's own rows. Exit status: 0 all is well, 1 (with --check) something differs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="compare, and write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        self.total = Ticket.objects.count()
        self.done, self.told_at = 0, time.monotonic()
        if options["check"]:
            self.compare()
            return
        for size in telling.rebuild():
            self.progress(size)
        self.stdout.write(f"{self.done} tickets told.")

    def compare(self) -> None:
        found = 0
        for size, differences in telling.check():
            self.progress(size)
            for difference in differences[: max(0, SHOWN - found)]:
                self.stdout.write(str(difference))
            found += len(differences)
        self.stdout.write(f"{self.done} tickets compared, {found} differ.")
        if found:
            sys.exit(1)

    def progress(self, size: int) -> None:
        self.done += size
        if time.monotonic() - self.told_at > EVERY_SECONDS:
            self.told_at = time.monotonic()
            self.stdout.write(f"{self.done} of {self.total} ...")
