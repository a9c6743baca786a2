"""The tickets behind a number of the insight pages: exactly those it counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery.insight.cohort import NOT_ASKED
from recovery.insight.groups import in_group, names_of
from recovery.insight.recovery import COLUMNS
from recovery.insight.times import KINDS, missed
from recovery.insight.told import Wanted
from recovery.models import Cause, Ticket
from recovery.views import door, insight_slice
from recovery.views import insight_words as words
from recovery.views.insight_behind import ids_behind, said_of
from recovery.views.insight_groups import GROUPINGS
from recovery.views.insight_slice import Asked
from recovery.views.rows import for_rows, rows_of
from recovery.views.tickets import number

PER_PAGE = 50
CAUSES: Final = ("cause_found", "cause_said")


@dataclass(frozen=True)
class Number:
    """What the address says the number counts; a value that does not exist counts nothing."""

    wanted: list[Wanted] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    missed: str = ""
    behind: str = ""

    @classmethod
    def of(cls, request: HttpRequest) -> Number:
        given = {name: door.asked(request, name) for name in request.GET}
        kind, behind = given.get("missed", ""), given.get("behind", "")
        if behind:
            return cls(said=said_of(behind), behind=behind)
        found = [each for read in READERS for each in read(given)]
        said = [words_of_it for _wanted, words_of_it in found if words_of_it]
        if kind in KINDS:
            return cls(said=[*said, gettext("not in time")], missed=kind)
        return cls([wanted for wanted, _words in found], said)


Given = dict[str, str]
# What is asked of a story, and how that is said.
Asks = list[tuple[Wanted, str]]


def by_state(given: Given) -> Asks:
    """The states in one of the columns; `lasting` is one more column, of the converted only."""
    column = given.get("column", "")
    column = column if column in COLUMNS else COLUMNS[0]
    columns = {column: listed(given.get("state", "")), "lasting": listed(given.get("lasting", ""))}
    return [((name, states), words.state_words(name, states)) for name, states in columns.items() if states]


def by_contact(given: Given) -> Asks:
    reached = {"1": True, "0": False}.get(given.get("reached", ""))
    found: Asks = []
    if reached is not None:
        found.append((("reached", [reached]), gettext("reached") if reached else gettext("not reached")))
    if given.get("later"):
        found.append((("reached_later", [True]), gettext("reached after they had answered")))
    return found


def by_stage(given: Given) -> Asks:
    """How far it got; `why` is the reason where nobody asked, which may be none that was kept."""
    stage, why = given.get("stage", ""), given.get("why")
    found: Asks = []
    if stage:
        found.append((("stage", [stage]), str(words.STAGES.get(stage, ""))))
    if why is not None:
        said = f"{words.STATES[NOT_ASKED]}: {words.why_words(why)}"
        found += [(("next", [NOT_ASKED]), ""), (("why", [why]), said)]
    return found


def by_cause(given: Given) -> Asks:
    """The causes by id; 0 is none that is known."""
    wanted = {side: number(given[side]) for side in CAUSES if given.get(side)}
    names = {cause.pk: str(cause) for cause in Cause.objects.filter(pk__in=wanted.values())} if wanted else {}
    unknown = gettext("no cause known yet")
    return [
        ((side, [None]), unknown) if given[side] == "0" else ((side, [pk]), names.get(pk, ""))
        for side, pk in wanted.items()
    ]


def by_group(given: Given) -> Asks:
    by, code = given.get("by", ""), given.get("group")
    if code is None:
        return []
    wanted = in_group(by, code)
    return [(wanted, f"{GROUPINGS[by]}: {names_of(by, wanted[1])(*wanted[1])}" if by in GROUPINGS else "")]


def listed(text: str) -> list[str]:
    return text.split(",") if text else []


READERS: Final[tuple[Callable[[Given], Asks], ...]] = (by_state, by_contact, by_stage, by_cause, by_group)


@door.staff_page()
@require_safe
def show_tickets(request: HttpRequest) -> HttpResponse:
    asked, wanted = insight_slice.read(request, now()), Number.of(request)
    page_obj = Paginator(newest_first(asked, wanted), PER_PAGE).get_page(request.GET.get("page"))
    shown = for_rows(Ticket.objects.filter(pk__in=list(page_obj.object_list))).order_by("-pk")
    context = {
        "asked": asked,
        "page_obj": page_obj,
        "rows": rows_of(shown, asked.now),
        "said": wanted.said,
        "back_url": f"{reverse('insight')}?{asked.query}",
        "now": asked.now,
        "drawn": drawn_at(door.asked(request, "drawn"), asked),
    }
    return render(request, "recovery/insight_tickets.html", context)


def drawn_at(text: str, asked: Asked) -> datetime | None:
    """When the number was reckoned whose tickets these are, if it was another minute than now."""
    try:
        drawn = datetime.fromisoformat(text)
    except ValueError:
        return None
    this_minute = asked.now.replace(second=0, microsecond=0)
    return drawn if drawn.tzinfo and drawn < this_minute and not asked.as_of else None


def newest_first(asked: Asked, wanted: Number) -> Sequence[int] | QuerySet[Any, int]:
    if wanted.behind:
        return ids_behind(asked, wanted.behind)
    if wanted.missed:
        rows = missed(asked.kept.tickets(), wanted.missed, asked.at)
    else:
        rows = asked.kept.behind(wanted.wanted)
    return rows.order_by("-pk").values_list("pk", flat=True)
