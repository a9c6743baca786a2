"""The loop: how far low scores came, when people are reached, how long the clock stood, what came back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery.insight.cycles import Cycles
from recovery.insight.funnel import LOW, Funnel, Loss, Step
from recovery.insight.loop import Loop
from recovery.insight.reach import WEEKDAYS, Reach, Search, Tally
from recovery.insight.recovery import Rate
from recovery.insight.waiting import Waiting, by_owner
from recovery.models import Cause
from recovery.pictures import Bar
from recovery.views import door, insight_slice
from recovery.views import insight_loop_words as loop_words
from recovery.views import insight_words as words
from recovery.views.insight_curves import attempts_curve
from recovery.views.insight_frame import behind, page
from recovery.views.insight_loop_behind import loop_of
from recovery.views.insight_loop_names import names_of
from recovery.views.insight_loop_pictures import funnel_picture, heat_picture, hours_used
from recovery.views.insight_pictures import bars_picture
from recovery.views.insight_slice import Asked
from recovery.views.words import channel_word
from surveys.estimates import MIN_ANSWERS_FOR_RANKING

# How many attempts have a row of their own.
MOST_ATTEMPTS: Final = 8


@door.staff_page()
@require_safe
def show_loop(request: HttpRequest) -> HttpResponse:
    asked = insight_slice.read(request, now())
    found = loop_of(asked)
    return page(
        request,
        "insight_loop",
        asked,
        "insight-loop",
        size=found.funnel.size,
        all_url=behind(asked),
        csv_url=f"{reverse('insight-loop-csv')}?{asked.query}",
        **blocks(found, asked),
    )


def blocks(found: Loop, asked: Asked) -> dict[str, Any]:
    return {
        "funnel": funnel_block(found.funnel, asked),
        "reach": reach_block(found.reach, asked),
        "search": search_block(found.reach.search),
        "waiting": waiting_block(found.waiting, asked),
        "cycles": cycles_block(found.cycles, asked),
    }


@dataclass(frozen=True)
class Row:
    """A line of a table: its name, its figures as texts, and the tickets it counts."""

    name: str | Promise
    texts: list[str]
    tickets: int
    url: str
    is_loss: bool = False


# --- the funnel ---------------------------------------------------------------------------------------------


def funnel_block(found: Funnel, asked: Asked) -> dict[str, Any]:
    return {
        "sentence": loop_words.funnel_words(found),
        "picture": funnel_picture(found),
        "rows": [row for step in found.steps for row in step_rows(step, found, asked)],
    }


def step_rows(step: Step, found: Funnel, asked: Asked) -> Iterable[Row]:
    name = loop_words.STAGES[step.stage]
    rate = words.rate_words(found.rate(step.stage)) if step.stage != LOW else ""
    yield Row(name, [rate], step.count, behind(asked, behind=f"funnel.{step.stage}"))
    for loss, count in step.losses:
        text = words.rate_words(Rate(count, step.count))
        url = behind(asked, behind=loss_code(step.stage, loss))
        yield Row(loop_words.loss_words(loss), [text], count, url, is_loss=True)


def loss_code(stage: str, loss: Loss) -> str:
    return f"funnel.{stage}.{loss.kind}.{loss.reason}"


# --- when people pick up ------------------------------------------------------------------------------------


def reach_block(found: Reach, asked: Asked) -> dict[str, Any]:
    hours = hours_used(found)
    return {
        "found": found,
        "sentence": loop_words.attempts_words(found.everything),
        "standouts": loop_words.best_and_worst(found),
        "zone": loop_words.zone_words(found),
        "picture": heat_picture(found),
        "weekdays": [loop_words.weekday(day) for day in WEEKDAYS],
        "rows": [slot_row(found, hour, asked) for hour in hours],
        "sums": [
            *(place(found.weekdays.get(day), f"weekday.{day}", asked) for day in WEEKDAYS),
            place(found.everything, "tried", asked),
        ],
        "channels": [
            channel_row(channel, tally, asked)
            for channel, tally in sorted(found.channels.items(), key=lambda each: -each[1].rate.n)
        ],
    }


@dataclass(frozen=True)
class Spot:
    """A cell of the grid as a table says it: the rate, its counts, and the tickets the attempts were of."""

    rate: str
    counts: str
    tickets: int
    url: str


def slot_row(found: Reach, hour: int, asked: Asked) -> tuple[str, list[Spot | None]]:
    spots = [place(found.slots.get((day, hour)), f"slot.{day}-{hour}", asked) for day in WEEKDAYS]
    return loop_words.hour(hour), [*spots, place(found.hours.get(hour), f"hour.{hour}", asked)]


def place(tally: Tally | None, code: str, asked: Asked) -> Spot | None:
    if tally is None:
        return None
    counts = words.counts_words(tally.rate) if tally.rate.share is not None else ""
    return Spot(words.rate_words(tally.rate), counts, tally.tickets, behind(asked, behind=code))


def channel_row(channel: str, tally: Tally, asked: Asked) -> Row:
    texts = [f"{tally.rate.hits:,}", f"{tally.rate.n:,}", words.rate_words(tally.rate)]
    return Row(channel_word(channel), texts, tally.tickets, behind(asked, behind=f"channel.{channel}"))


# --- how many attempts --------------------------------------------------------------------------------------


def search_block(search: Search) -> dict[str, Any]:
    sentence = loop_words.search_words(search)
    telling = search.times.telling
    return {
        "tried": search.times.count,
        "sentence": sentence,
        "picture": attempts_curve(search, sentence),
        "rows": [
            (
                f"{step.time:.0f}",
                f"{step.at_risk:,}",
                f"{step.events:,}",
                loop_words.done_words(step) if step in telling else "",
            )
            for step in search.times.steps[:MOST_ATTEMPTS]
        ],
    }


# --- waiting ------------------------------------------------------------------------------------------------


def waiting_block(found: Waiting, asked: Asked) -> dict[str, Any]:
    owners = by_owner(found, asked.people_of)
    names = names_of(by for by, _some in (*owners.ranked, *owners.listed))
    listed = sorted(owners.listed, key=lambda each: names[each[0]])
    return {
        "found": found,
        "sentence": loop_words.waiting_words(found),
        "url": behind(asked, behind="waits"),
        "tickets": len(found.tickets),
        "length": words.estimate_words(found.lengths, 50, words.working_span),
        "ranked": [owner_row(by, names[by], some, asked) for by, some in owners.ranked],
        "listed": [owner_row(by, names[by], some, asked) for by, some in listed],
        "few": owners.few,
    }


def owner_row(by: int | None, name: str, found: Waiting, asked: Asked) -> Row:
    texts = [
        f"{len(found.pauses):,}",
        words.working_span(found.minutes),
        words.estimate_words(found.lengths, 50, words.working_span),
        words.rate_words(found.after_reply),
    ]
    return Row(name, texts, len(found.tickets), behind(asked, behind=f"waits.{by or 0}"))


# --- cycles -------------------------------------------------------------------------------------------------


def cycles_block(found: Cycles, asked: Asked) -> dict[str, Any]:
    counts = sorted(found.distribution.items())
    size = found.size
    bars = [Bar(loop_words.cycles_words(cycles), count, f"{count:,}") for cycles, count in counts]
    return {
        "reopened": words.rate_words(found.reopened),
        "counts": words.counts_words(found.reopened) if found.reopened.share is not None else "",
        "reopened_url": behind(asked, behind="reopened"),
        "found": found.reopened,
        "picture": bars_picture(bars, gettext("How many cycles"), "cycles") if size else None,
        "rows": [
            Row(
                loop_words.cycles_words(cycles),
                [words.rate_words(Rate(count, size))],
                count,
                behind(asked, behind=f"cycles.{cycles}"),
            )
            for cycles, count in counts
        ],
        **cause_rows(found, asked),
    }


def cause_rows(found: Cycles, asked: Asked) -> dict[str, list[Row]]:
    """From thirty resolved tickets ranked, the most often reopened first; below that listed by name."""
    groups = found.by_cause
    names = {cause.code: str(cause) for cause in Cause.objects.filter(code__in=groups)}
    ordered = sorted(groups.items(), key=lambda each: names.get(each[0], each[0]))
    ranked = [each for each in ordered if each[1].n >= MIN_ANSWERS_FOR_RANKING]
    ranked.sort(key=lambda each: -(each[1].share or 0))
    listed = [each for each in ordered if each not in ranked]
    return {
        "ranked": [cause_row(code, names, rate, asked) for code, rate in ranked],
        "listed": [cause_row(code, names, rate, asked) for code, rate in listed],
    }


def cause_row(code: str, names: dict[str, str], rate: Rate, asked: Asked) -> Row:
    name = names.get(code, code) or gettext("no cause known")
    texts = [f"{rate.n:,}", words.rate_words(rate)]
    return Row(name, texts, rate.hits, behind(asked, behind=f"reopened.{code}"))
