"""The scale each score was given on: that of its survey at the time, not today's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from django.db.models import Case, IntegerField, Value, When

from surveys.eras import Era, eras_of
from surveys.models import Survey
from surveys.results.answers import LAST_ERA
from surveys.scoring import Scale

SCALE: Final = ("lowest", "highest", "best", "low_cut", "high_cut")
FORMER: Final = "former_scales__"


class Mark(NamedTuple):
    """A score, and the place of the scale it was given on among those of its survey. The last is LAST_ERA."""

    survey: int
    era: int
    score: int


@dataclass(frozen=True, slots=True)
class Scales:
    """By survey, its eras, the earliest first."""

    eras: Mapping[int, list[Era]]

    def of(self, mark: Mark) -> Scale:
        return self.eras[mark.survey][mark.era].scale

    def mark(self, survey: int, score: int, at: datetime) -> Mark:
        """A score given at that moment."""
        before = enumerate(self.eras[survey][:LAST_ERA])
        era = next((place for place, era in before if era.until and at < era.until), LAST_ERA)
        return Mark(survey, era, score)

    def era(self, survey: str, at: str) -> Case:
        """The same place asked of the database, of the columns `survey` and `at`."""
        changes = [
            When(**{survey: pk, f"{at}__lt": era.until}, then=Value(place))
            for pk, eras in self.eras.items()
            for place, era in enumerate(eras[:LAST_ERA])
        ]
        return Case(*changes, default=Value(LAST_ERA), output_field=IntegerField())


def scales() -> Scales:
    """Of every survey, in one query."""
    former: defaultdict[int, list[tuple[datetime, Scale]]] = defaultdict(list)
    current: dict[int, Scale] = {}
    columns = (*SCALE, f"{FORMER}until", *(FORMER + name for name in SCALE))
    for pk, *row in Survey.objects.order_by().values_list("pk", *columns):
        today, until, before = row[: len(SCALE)], row[len(SCALE)], row[len(SCALE) + 1 :]
        current[pk] = scale_of(*today)
        if until is not None:
            former[pk].append((until, scale_of(*before)))
    return Scales({pk: eras_of(scale, former[pk]) for pk, scale in current.items()})


def scale_of(lowest: int, highest: int, best: str, low: int, high: int) -> Scale:
    return Scale(lowest, highest, "min" if best == "min" else "max", low, high)
