"""What PostgreSQL counts of the same people is what the plain way counts, whatever they answered."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random

import pytest
from django.db.models import Q

from surveys.eras import Era
from surveys.models import Customer, FormerScale, Invitation, Response, ResponseVersion, Source, Survey
from surveys.panel import (
    BANDS,
    COLUMNS,
    STATES,
    WHO,
    Person,
    eras_of,
    line_of,
    panel,
    waves,
    who,
    who_elsewhere,
    who_in_waves,
)
from surveys.panel.answers import Answers
from surveys.results import Which
from tests.surveys import plain_panel
from tests.surveys.make import MONDAY, make_customer, make_survey

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def answered(chance: Random) -> Survey:
    """Three surveys of one line, one of another kind and one whose scale changed, and one that seems to."""
    survey = make_survey("shop")
    FormerScale.objects.create(
        survey=survey, until=MONDAY + 20 * DAY, lowest=1, highest=5, low_cut=2, high_cut=4
    )
    best_is_1 = chance.random() < 0.3
    if best_is_1:
        Survey.objects.filter(pk=survey.pk).update(best="min", low_cut=4, high_cut=1)
    survey = Survey.objects.get(pk=survey.pk)
    same = make_survey(
        "shop-2", line="shop", best=survey.best, low_cut=survey.low_cut, high_cut=survey.high_cut
    )
    other = make_survey("shop-csat", line="shop", kind="csat")
    people = [None, *(make_customer(email=f"p{number}@example.com") for number in range(25))]
    limit = chance.choice([11, 6])
    source = Source.objects.create(slug="file", name="File")
    for number in range(250):
        each = chance.choice([survey, survey, survey, same, other])
        say(chance, each, source, chance.choice(people), number, limit)
    for response in chance.sample(list(Response.objects.order_by("pk")), 20):
        ResponseVersion.objects.create(
            response=response,
            score=chance.choice([None, 2, 9]),
            replaced_at=response.received_at + chance.randrange(40) * DAY,
        )
    return survey


def say(
    chance: Random, survey: Survey, source: Source, who: Customer | None, number: int, limit: int
) -> None:
    """From the second month on nobody may score `limit` or more."""
    at = MONDAY + chance.randrange(80) * DAY
    score = chance.choice([None, *range(11 if at < MONDAY + 40 * DAY else limit)] + [12] * (number % 50 == 0))
    asked = None
    if who is not None and chance.random() < 0.3:
        asked = Invitation.objects.create(
            survey=survey,
            customer=who,
            purpose=Invitation.RESURVEY,
            state=Invitation.ANSWERED,
            send_at=at,
            created_at=at,
        )
    Response.objects.create(
        survey=survey,
        source=source,
        external_id=f"a{number}",
        customer=who,
        invitation=asked,
        state=chance.choice(["complete"] * 9 + ["withdrawn"]) if score is not None else "unanswered",
        score=score,
        band="" if score is None else "passive",
        touchpoint=chance.choice(["", "Pudong"]),
        answered_at=at,
        received_at=at + chance.choice([timedelta(), DAY]),
        payload_hash="-",
    )


@pytest.mark.parametrize("seed", range(5))
def test_it_counts_what_the_plain_way_counts(seed: int) -> None:
    chance = Random(seed)
    survey = answered(chance)
    for which in (
        Which(),
        Which(since=MONDAY + 10 * DAY, until=MONDAY + 70 * DAY, touchpoint="Pudong"),
        Which(at=MONDAY + chance.randrange(15, 60) * DAY),
        Which(answers=Q(customer__locale="none")),
    ):
        for era in eras_of(survey, which):
            check_panel(survey, which, era)
    middle = MONDAY + chance.randrange(20, 60) * DAY
    for again in (Which(until=middle), Which(since=MONDAY + 5 * DAY, until=middle, at=MONDAY + 60 * DAY)):
        second = Which(since=middle + chance.choice([timedelta(), 5 * DAY]), at=again.at)
        check_waves(survey, again, second)


def check_panel(survey: Survey, which: Which, era: Era) -> None:
    found, expected = panel(survey, which, era), plain_panel.panel(survey, which, era)
    answers = Answers(survey, era, which, line_of(survey))
    assert found.suspicion == expected.suspicion
    beside = (found.blank, found.off_scale, found.nameless)
    assert beside == (expected.blank, expected.off_scale, expected.nameless)
    for too, ids in ((True, expected.elsewhere_too), (False, expected.elsewhere_only)):
        assert [person.customer for person in who_elsewhere(answers, too=too)] == sorted(ids)
    assert (found.elsewhere_only, found.elsewhere_too) == (
        len(expected.elsewhere_only),
        len(expected.elsewhere_too),
    )
    for column in COLUMNS:
        assert found.cells[column] == Counter(
            (member.first.band, member.state(column)) for member in expected.members
        )
    first, state, column = BANDS[2], [*STATES[:2], STATES[3]], COLUMNS[1]
    behind = sorted(
        Person(member.customer, (member.first, member.latest) if member.answered_again else (member.first,))
        for member in expected.members
        if member.first.band == first and member.state(column) in state
    )
    people = who(answers, [first], state, column)
    assert (list(people), len(people)) == (behind, found.count([first], state, column))
    assert found.change.pairs == Counter(
        (member.first.score, member.latest.score) for member in expected.members if member.answered_again
    )


def check_waves(survey: Survey, first: Which, second: Which) -> None:
    found, expected = waves(survey, first, second), plain_panel.waves(survey, first, second)
    assert found.suspicion == expected.suspicion
    assert found.paired.pairs == Counter((one.score, two.score) for _who, one, two in expected.both)
    for which in WHO:
        behind = sorted(Person(customer, tuple(given)) for customer, *given in getattr(expected, which))
        people = who_in_waves(survey, first, second, which)
        assert (list(people), len(people), getattr(found, which)) == (behind, len(behind), len(behind))
