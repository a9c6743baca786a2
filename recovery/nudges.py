"""Joins the rooms: answers are triaged at once, customers told who calls, colleagues shown what is theirs."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dispatch.failpoints import failpoint
from surveys.access import narrow_by
from surveys.intake.signals import Promise, promise_wanted, responses_recorded
from surveys.messages import breaker, gate
from surveys.messages.colleague import Colleague

if TYPE_CHECKING:
    from recovery.models import Ticket

log = logging.getLogger(__name__)


def listen() -> None:
    """Connect to what the surveys room announces and asks."""
    from recovery.access import sight_of
    from recovery.lifecycle.concern import why_not

    narrow_by(sight_of)
    gate.also(why_not)
    breaker.told_to(operators)
    responses_recorded.connect(triage_now, dispatch_uid="recovery.triage_now")
    promise_wanted.connect(promise_of, dispatch_uid="recovery.promise_of")


def operators() -> list[Colleague]:
    """Whoever can release what is held."""
    from recovery.alarms import administrators
    from recovery.lifecycle.notices import reader

    return [reader(user) for user in administrators()]


def triage_now(sender: Any, *, response_ids: Iterable[int], at: datetime, **_kwargs: Any) -> None:
    """Triage there and then; whatever goes wrong is left to the sweep, which finds the rows."""
    from recovery.triage import triage

    for response_id in response_ids:
        try:
            triage(response_id, at=at)
            failpoint("after_ticket_commit")
        except Exception:
            log.exception("triage failed; the sweep takes it up", extra={"response": response_id})


def promise_of(sender: Any, *, response_id: int, at: datetime, **_kwargs: Any) -> Promise | None:
    """Who will get in touch, and by when: as booked, else by the very deadline the desk works to."""
    from recovery.lifecycle import customer_url
    from recovery.models import TicketResponse

    link = TicketResponse.objects.select_related("ticket__owner").filter(response=response_id).first()
    if link is None or not link.ticket.is_in_work:
        return None
    found = promised_by(link.ticket, at)
    if found is None:
        return None
    by, channel = found
    name, url = link.ticket.owner.get_full_name(), customer_url(link.ticket, at)
    return Promise(name=name, by=by, url=url, channel=channel)


def promised_by(ticket: Ticket, at: datetime) -> tuple[datetime, str] | None:
    """By when, and by which channel where one was agreed."""
    from recovery.models import Callback, Deadline
    from recovery.models.policy import FIRST_CONTACT

    booked = Callback.objects.filter(ticket=ticket, state=Callback.BOOKED, due_at__gt=at).first()
    if booked is not None:
        return booked.due_at, booked.channel
    running = Deadline.objects.filter(
        ticket=ticket, kind=FIRST_CONTACT, cycle=ticket.cycle, met_at=None, due_at__gt=at
    )
    due = running.values_list("due_at", flat=True).first()
    return (due, "") if due else None
