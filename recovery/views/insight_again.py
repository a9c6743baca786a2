"""Who is in work again after an answer: open tickets that count by that answer, not as in work."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext

from recovery.insight.cohort import STILL_IN_WORK
from recovery.models.ticket import IN_WORK, TicketQuerySet
from recovery.views.insight_behind import BEHIND, SAID
from recovery.views.insight_frame import behind
from recovery.views.insight_slice import Asked

CODE = "in_work_again"


@dataclass(frozen=True)
class Again:
    count: int
    url: str


def in_work(asked: Asked) -> TicketQuerySet:
    return asked.cohort.filter(status__in=IN_WORK, merged_into=None)


def in_work_again(asked: Asked, without_answer: int) -> Again | None:
    """Those in work beside the `without_answer` of the page; None where there are none.

    One query; none of a past day, of which nobody keeps who was in work.
    """
    count = 0 if asked.as_of else in_work(asked).count() - without_answer
    return Again(count, behind(asked, behind=CODE)) if count > 0 else None


def tickets_in_work_again(asked: Asked) -> Iterable[int]:
    if asked.as_of:
        return ()
    unanswered = set(asked.kept.behind([("next", [STILL_IN_WORK])]).values_list("pk", flat=True))
    return set(in_work(asked).values_list("pk", flat=True)) - unanswered


BEHIND[CODE] = tickets_in_work_again
SAID[CODE] = lambda _which: gettext("in work again after an answer")
