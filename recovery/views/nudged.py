"""Who asked the owner to look at a ticket: said on its row until the owner has done something there."""

from __future__ import annotations

from django.db.models import Case, CharField, F, OuterRef, Q, Subquery, Value, When

from recovery.models import Ticket, TicketEvent
from recovery.models.ticket import TicketQuerySet

# Another owner was not asked; what the owner does is an answer.
ENDS = Q(kind="assigned") | Q(by=OuterRef("owner"))


def with_nudges(tickets: TicketQuerySet) -> TicketQuerySet:
    """With `nudged_by`: the name of who nudged the owner last, '' where they have acted since; NULL else."""
    told = TicketEvent.objects.filter(ENDS | Q(kind="nudged"), ticket=OuterRef("pk"))
    name = Case(When(kind="nudged", then=F("by_name")), default=Value(""), output_field=CharField())
    return tickets.annotate(
        nudged_by=Subquery(told.order_by("-version").annotate(name=name).values("name")[:1])
    )


def nudged_by(ticket: Ticket) -> str:
    """Where the ticket was read with its nudges; '' else."""
    return getattr(ticket, "nudged_by", "") or ""
