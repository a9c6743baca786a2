"""Tell a colleague, once per occasion, in their language and their working time, why they get it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Max

from recovery.catch_up import USEFUL_FOR, is_late
from recovery.lifecycle.concern import about_ticket
from recovery.lifecycle.own_time import opens_for
from recovery.lifecycle.recipients import STOOD_IN_FOR, Told, told_then
from recovery.lifecycle.recipients import minder_of as minder_of
from recovery.lifecycle.recipients import supervisor_of as supervisor_of
from recovery.models import DigestLine, StaffProfile, Ticket
from recovery.models.policy import FIRST_CONTACT, RESOLUTION
from surveys.messages.colleague import Colleague, write_to
from surveys.models import Message, Response


def ticket_url(ticket: Ticket) -> str:
    return f"{settings.PUBLIC_URL}/tickets/{ticket.number}/"


# Told at any hour: somebody promised a customer that time.
AT_ONCE = {"callback_due"}
# For so long what comes in numbers is put together.
GATHER = timedelta(minutes=5)
# What a line of a digest keeps of a notice, besides the facts about it.
KEPT = ("recipient", "stands_for", "told_team", "by", "policy", "level", "share", "minutes", "before")


def tell(
    user: User,
    kind: str,
    ticket: Ticket,
    at: datetime,
    occasion: str,
    *,
    due_at: datetime | None = None,
    facts: dict[str, Any] | None = None,
    at_once: bool = False,
    gathered: bool = False,
    **context: Any,
) -> None:
    """Queue one notice; nobody without an address is written to. `occasion` makes it unique.

    What should have been told at `due_at` and comes late waits for the person's digest instead, with `facts`
    (JSON) about it; so does, until their working time begins, what falls outside it and is not for `at_once`;
    and what comes in numbers is `gathered` for a few minutes.
    What is for the owner goes to whoever stands in for them while they are away; and so does what is for the
    owner or who supervises, and is told only once they are.
    """
    if user == ticket.owner and "recipient" not in context:
        user, context["recipient"] = minder_of(ticket, at)
    not_before = at + GATHER if gathered else at
    send_at = not_before
    if not at_once and kind not in AT_ONCE:
        user, send_at = then_told(user, ticket, at, not_before, context)
    if not user.email or not user.is_active:
        return
    dedup_key = f"{kind}:{ticket.number}:{occasion}:{user.pk}"
    late = due_at is not None and is_late(due_at, at)
    if late or send_at > at:
        kept = {name: context[name] for name in KEPT if name in context}
        line = DigestLine(
            dedup_key=dedup_key,
            user=user,
            ticket=ticket,
            kind=kind,
            facts={**kept, **(facts or {})},
            due_at=due_at or at,
            at=at,
            send_at=send_at if send_at > at else None,
        )
        DigestLine.objects.bulk_create([line], ignore_conflicts=True)
        return
    context = {"ticket": ticket, "url": ticket_url(ticket), **facts_of(ticket), **context}
    write(user, kind, at, dedup_key, context, about=about_ticket(ticket.number))


def then_told(
    user: User, ticket: Ticket, at: datetime, not_before: datetime, context: dict[str, Any]
) -> tuple[User, datetime]:
    """Who is told in their working time, and when; `context` says as what."""
    if context.get("recipient") not in STOOD_IN_FOR:
        return user, max(opens_for(user, at), not_before)
    told = Told(user, context["recipient"], context.get("stands_for", ""))
    then, send_at = told_then(told, ticket, at, not_before)
    if then != told:
        context |= {"recipient": then.recipient, "stands_for": then.stands_for}
    return then.person, send_at


def write(
    user: User, kind: str, at: datetime, dedup_key: str, context: dict[str, Any], about: str = ""
) -> Message:
    """Queue a message to a colleague in their language and time; it is not sent once it is of no use."""
    return write_to(
        reader(user),
        kind,
        at=at,
        dedup_key=dedup_key,
        context=context,
        about=about,
        not_after=at + USEFUL_FOR[kind],
    )


def reader(user: User) -> Colleague:
    """In which language and time they read: by their profile, without one in English and UTC."""
    profile: StaffProfile | None = getattr(user, "staff", None)
    return Colleague(user, profile.locale if profile else "en", profile.zone if profile else UTC)


def waits_since(response: Response, at: datetime) -> datetime:
    """Since when an answer waits to be looked at: received then, or changed since."""
    if not is_late(response.received_at, at):
        return response.received_at
    changed = response.versions.aggregate(at=Max("replaced_at"))["at"]
    return max(response.received_at, changed or response.received_at)


def facts_of(ticket: Ticket) -> dict[str, Any]:
    """What every notice repeats, so that nobody has to open the ticket to know what it is about."""
    running = {
        row.kind: row for row in ticket.deadlines.filter(cycle=ticket.cycle, met_at=None, ended_at=None)
    }
    return {
        "customer": ticket.customer_name,
        "score": ticket.response.score,
        "highest": ticket.response.survey.highest,
        "words": ticket.response.comment,
        "first_contact": running.get(FIRST_CONTACT),
        "resolution": running.get(RESOLUTION),
    }
