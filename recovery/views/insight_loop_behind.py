"""The tickets behind the numbers of the loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from django.utils.translation import gettext

from recovery.insight import funnel
from recovery.insight.cycles import of_so_many, reopened, reopened_after
from recovery.insight.funnel import LOSSES, STAGES, Loss
from recovery.insight.loop import Loop, loop
from recovery.insight.reach import HOURS, WEEKDAYS, attempts_at, tried_then
from recovery.insight.waiting import waits_of
from recovery.views import insight_loop_words as loop_words
from recovery.views.insight_behind import BEHIND, BEHIND_EACH, SAID
from recovery.views.insight_slice import Asked
from recovery.views.tickets import number
from recovery.views.words import channel_word


def in_funnel(asked: Asked, which: str) -> Iterable[int]:
    """A stage, or a stage and a loss after it."""
    stage, loss = stage_and_loss(which)
    return funnel.behind(asked.kept, stage, loss).values_list("pk", flat=True)


def stage_and_loss(which: str) -> tuple[str, Loss | None]:
    stage, *loss = which.split(".", 2)
    return stage, Loss(*loss) if loss else None


def said_of_funnel(which: str) -> str:
    stage, loss = stage_and_loss(which)
    if stage not in STAGES or (loss and loss.kind not in LOSSES[stage]):
        return ""
    return loop_words.loss_words(loss) if loss else str(loop_words.STAGES[stage])


def tried(asked: Asked) -> Iterable[int]:
    return attempts_at(asked.kept.tickets(), asked.at).values_list("ticket", flat=True)


def by_channel(asked: Asked, which: str) -> Iterable[int]:
    attempts = attempts_at(asked.kept.tickets(), asked.at)
    return attempts.filter(channel=which).values_list("ticket", flat=True)


# When, by what stands in the address.
SLOTS: Final = {f"{weekday}-{hour}": (weekday, hour) for weekday in WEEKDAYS for hour in HOURS}
ON_WEEKDAY: Final = {f"{weekday}": (weekday, None) for weekday in WEEKDAYS}
AT_HOUR: Final = {f"{hour}": (None, hour) for hour in HOURS}


def then(when: Mapping[str, tuple[int | None, int | None]]) -> Callable[[Asked, str], Iterable[int]]:
    def found(asked: Asked, which: str) -> Iterable[int]:
        if which not in when:
            return ()
        weekday, hour = when[which]
        return tried_then(asked.kept.tickets(), asked.at, weekday=weekday, hour=hour)

    return found


def said_of_slot(which: str) -> str:
    day, _dash, hour = which.partition("-")
    return tried_at(loop_words.slot((number(day), number(hour))))


def tried_at(where: str) -> str:
    return gettext("tried: {where}").format(where=where)


def waited(asked: Asked) -> Iterable[int]:
    return waits_of(asked.kept.tickets(), asked.at).values_list("ticket", flat=True)


def waited_by(asked: Asked, which: str) -> Iterable[int]:
    """By the id of whoever stopped the clock; 0 is nobody who is still here."""
    by = number(which)
    if f"{by}" != which:
        return ()
    waits = waits_of(asked.kept.tickets(), asked.at).filter(by=by or None)
    if asked.people_of is not None:
        waits = waits.filter(ticket__team__in=asked.people_of)
    return waits.values_list("ticket", flat=True)


def loop_of(asked: Asked) -> Loop:
    return loop(asked.kept, asked.at)


def of_so_many_cycles(asked: Asked, which: str) -> Iterable[int]:
    cycles = number(which)
    if cycles < 1 or f"{cycles}" != which:
        return ()
    return of_so_many(asked.kept.tickets(), asked.at, cycles).values_list("pk", flat=True)


def begun_again(asked: Asked) -> Iterable[int]:
    return reopened(asked.kept.tickets(), asked.at).values_list("pk", flat=True)


def begun_again_after(asked: Asked, which: str) -> Iterable[int]:
    return reopened_after(asked.kept.tickets(), asked.at, which).values_list("pk", flat=True)


BEHIND.update(
    {
        "tried": tried,
        "waits": waited,
        "reopened": begun_again,
    }
)
BEHIND_EACH.update(
    {
        "funnel": in_funnel,
        "slot": then(SLOTS),
        "hour": then(AT_HOUR),
        "weekday": then(ON_WEEKDAY),
        "channel": by_channel,
        "waits": waited_by,
        "cycles": of_so_many_cycles,
        "reopened": begun_again_after,
    }
)
SAID.update(
    {
        "funnel": said_of_funnel,
        "tried": lambda _which: gettext("tried at least once"),
        "slot": said_of_slot,
        "hour": lambda which: tried_at(loop_words.hour(number(which))),
        "weekday": lambda which: tried_at(loop_words.weekday(number(which))),
        "channel": lambda which: tried_at(channel_word(which)),
        "waits": lambda _which: gettext("the clock stood for the customer"),
        "cycles": lambda which: loop_words.cycles_words(number(which)),
        "reopened": lambda _which: gettext("reopened after it was resolved"),
    }
)
