"""Whether a cause comes up more or less often from month to month: words for the page, rows for its file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

from recovery.insight.cause_trends import (
    LESS,
    MIN_MONTHS,
    MORE,
    PERHAPS,
    TOO_FEW,
    CauseTrend,
    CauseTrends,
)
from recovery.insight.definitions import DEFINITIONS
from recovery.views.insight_words import points_of
from surveys.estimates import MIN_ANSWERS_FOR_RANKING


def shown(found: CauseTrends) -> dict[str, Any]:
    """The sentence, over which months it is, and what is said of each cause."""
    return {
        "sentence": sentence(found),
        "is_enough": len(found.months) >= MIN_MONTHS,
        "months": months_words(found),
        "of": {row.cause.pk: trend_words(row) for row in found.rows},
        "definition": DEFINITIONS["cause_trend"],
    }


def sentence(found: CauseTrends) -> str:
    if not found.is_enough:
        return too_few_words(found)
    more, less = named(found.going(MORE)), named(found.going(LESS))
    said = []
    if more:
        said.append(gettext("More often from month to month: {names}.").format(names=more))
    if less:
        said.append(gettext("Less often from month to month: {names}.").format(names=less))
    return " ".join(said) or gettext("No cause clearly comes up more or less often from month to month.")


def named(rows: Sequence[CauseTrend]) -> str:
    return gettext(", ").join(str(row.cause) for row in rows)


def too_few_words(found: CauseTrends) -> str:
    if len(found.months) < MIN_MONTHS:
        words = ngettext(
            "Whether a cause comes up more or less often takes three whole months with low scores; this"
            " period has {n}.",
            "Whether a cause comes up more or less often takes three whole months with low scores; this"
            " period has {n}.",
            len(found.months),
        )
        return words.format(n=len(found.months))
    return gettext(
        "Whether a cause comes up more or less often takes {least} tickets whose cause is known; these months"
        " have {n}."
    ).format(least=MIN_ANSWERS_FOR_RANKING, n=found.known)


def months_words(found: CauseTrends) -> str:
    """Which months it is over, and which are left out."""
    said = []
    if found.is_enough:
        whole = ngettext(
            "From {n} ticket whose cause is known, {first} to {last}.",
            "From {n} tickets whose cause is known, {first} to {last}.",
            found.known,
        )
        ends = {"first": month_name(found.months[0]), "last": month_name(found.months[-1])}
        said.append(whole.format(n=f"{found.known:,}", **ends))
    if found.left_out:
        part = ngettext(
            "Left out, as not all of its days are in it: {months}.",
            "Left out, as not all of their days are in it: {months}.",
            len(found.left_out),
        )
        said.append(part.format(months=gettext(", ").join(month_name(each) for each in found.left_out)))
    return " ".join(said)


def month_name(month: date) -> str:
    return str(date_format(month, "YEAR_MONTH_FORMAT"))


def trend_words(row: CauseTrend) -> str:
    if row.direction == TOO_FEW:
        return gettext("too few to tell: {n}").format(n=row.count)
    if row.per_month is None:
        return gettext("no clear change")
    words = {
        MORE: gettext("more often: {points} points a month ({low} to {high})"),
        LESS: gettext("less often: {points} points a month ({low} to {high})"),
        PERHAPS: gettext("perhaps chance among so many causes: {points} points a month ({low} to {high})"),
    }
    usual = gettext("no clear change: {points} points a month ({low} to {high})")
    return words.get(row.direction, usual).format(**points_of(row.per_month).signed)


def csv_rows(name: str, found: CauseTrends) -> Iterable[list[object]]:
    """Each cause's change a month as a fraction of 1, of how many; only what is said is there."""
    for row in found.rows:
        ends: list[object] = ["", "", ""]
        if row.per_month is not None:
            interval = row.per_month.interval
            ends = [round(each, 4) for each in (row.per_month.value, interval.low, interval.high)]
        yield [
            name,
            str(row.cause),
            gettext("change a month"),
            row.count,
            found.known,
            *ends,
            trend_words(row),
            str(DEFINITIONS["cause_trend"]),
        ]
