"""How sure we are: intervals, differences, censored times and rank correlation, in closed form.

Every interval is 95 %. Proportions are fractions of 1, NPS is in points. Nothing is clipped but an NPS, which
cannot leave [-100, 100], and so a difference of two. A figure that cannot be computed is None, never 0.
"""

from surveys.estimates.comparisons import holm, nps_difference_p, share_difference_p, share_trend_p
from surveys.estimates.interval import (
    MIN_ANSWERS_FOR_PERCENT,
    MIN_ANSWERS_FOR_RANKING,
    Difference,
    Interval,
    Z,
)
from surveys.estimates.means import mean_interval, student_t
from surveys.estimates.nps import nps_bounds, nps_difference, nps_interval, nps_paired_difference
from surveys.estimates.ranks import spearman, spearman_interval
from surveys.estimates.shares import bounds, newcombe_difference, paired_difference, share_trend, wilson
from surveys.estimates.sizes import SampleSizes, sample_sizes
from surveys.estimates.survival import (
    CensoredTimes,
    SurvivalStep,
    TimeEstimate,
    censored_times,
    survival_curve,
)

__all__ = [
    "MIN_ANSWERS_FOR_PERCENT",
    "MIN_ANSWERS_FOR_RANKING",
    "CensoredTimes",
    "Difference",
    "Interval",
    "SampleSizes",
    "SurvivalStep",
    "TimeEstimate",
    "Z",
    "bounds",
    "censored_times",
    "holm",
    "mean_interval",
    "newcombe_difference",
    "nps_bounds",
    "nps_difference",
    "nps_difference_p",
    "nps_interval",
    "nps_paired_difference",
    "paired_difference",
    "sample_sizes",
    "share_difference_p",
    "share_trend",
    "share_trend_p",
    "spearman",
    "spearman_interval",
    "student_t",
    "survival_curve",
    "wilson",
]
