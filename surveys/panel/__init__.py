"""The same people asked again: how they began, what they say now, and two waves of them side by side.

Answers are compared only where they were given on one and the same scale; by default that is the scale in
force at the moment looked at. What somebody answered on another scale is left out and counted beside it, as
if the period began with the scale. Where a scale seems to have changed and nobody has declared it, the same
holds from that month on. PostgreSQL counts; people are read only where somebody looks at them.
"""

from surveys.panel.answers import Answers, Line, eras_of, line_of
from surveys.panel.first_to_latest import (
    COLUMNS,
    EVER,
    NO_LATER,
    NOT_LOW,
    NOW,
    STATES,
    Panel,
    panel,
    who,
    who_elsewhere,
)
from surveys.panel.paired import BANDS, Given, Paired, Share
from surveys.panel.people import People, Person
from surveys.panel.two_waves import WHO, Waves, waves, who_in_waves

__all__ = [
    "BANDS",
    "COLUMNS",
    "EVER",
    "NOT_LOW",
    "NOW",
    "NO_LATER",
    "STATES",
    "WHO",
    "Answers",
    "Given",
    "Line",
    "Paired",
    "Panel",
    "People",
    "Person",
    "Share",
    "Waves",
    "eras_of",
    "line_of",
    "panel",
    "waves",
    "who",
    "who_elsewhere",
    "who_in_waves",
]
