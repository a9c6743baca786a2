"""What reconciling a restored database does to what fell due in the time that was lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from dispatch import claims, epoch
from dispatch.failpoints import failpoint
from dispatch.models import Claim
from recovery import lifecycle, sweeps
from surveys import invitations
from surveys.messages import restored

Gap = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Found:
    """What fell due: customers' messages by their provider's class, invitations, resurveys."""

    messages: Counter[str]
    invitations: int
    resurveys: int


@dataclass(slots=True)
class Done:
    """How many messages a person decides about, are told again under their key, and asked of the provider;
    how many invitations and resurveys were held or ended for reasons of their own; and what failed."""

    uncertain: int = 0
    again: int = 0
    asked: int = 0
    moot: int = 0
    errors: list[str] = field(default_factory=list)


def count(gap: Gap) -> Found:
    _since, until = gap
    return Found(
        restored.classes(restored.perhaps_said(until)),
        invitations.due_invitations(until).count(),
        sweeps.due_resurveys(until).count(),
    )


@transaction.atomic(durable=True)
def reconcile(seen: epoch.Look, gap: Gap | None, at: datetime) -> Done:
    """All of it or nothing. Raises epoch.Changed when the database is not the one that was looked at."""
    done = settle(*gap, at) if gap else Done()
    failpoint("in_reconcile")
    epoch.renew(seen, at)
    if gap:
        restored.give_new_keys(since=gap[1])
    return done


def settle(since: datetime, until: datetime, at: datetime) -> Done:
    doubted = restored.doubt(restored.perhaps_said(until), since=since, at=at)
    done = Done(doubted[""], doubted["A"], doubted["B"])
    for pk in invitations.due_invitations(until).values_list("pk", flat=True):
        hold_back(done, "invitations", pk, at, ask_as_planned)
    for pk in sweeps.due_resurveys(until).values_list("pk", flat=True):
        hold_back(done, "resurveys", pk, at, ask_again)
    return done


Step = Callable[[int, datetime], int | None]


def hold_back(done: Done, kind: str, pk: int, at: datetime, step: Step) -> None:
    """Take the step that was due, and leave what it would say to a person.

    One that cannot be taken is given up: later it would be taken as if nothing had been lost.
    """
    try:
        with transaction.atomic():
            invitation = step(pk, at)
    except Exception as error:  # whatever is wrong with one row
        give_up(kind, pk, f"{type(error).__name__}: {error}", at)
        done.errors.append(f"{kind} {pk}: {error}")
        return
    held = restored.hold_back(invitation, at) if invitation else 0
    done.uncertain += held
    done.moot += not held


def ask_as_planned(pk: int, at: datetime) -> int:
    invitations.send_invitation(pk, at)
    return pk


def ask_again(pk: int, at: datetime) -> int | None:
    resurvey = lifecycle.ask_again(pk, at=at)
    return resurvey.invitation_id if resurvey else None


def give_up(kind: str, pk: int, why: str, at: datetime) -> None:
    values = {
        "fence": 0,
        "lease_until": at,
        "attempts": claims.MOST_ATTEMPTS,
        "dead_at": at,
        "error": why.replace("\0", "")[:500],
    }
    Claim.objects.update_or_create(kind=kind, subject=pk, defaults=values)
