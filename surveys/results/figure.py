"""The one number a survey stands for, its interval, and how two of them differ."""

from collections import Counter
from dataclasses import dataclass

from surveys import scoring
from surveys.estimates import (
    MIN_ANSWERS_FOR_PERCENT,
    MIN_ANSWERS_FOR_RANKING,
    Difference,
    Interval,
    mean_interval,
    newcombe_difference,
    nps_difference,
    nps_difference_p,
    nps_interval,
    share_difference_p,
    wilson,
)
from surveys.scoring import BandCounts, LevelCounts, Scale


@dataclass(frozen=True, slots=True)
class Figure:
    """The valid answers of one survey, or of a part of it, all on one scale.

    `value` is the NPS in points, for CSAT and CES the share 0 to 1 of high answers ("satisfied", "made it
    easy"); `interval` is its 95 % interval in the same unit. Both are None below ten answers.
    """

    kind: str
    levels: LevelCounts

    @classmethod
    def of(cls, kind: str, scale: Scale, counts: Counter[int]) -> "Figure":
        """What does not lie on the scale is left out."""
        on_scale = {score: number for score, number in counts.items() if scale.holds(score)}
        return cls(kind, LevelCounts(scale, on_scale))

    @property
    def scale(self) -> Scale:
        return self.levels.scale

    @property
    def answered(self) -> int:
        return self.levels.answered

    @property
    def bands(self) -> BandCounts:
        return self.levels.bands

    @property
    def is_enough(self) -> bool:
        return self.answered >= MIN_ANSWERS_FOR_PERCENT

    @property
    def may_be_ranked(self) -> bool:
        return self.answered >= MIN_ANSWERS_FOR_RANKING

    @property
    def value(self) -> float | None:
        if not self.is_enough:
            return None
        return scoring.nps(self.bands) if self.kind == "nps" else scoring.csat(self.levels)

    @property
    def interval(self) -> Interval | None:
        if not self.is_enough:
            return None
        return nps_interval(self.bands) if self.kind == "nps" else wilson(self.levels.high, self.answered)

    @property
    def mean(self) -> float | None:
        """In the numbers of the scale."""
        return self.levels.mean if self.is_enough else None

    @property
    def mean_interval(self) -> Interval | None:
        """None below ten answers, and where all gave the same score."""
        if not self.is_enough:
            return None
        return mean_interval([level for level, count in self.levels.counts.items() for _ in range(count)])

    def less(self, other: "Figure") -> Difference | None:
        """This less the other, in the unit of both; None where either is too few or on another scale."""
        if not self._compares_with(other):
            return None
        if self.kind == "nps":
            return nps_difference(self.bands, other.bands)
        return newcombe_difference(self.levels.high, self.answered, other.levels.high, other.answered)

    def p_against(self, other: "Figure") -> float | None:
        """The two-sided p-value that belongs to `less`."""
        if not self._compares_with(other):
            return None
        if self.kind == "nps":
            return nps_difference_p(self.bands, other.bands)
        return share_difference_p(self.levels.high, self.answered, other.levels.high, other.answered)

    def _compares_with(self, other: "Figure") -> bool:
        same = (self.kind, self.scale) == (other.kind, other.scale)
        return same and self.is_enough and other.is_enough
