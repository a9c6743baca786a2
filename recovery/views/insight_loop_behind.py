"""The tickets behind the numbers of the loop, and behind the promises broken by a team or at a priority."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext

from recovery.insight.cycles import Cycles, cycles
from recovery.insight.funnel import LOSSES, STAGES, Loss
from recovery.insight.happened import histories
from recovery.insight.loop import Loop, loop
from recovery.insight.reach import Attempt, reach, tickets_of
from recovery.insight.times import GROUPED, KINDS, missed_of, promised
from recovery.views import insight_loop_words as loop_words
from recovery.views.insight_behind import BEHIND, BEHIND_EACH, SAID
from recovery.views.insight_slice import Asked
from recovery.views.tickets import number
from recovery.views.words import channel_word


def in_funnel(asked: Asked, which: str) -> Iterable[int]:
    """A stage, or a stage and a loss after it."""
    stage, loss = stage_and_loss(which)
    return loop_of(asked).funnel.tickets(stage, loss)


def stage_and_loss(which: str) -> tuple[str, Loss | None]:
    stage, *loss = which.split(".", 2)
    return stage, Loss(*loss) if loss else None


def said_of_funnel(which: str) -> str:
    stage, loss = stage_and_loss(which)
    if stage not in STAGES or (loss and loss.kind not in LOSSES[stage]):
        return ""
    return loop_words.loss_words(loss) if loss else str(loop_words.STAGES[stage])


def attempts_of(asked: Asked) -> list[Attempt]:
    return reach(asked.cohort, asked.at).attempts


def in_slot(asked: Asked, which: str) -> Iterable[int]:
    found = attempts_of(asked)
    return tickets_of(each for each in found if f"{each.weekday}-{each.hour}" == which)


def at_hour(asked: Asked, which: str) -> Iterable[int]:
    return tickets_of(each for each in attempts_of(asked) if f"{each.hour}" == which)


def on_weekday(asked: Asked, which: str) -> Iterable[int]:
    return tickets_of(each for each in attempts_of(asked) if f"{each.weekday}" == which)


def by_channel(asked: Asked, which: str) -> Iterable[int]:
    return tickets_of(each for each in attempts_of(asked) if each.channel == which)


def said_of_slot(which: str) -> str:
    day, _dash, hour = which.partition("-")
    return tried(loop_words.slot((number(day), number(hour))))


def tried(where: str) -> str:
    return gettext("tried: {where}").format(where=where)


def waited(asked: Asked) -> Iterable[int]:
    return loop_of(asked).waiting.tickets


def waited_by(asked: Asked, which: str) -> Iterable[int]:
    return {pause.ticket for pause in loop_of(asked).waiting.pauses if f"{pause.by or 0}" == which}


def courses(asked: Asked) -> Cycles:
    return cycles(histories(asked.cohort, asked.at))


def loop_of(asked: Asked) -> Loop:
    return loop(asked.cohort, asked.at, asked.as_of)


def of_so_many_cycles(asked: Asked, which: str) -> Iterable[int]:
    return {course.ticket for course in courses(asked).courses if f"{course.cycles}" == which}


def reopened(asked: Asked) -> Iterable[int]:
    return {course.ticket for course in courses(asked).courses if course.reopened}


def reopened_after(asked: Asked, which: str) -> Iterable[int]:
    return {course.ticket for course in courses(asked).courses if course.reopened and course.cause == which}


def missed_in_group(asked: Asked, which: str) -> Iterable[int]:
    """`<kind>.<what it is grouped by>.<key>`."""
    kind, by, key = (*which.split("."), "", "", "")[:3]
    if kind not in KINDS or by not in GROUPED:
        return ()
    rows = [row for row in promised(asked.cohort, asked.at) if f"{GROUPED[by](row)}" == key]
    return missed_of(rows, kind, asked.at)


BEHIND.update(
    {
        "tried": lambda asked: tickets_of(attempts_of(asked)),
        "waits": waited,
        "reopened": reopened,
    }
)
BEHIND_EACH.update(
    {
        "funnel": in_funnel,
        "slot": in_slot,
        "hour": at_hour,
        "weekday": on_weekday,
        "channel": by_channel,
        "waits": waited_by,
        "cycles": of_so_many_cycles,
        "reopened": reopened_after,
        "missed": missed_in_group,
    }
)
SAID.update(
    {
        "funnel": said_of_funnel,
        "tried": lambda _which: gettext("tried at least once"),
        "slot": said_of_slot,
        "hour": lambda which: tried(loop_words.hour(number(which))),
        "weekday": lambda which: tried(loop_words.weekday(number(which))),
        "channel": lambda which: tried(channel_word(which)),
        "waits": lambda _which: gettext("the clock stood for the customer"),
        "cycles": lambda which: loop_words.cycles_words(number(which)),
        "reopened": lambda _which: gettext("reopened after it was resolved"),
        "missed": lambda _which: gettext("not in time"),
    }
)
