"""The views people come back to: everybody's and those they saved, each an address with a live count."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recovery.models.ticket import Ticket, TicketQuerySet
from recovery.views.choices import Choices
from recovery.views.filters import FILTERS, IN_HAND, Asked
from recovery.views.frame import how_many
from surveys.models.lookup import MOST_FOUND

MINE: Final[list[tuple[str, str | Promise, str]]] = [
    ("mine", gettext_lazy("My work"), "owner=me"),
    ("calls", gettext_lazy("My callbacks due"), "owner=me&callback=due"),
    ("late", gettext_lazy("My overdue"), "owner=me&overdue=1"),
    ("unseen", gettext_lazy("Unseen"), "owner=me&status=new"),
    ("answered", gettext_lazy("Waiting answered"), "owner=me&answered=1"),
]
TEAMS: Final[list[tuple[str, str | Promise, str]]] = [
    ("all-late", gettext_lazy("Overdue"), "overdue=1"),
    ("silent", gettext_lazy("Not heard yet"), "contacted=no"),
    ("twice", gettext_lazy("Breached twice"), "breached=2"),
    ("room", gettext_lazy("Nobody has room"), "room=1"),
]


@dataclass(frozen=True)
class View:
    """`pk` of a saved one, 0 of those everybody has; `team` where it is shared; `count` once it was asked."""

    code: str
    name: str | Promise
    query: str
    pk: int = 0
    user: int = 0
    team: int = 0
    position: int = 0
    count: int = 0
    current: bool = False

    @property
    def url(self) -> str:
        return f"{reverse('tickets')}?{self.query}" if self.query else reverse("tickets")

    @property
    def total(self) -> str:
        return f"{MOST_FOUND}+" if self.count > MOST_FOUND else str(self.count)


def seeded(choices: Choices, *, works: bool, leads: bool) -> Iterable[View]:
    """`works`: who owns tickets; `leads`: who answers for those of others."""
    if works:
        yield from (View(*each) for each in MINE)
        for person in choices.covered:
            name = _("Covering for %(name)s") % {"name": person.name}
            yield View(f"cover-{person.pk}", name, f"owner={person.pk}")
    if leads:
        yield from (View(*each) for each in TEAMS)


def saved(choices: Choices) -> list[View]:
    """One's own first."""
    kept = sorted(choices.views, key=lambda each: (each.team > 0, each.position))
    return [
        View(f"view-{each.pk}", each.name, each.query, each.pk, each.user, each.team, each.position)
        for each in kept
    ]


def counted(
    views: Iterable[View], seen: TicketQuerySet, asked: Asked, more: dict[str, QuerySet[Ticket]] | None = None
) -> tuple[list[View], dict[str, int]]:
    """The views with their counts, and how many `more` holds of each, in one query.

    The view whose filters the address asks for is the current one.
    """
    listed = list(views)
    questions = {f"v{place}": question(each, seen, asked) for place, each in enumerate(listed)}
    found = numbers(asked.user, {**questions, **(more or {})})
    here = meaning(asked.query)
    told = [
        replace(each, count=found[f"v{place}"], current=meaning(QueryDict(each.query)) == here)
        for place, each in enumerate(listed)
    ]
    return told, {name: found[name] for name in more or {}}


def question(view: View, seen: TicketQuerySet, asked: Asked) -> QuerySet[Ticket]:
    theirs = Asked(QueryDict(view.query), asked.user, asked.at)
    return bounded(theirs.narrowed(seen), theirs)


def bounded(tickets: TicketQuerySet, asked: Asked) -> TicketQuerySet:
    """Nobody counts further than they would page; open work is no more than that."""
    if asked.in_work_only:
        return tickets
    return Ticket.objects.filter(pk__in=tickets.order_by().values("pk")[: MOST_FOUND + 1])


def numbers(user: User, questions: dict[str, QuerySet[Ticket]]) -> dict[str, int]:
    counts = {name: how_many(rows) for name, rows in questions.items()}
    asker: Any = User.objects.filter(pk=user.pk)
    return dict(asker.values(**counts).get()) if counts else {}


def meaning(query: QueryDict) -> frozenset[tuple[str, str]]:
    """Which filters an address sets, whatever their order; what is usual need not be said."""
    said = {(name, value) for name in FILTERS for value in query.getlist(name) if value}
    return frozenset(said - ({("status", IN_HAND)} if not query.get("q") else set()))


def as_kept(query: QueryDict) -> str:
    """Filters, order and columns of an address as a view keeps them: no page, nothing empty or unknown."""
    kept = QueryDict(mutable=True)
    for name in (*FILTERS, "order", "cols"):
        kept.setlist(name, [value for value in query.getlist(name) if value])
    return kept.urlencode(safe=",")


def pairs_of(query: QueryDict, *without: str) -> list[tuple[str, str]]:
    """The same as the hidden fields of a form that changes something else."""
    kept = QueryDict(as_kept(query))
    return [(name, value) for name, values in kept.lists() for value in values if name not in without]
