"""What is at stake: value at risk and kept, who was lost, who came back, and what goodwill cost."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery import access
from recovery.insight.comebacks import Comebacks, comebacks
from recovery.insight.definitions import DEFINITIONS
from recovery.insight.given import Given, given_on
from recovery.insight.lost import Lost
from recovery.insight.value import (
    ALL_LEAVE,
    AS_LAST_QUARTER,
    QUESTIONS,
    Stakes,
    Supposed,
    Value,
    if_all_left,
)
from recovery.insight.worth import Worth, if_as_before, lost_of, worth_of
from recovery.pictures import Bar
from recovery.views import door, insight_slice
from recovery.views import insight_value_words as money_words
from recovery.views.insight_behind import BEHIND, BEHIND_EACH, SAID
from recovery.views.insight_frame import Line, behind, page, rate_line
from recovery.views.insight_goals import goals_for
from recovery.views.insight_pictures import Picture, bars_picture, figures_picture
from recovery.views.insight_slice import Asked, midnight
from recovery.views.tickets import number


def worth_for(user: User, asked: Asked) -> Worth:
    return worth_of(access.visible_customers(user), asked.kept, asked.at)


def lost_for(user: User, asked: Asked) -> Lost:
    return lost_of(access.visible_customers(user), asked.seen, asked.which, asked.at)


@door.staff_page()
@require_safe
def show_value(request: HttpRequest) -> HttpResponse:
    asked = insight_slice.read(request, now())
    found = worth_for(door.staff(request), asked)
    repeat = repeat_line(found.comebacks, asked)
    return page(
        request,
        "insight_value",
        asked,
        "insight-value",
        found=found,
        sentences=sentences(found, asked),
        picture=stake_picture(found.value),
        lines=value_lines(found.value, asked),
        retention=money_words.retention_rows(found.value.table),
        questions=questions(door.asked(request, "if"), found.value, asked),
        kept_filters=list(QueryDict(asked.query).items()),
        lost=lost_block(found.lost, asked),
        repeat=repeat,
        repeat_picture=figures_picture([repeat]) if repeat.goal else None,
        goodwill=goodwill_block(found.given, asked),
        csv_url=f"{reverse('insight-value-csv')}?{asked.query}",
    )


def people_url(asked: Asked, which: str, **further: str) -> str:
    query = QueryDict(asked.query, mutable=True)
    query["which"] = which
    query.update(further)
    return f"{reverse('insight-value-people')}?{query.urlencode()}"


# --- value --------------------------------------------------------------------------------------------------


def sentences(found: Worth, asked: Asked) -> list[dict[str, str]]:
    """What the page is opened for, each with the customers it is about."""
    risk, kept = found.value.at_risk, found.value.kept
    return [
        {"text": risk_words(risk), "url": people_url(asked, "at_risk") if risk.customers else ""},
        *(
            [{"text": well_words(risk.well), "url": people_url(asked, "at_risk_well")}]
            if risk.well.rows
            else []
        ),
        {"text": kept_words(kept), "url": people_url(asked, "kept") if kept.customers else ""},
    ]


def risk_words(risk: Stakes) -> str:
    if not risk.customers:
        return gettext("No customer has an open low score, so no value is at risk by one.")
    if not risk.counted:
        return gettext("Of the customers with an open low score none has a value recorded: nobody can say.")
    return ngettext(
        "{n} customer has an open low score and is worth {worth} a year: {amount} of it is at risk.",
        "{n} customers have an open low score and are worth {worth} a year: {amount} of it is at risk.",
        risk.customers,
    ).format(
        n=f"{risk.customers:,}",
        worth=money_words.money(risk.worth),
        amount=money_words.amount_words(risk.total),
    )


def well_words(well: Stakes) -> str:
    """Of those at risk: whose ticket is open still, though they have answered well since."""
    said = ngettext(
        "{n} of them has given a passive’s or a promoter’s answer since, and is worth {worth} a year.",
        "{n} of them have given a passive’s or a promoter’s answer since, and are worth {worth} a year.",
        well.customers,
    )
    return said.format(n=f"{well.customers:,}", worth=money_words.money(well.worth))


def kept_words(kept: Stakes) -> str:
    if not kept.counted:
        return gettext("Nobody whose value is recorded has recovered yet, so no value is kept yet.")
    return ngettext(
        "{n} customer recovered, which is expected to keep {amount} a year.",
        "{n} customers recovered, which is expected to keep {amount} a year.",
        kept.customers,
    ).format(n=f"{kept.customers:,}", amount=money_words.amount_words(kept.total))


def stake_picture(value: Value) -> Picture | None:
    """The two sums with the range of the assumption; nothing where nothing is known."""
    rows = [(gettext("At risk"), value.at_risk, "late"), (gettext("Kept"), value.kept, "met")]
    bars = [
        Bar(
            name,
            stakes.total.value,
            money_words.amount_words(stakes.total),
            tone,
            stakes.total.low,
            stakes.total.high,
        )
        for name, stakes, tone in rows
        if stakes.counted and stakes.total.low >= 0
    ]
    return bars_picture(bars, gettext("A year’s value at risk, and kept"), "stake") if bars else None


def value_lines(value: Value, asked: Asked) -> list[Line]:
    return [
        stake_line(_("Value at risk"), "value_at_risk", value.at_risk, people_url(asked, "at_risk")),
        stake_line(_("Value kept"), "value_kept", value.kept, people_url(asked, "kept")),
    ]


def stake_line(name: Any, code: str, found: Stakes, url: str) -> Line:
    return Line(
        name,
        money_words.stakes_words(found),
        DEFINITIONS[code],
        url if found.customers else "",
        " · ".join(beside(found)),
    )


def beside(found: Stakes) -> list[str]:
    """How many it is of, and who is not in the sum."""
    said = [
        ngettext("{n} customer", "{n} customers", found.customers).format(n=f"{found.customers:,}"),
    ]
    if found.without_value:
        said.append(
            ngettext(
                "{n} customer has no value recorded",
                "{n} customers have no value recorded",
                found.without_value,
            ).format(n=f"{found.without_value:,}")
        )
    if found.without_score:
        said.append(
            ngettext(
                "the score of {n} customer was withdrawn",
                "the scores of {n} customers were withdrawn",
                found.without_score,
            ).format(n=f"{found.without_score:,}")
        )
    return said


def questions(chosen: str, value: Value, asked: Asked) -> dict[str, Any]:
    """What would we lose if ...? The answer is reckoned only when it is asked for."""
    answer = supposed(chosen, value, asked) if chosen in QUESTIONS else None
    return {
        "choices": [(code, money_words.QUESTION_NAMES[code], code == chosen) for code in QUESTIONS],
        "answer": money_words.supposed_words(answer, quarter_words(asked)) if answer else "",
        "beside": " · ".join(beside(value.at_risk)),
        "definition": DEFINITIONS[definition_of(chosen)] if answer else "",
    }


def definition_of(question: str) -> str:
    return {ALL_LEAVE: "if_all_left", AS_LAST_QUARTER: "if_as_last_quarter"}[question]


def supposed(question: str, value: Value, asked: Asked) -> Supposed:
    if question == ALL_LEAVE:
        return if_all_left(value)
    first, end = last_quarter(asked)
    quarter = (midnight(first), midnight(end))
    return if_as_before(value, asked.kept, quarter)


def last_quarter(asked: Asked) -> tuple[date, date]:
    return quarter_before(timezone.localtime(asked.at).date())


def quarter_words(asked: Asked) -> str:
    """1 Jul 2026 to 30 Sep 2026: it is a quarter of the calendar, not the period of the page."""
    first, end = last_quarter(asked)
    return gettext("{first} to {last}").format(
        first=date_format(first, "DATE_FORMAT"), last=date_format(end - timedelta(days=1), "DATE_FORMAT")
    )


def quarter_before(day: date) -> tuple[date, date]:
    """The last whole quarter of the calendar: its first day, and the first day after it."""
    end = date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)
    last = end - timedelta(days=1)
    return date(last.year, last.month - 2, 1), end


# --- who was lost, who came back, what was given ------------------------------------------------------------


def lost_block(found: Lost, asked: Asked) -> dict[str, Any]:
    url = people_url(asked, "lost") if found.customers else ""
    owed = people_url(asked, "lost_owed") if found.with_ticket else ""
    return {
        "lines": [
            rate_line("lost", _("Lost"), found.rate, url, newer_words(found)),
            rate_line("lost_owed", _("With a ticket"), found.owed, owed),
        ],
        "sentence": lost_words(found),
        "reasons": [
            (reason, count, people_url(asked, "lost", reason=reason)) for reason, count in found.reasons
        ],
    }


def lost_words(found: Lost) -> str:
    if not found.customers:
        return gettext("Nobody was marked lost in this period.")
    said = ngettext(
        "{n} customer was lost, worth {worth} a year.",
        "{n} customers were lost, worth {worth} a year.",
        len(found.customers),
    ).format(n=f"{len(found.customers):,}", worth=money_words.money(found.worth))
    if not found.without_value:
        return said
    rest = ngettext("Of {n} no value is recorded.", "Of {n} no value is recorded.", found.without_value)
    return f"{said} {rest.format(n=f'{found.without_value:,}')}"


def newer_words(found: Lost) -> str:
    if not found.newer:
        return ""
    return ngettext(
        "{n} more came and left within the period", "{n} more came and left within the period", found.newer
    ).format(n=f"{found.newer:,}")


def repeat_line(found: Comebacks, asked: Asked) -> Line:
    beside = []
    if found.not_known:
        beside.append(
            ngettext(
                "{n} came back about something whose cause nobody has named",
                "{n} came back about something whose cause nobody has named",
                len(found.not_known),
            ).format(n=f"{len(found.not_known):,}")
        )
    if found.too_early:
        beside.append(
            ngettext(
                "{n} was resolved less than 14 days ago",
                "{n} were resolved less than 14 days ago",
                found.too_early,
            ).format(n=f"{found.too_early:,}")
        )
    url = behind(asked, behind="came_back")
    goal = goals_for(asked, {"repeat_contact": found.rate}).get("repeat_contact")
    return rate_line("repeat_contact", _("Repeat contact"), found.rate, url, " · ".join(beside), goal)


def goodwill_block(found: Given, asked: Asked) -> dict[str, Any]:
    return {
        "found": found,
        "per_ticket": money_words.spent_words(found.per_ticket),
        "per_recovered": money_words.spent_words(found.per_recovered),
        "url": behind(asked, behind="goodwill") if found.per_ticket.count else "",
        "recovered_url": behind(asked, state="promoter,passive"),
        "rows": [
            (
                row.cause or gettext("no cause known yet"),
                row.spent,
                money_words.spent_words(row.spent),
                behind(asked, behind=f"goodwill.{row.cause.pk if row.cause else 0}"),
            )
            for row in found.by_cause
        ],
    }


# --- the tickets behind -------------------------------------------------------------------------------------


def came_back(asked: Asked) -> Iterable[int]:
    return comebacks(asked.kept.tickets(), asked.seen, asked.at).came_back


def given_here(asked: Asked) -> Iterable[int]:
    return given_on(asked.kept.tickets(), asked.at).values_list("ticket", flat=True)


def given_for(asked: Asked, cause: str) -> Iterable[int]:
    """Those of a cause found, by its id; 0 is none that is known."""
    rows = given_on(asked.kept.tickets(), asked.at)
    found = rows.filter(ticket__cause_found=None if cause == "0" else number(cause))
    return found.values_list("ticket", flat=True)


BEHIND["came_back"] = came_back
BEHIND["goodwill"] = given_here
BEHIND_EACH["goodwill"] = given_for
SAID["came_back"] = lambda _which: gettext("came back within 14 days")
SAID["goodwill"] = lambda _which: gettext("goodwill was given")
