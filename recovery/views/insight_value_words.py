"""Money and retention as people say them: a sum with the range of its assumption, never a bare figure."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from recovery.insight.given import Spent
from recovery.insight.retention import LEVELS, Retention, Table, scores_of
from recovery.insight.value import AS_LAST_QUARTER, Amount, Stakes, Supposed
from recovery.models import ExpectedRetention
from recovery.views import insight_words as words
from surveys.estimates import MIN_ANSWERS_FOR_PERCENT
from surveys.scoring import CES_1_7, CSAT_1_5, NPS_0_10, Scale

LEVEL_NAMES: Final[dict[int, str | Promise]] = dict(ExpectedRetention.LEVELS)
QUESTION_NAMES: Final[dict[str, str | Promise]] = {
    "all_leave": _("all the customers at risk left?"),
    "as_last_quarter": _("we recovered as many of them as last quarter?"),
}


def money(amount: float) -> str:
    return f"{round(amount):,}"


def amount_words(amount: Amount) -> str:
    """11,640 (11,100 to 12,200)."""
    return gettext("{value} ({low} to {high})").format(
        value=money(amount.value), low=money(amount.low), high=money(amount.high)
    )


def stakes_words(stakes: Stakes) -> str:
    """A dash where no value is known of anybody."""
    return amount_words(stakes.total) if stakes.counted else "–"


def spent_words(spent: Spent) -> str:
    """The mean; where there are too few for one, what was spent on how many."""
    if spent.each is None:
        return gettext("{cost} on {n}").format(cost=f"{spent.cost:,.2f}", n=spent.count)
    return f"{spent.each:,.2f}"


def retention_rows(table: Table) -> list[tuple[str, str, str, str, str]]:
    """The assumption as a table: level, the scores of three common scales, and what is expected."""
    return [
        (
            str(LEVEL_NAMES[level]),
            span_of(level, NPS_0_10),
            span_of(level, CES_1_7),
            span_of(level, CSAT_1_5),
            range_words(table[level]),
        )
        for level in LEVELS
    ]


def span_of(level: int, scale: Scale) -> str:
    scores = scores_of(level, scale)
    if len(scores) < 2:
        return "".join(str(score) for score in scores)
    return gettext("{low} to {high}").format(low=scores[0], high=scores[-1])


def range_words(retention: Retention) -> str:
    low, high = words.whole(retention.low), words.whole(retention.high)
    if low == high:
        return words.percent(retention.low)
    return gettext("{low} to {high} %").format(low=low, high=high)


def supposed_words(found: Supposed, quarter: str) -> str:
    """What would be lost, or why that cannot be said. `quarter` says the days of the last one."""
    if found.amount is None and found.recovered is not None:
        return gettext(
            "Low scores of last quarter ({quarter}): {n}. That is too few to suppose anything from: it takes"
            " {least}."
        ).format(quarter=quarter, n=found.recovered.n, least=MIN_ANSWERS_FOR_PERCENT)
    assert found.amount is not None
    if found.question == AS_LAST_QUARTER and found.recovered is not None:
        return gettext(
            "Last quarter ({quarter}) {share} of all low scores recovered, those without an answer counted as"
            " not recovered. If as many of these do, {amount} a year is lost all the same."
        ).format(quarter=quarter, share=words.rate_words(found.recovered), amount=amount_words(found.amount))
    return gettext("{amount} a year.").format(amount=money(found.amount.value))
