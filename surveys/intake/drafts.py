from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from surveys.models import Customer, Invitation, Source, Survey


@dataclass(slots=True)
class CustomerDraft:
    """Who answered, as the sender knows them. Values are cleaned; '' and None mean "not said"."""

    external_id: str = ""
    name: str = ""
    email: str = ""
    phone: str = ""
    locale: str = ""
    time_zone: str = ""
    account: str = ""
    annual_value: Decimal | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    tier: str = ""

    @property
    def identities(self) -> list[tuple[str, str]]:
        """(kind, value), the most telling kind first."""
        told = [("external_id", self.external_id), ("email", self.email), ("phone", self.phone)]
        return [(kind, value) for kind, value in told if value]


@dataclass(slots=True)
class ResponseDraft:
    """One answer, checked and cleaned, before it is recorded. `answers` maps question keys to values."""

    survey: Survey
    source: Source
    external_id: str
    score: int | None
    comment: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    customer: CustomerDraft | None = None
    known_customer: Customer | None = None
    invitation: Invitation | None = None
    touchpoint: str = ""
    channel: str = ""
    locale: str = ""
    submitted_at: datetime | None = None
    updated_at: datetime | None = None
    contact_me: bool = False
    contact_channel: str = ""
    contact_time: str = ""
    unanswered: bool = False

    def __post_init__(self) -> None:
        if self.unanswered:
            self.score = None
        self.unanswered = self.score is None

    def answered_at(self, at: datetime) -> datetime:
        """When it was given, as far as the sender says; else it was now."""
        return self.submitted_at or self.updated_at or at
