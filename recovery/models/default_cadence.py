"""The cadence of the first day: whoever keeps none has this one, on a fresh or an emptied database."""

from __future__ import annotations

from typing import Any, Final

from django.apps import apps as registry

# (outcome, from which attempt in a row on, when, minutes)
STEPS: Final = [
    ("no_answer", 1, "afternoon", None),
    ("no_answer", 2, "morning", None),
    ("no_answer", 3, "evening", None),
    ("no_answer", 4, "morning", None),
    ("no_answer", 5, "monday", None),
    ("voicemail", 1, "morning", None),
    ("voicemail", 2, "afternoon", None),
    ("voicemail", 4, "morning", None),
    ("wrong_number", 1, "minutes", 30),
    ("wrong_number", 2, "morning", None),
    ("refused", 1, "monday", None),
]


def keep_a_default(apps: Any = None, *_more: Any, using: str = "default", **_kwargs: Any) -> None:
    """Only where there is no cadence at all: what an administrator made of it stays.

    `apps` are the models as the database has them now, else those of the code; nothing is done
    before it has cadences.
    """
    known = apps or registry
    try:
        cadences, steps = known.get_model("recovery", "Cadence"), known.get_model("recovery", "CadenceStep")
    except LookupError:
        return
    if cadences.objects.using(using).exists():
        return
    cadence = cadences.objects.using(using).create(
        name="Usual attempts", name_zh="常规联系节奏", is_default=True
    )
    steps.objects.using(using).bulk_create(
        steps(cadence=cadence, outcome=outcome, attempt=attempt, when=when, minutes=minutes)
        for outcome, attempt, when, minutes in STEPS
    )
