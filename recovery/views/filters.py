"""Which tickets an address asks for: lists, counts of views and exported files read it here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict
from django.utils.dateparse import parse_date
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from dispatch.clock import midnight
from recovery.insight import standing
from recovery.models import Callback, Deadline
from recovery.models.policy import FIRST_CONTACT
from recovery.models.ticket import IN_WORK, TicketQuerySet
from recovery.views.news import answered
from recovery.views.search import tickets_like
from surveys.models.lookup import number as number

ANY, IN_HAND, ME = "any", "open_work", "me"
DUE, BOOKED, NONE = "due", "booked", "none"
NEWEST = "newest"

DAYS: Final = ("due_before", "opened_from", "opened_to")
# Every filter an address may hold, in the order in which a saved view keeps them.
FILTERS: Final = (
    "status",
    "owner",
    "team",
    "priority",
    "survey",
    "cause",
    "touchpoint",
    "tier",
    "customer",
    *DAYS,
    "overdue",
    "answered",
    "contacted",
    "callback",
    "breached",
    "room",
    "q",
)


def day_of(text: str) -> date | None:
    try:
        found = parse_date(text)
    except ValueError:  # 2026-02-31
        return None
    return found if found and 1900 <= found.year < 9000 else None


@dataclass(frozen=True)
class Asked:
    """The filters of an address, for one reader at one moment.

    A value may stand more than once: any of them fits. One that does not exist finds nothing.
    """

    query: QueryDict
    user: User
    at: datetime

    def one(self, name: str) -> str:
        return self.query.get(name, "").replace("\0", "").strip()

    def many(self, name: str) -> list[str]:
        values = (text.replace("\0", "").strip() for text in self.query.getlist(name))
        return [value for value in values if value]

    @property
    def words(self) -> str:
        return self.one("q")

    @property
    def statuses(self) -> list[str]:
        """In work where nothing else is asked; everything where words are looked for."""
        return self.many("status") or [ANY if self.words else IN_HAND]

    @property
    def in_work_only(self) -> bool:
        return all(status == IN_HAND or status in IN_WORK for status in self.statuses)

    @property
    def newest_first(self) -> bool:
        """Where that was asked, or where little or nothing is due."""
        nothing_due = not self.in_work_only and not self.one("overdue")
        return nothing_due or self.one("order") == NEWEST

    @property
    def is_narrow(self) -> bool:
        return any(self.one(name) for name in FILTERS)

    @property
    def errors(self) -> dict[str, str | Promise]:
        """What cannot be read, beside its field."""
        said = _("Give a day such as 2026-03-02.")
        return {name: said for name in DAYS if self.one(name) and day_of(self.one(name)) is None}

    def instant(self, name: str, days: int = 0) -> datetime:
        """The start of the asked day on the reader's clock, some days on."""
        day = day_of(self.one(name))
        assert day is not None
        return midnight(day + timedelta(days=days))

    def narrowed(self, tickets: TicketQuerySet) -> TicketQuerySet:
        """Only what every filter allows."""
        if self.errors:
            return tickets.none()
        tickets = by_status(tickets, self.statuses)
        for name, narrow in BY_NAME.items():
            if self.one(name):
                tickets = narrow(tickets, self)
        return tickets_like(tickets, self.words) if self.words else tickets


def by_status(tickets: TicketQuerySet, statuses: list[str]) -> TicketQuerySet:
    if ANY in statuses:
        return tickets
    asked = {each for status in statuses for each in (IN_WORK if status == IN_HAND else (status,))}
    return tickets.filter(status__in=sorted(asked))


def by_owner(tickets: TicketQuerySet, asked: Asked) -> TicketQuerySet:
    owners = {asked.user.pk if each == ME else number(each) for each in asked.many("owner")}
    return tickets.filter(owner__in=sorted(owners))


def by_id(name: str, column: str) -> Callable[[TicketQuerySet, Asked], TicketQuerySet]:
    def narrow(tickets: TicketQuerySet, asked: Asked) -> TicketQuerySet:
        return tickets.filter(**{f"{column}__in": sorted({number(each) for each in asked.many(name)})})

    return narrow


def by_text(name: str, column: str) -> Callable[[TicketQuerySet, Asked], TicketQuerySet]:
    def narrow(tickets: TicketQuerySet, asked: Asked) -> TicketQuerySet:
        return tickets.filter(**{f"{column}__in": asked.many(name)})

    return narrow


def by_cause(tickets: TicketQuerySet, asked: Asked) -> TicketQuerySet:
    """What the customer said, or what was found."""
    causes = sorted({number(each) for each in asked.many("cause")})
    return tickets.filter(Q(cause_said__in=causes) | Q(cause_found__in=causes))


def due_before(tickets: TicketQuerySet, asked: Asked) -> TicketQuerySet:
    """A deadline or a callback falls due by the end of that day."""
    until = asked.instant("due_before", 1)
    return tickets.filter(Exists(of_cycle(due_at__lt=until)) | Exists(booked(due_at__lt=until)))


def of_cycle(**conditions: object) -> QuerySet[Deadline]:
    """The running deadlines of the ticket in the outer query."""
    mine = Deadline.objects.filter(ticket=OuterRef("pk"), cycle=OuterRef("cycle"), **conditions)
    return mine.filter(met_at=None, ended_at=None)


def booked(**conditions: object) -> QuerySet[Callback]:
    return Callback.objects.filter(ticket=OuterRef("pk"), state=Callback.BOOKED, **conditions)


def by_callback(tickets: TicketQuerySet, asked: Asked) -> TicketQuerySet:
    """`due`: to be called now; `booked`: promised; `none`: nobody promised a call."""
    conditions: dict[str, Any] = {
        DUE: Exists(booked(due_at__lte=asked.at)),
        BOOKED: Exists(booked()),
        NONE: ~Exists(booked()),
    }
    found = conditions.get(asked.one("callback"))
    return tickets.none() if found is None else tickets.filter(found)


def contacted(tickets: TicketQuerySet, asked: Asked) -> TicketQuerySet:
    """`no`: the customer has not been heard in this cycle; `yes`: they have."""
    silent = Exists(of_cycle(kind=FIRST_CONTACT))
    wanted = {"no": silent, "yes": ~silent}.get(asked.one("contacted"))
    return tickets.none() if wanted is None else tickets.filter(wanted)


BY_NAME: Final[dict[str, Callable[[TicketQuerySet, Asked], TicketQuerySet]]] = {
    "owner": by_owner,
    "team": by_id("team", "team"),
    "priority": by_id("priority", "priority"),
    "survey": by_id("survey", "response__survey"),
    "cause": by_cause,
    "touchpoint": by_text("touchpoint", "touchpoint"),
    "tier": by_text("tier", "customer__tier"),
    "customer": by_id("customer", "customer"),
    "due_before": due_before,
    "opened_from": lambda tickets, asked: tickets.filter(opened_at__gte=asked.instant("opened_from")),
    "opened_to": lambda tickets, asked: tickets.filter(opened_at__lt=asked.instant("opened_to", 1)),
    "overdue": lambda tickets, asked: tickets.in_work().filter(standing.is_late(asked.at)),
    "answered": lambda tickets, asked: answered(tickets),
    "contacted": contacted,
    "callback": by_callback,
    "breached": lambda tickets, asked: tickets.in_work().filter(standing.is_broken_twice(asked.at)),
    "room": lambda tickets, asked: tickets.filter(awaits_room=True),
}
