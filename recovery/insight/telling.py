"""Stories told from the tickets' own rows and kept, so that `told` can count them.

A change marks itself (`UntoldChange`) in the transaction that makes it. Marks are read first, then the
stories are told, kept, and exactly those marks removed: a change that was not committed when the marks were
read leaves its own behind, and its ticket is told again. One teller at a time, or an older story could be
kept over a newer one; nobody else waits for them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

from recovery.insight.cohort import Slice, Story, low_scores, stories
from recovery.insight.steady import steady_since
from recovery.models import Ticket, ToldTicket, UntoldChange
from recovery.models.ticket import TicketQuerySet

BATCH: Final = 2_000
# Changes come in bursts; told a little later, a ticket is told once for all of them.
REST: Final = timedelta(seconds=20)
TELLERS: Final = 7_061_804
KEPT: Final = tuple(field.name for field in fields(Story) if field.name not in ("ticket", "count"))
COLUMNS: Final = ("given_at", "survey", "steady_since", *KEPT)


def one_at_a_time() -> None:
    """Inside a transaction, before anything is read in it: until it ends nobody else tells."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TELLERS])


def nobody_tells() -> bool:
    """The same where it is free, without waiting for it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [TELLERS])
        return bool(cursor.fetchone()[0])


# --- what changed -------------------------------------------------------------------------------------------


def due_changes(at: datetime) -> QuerySet[UntoldChange]:
    """The oldest mark, once it has rested; the step that takes it tells a whole batch."""
    oldest = UntoldChange.objects.order_by("pk").values("pk")[:1]
    return UntoldChange.objects.filter(pk__in=oldest, marked_at__lte=at - REST)


def tell_changed(change: int, at: datetime) -> object:
    """The batch that begins with this mark; nothing where somebody else has told it, or is telling: one that
    hangs over it hangs up nobody who comes after."""
    with transaction.atomic():
        return nobody_tells() and UntoldChange.objects.filter(pk=change).exists() and tell_batch()


def tell_batch(limit: int = BATCH) -> int:
    """Tell what the oldest marks name, and remove them. Returns how many marks; 0 where there are none."""
    with transaction.atomic():
        one_at_a_time()
        marks = list(UntoldChange.objects.order_by("pk").values_list("pk", "ticket", "customer")[:limit])
        tickets = {ticket for _pk, ticket, _customer in marks if ticket is not None}
        customers = {customer for _pk, _ticket, customer in marks if customer is not None}
        if customers:
            theirs = Ticket.objects.filter(customer__in=customers).order_by()
            tickets.update(theirs.values_list("pk", flat=True))
        keep(Q(pk__in=tickets))
        UntoldChange.objects.filter(pk__in=[pk for pk, _ticket, _customer in marks]).delete()
    return len(marks)


# --- everything ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Range:
    """Tickets by their ids, and stories kept of tickets that are gone; `size` tickets are there."""

    above: int
    upto: int | None
    size: int

    def of(self, column: str = "pk") -> Q:
        lower = Q((f"{column}__gt", self.above))
        return lower if self.upto is None else lower & Q((f"{column}__lte", self.upto))


def ranges() -> Iterator[Range]:
    """All there are, a batch at a time."""
    tickets, above = Ticket.objects.order_by("pk").values_list("pk", flat=True), 0
    while ids := list(tickets.filter(pk__gt=above)[:BATCH]):
        yield Range(above, ids[-1], len(ids))
        above = ids[-1]
    yield Range(above, None, 0)


def rebuild() -> Iterator[int]:
    """Tell every ticket anew, and all that was marked; gives how many tickets were looked at each time."""
    for some in ranges():
        with transaction.atomic():
            one_at_a_time()
            marks = list(UntoldChange.objects.filter(some.of("ticket")).values_list("pk", flat=True))
            keep(some.of())
            UntoldChange.objects.filter(pk__in=marks).delete()
        yield some.size
    while tell_batch():
        yield 0


def keep(which: Q) -> None:
    """Keep the stories of these tickets as they are now, and of those that belong to no cohort none."""
    rows = rows_of(low_scores(Ticket.objects.filter(which), Slice()))
    ToldTicket.objects.filter(which).exclude(pk__in=[row.pk for row in rows]).delete()
    ToldTicket.objects.bulk_create(
        rows, batch_size=BATCH, update_conflicts=True, unique_fields=["ticket"], update_fields=COLUMNS
    )


def rows_of(cohort: TicketQuerySet) -> list[ToldTicket]:
    told = stories(cohort)
    steady = steady_since(cohort, told)
    given = {
        pk: {"given_at": at, "survey": survey}
        for pk, at, survey in cohort.order_by()
        .annotate(given=F("given_at"))
        .values_list("pk", "given", "response__survey")
    }
    # One that was deleted in between is in neither.
    return [
        ToldTicket(
            ticket_id=story.ticket,
            steady_since=steady.get(story.ticket),
            **given[story.ticket],
            **values_of(story),
        )
        for story in told
        if story.ticket in given
    ]


def values_of(story: Story) -> dict[str, Any]:
    return {name: getattr(story, name) for name in KEPT}


# --- whether it is true -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """What is kept of a ticket, and what its own rows say; None where there is no story."""

    ticket: int
    kept: dict[str, Any] | None
    told: dict[str, Any] | None

    def __str__(self) -> str:
        if self.kept is None or self.told is None:
            return f"ticket {self.ticket}: " + ("not kept" if self.kept is None else "kept, but no low score")
        parts = [
            f"{name} is kept as {self.kept[name]!r} and is {self.told[name]!r}"
            for name in COLUMNS
            if self.kept[name] != self.told[name]
        ]
        return f"ticket {self.ticket}: {', '.join(parts)}"


def check() -> Iterator[tuple[int, list[Difference]]]:
    """Every kept story against the slow way: how many tickets were looked at each time, and what differs.

    What is marked as changed is not looked at: nobody takes it for true. Nothing is locked or written.
    """
    for some in ranges():
        kept = {row["ticket"]: row for row in ToldTicket.objects.filter(some.of()).values("ticket", *COLUMNS)}
        told = {row.pk: row for row in rows_of(low_scores(Ticket.objects.filter(some.of()), Slice()))}
        # Last of all: whatever changed in between is marked by now.
        changed = marked(kept.keys() | told.keys())
        yield some.size, list(differences(kept, told, changed))


def marked(tickets: Collection[int]) -> set[int]:
    named = UntoldChange.objects.filter(ticket__in=tickets).values_list("ticket", flat=True)
    customers = UntoldChange.objects.filter(customer__isnull=False).values("customer")
    theirs = Ticket.objects.filter(pk__in=tickets, customer__in=customers).values_list("pk", flat=True)
    return {*(pk for pk in named if pk is not None), *theirs}


def differences(
    kept: dict[int, dict[str, Any]], told: dict[int, ToldTicket], changed: Collection[int]
) -> Iterable[Difference]:
    for ticket in sorted((kept.keys() | told.keys()) - set(changed)):
        before = {name: kept[ticket][name] for name in COLUMNS} if ticket in kept else None
        after = {name: getattr(told[ticket], name) for name in COLUMNS} if ticket in told else None
        if before != after:
            yield Difference(ticket, before, after)
