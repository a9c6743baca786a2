"""The answers that a slice means: the numbers about what people said follow the same filters."""

from __future__ import annotations

from django.db.models import F, Q, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.lookups import Exact

from recovery.insight import segment
from recovery.insight.cohort import Slice
from recovery.insight.segment import Segment
from surveys.results import Which


def which_answers(which: Slice) -> Which:
    """Every filter but the team: an answer belongs to none. A segment no one can read raises ValueError."""
    found = segment.parse(which.segment) if which.segment else None
    return Which(
        since=which.start,
        until=which.end,
        touchpoint=which.touchpoint,
        at=which.as_of,
        answers=of_answers(found) if found else Q(),
        asked=of_asked(found) if found else Q(),
    )


def of_answers(found: Segment) -> Q:
    """Answers whose customer, or which themselves, belong to the segment; read as for tickets."""
    if found.kind == segment.CHANNEL:
        return Q(channel=found.value)
    if found.kind == segment.LANGUAGE:
        said = Q(locale__iexact=found.value)
        return said | Q(locale="", customer__locale__iexact=found.value)
    return of_customers(found)


def of_asked(found: Segment) -> Q | None:
    """Invitations of the segment; None for the channel of an answer, which the silent do not have."""
    if found.kind == segment.CHANNEL:
        return None
    if found.kind == segment.LANGUAGE:
        return Q(customer__locale__iexact=found.value)
    return of_customers(found)


def of_customers(found: Segment) -> Q:
    if found.kind == segment.TIER:
        return Q(customer__tier=found.value)
    # A name from outside is a value here, never part of a lookup.
    return Q(Exact(KeyTextTransform(found.name, F("customer__attributes")), Value(found.value)))
