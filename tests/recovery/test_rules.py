"""Rules on any field: what may be asked, what is found, and what is refused."""

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from recovery.models import Playbook, RuleCondition, TriageRule
from recovery.rules import FIELDS, Facts, active_rules, check, judge, known_fields, with_facts
from recovery.triage import triage
from recovery.views.words import severity_words
from surveys.models import Account, Answer, Question, Response
from tests.make import DAY, MONDAY, Cast


def rule(*conditions: tuple[str, str, str], **fields: Any) -> TriageRule:
    made = TriageRule.objects.create(**{"position": 1, "name": "Rule", "priority": 1, **fields})
    for field, operator, value in conditions:
        RuleCondition.objects.create(rule=made, field=field, operator=operator, value=value)
    return made


@pytest.fixture
def answer(cast: Cast) -> Response:
    """A Gold customer of Acme, worth 12,000 a year, in Chinese, by phone, who ticked two reasons."""
    account = Account.objects.create(name="Acme Ltd", owner=cast.ann)
    customer = cast.customer(
        "Zhang Wei",
        account=account,
        tier="Gold",
        annual_value=Decimal("12000.00"),
        locale="zh-hans",
        attributes={"region": "North", "seats": 40, "tags": ["vip", "beta"], "trial": False},
    )
    response = cast.response(
        2, customer=customer, channel="phone", locale="zh-CN", touchpoint="Pudong", contact_me=True
    )
    reasons = Question.objects.create(
        survey=response.survey, key="reasons", kind="choice", text="Why?", options=[{"code": "late"}]
    )
    speed = Question.objects.create(survey=response.survey, key="speed", kind="rating", text="Speed?")
    Answer.objects.create(response=response, question=reasons, value=["late", "rude"])
    Answer.objects.create(response=response, question=speed, value=2)
    return response


def fires(response: Response) -> bool:
    return judge(Facts(response)).rule is not None


HOLDS = [
    ("score", "is", "2"),
    ("score", "is", "1, 2,3"),
    ("score", "below", "3"),
    ("score", "above", "1"),
    ("score", "is_not", "3，4"),
    ("band", "is", "detractor"),
    ("survey", "is", "delivery"),
    ("comment", "contains", "refund, NOBODY"),
    ("touchpoint", "is", "pudong"),
    ("touchpoint", "filled", ""),
    ("channel", "is", "phone"),
    ("language", "is", "zh"),
    ("language", "is_not", "en"),
    ("contact_me", "is", "yes"),
    ("contact_me", "is", "是"),
    ("contact_me", "is_not", "no"),
    ("customer.name", "contains", "wei"),
    ("customer.tier", "is", "gold,silver"),
    ("customer.annual_value", "above", "11999.99"),
    ("customer.annual_value", "is", "12000"),
    ("customer.language", "is", "zh-hans"),
    ("customer.time_zone", "contains", "asia/"),
    ("customer.attributes.region", "is", "north"),
    ("customer.attributes.seats", "above", "39"),
    ("customer.attributes.tags", "is", "vip"),
    ("customer.attributes.trial", "is", "no"),
    ("customer.attributes.unknown", "empty", ""),
    ("account.name", "contains", "acme"),
    ("account.owner", "is", "ann"),
    ("account.owner", "is", "Ann Smith"),
    ("answers.reasons", "is", "rude"),
    ("answers.reasons", "contains", "lat"),
    ("answers.speed", "below", "3"),
    ("answers.unknown", "empty", ""),
]
FAILS = [
    ("score", "is", "3"),
    ("score", "below", "2"),
    ("score", "above", "2"),
    ("score", "is_not", "2,3"),
    ("score", "empty", ""),
    ("comment", "is", "nobody"),
    ("touchpoint", "empty", ""),
    ("language", "is", "z"),
    ("contact_me", "is", "no"),
    ("customer.tier", "is_not", "gold"),
    ("customer.annual_value", "above", "12000"),
    ("customer.attributes.region", "above", "3"),
    ("customer.attributes.unknown", "above", "3"),
    ("customer.attributes.unknown", "filled", ""),
    ("account.owner", "is", "lina"),
    ("answers.reasons", "is", "lat"),
    ("answers.reasons", "is_not", "rude"),
    ("no.such.field", "empty", ""),
]


@pytest.mark.parametrize(
    ("condition", "expected"), [*((c, True) for c in HOLDS), *((c, False) for c in FAILS)]
)
def test_a_condition_holds_or_not(answer: Response, condition: tuple[str, str, str], expected: bool) -> None:
    rule(condition)
    assert fires(answer) == expected


def test_every_field_is_tried() -> None:
    assert set(FIELDS) <= {field for field, _operator, _value in HOLDS}


@pytest.mark.parametrize("name", [name for name in FIELDS if name.startswith(("customer", "account"))])
def test_nobody_known_has_empty_fields(cast: Cast, name: str) -> None:
    rule((name, "empty", ""))
    assert fires(cast.response(2, customer=None))


def test_all_conditions_must_hold_and_the_columns_too(answer: Response) -> None:
    made = rule(("score", "is", "2"), ("customer.tier", "is", "Gold"), bands=["detractor"])
    assert fires(answer)
    RuleCondition.objects.create(rule=made, field="channel", operator="is", value="email")
    assert not fires(answer)


