"""Whom of the people behind a number somebody may see, by the answers they may read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection

from surveys.models import Customer, Response, Source, Survey
from surveys.panel import People, line_of, who
from surveys.panel.answers import Answers
from surveys.results import Which
from tests.surveys.make import MONDAY, make_survey

pytestmark = pytest.mark.django_db


def everybody(people: int) -> tuple[Survey, People]:
    """So many, with two answers each."""
    survey, source = make_survey("shop"), Source.objects.create(slug="file", name="File")
    customers = Customer.objects.bulk_create(
        Customer(name=f"P{number}", created_at=MONDAY) for number in range(people)
    )
    Response.objects.bulk_create(
        Response(
            survey=survey,
            source=source,
            external_id=f"{customer.pk}.{number}",
            customer=customer,
            score=9,
            band="promoter",
            answered_at=MONDAY,
            received_at=MONDAY,
            payload_hash="-",
        )
        for customer in customers
        for number in range(2)
    )
    return survey, who(Answers(survey, survey.eras[-1], Which(), line_of(survey)))


def cost(people: People) -> float:
    """What PostgreSQL reckons it takes to count them, where no list is short enough to be hashed."""
    assert people.found is not None
    sql, values = people.found
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE surveys_customer, surveys_response")
        cursor.execute("SET LOCAL work_mem = '64kB'")
        cursor.execute(f"EXPLAIN (FORMAT JSON) SELECT count(*) FROM ({sql}) AS people", values)
        found: Any = cursor.fetchone()
    plan = json.loads(found[0]) if isinstance(found[0], str) else found[0]
    return float(plan[0]["Plan"]["Total Cost"])


def test_each_of_their_answers_is_among_some_that_may_be_read() -> None:
    _survey, people = everybody(4)
    one, two, three, _four = (person.customer for person in people)
    everyone, answers = Customer.objects.all(), Response.objects.order_by("pk")
    of_one, of_two, first_of_three = (
        answers.filter(customer=one),
        answers.filter(customer=two),
        answers.filter(pk=answers.filter(customer=three)[0].pk),
    )

    def seen(customers: Any, *responses: Any) -> list[int]:
        return [person.customer for person in people.seen(customers, *responses)]

    assert seen(everyone, of_one, of_two, first_of_three) == [one, two]
    assert seen(everyone, of_one | of_two | first_of_three) == [one, two]
    assert seen(everyone.filter(pk=two), answers.all()) == [two]
    assert seen(everyone, Response.objects.none()) == seen(everyone) == []
    assert seen(Customer.objects.none(), answers.all()) == []


def test_a_long_list_of_readable_answers_is_not_gone_through_for_each_of_them() -> None:
    survey, people = everybody(3000)
    readable = Response.objects.filter(survey=survey, customer__name__startswith="P")
    seen = people.seen(Customer.objects.all(), readable)
    assert len(seen) == 3000
    assert cost(seen) < 3 * cost(people)
