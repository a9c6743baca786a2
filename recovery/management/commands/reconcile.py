from __future__ import annotations

import sys
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_datetime

from dispatch import epoch
from dispatch.clock import now
from dispatch.epoch import Look
from recovery.management import reconciliation
from recovery.management.reconciliation import Gap

WHY = {
    epoch.RESTORED: "This database was restored: more was done than it knows of.",
    epoch.MOVED: "This database is on another server than before: it was restored, copied or moved.",
    epoch.UNREADABLE: "What is remembered outside this database cannot be read: {unreadable}",
}
MEANS = {
    "A": "told again under the same key, which the provider knows if it was heard",
    "B": "the provider is asked, and only what it never heard is sent",
    "C": "nobody can know: a person decides on the Messages page",
}


class Command(BaseCommand):
    help = (
        "A restored, copied or moved database sends nothing until this command has reconciled it. Without "
        "options it says what is known and changes nothing. With --apply --yes whatever may have been said "
        "to customers already is settled: where the provider can tell, it decides; elsewhere the message "
        "becomes uncertain and a person decides on the Messages page. Then sending goes on. Run it on the "
        "host that sent last. It may be interrupted and repeated. "
        "Exit status: 0 nothing (more) to do, 1 sending still rests, 2 refused."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--apply", action="store_true", help="reconcile, then let sending go on")
        parser.add_argument(
            "--yes",
            action="store_true",
            help="with --apply: the database it replaces is stopped for good",
        )
        parser.add_argument(
            "--until",
            default="",
            help="when the replaced database last sent anything, such as 2026-03-02T10:15Z, where nobody "
            "outside remembers (otherwise: until now)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        at = now()
        until = instant(options["until"], at)
        seen = epoch.look()
        gap = self.report(seen, at, until)
        if not seen.why:
            self.stdout.write("Nothing to do.")
            return
        if not options["apply"]:
            self.stdout.write("Sending rests. To go on: manage.py reconcile --apply --yes")
            sys.exit(1)
        if not options["yes"]:
            raise CommandError(
                "Is the database that this one replaces stopped for good? Then say --yes too. "
                "Nothing was changed.",
                returncode=2,
            )
        self.apply(seen, gap, at)

    def report(self, seen: Look, at: datetime, until: datetime | None) -> Gap | None:
        pulse, memory = seen.pulse, seen.memory
        self.stdout.write(f"This database   {pulse.number:>10}   {said(pulse.ticked_at)}")
        if memory:
            self.stdout.write(f"Remembered      {memory.number:>10}   {said(memory.at)}")
        else:
            self.stdout.write("Remembered               -   nobody outside remembers this database")
        if not seen.why:
            return None
        self.stdout.write(WHY[seen.why].format(unreadable=seen.unreadable))
        gap = epoch.missing(seen, at, until)
        if gap is None:
            self.stdout.write("Nothing that was sent is missing here.")
            return None
        self.stdout.write(f"What was sent from {said(gap[0])} until {said(gap[1])} is not known here.")
        self.stdout.write("What people did in that time (answers, unsubscriptions, work on tickets) is gone.")
        self.count(gap)
        return gap

    def count(self, gap: Gap) -> None:
        found = reconciliation.count(gap)
        self.stdout.write("Due by then, and not sent as far as this database knows:")
        for klass, number in sorted(found.messages.items()):
            self.stdout.write(f"  {number:>6} messages to customers, class {klass}: {MEANS[klass]}")
        if not found.messages:
            self.stdout.write("       0 messages to customers")
        self.stdout.write(f"  {found.invitations:>6} invitations: written down, and a person decides")
        self.stdout.write(f"  {found.resurveys:>6} resurveys: written down, and a person decides")

    def apply(self, seen: Look, gap: Gap | None, at: datetime) -> None:
        try:
            done = reconciliation.reconcile(seen, gap, at)
        except epoch.Changed:
            raise CommandError(
                "Somebody else changed this database meanwhile. Nothing was changed here: look again.",
                returncode=2,
            ) from None
        noted = epoch.renewed(at)
        self.stdout.write(
            f"Reconciled. Messages left to a person: {done.uncertain}. Told again under the same key: "
            f"{done.again}. To be asked of the provider: {done.asked}. "
            f"Invitations and resurveys not sent for other reasons: {done.moot}."
        )
        for error in done.errors:
            self.stderr.write(f"Given up, on the page of dead rows: {error}")
        if not noted:
            raise CommandError(
                "Nobody outside could be told: messages wait until EPOCH_FILE can be written, or Redis "
                "is back."
            )
        self.stdout.write("Sending goes on.")


def said(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else "never"


def instant(text: str, at: datetime) -> datetime | None:
    """Raises CommandError where the words are no instant, or one still to come."""
    if not text:
        return None
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise CommandError("Give --until with its zone, such as 2026-03-02T10:15Z.", returncode=2)
    if found > at:
        raise CommandError("--until lies in the future.", returncode=2)
    return found