def test_it_says_which_field_and_what_was_found(answer: Response) -> None:
    rule(
        ("customer.annual_value", "above", "10000"),
        ("answers.reasons", "is", "rude"),
        ("contact_me", "is", "yes"),
        ("customer.language", "filled", ""),
        ("customer.attributes.unknown", "empty", ""),
        dropped_from_promoter=False,
    )
    ticket = triage(answer.pk, at=MONDAY)
    assert ticket is not None
    assert severity_words(ticket.severity_reasons) == [
        "they were no promoter before",
        "customer’s annual value: 12000, above 10000",
        "reasons: late, rude",
        "asks to be contacted: yes",
        "customer’s language: 简体中文",
        "unknown: nothing",
    ]


def test_what_the_rule_says_is_on_the_ticket(cast: Cast, answer: Response) -> None:
    cast.west.strategy = "skill"
    cast.west.save()
    playbook = Playbook.objects.create(name="Angry", active=True)
    rule(team=cast.west, playbook=playbook, skill="billing")
    ticket = triage(answer.pk, at=MONDAY)
    assert ticket is not None
    assert (ticket.team, ticket.priority, ticket.playbook, ticket.skill) == (
        cast.west,
        1,
        playbook,
        "billing",
    )
    assert ticket.assigned_because["code"] == "account_owner"


def test_a_playbook_out_of_use_is_left_out(answer: Response) -> None:
    rule(playbook=Playbook.objects.create(name="Old", active=False))
    ticket = triage(answer.pk, at=MONDAY)
    assert ticket is not None
    assert ticket.playbook is None


@pytest.mark.parametrize("number", [1, 20])
def test_it_reads_what_rules_ask_in_a_fixed_number_of_queries(cast: Cast, number: int) -> None:
    rule(("answers.speed", "empty", ""), ("account.owner", "is", "ann"), dropped_from_promoter=True)
    account = Account.objects.create(name="Acme", owner=cast.ann)
    for n in range(number):
        customer = cast.customer(account=account)
        cast.response(9, customer=customer, at=MONDAY - DAY)
        cast.response(2, customer=customer, at=MONDAY + n * DAY)
    with CaptureQueriesContext(connection) as queries:
        rules = active_rules()
        low = with_facts(Response.objects.filter(score=2), rules)
        assert all(judge(Facts(each), rules).rule for each in low)
    assert len(queries) == 5


@pytest.mark.parametrize(
    ("condition", "field", "words"),
    [
        (("score", "is", "2"), None, ""),
        (("customer.attributes.any", "above", "2"), None, ""),
        (("answers.reasons", "is", "late"), None, ""),
        (("scores", "is", "2"), "field", "There is no such field. There are: score, band"),
        (("answers.nothing", "is", "2"), "field", "answers.reasons, answers.speed"),
        (("answers.", "is", "2"), "field", "no such field"),
        (("customer.attributes.", "is", "2"), "field", "no such field"),
        (("score", "is", "two"), "value", "Write a number"),
        (("score", "above", "nan"), "value", "Write a number"),
        (("score", "above", "2,3"), "value", "one number"),
        (("customer.tier", "above", "2"), "operator", "Only a number"),
        (("customer.tier", "is", " , "), "value", "Say with what"),
        (("customer.tier", "empty", "x"), "value", "leave the value empty"),
        (("contact_me", "is", "perhaps"), "value", "yes or no"),
        (("band", "is", "low"), "value", "detractor, passive, promoter"),
    ],
)
def test_what_could_never_be_asked_is_refused_beside_its_field(
    answer: Response, condition: tuple[str, str, str], field: str | None, words: str
) -> None:
    if field is None:
        check(*condition)
        return
    with pytest.raises(ValidationError) as refused:
        check(*condition)
    assert words in refused.value.message_dict[field][0]


class TestInTheAdmin:
    @pytest.fixture
    def admin(self, cast: Cast, client: Client) -> Client:
        client.force_login(cast.admin, backend="django.contrib.auth.backends.ModelBackend")
        return client

    def posted(self, **condition: str) -> dict[str, str]:
        form = {"position": "1", "name": "Big", "active": "on", "priority": "2", "opens_ticket": "on"}
        for name in ("contact_me", "dropped_from_promoter", "account_known"):
            form[name] = "unknown"
        rows = {"TOTAL_FORMS": "1", "INITIAL_FORMS": "0", "MIN_NUM_FORMS": "0", "MAX_NUM_FORMS": "9"}
        form |= {f"conditions-{name}": value for name, value in rows.items()}
        return form | {f"conditions-0-{name}": value for name, value in condition.items()}

    def test_a_condition_is_kept(self, admin: Client) -> None:
        form = self.posted(field="customer.annual_value", operator="above", value="10000")
        assert admin.post("/admin/recovery/triagerule/add/", form).status_code == 302
        assert str(RuleCondition.objects.get()) == "customer.annual_value above 10000"

    def test_an_unknown_field_is_refused_with_what_there_is(self, admin: Client) -> None:
        form = self.posted(field="customer.value", operator="above", value="10000")
        page = admin.post("/admin/recovery/triagerule/add/", form).content.decode()
        assert "There is no such field. There are: score, band, survey" in page
        assert 'value="customer.value"' in page
        assert not TriageRule.objects.exists()

    def test_it_offers_what_there_is(self, admin: Client, answer: Response) -> None:
        page = admin.get("/admin/recovery/triagerule/add/").content.decode()
        assert all(f'<option value="{name}">' in page for name in known_fields())

    def test_languages_are_ticked(self, admin: Client, cast: Cast) -> None:
        page = admin.get(f"/admin/auth/user/{cast.lina.pk}/change/").content.decode()
        assert 'type="checkbox" name="staff-0-languages" value="zh-hans"' in page


def test_a_reason_about_a_field_of_earlier_times_is_left_out() -> None:
    reason = {"code": "field", "field": "gone", "operator": "is", "wanted": "Gold", "value": "Gold"}
    assert severity_words([reason]) == []
