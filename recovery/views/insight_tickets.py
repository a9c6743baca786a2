"""The tickets behind a number of the insight pages: exactly those it counts."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery.insight.cohort import STATES, Story, pick, stories
from recovery.insight.recovery import COLUMNS
from recovery.insight.times import KINDS, missed
from recovery.models import Cause, Ticket
from recovery.views import door, insight_slice
from recovery.views import insight_words as words
from recovery.views.insight_behind import ids_behind, said_of
from recovery.views.insight_slice import Asked
from recovery.views.rows import for_rows, rows_of
from recovery.views.tickets import number

PER_PAGE = 50


@dataclass(frozen=True)
class Number:
    """What the address says the number counts; a value that does not exist counts nothing."""

    column: str
    states: list[str]
    reached: bool | None
    stage: str
    causes: dict[str, int]
    missed: str
    behind: str

    @classmethod
    def of(cls, request: HttpRequest) -> Number:
        column, states = door.asked(request, "column"), door.asked(request, "state")
        kind = door.asked(request, "missed")
        return cls(
            column=column if column in COLUMNS else "next",
            states=states.split(",") if states else [],
            reached={"1": True, "0": False}.get(door.asked(request, "reached")),
            stage=door.asked(request, "stage"),
            causes={
                side: number(door.asked(request, side))
                for side in ("cause_found", "cause_said")
                if door.asked(request, side)
            },
            missed=kind if kind in KINDS else "",
            behind=door.asked(request, "behind"),
        )

    def counts(self, told: list[Story]) -> list[Story]:
        return [
            story
            for story in pick(told, self.column, self.states or STATES, self.reached)
            if (not self.stage or story.stage == self.stage)
            and all(getattr(story, side) == cause for side, cause in self.causes.items())
        ]

    def in_words(self) -> list[str]:
        if self.behind:
            return said_of(self.behind)
        said = words.picked_words(self.column, self.states, self.reached, self.stage)
        said += [str(cause) for cause in Cause.objects.filter(pk__in=self.causes.values())]
        return [*said, gettext("not in time")] if self.missed else said


@door.staff_page()
@require_safe
def show_tickets(request: HttpRequest) -> HttpResponse:
    asked, wanted = insight_slice.read(request, now()), Number.of(request)
    page_obj = Paginator(newest_first(asked, wanted), PER_PAGE).get_page(request.GET.get("page"))
    shown = for_rows(Ticket.objects.filter(pk__in=list(page_obj.object_list))).order_by("-pk")
    context = {
        "asked": asked,
        "page_obj": page_obj,
        "rows": rows_of(shown, asked.at),
        "said": wanted.in_words(),
        "back_url": f"{reverse('insight')}?{asked.query}",
        "now": asked.at,
    }
    return render(request, "recovery/insight_tickets.html", context)


def newest_first(asked: Asked, wanted: Number) -> list[int]:
    if wanted.behind:
        return ids_behind(asked, wanted.behind)
    if wanted.missed:
        rows = missed(asked.cohort, wanted.missed, asked.at)
        return list(rows.order_by("-pk").values_list("pk", flat=True))
    return sorted((story.ticket for story in wanted.counts(stories(asked.cohort))), reverse=True)
