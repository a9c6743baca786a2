"""What became of the questions that were sent to ask people again."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from recovery.models import Resurvey
from recovery.models.ticket import TicketQuerySet
from surveys.models import Invitation, Message

# Why a message has not arrived, where its state says it.
ON_ITS_WAY, UNCERTAIN = "on_its_way", "uncertain"
INVITATION_GONE = "invitation_gone"

# By ticket and cycle why what was sent had not arrived; empty where it had.
Deliveries = dict[tuple[int, int], str]


def deliveries(tickets: TicketQuerySet, at: datetime | None = None) -> Deliveries:
    """What became of every question sent, by `at` if given; in one query. Those of a hold-out are none of
    the loop.
    """
    rows = Resurvey.objects.filter(ticket__in=tickets.order_by().values("pk"), cycle__gt=0)
    rows = rows.filter(asked_at__isnull=False) if at is None else rows.filter(asked_at__lte=at)
    message = "invitation__messages__"
    names = ("invitation_id", "invitation__state", "invitation__reason")
    said = (f"{message}state", f"{message}reason", f"{message}finished_at")
    found = rows.order_by(f"{message}id").values_list("ticket_id", "cycle", *names, *said)
    return {(ticket, cycle): why_undelivered(Sent(*sent), at) for ticket, cycle, *sent in found}


class Sent(NamedTuple):
    invitation: int | None
    invitation_state: str | None
    invitation_reason: str | None
    state: str | None
    reason: str | None
    finished_at: datetime | None


UNFINISHED: Final = (Message.QUEUED, Message.SENDING)


def why_undelivered(sent: Sent, at: datetime | None) -> str:
    if sent.invitation is None:
        return INVITATION_GONE
    if sent.state is None:
        # Asked without a message of ours: what is known is the invitation alone.
        gone = sent.invitation_state == Invitation.CANCELLED
        return (sent.invitation_reason or INVITATION_GONE) if gone else ""
    ended_later = at is not None and sent.finished_at is not None and sent.finished_at > at
    if sent.state in UNFINISHED or ended_later:
        return ON_ITS_WAY
    if sent.state == Message.ACCEPTED:
        return ""
    return REASON_OF.get(sent.state) or sent.reason or sent.state


# A refusal carries the words of the mail server: its kind is what counts.
REASON_OF: Final = {
    Message.REJECTED: "message_rejected",
    Message.DEAD: "message_dead",
    Message.EXPIRED: "not_after",
    Message.UNCERTAIN: UNCERTAIN,
}
