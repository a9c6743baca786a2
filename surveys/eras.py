"""Which scale a survey had when, and whether it changed without anybody saying so. Plain Python: no Django.

What was answered on one scale is compared with nothing that was answered on another.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, Literal

from surveys.scoring import Scale

# How unlikely a part of the scale must be to fall silent by chance before we ask whether the scale changed.
UNLIKELY: Final = 1e-6
# The share is itself known from those answers only: so Fisher's exact test has to agree, to this level.
FISHER: Final = 1e-5
MIN_ANSWERS_ON_EACH_SIDE: Final = 30

Levels = Mapping[int, int]
Month = tuple[date, Levels]


@dataclass(frozen=True, slots=True)
class Era:
    """A scale, in force from `since` to before `until`; an open end is None.

    `unchanged` are moments within it at which somebody has said that the scale stayed the same.
    """

    scale: Scale
    since: datetime | None = None
    until: datetime | None = None
    unchanged: tuple[datetime, ...] = ()

    def clipped(
        self, since: datetime | None, until: datetime | None
    ) -> tuple[datetime | None, datetime | None]:
        """The part of a period that lies in this era."""
        starts = [each for each in (self.since, since) if each]
        ends = [each for each in (self.until, until) if each]
        return max(starts, default=None), min(ends, default=None)


def eras_of(current: Scale, former: Iterable[tuple[datetime, Scale]]) -> list[Era]:
    """The eras of a survey, the earliest first; `former` are the ends of its former scales.

    Two of the same scale in a row are one: what ended the first was no change.
    """
    eras: list[Era] = []
    for until, scale in [*sorted(former, key=lambda each: each[0]), (None, current)]:
        before = eras[-1] if eras else None
        if before and before.until and before.scale == scale:
            eras[-1] = replace(before, until=until, unchanged=(*before.unchanged, before.until))
        else:
            eras.append(Era(scale, before.until if before else None, until))
    return eras


def era_at(eras: Sequence[Era], moment: datetime) -> Era:
    return next(era for era in eras if era.until is None or moment < era.until)


# --- changes nobody declared --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Suspicion:
    """From the month that begins on `month`, nobody gave a score `side` of `limit`, as many had before.

    If it `opens`, it is the other way round: nobody had before, and many do from then on.
    """

    month: date
    side: Literal["above", "below"]
    limit: int
    opens: bool


def suspected_changes(months: Sequence[Month]) -> list[Suspicion]:
    """Where an upper or lower part of the scale falls silent, or first speaks, too suddenly to be chance.

    `months` are the answers to each level by month, the earliest first. A part that had the share p in n or
    more answers is used by nobody in n others with the chance (1 - p)^n; less than one in a million, with 30
    answers on either side, is a reason to ask. A share of few answers is a guess: Fisher's exact test, which
    needs none, must find less than one in 100,000.
    """
    place, suspicion = _strongest(months)
    if suspicion is None:
        return []
    return [*suspected_changes(months[:place]), suspicion, *suspected_changes(months[place:])]


def _strongest(months: Sequence[Month]) -> tuple[int, Suspicion | None]:
    """The least likely silence, and the place of the month it begins with."""
    least, place, found = math.log(UNLIKELY), 0, None
    before: Counter[int] = Counter()
    for number in range(1, len(months)):
        before.update(months[number - 1][1])
        if before.total() < MIN_ANSWERS_ON_EACH_SIDE:
            continue
        for after in _growing(months[number:]):
            for opens, spoken, silent in ((False, before, after), (True, after, before)):
                for side, limit, chance in _silences(spoken, silent):
                    if chance < least:
                        least, place = chance, number
                        found = Suspicion(months[number][0], side, limit, opens)
    return place, found


def _growing(months: Sequence[Month]) -> Iterator[Counter[int]]:
    """The answers of the first month, the first two, and so on, as soon as they are enough."""
    total: Counter[int] = Counter()
    for _month, levels in months:
        total.update(levels)
        if total.total() >= MIN_ANSWERS_ON_EACH_SIDE:
            yield total


def _silences(
    spoken: Counter[int], silent: Counter[int]
) -> Iterator[tuple[Literal["above", "below"], int, float]]:
    """The parts of the scale used in one lot of answers and beyond every answer of the other.

    With each comes the logarithm of the chance that they fell silent though nothing changed.
    """
    used = [level for level, count in silent.items() if count]
    top, bottom = max(used), min(used)
    above = sum(count for level, count in spoken.items() if level > top)
    below = sum(count for level, count in spoken.items() if level < bottom)
    n, m = spoken.total(), silent.total()
    if above and _log_fisher(above, n, m) < math.log(FISHER):
        yield "above", top, _log_of_silence(above / n, m)
    if below and _log_fisher(below, n, m) < math.log(FISHER):
        yield "below", bottom, _log_of_silence(below / n, m)


def _log_of_silence(share: float, n: int) -> float:
    return n * math.log1p(-share) if share < 1 else -math.inf


def _log_fisher(hits: int, n: int, m: int) -> float:
    """The logarithm of Fisher's one-sided p-value for `hits` of n against 0 of m."""
    return _log_ways(n, hits) - _log_ways(n + m, hits)


def _log_ways(n: int, k: int) -> float:
    """Of the number of ways to choose k of n, but for the factor k! that is the same for every n."""
    return math.lgamma(n + 1) - math.lgamma(n - k + 1)
