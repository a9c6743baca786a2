"""What a hold-out shows: the same question at the same age, of those followed up at once and those later.

Everybody counts on the side they were drawn for, whatever was done with them since (intention to treat).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import F, Q, QuerySet

from recovery.insight.cohort import RECOVERED, Slice
from recovery.insight.recovery import Rate
from recovery.models import HoldOut, HoldOutDraw, Resurvey
from recovery.models.ticket import TicketQuerySet
from surveys.estimates import MIN_ANSWERS_FOR_PERCENT, Difference, Interval, bounds, newcombe_difference
from surveys.models import Response

NOW, LATER, SPARED = HoldOutDraw.NOW, HoldOutDraw.LATER, HoldOutDraw.SPARED
SIDES: Final = (NOW, LATER)
DRAWN, ASKED, ANSWERED, RECOVERED_THEN = "drawn", "asked", "answered", "recovered"
STEPS: Final = (DRAWN, ASKED, ANSWERED, RECOVERED_THEN)
MOST: Final = 5
MOST_PLANNED: Final = 20


@dataclass(frozen=True, slots=True)
class Side:
    """Of those drawn for one side: asked again, answered in time, and no longer detractors then."""

    drawn: int
    asked: int
    answered: int
    recovered: int

    @property
    def rate(self) -> Rate:
        return Rate(self.recovered, self.answered)

    @property
    def bounds(self) -> Interval | None:
        """Recovered of all who were drawn, if none and if all of the silent had recovered."""
        return bounds(self.recovered, self.drawn - self.answered, self.drawn)


def difference_of(now: Side, later: Side) -> Difference | None:
    """What following up at once added, as a share of 1; None below ten answers of either side."""
    if min(now.answered, later.answered) < MIN_ANSWERS_FOR_PERCENT:
        return None
    return newcombe_difference(now.recovered, now.answered, later.recovered, later.answered)


@dataclass(frozen=True, slots=True)
class Drawn:
    """One draw: how far it came, `band` that of its first answer in time; `early` where the side that waits
    was heard or taken up before it was asked."""

    ticket: int
    side: str
    why: str
    asked: bool
    band: str
    early: bool

    def came_to(self, step: str) -> bool:
        return {
            DRAWN: True,
            ASKED: self.asked,
            ANSWERED: bool(self.band),
            RECOVERED_THEN: self.band in RECOVERED,
        }[step]


@dataclass(frozen=True)
class HoldOutFigures:
    """`now`, `later`, `spared` are those whose tickets the reader may see; `taken` are all drawn for later.

    `preliminary` until it has ended and nobody may still answer: its interval is not to be judged before.
    `cut_short`: ended by hand before its size was reached.
    """

    hold_out: HoldOut
    state: str
    now: Side
    later: Side
    spared: Counter[str]
    early: int
    taken: int
    preliminary: bool
    cut_short: bool

    @property
    def difference(self) -> Difference | None:
        return difference_of(self.now, self.later)

    @property
    def planned(self) -> int:
        return self.hold_out.planned_later or 0

    @property
    def still_needed(self) -> int:
        """Draws for the later side until it ends by itself; 0 once it has ended."""
        return max(0, self.planned - self.taken) if self.state == HoldOut.RUNNING else 0


# --- which, and their draws -----------------------------------------------------------------------------


def hold_outs_of(which: Slice, at: datetime) -> list[HoldOut]:
    """Those that ran in the period, the newest first."""
    rows = HoldOut.objects.filter(started_at__lte=at).exclude(state=HoldOut.DRAFT).select_related("survey")
    if which.survey is not None:
        rows = rows.filter(survey=which.survey)
    if which.start is not None:
        rows = rows.filter(Q(ended_at=None) | Q(ended_at__gte=which.start))
    if which.end is not None:
        rows = rows.filter(started_at__lt=which.end)
    return list(rows.order_by("-started_at", "-pk")[:MOST])


def planned_of(which: Slice) -> list[HoldOut]:
    """Those that have not begun, the oldest first; none as of a past, which may not have known them."""
    if which.as_of is not None:
        return []
    rows = HoldOut.objects.filter(state=HoldOut.DRAFT).select_related("survey")
    if which.survey is not None:
        rows = rows.filter(survey=which.survey)
    return list(rows.order_by("pk")[:MOST_PLANNED])


def figures_of(hold_outs: Sequence[HoldOut], seen: TicketQuerySet, at: datetime) -> list[HoldOutFigures]:
    """Each as it stood at this moment, in five queries however many draws there are; those first that have
    come to their end, as only they may be judged.
    """
    if not hold_outs:
        return []
    found = draws_of(hold_outs, seen, at)
    taken, last = progress_of(hold_outs, at)
    rows = [figures(each, found[each.pk], taken[each.pk], last.get(each.pk), at) for each in hold_outs]
    return sorted(rows, key=lambda row: row.preliminary)


def figures(
    hold_out: HoldOut, draws: Iterable[Drawn], taken: int, last: datetime | None, at: datetime
) -> HoldOutFigures:
    draws = list(draws)
    ended = hold_out.ended_at is not None and hold_out.ended_at <= at
    over = last is None or at >= last + hold_out.answer_window
    return HoldOutFigures(
        hold_out=hold_out,
        state=HoldOut.ENDED if ended else HoldOut.RUNNING,
        now=side_of(draws, NOW),
        later=side_of(draws, LATER),
        spared=Counter(each.why for each in draws if each.side == SPARED),
        early=sum(each.early for each in draws),
        taken=taken,
        preliminary=not (ended and over),
        cut_short=ended and taken < (hold_out.planned_later or 0),
    )


def side_of(draws: Iterable[Drawn], side: str) -> Side:
    mine = [each for each in draws if each.side == side]
    return Side(*(sum(each.came_to(step) for each in mine) for step in STEPS))


def tickets_behind(draws: Iterable[Drawn], side: str, step: str) -> list[int]:
    return [each.ticket for each in draws if each.side == side and each.came_to(step)]


def progress_of(hold_outs: Sequence[HoldOut], at: datetime) -> tuple[Counter[int], dict[int, datetime]]:
    """Of all draws, whoever may see them: how many for the later side, and when the last one is asked."""
    rows = HoldOutDraw.objects.filter(hold_out__in=hold_outs, side__in=SIDES, at__lte=at)
    taken: Counter[int] = Counter()
    last: dict[int, datetime] = {}
    for hold_out, side, ask_at in rows.order_by("ask_at").values_list("hold_out", "side", "ask_at"):
        taken[hold_out] += side == LATER
        if ask_at is not None:
            last[hold_out] = ask_at
    return taken, last


def draws_of(hold_outs: Sequence[HoldOut], seen: TicketQuerySet, at: datetime) -> dict[int, list[Drawn]]:
    """The draws by that time whose tickets are seen, by hold-out."""
    rows = HoldOutDraw.objects.filter(
        hold_out__in=hold_outs, at__lte=at, ticket__in=seen.order_by().values("pk")
    )
    window = {each.pk: each.answer_window for each in hold_outs}
    asked, answers = asked_in(rows, window, at), answers_in(rows, window, at)
    names = ("ticket", "hold_out", "side", "why", "ask_at", "released_at")
    found: dict[int, list[Drawn]] = defaultdict(list)
    for ticket, hold_out, side, why, ask_at, released_at in rows.order_by("pk").values_list(*names):
        early = released_at is not None and released_at < min(ask_at, at)
        found[hold_out].append(
            Drawn(ticket, side, why, ticket in asked, answers.get(ticket, ""), side == LATER and early)
        )
    return found


def asked_in(rows: QuerySet[HoldOutDraw], window: dict[int, timedelta], at: datetime) -> set[int]:
    """The tickets whose customer was asked from `ask_at` on while an answer still counted."""
    asked = Resurvey.objects.filter(
        ticket__hold_out_draw__in=rows, asked_at__lte=at, asked_at__gte=F("ticket__hold_out_draw__ask_at")
    )
    draw = "ticket__hold_out_draw__"
    told = asked.values_list("ticket", "asked_at", f"{draw}ask_at", f"{draw}hold_out")
    return {ticket for ticket, asked_at, ask_at, one in told if asked_at <= ask_at + window[one]}


def answers_in(rows: QuerySet[HoldOutDraw], window: dict[int, timedelta], at: datetime) -> dict[int, str]:
    """The band of the first valid answer on the line in the time that counts, by ticket."""
    response = "ticket__customer__responses__"
    given = rows.order_by().filter(
        **{
            f"{response}state": Response.COMPLETE,
            f"{response}score__isnull": False,
            f"{response}survey__line": F("ticket__line"),
            f"{response}answered_at__gte": F("ask_at"),
            f"{response}answered_at__lte": at,
        }
    )
    told = given.values_list(
        *("ticket", "hold_out", "ask_at", "ticket__response"),
        *(f"{response}answered_at", f"{response}pk", f"{response}band"),
    )
    found: dict[int, tuple[datetime, int, str]] = {}
    for ticket, hold_out, ask_at, opening, answered_at, pk, band in told:
        answer = (answered_at, pk, band)
        if pk != opening and answered_at <= ask_at + window[hold_out]:
            found[ticket] = min(answer, found.get(ticket, answer))
    return {ticket: band for ticket, (_at, _pk, band) in found.items()}
