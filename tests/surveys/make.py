"""The cast of the surveys room: plain functions, one fixed Monday."""

from __future__ import annotations

from datetime import UTC, datetime, time
from itertools import count
from typing import Any

from surveys.models import Customer, CustomerIdentity, Message, Question, SendingRules, Survey

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
# For what runs at whatever hour it is, and says several things at once.
ANY_TIME = {"quiet_from": time(0), "quiet_until": time(0), "per_minute": 60_000, "per_person_per_day": 1000}
_serial = count(1)


def make_survey(slug: str = "delivery", **fields: Any) -> Survey:
    """An NPS survey of 0 to 10 with its score question and an open one."""
    survey = Survey.objects.create(
        **{"slug": slug, "name": "Delivery", "name_zh": "送货调查", "line": slug, **fields}
    )
    survey.questions.create(
        key="score",
        kind=Question.SCORE,
        position=0,
        text="How likely are you to recommend us?",
        text_zh="您有多大可能推荐我们?",
        low_label="not at all likely",
        low_label_zh="完全不可能",
        high_label="extremely likely",
        high_label_zh="非常可能",
    )
    survey.questions.create(
        key="why", kind=Question.WHY, position=1, text="Why this score?", text_zh="为什么打这个分?"
    )
    return survey


def make_customer(
    name: str = "Zhang Wei",
    *,
    email: str = "zhang.wei@example.com",
    phone: str = "",
    external_id: str = "",
    locale: str = "en",
    **fields: Any,
) -> Customer:
    customer = Customer.objects.create(name=name, locale=locale, created_at=MONDAY, **fields)
    given = {"external_id": external_id, "email": email, "phone": phone}
    for kind, value in given.items():
        if value:
            CustomerIdentity.objects.create(customer=customer, kind=kind, value=value)
    return customer


def make_rules(**fields: Any) -> SendingRules:
    """The rules of sending, with their defaults but for these."""
    SendingRules.objects.all().delete()
    return SendingRules.objects.create(**fields)


def make_message(**fields: Any) -> Message:
    """Queued, due on Monday; to a stranger unless told otherwise."""
    number = next(_serial)
    return Message.objects.create(
        **{
            "dedup_key": f"made:{number}",
            "kind": "news",
            "to_address": f"reader{number}@example.com",
            "subject": "News",
            "text": "Something happened.",
            "send_at": MONDAY,
            "created_at": MONDAY,
            **fields,
        }
    )
