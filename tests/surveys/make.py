"""The cast of the surveys room: plain functions, one fixed Monday."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from surveys.models import Customer, CustomerIdentity, Question, Survey

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


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
