"""How a call about this kind of trouble goes: the playbook, its ticks, and what usually follows."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from recovery.lifecycle.act import acting
from recovery.lifecycle.table import Refused, check_allowed
from recovery.models import Cause, NextIssue, Playbook, PlaybookStep, StepDone, Ticket


def cause_of(ticket: Ticket) -> Cause | None:
    """What we found, else what they said."""
    return ticket.cause_found or ticket.cause_said


def playbook_of(ticket: Ticket) -> Playbook | None:
    """That of the cause a colleague named: they heard the customer. Else that of the rule which opened it."""
    cause = cause_of(ticket)
    named = cause.playbook if cause else None
    return next((book for book in (named, ticket.playbook) if book and book.active), None)


def next_issues(ticket: Ticket) -> list[NextIssue]:
    """What this kind of trouble usually brings, so that one call settles both."""
    cause = cause_of(ticket)
    if cause is None:
        return []
    return list(NextIssue.objects.filter(cause=cause, follows__active=True).select_related("follows"))


def name_cause(ticket: Ticket, *, by: User | None, at: datetime, cause: Cause | None) -> Ticket:
    """What the customer says was wrong, as soon as it is known, so that its playbook helps on the call."""
    if cause is None or not cause.active:
        raise Refused("cause_missing", _("Choose a cause."), field="cause")
    with acting(ticket, "cause", by=by, at=at) as change:
        before = change.ticket.cause_said
        change.set(cause_said=cause)
        change.tell("cause_named", cause=cause.code, before=before.code if before else None)
    return change.ticket


@transaction.atomic
def tick_step(ticket: Ticket, step: PlaybookStep, *, by: User, at: datetime, done: bool) -> None:
    """Tick a step off in this cycle, or untick it; twice is once. Raises Refused.

    A tick is no event and no new version: it helps whoever is on the phone, promises the customer nothing,
    and a dozen of them would bury the story and make every open form stale. Who ticked when is kept.
    """
    row = Ticket.objects.select_for_update().only("pk", "status", "cycle").get(pk=ticket.pk)
    check_allowed("resolve", row.status)
    book = playbook_of(ticket)
    if book is None or step.playbook_id != book.pk:
        raise Refused("no_such_step", _("This step is not of the ticket’s playbook any more."))
    if done:
        StepDone.objects.get_or_create(ticket=row, cycle=row.cycle, step=step, defaults={"by": by, "at": at})
    else:
        StepDone.objects.filter(ticket=row, cycle=row.cycle, step=step).delete()
