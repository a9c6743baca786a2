"""The customers: who they are, how content, how likely to answer, and what they write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import TypeVar

from django.db.models import prefetch_related_objects

from recovery.management.simulation import words
from recovery.management.simulation.hold_outs import band_when_asked_again
from recovery.management.simulation.world import LONDON, SHANGHAI, World
from surveys import scoring
from surveys.models import Account, Customer, CustomerIdentity, Question, Survey

T = TypeVar("T")

ENGLISH_FIRST = ("Emma", "Oliver", "Sophie", "James", "Hannah", "Daniel", "Laura", "Peter", "Amelia",
                 "George", "Fatima", "Liam", "Chloe", "Arjun", "Ruth", "Martin", "Isla", "Omar")  # fmt: skip
ENGLISH_LAST = ("Walker", "Hughes", "Patel", "Clarke", "Evans", "Murphy", "Fischer", "Rossi", "Green",
                "Novak", "Bennett", "Khan", "Turner", "Jensen", "Doyle", "Shaw")  # fmt: skip
CHINESE_LAST = "王李张刘陈杨黄赵吴周徐孙马朱胡林郭何高罗"
CHINESE_FIRST = ("伟", "芳", "娜", "敏", "静", "强", "磊", "军", "洋", "艳", "杰", "娟", "涛", "明", "晓梅",
                 "建国", "雨欣", "子轩", "思远", "佳怡", "浩然", "雪", "海燕", "志强")  # fmt: skip
FIRMS = ("Huaxin Trading", "浦江设计事务所", "Bright Dental", "Eastgate Hotels", "新桥幼儿园",
         "Northwind Cafés", "晨光文具店", "Harbour Legal", "东方健身", "Maple Property", "云杉科技",
         "Riverside Clinic")  # fmt: skip
ABROAD = ("Europe/Berlin", "America/New_York", "Australia/Sydney", "Asia/Singapore")

# How often each touchpoint is used: the stores and their parcels are in Shanghai.
NEAR_THE_STORES, FAR_FROM_THE_STORES = (42, 26, 8, 19, 5), (22, 16, 22, 25, 15)
# How good each touchpoint is on the whole, before the story of the months.
QUALITY = {"store": 0.4, "delivery": 0.35, "support": 0.2, "app": -0.25, "billing": 0.1}
LOW_BELOW, HIGH_ABOVE = -0.74, 0.3
RATINGS = {scoring.DETRACTOR: 2.7, scoring.PASSIVE: 3.6, scoring.PROMOTER: 4.5}
# What people expect of each driver, and how important they say it is.
BESIDE = {
    Question.EXPECTED: {"staff": 3.6, "product": 4.1, "price": 3.2, "speed": 4.4},
    Question.IMPORTANCE: {"staff": 4.0, "product": 4.5, "price": 3.4, "speed": 4.2},
}


@dataclass
class Person:
    """A customer with a mood that what they live through changes."""

    row: Customer
    lang: str
    mood: float
    answers_mail: float
    picks_up: float
    visits: float
    touchpoints: tuple[int, ...]
    external_id: str
    has_mail: bool
    asked: dict[str, datetime] = field(default_factory=dict)
    silent_until: dict[str, datetime] = field(default_factory=dict)


@dataclass
class Said:
    """What somebody answers, before it becomes a response."""

    score: int
    band: str
    cause: str = ""
    comment: str = ""
    answers: dict[str, int] = field(default_factory=dict)
    contact_me: bool = False


def make_people(world: World, rng: Random, how_many: int, at: datetime) -> list[Person]:
    accounts = Account.objects.bulk_create(
        Account(name=name, external_id=f"A-{100 + place}", owner=world.users[owner])
        for place, name in enumerate(FIRMS)
        for owner in [("olivia", "xufang")[place % 2]]
    )
    people = [make_person(rng, number, at, accounts) for number in range(how_many)]
    Customer.objects.bulk_create(person.row for person in people)
    CustomerIdentity.objects.bulk_create(
        CustomerIdentity(customer=person.row, kind=kind, value=value)
        for number, person in enumerate(people)
        for kind, value in identities(person, number)
    )
    prefetch_related_objects([person.row for person in people], "identities")
    return people


def make_person(rng: Random, number: int, at: datetime, accounts: Sequence[Account]) -> Person:
    chinese = rng.random() < 0.6
    name = chinese_name(rng) if chinese else f"{rng.choice(ENGLISH_FIRST)} {rng.choice(ENGLISH_LAST)}"
    zone = SHANGHAI if chinese else LONDON
    if rng.random() < 0.06:
        zone = rng.choice(ABROAD)
    account = rng.choice(accounts) if rng.random() < 0.16 else None
    tier = "Gold" if account and rng.random() < 0.6 else pick(rng, {"": 60, "Silver": 32, "Gold": 8})
    worth = rng.lognormvariate(7.2 + {"Gold": 1.3, "Silver": 0.5}.get(tier, 0) + (0.9 if account else 0), 0.7)
    row = Customer(
        name=name,
        account=account,
        annual_value=Decimal(round(worth / 10) * 10),
        tier=tier,
        locale="zh-hans" if chinese else "en",
        time_zone=zone,
        preferred_channel=pick(rng, {"": 70, "phone": 18, "email": 12}),
        preferred_time=pick(rng, {"": 75, "morning": 8, "afternoon": 9, "evening": 8}),
        created_at=at,
    )
    return Person(
        row=row,
        lang=row.locale,
        mood=rng.gauss(0.1, 0.55),
        answers_mail=rng.uniform(0.25, 0.75),
        picks_up=rng.uniform(0.25, 0.8),
        visits=rng.uniform(1.3, 3.2) / 30,
        touchpoints=NEAR_THE_STORES if zone == SHANGHAI else FAR_FROM_THE_STORES,
        external_id=f"C-{10001 + number}",
        has_mail=rng.random() > 0.04,
    )


def chinese_name(rng: Random) -> str:
    return rng.choice(CHINESE_LAST) + rng.choice(CHINESE_FIRST)


def identities(person: Person, number: int) -> list[tuple[str, str]]:
    # Numbers set aside for drama: nobody real is rung by a demo.
    phone = (
        f"+4420794{60000 + number}" if person.row.time_zone == LONDON else f"+861380000{1000 + number:04d}"
    )
    found = [("external_id", person.external_id), ("phone", phone)]
    return [*found, ("email", f"customer{number + 1}@mail.example")] if person.has_mail else found


def pick(rng: Random, weights: dict[T, int]) -> T:
    return rng.choices(list(weights), weights=list(weights.values()))[0]


def story(touchpoint: str, progress: float) -> float:
    """What the months bring: a bad courier replaced, training in support, a failing app for some days."""
    if touchpoint == "delivery":
        return -0.75 if 0.25 < progress < 0.45 else 0.25 * (progress > 0.45)
    if touchpoint == "support":
        return -0.3 + 0.6 * progress
    if touchpoint == "app" and 0.6 < progress < 0.68:
        return -1.3
    return 0.0


def experience(rng: Random, person: Person, survey: Survey, touchpoint: str, outside: float) -> Said:
    """What a visit left behind, as a score of this survey with its reasons."""
    felt = person.mood + QUALITY[touchpoint] + outside + rng.gauss(0, 0.85)
    person.mood = max(-1.2, min(1.2, person.mood + rng.gauss(0.0, 0.06)))
    band = (
        scoring.DETRACTOR if felt < LOW_BELOW else scoring.PROMOTER if felt > HIGH_ABOVE else scoring.PASSIVE
    )
    said = Said(score_in(rng, survey, band), band)
    if band == scoring.DETRACTOR:
        said.cause = cause_at(rng, touchpoint)
        said.comment = complaint(rng, person, said.cause)
        said.contact_me = rng.random() < 0.2
    else:
        pool = words.HIGH if band == scoring.PROMOTER else words.MIDDLE
        said.comment = rng.choice(pool[person.lang]) if rng.random() < 0.4 else ""
        said.contact_me = rng.random() < 0.008
    if rng.random() < 0.55:
        said.answers = ratings(rng, person, survey, said)
    return said


def score_in(rng: Random, survey: Survey, band: str) -> int:
    """A score of this band; the milder ones are the more frequent."""
    scores = [score for score in range(survey.lowest, survey.highest + 1) if survey.band(score) == band]
    if band == scoring.DETRACTOR:
        return rng.choices(scores, weights=range(2, len(scores) + 2))[0]
    return rng.choice(scores)


def say_on_todays_scale(rng: Random, said: Said, survey: Survey) -> None:
    """Who was asked before the scale changed means the same on the scale they answer on."""
    if said.score > survey.highest or survey.band(said.score) != said.band:
        said.score = score_in(rng, survey, said.band)


def cause_at(rng: Random, touchpoint: str) -> str:
    return pick(
        rng, {each.code: each.weights[touchpoint] for each in words.CAUSES if touchpoint in each.weights}
    )


def complaint(rng: Random, person: Person, cause: str) -> str:
    chance = rng.random()
    if chance < 0.1:
        return ""
    urgent, usual = words.URGENT[person.lang], words.BY_CODE[cause].said.get(person.lang, ())
    return rng.choice(urgent if chance < 0.15 else usual)


def ratings(rng: Random, person: Person, survey: Survey, said: Said) -> dict[str, int]:
    blamed = words.BY_CODE[said.cause].driver if said.cause else ""
    given = {}
    for question in survey.questions.all():
        if question.kind == Question.RATING and question.asks == Question.PERCEIVED and rng.random() < 0.85:
            mean = RATINGS[said.band] - (1.2 if question.key == blamed else 0)
            given[question.key] = about(rng, mean)
    return {**given, **beside(person, survey, given)}


def beside(person: Person, survey: Survey, given: dict[str, int]) -> dict[str, int]:
    """What was expected of what they rated, and how important it is; drawn apart from all other chance."""
    rng = Random(f"{person.external_id} {survey.slug} {person.mood}")
    return {
        question.key: about(rng, BESIDE[question.asks][question.driver])
        for question in survey.questions.all()
        if question.asks in BESIDE and question.driver in given
    }


def about(rng: Random, mean: float) -> int:
    return max(1, min(5, round(rng.gauss(mean, 0.7))))


def asked_again(
    rng: Random, person: Person, survey: Survey, *, heard: bool, in_time: bool, cause: str
) -> Said:
    """The answer of somebody asked again, which follows from how they were treated."""
    band = band_when_asked_again(rng, person.picks_up, heard=heard, in_time=in_time)
    person.mood += {scoring.PROMOTER: 0.5, scoring.PASSIVE: 0.15, scoring.DETRACTOR: -0.2}[band]
    pool = {
        scoring.PROMOTER: words.PUT_RIGHT,
        scoring.PASSIVE: words.BETTER,
        scoring.DETRACTOR: words.STILL_LOW,
    }[band]
    comment = rng.choice(pool[person.lang]) if rng.random() < 0.7 else ""
    said = Said(score_in(rng, survey, band), band, cause=cause, comment=comment)
    said.answers = ratings(rng, person, survey, said) if rng.random() < 0.4 else {}
    return said


def once_more(rng: Random, person: Person, survey: Survey, cause: str) -> Said:
    """Somebody still unhappy says so again."""
    band = scoring.DETRACTOR
    return Said(score_in(rng, survey, band), band, cause=cause, comment=rng.choice(words.AGAIN[person.lang]))
