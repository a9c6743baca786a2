from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from dispatch.clock import now
from recovery.demo import facts
from recovery.management.simulation import simulate
from recovery.management.simulation.minutes import ensure_minutes
from recovery.management.simulation.sending import ensure_sending
from recovery.models import ApiToken, StaffProfile, Ticket
from surveys.models import Survey

PASSWORD = "demo"  # noqa: S105 - printed at every start; the demo listens on this machine only
PEOPLE = (
    ("lina", "Li Na", "agent"),
    ("chen", "Chen Hao", "supervisor"),
    ("vera", "Vera Lind", "analyst"),
    ("admin", "Ada Min", "administrator"),
)
SEED, MONTHS, SCALE = 2026, 6, 0.85
TOKEN_NAME = "Demo"  # noqa: S105 - a name, not the token


class Command(BaseCommand):
    help = "Loads the demo: six months of history the first time, who one can be, and var/demo.json."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--months", type=int, default=MONTHS)
        parser.add_argument("--scale", type=float, default=SCALE)

    def handle(self, *args: Any, **options: Any) -> None:
        if not Ticket.objects.exists() or unfinished().exists():
            self.make_history(options["months"], options["scale"])
        ensure_sending()
        users = ensure_people()
        survey = ensure_minutes(users["lina"], users["chen"])
        before = facts.read()
        facts.write(
            facts.Facts(
                base_url=settings.PUBLIC_URL,
                users=[facts.Role(username, PASSWORD, role) for username, _name, role in PEOPLE],
                api_token=api_token(users["admin"], before.api_token if before else ""),
                survey=survey.slug,
                sources=[],
            )
        )

    def make_history(self, months: int, scale: float) -> None:
        self.stdout.write("Making six months of history, once; this takes two minutes or so ...")
        self.stdout.flush()
        started = time.monotonic()
        with_marker(self.start_afresh)
        made = simulate(months=months, seed=SEED, until=now().replace(second=0, microsecond=0), scale=scale)
        unfinished().unlink(missing_ok=True)
        self.stdout.write(
            f"{made.responses} responses, {made.tickets} tickets in {time.monotonic() - started:.0f} s"
        )

    def start_afresh(self) -> None:
        self.stdout.write("The last start was interrupted: its half of a history is removed first.")
        call_command("flush", interactive=False, verbosity=0)


def unfinished() -> Path:
    """Stands while a history is being made in a database that was empty before."""
    return Path(settings.DEMO_DIR) / "demo-unfinished"


def with_marker(start_afresh: Callable[[], None]) -> None:
    """Only what the marker's own run put into an empty database is ever removed."""
    if unfinished().exists():
        start_afresh()
    elif not User.objects.exists() and not Survey.objects.exists():
        unfinished().parent.mkdir(parents=True, exist_ok=True)
        unfinished().touch()


def ensure_people() -> dict[str, User]:
    """The four people of the demo, with their passwords, made or completed once."""
    people = {user.username: user for user in User.objects.filter(username__in=[row[0] for row in PEOPLE])}
    hashed = ""
    for username, name, role in PEOPLE:
        user = people.get(username) or User(username=username, first_name=name)
        people[username] = user
        if user.pk and user.has_usable_password():
            continue
        hashed = hashed or make_password(PASSWORD)
        user.password = hashed
        user.email = user.email or f"{username}@staff.example"
        user.is_staff = user.is_superuser = role == StaffProfile.ADMINISTRATOR
        user.save()
        StaffProfile.objects.update_or_create(user=user, defaults={"role": role})
    return people


def api_token(user: User, known: str) -> str:
    """The token of the last start while it is good, else a new one."""
    rows = ApiToken.objects.filter(token_hash=ApiToken.hash_of(known), revoked_at=None, user=user)
    if known and rows.exists():
        return known
    return ApiToken.issue(user.pk, TOKEN_NAME)[1]
