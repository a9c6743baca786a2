"""The low scores of a period, and what became of each: every number about recovery begins here."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db.models import Exists, F, Min, OuterRef, QuerySet
from django.db.models.functions import Least

from recovery.insight import segment
from recovery.models import Contact, Resurvey, TicketEvent
from recovery.models.contact import HEARD
from recovery.models.ticket import IN_WORK, TicketQuerySet
from surveys.models import Response
from surveys.scoring import DETRACTOR, PASSIVE, PROMOTER

HORIZON: Final = timedelta(days=90)

NO_ANSWER, WAITING, TO_BE_ASKED, NOT_ASKED = "no_answer", "waiting", "to_be_asked", "not_asked"
STILL_IN_WORK, MERGED = "in_work", "merged"
BANDS: Final = (PROMOTER, PASSIVE, DETRACTOR)
# What may have become of a low score: exactly one of these holds for each.
STATES: Final = (*BANDS, NO_ANSWER, WAITING, TO_BE_ASKED, NOT_ASKED, STILL_IN_WORK, MERGED)
RECOVERED: Final = (PROMOTER, PASSIVE)

ASKED, UNPROMPTED = "asked", "unprompted"
# How far it got. An answer that came before anybody asked is unprompted.
STAGES: Final = (ASKED, UNPROMPTED, TO_BE_ASKED, NOT_ASKED, STILL_IN_WORK, MERGED)

TOO_LATE = "answered_too_late"


@dataclass(frozen=True, slots=True)
class Slice:
    """Which low scores: given from `start` to before `end`; what is empty does not narrow.

    With `as_of`, as everything stood at that moment: tickets opened later are not there. `segment` is as
    `recovery.insight.segment` reads it; what it cannot read raises ValueError.
    """

    start: datetime | None = None
    end: datetime | None = None
    survey: int | None = None
    teams: frozenset[int] | None = None
    touchpoint: str = ""
    as_of: datetime | None = None
    segment: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """One low score: whether the person was reached before they answered again, and what they are now.

    `next`, `now` and `ever` are the states by their first, latest and best answer after a resolution; without
    an answer all three are where the ticket stands. `why` is the reason where nobody asked.
    """

    ticket: int
    reached: bool
    reached_later: bool
    stage: str
    next: str
    now: str
    ever: str
    why: str = ""
    team: int = 0
    touchpoint: str = ""
    tier: str = ""
    cause_found: int | None = None
    cause_said: int | None = None
    to_contact: timedelta | None = None

    @property
    def answered(self) -> bool:
        return self.next in BANDS

    @property
    def recovered(self) -> bool:
        return self.next in RECOVERED


def low_scores(tickets: TicketQuerySet, which: Slice) -> TicketQuerySet:
    """The tickets a low score opened, by the time that score was first given.

    The band is the one that opened the ticket: an answer changed later takes no ticket out of the cohort.
    """
    opened = TicketEvent.objects.filter(ticket=OuterRef("pk"), version=1, kind="opened", data__band=DETRACTOR)
    # A changed answer bears a later time; it cannot have been given after it had opened the ticket.
    given_at = Least(F("response__answered_at"), F("opened_at"))
    rows = tickets.filter(Exists(opened)).alias(given_at=given_at)
    if which.start is not None:
        rows = rows.filter(opened_at__gte=which.start, given_at__gte=which.start)
    if which.end is not None:
        rows = rows.filter(given_at__lt=which.end)
    if which.survey is not None:
        rows = rows.filter(response__survey=which.survey)
    if which.teams is not None:
        rows = rows.filter(team__in=which.teams)
    if which.touchpoint:
        rows = rows.filter(touchpoint=which.touchpoint)
    if which.as_of is not None:
        rows = rows.filter(opened_at__lte=which.as_of)
    if which.segment:
        rows = segment.narrowed(rows, segment.parse(which.segment))
    return rows


class Answer(NamedTuple):
    at: datetime
    pk: int
    band: str


class Ask(NamedTuple):
    cycle: int
    state: str
    outcome: str
    reason: str
    asked_at: datetime | None


def stories(cohort: TicketQuerySet) -> list[Story]:
    """What became of each ticket of the cohort, in five queries however many there are."""
    resolutions = resolutions_of(cohort)
    answers = answers_of(cohort, resolutions)
    asks, heard = asks_of(cohort), heard_of(cohort)
    rows = cohort.order_by("pk").values(
        *("pk", "status", "cycle", "merged_into_id", "opened_at", "team_id", "touchpoint"),
        *("cause_found_id", "cause_said_id", "customer__tier"),
    )
    return [
        story_of(row, answers.get(row["pk"], []), asks.get(row["pk"], []), heard.get(row["pk"]))
        for row in rows
    ]


def resolutions_of(cohort: TicketQuerySet) -> dict[int, list[datetime]]:
    """When each ticket was resolved, once per cycle, in order."""
    found: dict[int, list[datetime]] = defaultdict(list)
    events = TicketEvent.objects.filter(kind="resolved", ticket__in=keys(cohort)).order_by("at", "id")
    for ticket, at in events.values_list("ticket_id", "at"):
        found[ticket].append(at)
    return found


def answers_of(cohort: TicketQuerySet, resolutions: dict[int, list[datetime]]) -> dict[int, list[Answer]]:
    """The person's valid answers on the ticket's line, each within the horizon of a resolution before it."""
    found: dict[int, list[Answer]] = defaultdict(list)
    rows = cohort.order_by().filter(
        customer__responses__state=Response.COMPLETE,
        customer__responses__score__isnull=False,
        customer__responses__survey__line=F("line"),
        customer__responses__answered_at__gte=F("opened_at"),
    )
    response = "customer__responses__"
    names = ("pk", "response_id", f"{response}answered_at", f"{response}pk", f"{response}band")
    for ticket, opening, at, pk, band in rows.values_list(*names):
        if pk != opening and in_time(at, resolutions.get(ticket, [])):
            found[ticket].append(Answer(at, pk, band))
    return {ticket: sorted(given) for ticket, given in found.items()}


def in_time(at: datetime, resolved: list[datetime]) -> bool:
    """Whether an answer follows a resolution, the latest before it, within the horizon."""
    index = bisect_right(resolved, at)
    return index > 0 and at - resolved[index - 1] <= HORIZON


def asks_of(cohort: TicketQuerySet) -> dict[int, list[Ask]]:
    found: dict[int, list[Ask]] = defaultdict(list)
    rows = Resurvey.objects.filter(ticket__in=keys(cohort)).order_by("cycle")
    names = ("ticket_id", "cycle", "state", "outcome", "reason", "asked_at")
    for ticket, *ask in rows.values_list(*names):
        found[ticket].append(Ask(*ask))
    return found


def heard_of(cohort: TicketQuerySet) -> dict[int, datetime]:
    """When each person was first reached, or replied."""
    rows = Contact.objects.filter(outcome__in=HEARD, ticket__in=keys(cohort)).order_by()
    return dict(rows.values("ticket").annotate(first=Min("at")).values_list("ticket", "first"))


def keys(cohort: TicketQuerySet) -> QuerySet[Any]:
    return cohort.order_by().values("pk")


def story_of(row: dict[str, Any], answers: list[Answer], asks: list[Ask], heard: datetime | None) -> Story:
    merged = row["merged_into_id"] is not None
    given = [] if merged else answers
    state, why = (MERGED, "") if merged else standing(row["status"], row["cycle"], asks)
    bands = [answer.band for answer in given]
    first = given[0].at if given else None
    in_turn = heard is not None and (first is None or heard <= first)
    return Story(
        ticket=row["pk"],
        reached=in_turn,
        reached_later=heard is not None and not in_turn,
        stage=stage_of(state, first, asks),
        next=bands[0] if bands else state,
        now=bands[-1] if bands else state,
        ever=min(bands, key=BANDS.index) if bands else state,
        why="" if bands else why,
        team=row["team_id"],
        touchpoint=row["touchpoint"],
        tier=row["customer__tier"] or "",
        cause_found=row["cause_found_id"],
        cause_said=row["cause_said_id"],
        to_contact=heard - row["opened_at"] if heard is not None else None,
    )


def standing(status: str, cycle: int, asks: list[Ask]) -> tuple[str, str]:
    """Where a ticket without a valid answer stands, and why if its person was not asked."""
    if status in IN_WORK:
        return STILL_IN_WORK, ""
    ask = next((each for each in asks if each.cycle == cycle), None)
    if ask is None or ask.state in (Resurvey.PLANNED, Resurvey.HELD):
        return TO_BE_ASKED, ""
    if ask.state == Resurvey.ASKED:
        return WAITING, ""
    if ask.outcome == NOT_ASKED:
        return NOT_ASKED, ask.reason
    # It ended with an answer that came too late to count, or was withdrawn.
    return (NO_ANSWER, "") if ask.asked_at else (NOT_ASKED, TOO_LATE)


def stage_of(state: str, answered_at: datetime | None, asks: Iterable[Ask]) -> str:
    if answered_at is not None:
        asked_before = any(ask.asked_at and ask.asked_at <= answered_at for ask in asks)
        return ASKED if asked_before else UNPROMPTED
    return ASKED if state in (NO_ANSWER, WAITING) else state


def pick(
    told: Iterable[Story], column: str, states: Iterable[str], reached: bool | None = None
) -> list[Story]:
    """The stories behind a number: their state in a column, and whether they were reached."""
    wanted = frozenset(states)
    return [
        story
        for story in told
        if getattr(story, column) in wanted and (reached is None or story.reached == reached)
    ]
