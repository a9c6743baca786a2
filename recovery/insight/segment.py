"""A segment of the customers, as an address names it: `tier:Gold`, `language:en`, `attribute:region=East`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db.models import F, Q
from django.db.models.fields.json import KeyTextTransform
from django.utils.translation import gettext as _

from recovery.models.ticket import TicketQuerySet

TIER, CHANNEL, LANGUAGE, ATTRIBUTE = "tier", "channel", "language", "attribute"
KINDS: Final = (TIER, CHANNEL, LANGUAGE, ATTRIBUTE)
LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Segment:
    """`name` is that of an attribute, else empty."""

    kind: str
    value: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}={self.value}" if self.name else f"{self.kind}:{self.value}"


def parse(text: str) -> Segment:
    """Raises ValueError with a sentence to show."""
    kind, _colon, rest = text.strip().partition(":")
    name, equals, value = rest.partition("=") if kind == ATTRIBUTE else ("", "=", rest)
    name, value = name.strip(), value.strip()
    is_whole = kind in KINDS and equals and value and (name or kind != ATTRIBUTE)
    if not is_whole or len(text) > LONGEST or "\0" in text:
        shown = text[:40].replace("\0", "")
        raise ValueError(
            _(
                "“%(text)s” is no segment such as tier:Gold, channel:page, language:en or"
                " attribute:region=East."
            )
            % {"text": shown}
        )
    return Segment(kind, value, name)


def narrowed(tickets: TicketQuerySet, segment: Segment) -> TicketQuerySet:
    """Tickets whose customer, or whose opening answer, belongs to the segment.

    A tier and an attribute are those the customer has today; a channel and a language those of the answer,
    the customer's language where the answer names none. Languages are compared without regard to case.
    """
    if segment.kind == TIER:
        return tickets.filter(customer__tier=segment.value)
    if segment.kind == CHANNEL:
        return tickets.filter(response__channel=segment.value)
    if segment.kind == LANGUAGE:
        said = Q(response__locale__iexact=segment.value)
        return tickets.filter(said | Q(response__locale="", customer__locale__iexact=segment.value))
    # A name from outside is a value here, never part of a lookup.
    attribute = KeyTextTransform(segment.name, F("customer__attributes"))
    return tickets.alias(segment_value=attribute).filter(segment_value=segment.value)
