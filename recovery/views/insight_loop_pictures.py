"""The pictures of the loop: what was lost on the way, and when people pick up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _

from recovery.insight.cohort import NO_ANSWER, STILL_IN_WORK, TO_BE_ASKED, UNPROMPTED, WAITING
from recovery.insight.funnel import ANSWERED, LOW, Funnel
from recovery.insight.reach import WEEKDAYS, Reach, Tally
from recovery.insight.recovery import Rate
from recovery.pictures import NARROW, WIDE, Cell, Grid, Labels, Lost, Stage, heat_svg, waterfall_svg
from recovery.views import insight_loop_words as loop_words
from recovery.views.insight_pictures import Picture

TONES: Final = {LOW: "detractor", ANSWERED: "promoter"}
# What may still come is drawn lighter than what is lost.
OPEN: Final = (STILL_IN_WORK, TO_BE_ASKED, WAITING)
LOSS_TONES: Final = {**dict.fromkeys(OPEN, "paused"), UNPROMPTED: "promoter", NO_ANSWER: "silent"}


def funnel_picture(found: Funnel) -> Picture | None:
    if not found.size:
        return None
    stages = [
        Stage(
            str(loop_words.STAGES[step.stage]),
            step.count,
            [
                Lost(loop_words.loss_words(loss), count, LOSS_TONES.get(loss.kind, "silent"))
                for loss, count in step.losses
            ],
            TONES.get(step.stage, "accent"),
        )
        for step in found.steps
    ]
    labels = Labels(_("From low score to answer"), loop_words.funnel_words(found))
    wide, narrow = (
        waterfall_svg(stages, labels, width=width, ident="loop-funnel") for width in (WIDE, NARROW)
    )
    return Picture(wide, narrow)


# --- when people pick up ------------------------------------------------------------------------------------


def hours_used(found: Reach) -> range:
    """From the earliest hour with an attempt to the latest, without a gap."""
    hours = found.hours
    return range(min(hours), max(hours) + 1) if hours else range(0)


def heat_picture(found: Reach) -> Picture | None:
    """Weekdays by hours, and their sums; None without an attempt."""
    hours = hours_used(found)
    if not hours:
        return None
    grid = grid_of(found, hours)
    days = [*(str(WEEKDAYS_ABBR[day]) for day in WEEKDAYS), _("All")]
    turned = grid.turned(days, [*(f"{hour:02}:00" for hour in hours), _("All")])
    labels = Labels(_("When people pick up"), " ".join(loop_words.best_and_worst(found)))
    return Picture(
        heat_svg(grid, labels, width=WIDE, ident="heat"), heat_svg(turned, labels, width=NARROW, ident="heat")
    )


def grid_of(found: Reach, hours: Iterable[int]) -> Grid:
    hours, slots, by_hour, by_day = list(hours), found.slots, found.hours, found.weekdays
    rows = [
        (
            loop_words.weekday(day),
            [
                *(cell_of(slots.get((day, hour)), loop_words.slot((day, hour))) for hour in hours),
                cell_of(by_day.get(day), loop_words.weekday(day)),
            ],
        )
        for day in WEEKDAYS
    ]
    sums = [cell_of(by_hour.get(hour), loop_words.hour(hour)) for hour in hours]
    everything = cell_of(found.everything, _("All"))
    return Grid([*(f"{hour}" for hour in hours), _("All")], [*rows, (_("All"), [*sums, everything])])


def cell_of(tally: Tally | None, where: str) -> Cell:
    if tally is None:
        return Cell()
    told = _("{where}: {what}").format(where=where, what=loop_words.attempts_words(tally))
    return Cell(short(tally.rate), told, tally.rate.share)


def short(rate: Rate) -> str:
    """Per cent as a bare number; below ten the counts."""
    return f"{rate.hits}/{rate.n}" if rate.share is None else f"{round(100 * rate.share)}"
