"""Pairs: a sweep picks the ids that are due, a step does one and may run twice. Ids only."""

from __future__ import annotations

from celery import shared_task
from django.utils.timezone import now

from recovery import sweeps

# A step not taken soon is found by the next sweep; it need not pile up in the broker.
SOON = 30


def hand_out(*names: str) -> None:
    for sweep in sweeps.SWEEPS:
        if sweep.name in names:
            for pk in sweep.due(now()):
                step.apply_async((sweep.name, pk), expires=SOON)


@shared_task(ignore_result=True)
def step(name: str, pk: int) -> None:
    """One due thing. An unknown name or an id that is gone does nothing."""
    sweeps.take_step(name, pk, now())


@shared_task(ignore_result=True)
def sweep_triage() -> None:
    hand_out("triage")


@shared_task(ignore_result=True)
def sweep_callbacks() -> None:
    hand_out("callbacks")


@shared_task(ignore_result=True)
def sweep_deadlines() -> None:
    hand_out("waits", "recompute", "deadlines")


@shared_task(ignore_result=True)
def sweep_resurveys() -> None:
    hand_out("resurveys", "silence")
