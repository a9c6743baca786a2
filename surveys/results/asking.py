"""Who was asked, who answered, and who was never asked and why."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Q

from surveys.estimates import MIN_ANSWERS_FOR_PERCENT, Interval, wilson
from surveys.models import Invitation, Survey
from surveys.results.answers import Which
from surveys.results.overview import ASKED, replied


@dataclass(frozen=True, slots=True)
class Rate:
    """`answered` of `delivered`. The share 0 to 1 and its interval are None below ten."""

    delivered: int
    answered: int

    @property
    def share(self) -> float | None:
        return self.answered / self.delivered if self.delivered >= MIN_ANSWERS_FOR_PERCENT else None

    @property
    def interval(self) -> Interval | None:
        return None if self.share is None else wilson(self.answered, self.delivered)

    @property
    def silent(self) -> int:
        return self.delivered - self.answered


class Unasked(NamedTuple):
    """Why somebody was not asked, or not yet: the invitation's state and the code of its reason."""

    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Asking:
    """The invitations of a survey in a period: all, by channel, by touchpoint, and those never delivered."""

    all: Rate
    channels: tuple[tuple[str, Rate], ...]
    touchpoints: tuple[tuple[str, Rate], ...]
    unasked: tuple[tuple[Unasked, int], ...]


class _Row(NamedTuple):
    state: str
    reason: str
    channel: str
    touchpoint: str
    number: int
    sent: int
    replied: int


def asking_of(survey: Survey, which: Which) -> Asking | None:
    """None where the filter says nothing about who was asked. One query."""
    if which.asked is None:
        return None
    rows = _rows(survey, which)
    unasked: Counter[Unasked] = Counter()
    for row in rows:
        if waiting := row.number - row.sent:
            unasked[Unasked(row.state, row.reason)] += waiting
    return Asking(
        all=_rate(rows),
        channels=_by((row.channel, row) for row in rows),
        touchpoints=_by((row.touchpoint, row) for row in rows),
        unasked=tuple(unasked.most_common()),
    )


def _rows(survey: Survey, which: Which) -> list[_Row]:
    sent = Q(state__in=ASKED, sent_at__isnull=False)
    asked = Invitation.objects.filter(which.asked or Q(), _in_period(which), survey=survey).order_by()
    if which.touchpoint:
        asked = asked.filter(touchpoint=which.touchpoint)
    numbers = asked.values_list("state", "reason", "channel", "touchpoint").annotate(
        number=Count("*"), sent=Count("pk", filter=sent), replied=Count("pk", filter=sent & replied(which.at))
    )
    return [_Row(*row) for row in numbers]


def _in_period(which: Which) -> Q:
    """Sent within it; what was never sent counts by when it should have been."""
    sent, planned = Q(sent_at__isnull=False), Q(sent_at__isnull=True)
    ends: list[tuple[str, datetime | None]] = [
        ("gte", which.since),
        ("lt", which.until),
        ("lte", which.at),
    ]
    for end, moment in ends:
        if moment:
            sent &= Q(**{f"sent_at__{end}": moment})
            planned &= Q(**{f"send_at__{end}": moment})
    return sent | planned


def _rate(rows: Iterable[_Row]) -> Rate:
    found = list(rows)
    return Rate(sum(row.sent for row in found), sum(row.replied for row in found))


def _by(rows: Iterable[tuple[str, _Row]]) -> tuple[tuple[str, Rate], ...]:
    """Those who were asked, by a name of theirs, the most first."""
    groups: dict[str, list[_Row]] = {}
    for name, row in rows:
        groups.setdefault(name, []).append(row)
    rates = [(name, _rate(each)) for name, each in groups.items()]
    asked = [each for each in rates if each[1].delivered]
    return tuple(sorted(asked, key=lambda each: (-each[1].delivered, each[0])))
