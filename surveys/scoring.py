"""Scores, bands and the arithmetic of NPS, CSAT and CES. Plain Python: no Django, no clock.

A `ScoreError` carries a stable `reason`; doors translate the reason, its English message is for logs.
"""

import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

DETRACTOR: Final = "detractor"
PASSIVE: Final = "passive"
PROMOTER: Final = "promoter"

# Compared after trimming, in any case. An importer adds its source's codes, such as "8" for "don't know".
DEFAULT_BLANKS: Final = frozenset({"", "na", "n/a", "null", "-", "未评分"})

Reason = Literal["boolean", "text", "not_a_number", "fraction", "out_of_scale"]


class ScaleError(ValueError):
    """A scale that contradicts itself."""


class ScoreError(ValueError):
    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason: Reason = reason
        self.message = message


@dataclass(frozen=True, slots=True)
class Scale:
    """A whole-number scale, both ends included.

    `low` is the mildest score that is still low (a detractor), `high` the mildest that is already high (a
    promoter): 6 and 9 where 10 is best, 4 and 2 of five where 1 is best.
    """

    lowest: int
    highest: int
    best: Literal["max", "min"]
    low: int
    high: int

    def __post_init__(self) -> None:
        if any(isinstance(end, bool) or not isinstance(end, int) for end in self._numbers):
            raise ScaleError("A scale is made of whole numbers.")
        if self.best not in ("max", "min"):
            raise ScaleError("The best end of a scale is either max or min.")
        if self.lowest >= self.highest:
            raise ScaleError("The lowest score must be smaller than the highest.")
        if not (self.lowest <= self.low <= self.highest and self.lowest <= self.high <= self.highest):
            raise ScaleError("Both cut points must lie on the scale.")
        if not self._is_better(self.high, self.low):
            raise ScaleError("The first high score must be better than the last low score.")

    @property
    def _numbers(self) -> tuple[object, ...]:
        return (self.lowest, self.highest, self.low, self.high)

    def _is_better(self, score: int, other: int) -> bool:
        return score > other if self.best == "max" else score < other

    def holds(self, score: int) -> bool:
        return self.lowest <= score <= self.highest

    def is_low(self, score: int) -> bool:
        return not self._is_better(score, self.low)

    def is_high(self, score: int) -> bool:
        return not self._is_better(self.high, score)

    def goodness(self, score: int) -> float:
        """How far from the worst end: 0.0 is the worst score, 1.0 the best, in either direction."""
        share = (score - self.lowest) / (self.highest - self.lowest)
        return share if self.best == "max" else 1 - share


NPS_0_10: Final = Scale(0, 10, "max", low=6, high=9)
NPS_1_10: Final = Scale(1, 10, "max", low=6, high=9)
CSAT_1_5: Final = Scale(1, 5, "max", low=2, high=4)
CES_1_7: Final = Scale(1, 7, "max", low=3, high=5)
CSAT_1_5_BEST_1: Final = Scale(1, 5, "min", low=4, high=2)
CES_1_7_BEST_1: Final = Scale(1, 7, "min", low=5, high=3)


def band(score: int, scale: Scale) -> str:
    """Raise ScoreError for a score that is not on the scale; nothing is clamped."""
    on_scale = _on_scale(score, scale)
    if scale.is_low(on_scale):
        return DETRACTOR
    return PROMOTER if scale.is_high(on_scale) else PASSIVE


# --- reading scores -----------------------------------------------------------------------------------------

# Full-width digits and signs are what a Chinese keyboard types; byte-order marks and zero-width spaces are
# litter of files. Not NFKC, which would read a "1" with a footnote mark "²" as 12.
_PLAIN_CHARACTERS: Final[dict[int, str | None]] = {
    **{ord(sign) + 0xFEE0: sign for sign in "0123456789.,-+():"},
    0x2212: "-",
    **dict.fromkeys((0xFEFF, 0x200B, 0x200C, 0x200D, 0x2060)),
}
# "4,0" has a decimal comma; "1,000" may be a thousand and is refused.
_NUMBER = r"(?P<number>[+-]?[0-9]+)(?P<rest>\.[0-9]+|,[0-9]{1,2})?(?![0-9.,])"
_UNIT = r"(?:分|颗星|颗|星|点|级|pts?|points?|stars?|★)"
_WORDS = r"[^0-9]*[^\W0-9_][^0-9]*"
_DASH = r"[-\u2013\u2014:]"
_WRITTEN_SCORES: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_NUMBER}\s*{_UNIT}?",
        # Exports put the wording of an end point beside its number: "0 - Not at all likely", "10: 非常愿意".
        rf"{_NUMBER}\s*{_UNIT}?\s*{_DASH}\s*{_WORDS}",
        rf"{_NUMBER}\s*{_UNIT}?\s*\({_WORDS}\)",
        rf"{_WORDS}(?:\s{_DASH}\s+|\s*:\s*){_NUMBER}\s*{_UNIT}?",
        rf"{_WORDS}\({_NUMBER}\s*{_UNIT}?\)",
    )
)
_LONGEST_TEXT = 100
_LONGEST_NUMBER = 18


