"""The loop as JSON: how far low scores came, when people are reached, the waits, and what came back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

from django.contrib.auth.models import User
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from recovery.access import compares_people_of
from recovery.api.insight import (
    PARAMETERS_SHOWN,
    Insight,
    Shown,
    asked,
    define,
    shown_percentiles,
    shown_rate,
)
from recovery.insight.cycles import Cycles
from recovery.insight.funnel import Funnel, Step
from recovery.insight.loop import Loop, loop
from recovery.insight.reach import Reach, Search, Tally
from recovery.insight.recovery import Rate
from recovery.insight.waiting import Waiting, by_owner

Key = TypeVar("Key", int, str, tuple[int, int])


class LoopView(Insight):
    @extend_schema(
        operation_id="insight_loop",
        summary="The loop: the resurvey funnel, attempts by hour and weekday, waiting, and cycles",
        parameters=PARAMETERS_SHOWN,
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request) -> Response:
        question = asked(request)
        found = loop(self.kept(question), question.at)
        user = request.user
        assert isinstance(user, User)  # the permission has let nobody else in
        return Response(
            {**question.said, "at": question.at.isoformat(), **shown_loop(found, compares_people_of(user))}
        )


def shown_loop(found: Loop, people_of: Collection[int] | None) -> Shown:
    return {
        "funnel": shown_funnel(found.funnel),
        "reach": shown_reach(found.reach),
        "attempts": shown_search(found.reach.search),
        "waiting": shown_waiting(found.waiting, people_of),
        "cycles": shown_cycles(found.cycles),
        "then": define("loop_then"),
    }


def without_definition(rate: Rate) -> Shown:
    """A rate among many of one definition, which stands beside them once."""
    shown = shown_rate(rate, "few")
    del shown["definition"]
    return shown


# --- the funnel ---------------------------------------------------------------------------------------------


def shown_funnel(found: Funnel) -> Shown:
    """The count of each stage is that of the next and of all losses between."""
    return {
        "low_scores": found.size,
        "stages": [shown_step(step, found) for step in found.steps],
        "definition": define("loop_funnel"),
    }


def shown_step(step: Step, found: Funnel) -> Shown:
    return {
        "stage": step.stage,
        **without_definition(found.rate(step.stage)),
        "losses": [
            {"loss": loss.kind, "reason": loss.reason or None, **without_definition(Rate(count, step.count))}
            for loss, count in step.losses
        ],
    }


# --- reach --------------------------------------------------------------------------------------------------


def shown_reach(found: Reach) -> Shown:
    """Weekday 0 is Monday; an hour begins at its number, by the customer's clock."""
    return {
        **shown_rate(found.everything.rate, "loop_slots"),
        "replies": found.replies,
        "in_own_zone": found.in_own_zone,
        "slots": shown_tallies(found.slots, lambda slot: {"weekday": slot[0], "hour": slot[1]}),
        "hours": shown_tallies(found.hours, lambda hour: {"hour": hour}),
        "weekdays": shown_tallies(found.weekdays, lambda weekday: {"weekday": weekday}),
        "channels": shown_tallies(found.channels, lambda channel: {"channel": channel}),
    }


def shown_tallies(tallies: Mapping[Key, Tally], name: Callable[[Key], Shown]) -> list[Shown]:
    return [
        {**name(key), **without_definition(tally.rate), "tickets": tally.tickets}
        for key, tally in sorted(tallies.items(), key=lambda each: each[0])
    ]


def shown_search(found: Search) -> Shown:
    per_reach, telling = found.per_reach, found.times.telling
    return {
        "tickets_tried": found.times.count,
        "attempts": found.rate.n,
        "reached": found.rate.hits,
        "per_reach": {"value": per_reach.value, "low": per_reach.low, "high": per_reach.high}
        if per_reach
        else None,
        "by_attempt": [
            {
                "attempt": int(step.time),
                "at_risk": step.at_risk,
                "reached": step.events,
                "share": 1 - step.survival if step in telling else None,
                "low": 1 - step.high if step in telling else None,
                "high": 1 - step.low if step in telling else None,
            }
            for step in found.times.steps
        ],
        "definition": define("loop_attempts"),
    }


# --- waiting and cycles -------------------------------------------------------------------------------------


def shown_waiting(found: Waiting, people_of: Collection[int] | None) -> Shown:
    owners = by_owner(found, people_of)
    return {
        **shown_waits(found),
        "by_owner": {
            "ranked": [{"user": by, **shown_waits(some)} for by, some in owners.ranked],
            "listed": [{"user": by, **shown_waits(some)} for by, some in owners.listed],
            "too_few": owners.few,
        },
        "definition": define("loop_waiting"),
    }


def shown_waits(found: Waiting) -> Shown:
    return {
        "waits": len(found.pauses),
        "tickets": len(found.tickets),
        "working_minutes": round(found.minutes, 1),
        "length": shown_percentiles(found.lengths),
        "after_reply": without_definition(found.after_reply),
    }


def shown_cycles(found: Cycles) -> Shown:
    return {
        "tickets": [
            {"cycles": cycles, "count": count} for cycles, count in sorted(found.distribution.items())
        ],
        "reopened": without_definition(found.reopened),
        "by_cause": [
            {"cause": cause or None, **without_definition(rate)}
            for cause, rate in sorted(found.by_cause.items())
        ],
        "definition": define("loop_cycles"),
    }
