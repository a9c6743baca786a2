from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_date, parse_datetime

from dispatch.clock import now
from recovery.management.simulation import NotEmpty, simulate


class Command(BaseCommand):
    help = (
        "Makes a believable history through the same acts at past times. The same months, seed, scale "
        "and end make the same history. Sends nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--months", type=int, default=6, help="how many months of 30 days (6)")
        parser.add_argument("--seed", type=int, default=1, help="which history (1)")
        parser.add_argument("--scale", type=float, default=1.0, help="1 is about 150 customers")
        parser.add_argument("--until", default="", help="its end, such as 2026-03-02 (today, 00:00 UTC)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["months"] < 1 or options["scale"] <= 0:
            raise CommandError("Give at least one month, and a scale above 0.")
        started = time.monotonic()
        try:
            made = simulate(
                months=options["months"],
                seed=options["seed"],
                until=end_of(options["until"]),
                scale=options["scale"],
                tell=self.tell,
            )
        except NotEmpty:
            raise CommandError(
                "There are tickets in this database already. A history is made in an empty one: "
                "nothing was changed."
            ) from None
        self.stdout.write(
            f"{made.responses} responses, {made.tickets} tickets ({made.in_work} in work), "
            f"{made.messages} messages in {time.monotonic() - started:.0f} s"
        )

    def tell(self, day: datetime) -> None:
        if day.day == 1:
            self.stdout.write(f"{day:%B %Y} ...")


def end_of(text: str) -> datetime:
    """The end of the history as an instant. Raises CommandError."""
    if not text:
        return now().replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        at = parse_datetime(text)
        day = parse_date(text) if at is None else None
    except ValueError:
        at = day = None
    if at is None and day is not None:
        at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    if at is None:
        raise CommandError("--until is a day or a time, such as 2026-03-02 or 2026-03-02T10:00Z.")
    return at if at.tzinfo else at.replace(tzinfo=UTC)