def read_score(value: object, scale: Scale, blanks: Collection[str] = DEFAULT_BLANKS) -> int | None:
    """A score as files and forms bring it; None means unanswered.

    Accepts whole numbers, integral floats, and their text, also with a unit or the wording of the end point
    beside it. None and empty text are unanswered whatever `blanks` says. All else raises ScoreError.
    """
    if value is None:
        return None
    unanswered = {blank.strip().casefold() for blank in blanks} | {""}
    if isinstance(value, str):
        text = value.translate(_PLAIN_CHARACTERS).strip()
        if text.casefold() in unanswered or value.strip().casefold() in unanswered:
            return None
        score = _whole_from_text(text)
    else:
        score = _whole(value)
    if str(score) in unanswered:
        return None
    return _on_scale(score, scale)


def check_score(value: object, scale: Scale) -> int:
    """A score as JSON brings it: a whole number or an integral float. Text, even "7", raises ScoreError."""
    if isinstance(value, str):
        raise ScoreError("text", f"A score is a number, not the text {_shown(value)}.")
    return _on_scale(_whole(value), scale)


def _whole(value: object) -> int:
    if isinstance(value, bool):
        raise ScoreError("boolean", f"{value} is not a score.")
    if isinstance(value, int):
        return _not_too_long(value)
    if not isinstance(value, float | Decimal) or not math.isfinite(value):
        raise ScoreError("not_a_number", f"{_shown(value)} is not a score.")
    if value != int(value):
        raise ScoreError("fraction", f"{_shown(value)} is not a whole number.")
    return _not_too_long(int(value))


def _whole_from_text(text: str) -> int:
    readings = (pattern.fullmatch(text) for pattern in _WRITTEN_SCORES if len(text) <= _LONGEST_TEXT)
    match = next((reading for reading in readings if reading), None)
    if match is None:
        raise ScoreError("not_a_number", f"{_shown(text)} is not a score.")
    if (match["rest"] or "").strip(".,0"):
        raise ScoreError("fraction", f"{_shown(text)} is not a whole number.")
    if len(match["number"]) > _LONGEST_NUMBER:
        raise ScoreError("out_of_scale", f"{_shown(text)} is not on the scale.")
    return int(match["number"])


def _not_too_long(score: int) -> int:
    # Python refuses to print integers of thousands of digits, so they may not reach a message.
    if abs(score) >= 10**_LONGEST_NUMBER:
        raise ScoreError("out_of_scale", "A number of that size is not on the scale.")
    return score


def _on_scale(score: int, scale: Scale) -> int:
    if not scale.holds(score):
        raise ScoreError("out_of_scale", f"{score} is not on the scale {scale.lowest} to {scale.highest}.")
    return score


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"


# --- counting -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BandCounts:
    """Valid answers by band. What is blank, withdrawn or refused is counted elsewhere, never here."""

    promoters: int = 0
    passives: int = 0
    detractors: int = 0

    def __post_init__(self) -> None:
        if min(self.promoters, self.passives, self.detractors) < 0:
            raise ValueError("A count cannot be negative.")

    @classmethod
    def of(cls, bands: Iterable[str]) -> "BandCounts":
        tally = {PROMOTER: 0, PASSIVE: 0, DETRACTOR: 0}
        for each in bands:
            tally[each] += 1
        return cls(tally[PROMOTER], tally[PASSIVE], tally[DETRACTOR])

    @property
    def answered(self) -> int:
        return self.promoters + self.passives + self.detractors


def nps(counts: BandCounts) -> float | None:
    """100 x (promoters - detractors) / answered, from -100 to 100; None without answers (Reichheld 2003)."""
    if not counts.answered:
        return None
    return 100 * (counts.promoters - counts.detractors) / counts.answered


@dataclass(frozen=True, slots=True)
class LevelCounts:
    """How many answers each level of a scale got; the figures of CSAT and CES. Shares are fractions of 1."""

    scale: Scale
    counts: Mapping[int, int]

    def __post_init__(self) -> None:
        for level, count in self.counts.items():
            _on_scale(level, self.scale)
            if count < 0:
                raise ValueError("A count cannot be negative.")

    @property
    def answered(self) -> int:
        return sum(self.counts.values())

    @property
    def high(self) -> int:
        """Answers from the first high score up: the top two of five (CSAT), the top three of seven (CES)."""
        return sum(count for level, count in self.counts.items() if self.scale.is_high(level))

    @property
    def bands(self) -> BandCounts:
        low = sum(count for level, count in self.counts.items() if self.scale.is_low(level))
        return BandCounts(self.high, self.answered - self.high - low, low)

    @property
    def shares(self) -> dict[int, float]:
        """The share of every level, also of those nobody chose; empty without answers."""
        if not self.answered:
            return {}
        levels = range(self.scale.lowest, self.scale.highest + 1)
        return {level: self.counts.get(level, 0) / self.answered for level in levels}

    @property
    def mean(self) -> float | None:
        """In the numbers of the scale, so on a scale whose best is the lowest a smaller mean is better."""
        if not self.answered:
            return None
        return sum(level * count for level, count in self.counts.items()) / self.answered


def csat(levels: LevelCounts) -> float | None:
    """The share of satisfied answers, 0 to 1: the top two of five."""
    return levels.high / levels.answered if levels.answered else None


@dataclass(frozen=True, slots=True)
class Effort:
    mean: float
    made_it_easy: float


def ces(levels: LevelCounts) -> Effort | None:
    """The mean, and the share 0 to 1 of the top three of seven: "made it easy" (Dixon 2010; CES 2.0)."""
    mean = levels.mean
    return None if mean is None else Effort(mean=mean, made_it_easy=levels.high / levels.answered)
