"""The low scores of a period, and what became of each: every number about recovery begins here."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Least

from recovery.insight import segment
from recovery.insight.as_of import facts_then, of_teams_then
from recovery.insight.kept import Answer as Answer
from recovery.insight.kept import Ask, Facts, Row, facts_now
from recovery.insight.kept import keys as keys
from recovery.models import Resurvey, Ticket, TicketEvent
from recovery.models.ticket import IN_WORK, TicketQuerySet
from surveys.scoring import DETRACTOR, PASSIVE, PROMOTER

HORIZON: Final = timedelta(days=90)
# So many stories of a past moment are told at a time.
AT_A_TIME: Final = 10_000

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
    an answer all three are where the ticket stands. `lasting` is the band of the answer after a next answer
    that was a promoter's, "no_answer" where none came, and empty for everybody else. `why` is the reason
    where nobody asked. `undelivered` is why what was sent in the present cycle has not arrived: empty where
    it has, None where nothing was sent. `count` is how many low scores share this story, where only that is
    known.
    """

    ticket: int
    reached: bool
    reached_later: bool
    stage: str
    next: str
    now: str
    ever: str
    lasting: str = ""
    why: str = ""
    undelivered: str | None = None
    team: int = 0
    touchpoint: str = ""
    tier: str = ""
    cause_found: int | None = None
    cause_said: int | None = None
    to_contact: timedelta | None = None
    count: int = 1

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
        at = which.as_of
        rows = rows.filter(team__in=which.teams) if at is None else of_teams_then(rows, which.teams, at)
    if which.touchpoint:
        rows = rows.filter(touchpoint=which.touchpoint)
    if which.as_of is not None:
        rows = rows.filter(opened_at__lte=which.as_of)
    if which.segment:
        rows = segment.narrowed(rows, segment.parse(which.segment))
    return rows


def stories(cohort: TicketQuerySet, at: datetime | None = None) -> list[Story]:
    """What became of each ticket of the cohort, in as many queries for many as for few.

    With `at`, as it stood at that moment: what happened later, or came in later, is not there.
    """
    if at is None:
        facts = facts_now(cohort)
        return [story_of(row, facts) for row in facts.rows]
    # Who belonged to it then takes looking up: that is done once, not in each of the queries.
    tickets = list(cohort.order_by("pk").values_list("pk", flat=True))
    return [
        story_of(row, facts)
        for start in range(0, len(tickets), AT_A_TIME)
        for facts in [facts_then(Ticket.objects.filter(pk__in=tickets[start : start + AT_A_TIME]), at)]
        for row in facts.rows
    ]


def counted(answers: Iterable[Answer], resolved: Sequence[datetime]) -> list[Answer]:
    return [answer for answer in answers if in_time(answer.at, resolved)]


def in_time(at: datetime, resolved: Sequence[datetime]) -> bool:
    """Whether an answer follows a resolution, the latest before it, within the horizon."""
    index = bisect_right(resolved, at)
    return index > 0 and at - resolved[index - 1] <= HORIZON


def story_of(row: Row, facts: Facts) -> Story:
    key, merged = row["pk"], row["merged_into_id"] is not None
    answers = [] if merged else facts.answers.get(key, [])
    asks, heard = facts.asks.get(key, []), facts.heard.get(key)
    given = counted(answers, facts.resolved.get(key, []))
    state, why = (MERGED, "") if merged else standing(row["status"], row["cycle"], asks)
    bands = [answer.band for answer in given]
    first = given[0].at if given else None
    in_turn = heard is not None and (first is None or heard <= first)
    return Story(
        ticket=key,
        reached=in_turn,
        reached_later=heard is not None and not in_turn,
        stage=stage_of(state, first, asks),
        next=bands[0] if bands else state,
        now=bands[-1] if bands else state,
        ever=min(bands, key=BANDS.index) if bands else state,
        lasting=lasting_of(given, answers),
        why="" if bands else why,
        undelivered=facts.sent.get((key, row["cycle"])),
        team=row["team_id"],
        touchpoint=row["touchpoint"],
        tier=row["customer__tier"] or "",
        cause_found=row["cause_found_id"],
        cause_said=row["cause_said_id"],
        to_contact=heard - row["opened_at"] if heard is not None else None,
    )


def lasting_of(given: Sequence[Answer], answers: Iterable[Answer]) -> str:
    """Of who was converted, the band of the answer after that, however much later; else empty."""
    if not given or given[0].band != PROMOTER:
        return ""
    return next((answer.band for answer in answers if answer > given[0]), NO_ANSWER)


def standing(status: str, cycle: int, asks: Iterable[Ask]) -> tuple[str, str]:
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
