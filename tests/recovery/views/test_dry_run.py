import re
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recovery.models import Membership, RuleCondition, Ticket, TriageRule
from recovery.triage import triage
from recovery.views.dry_run import Line, try_rules
from surveys.models import Account, Response
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast
from tests.recovery.views.conftest import SignIn

pytestmark = pytest.mark.usefixtures("_monday")


def rule(name: str, position: int = 1, **fields: Any) -> TriageRule:
    return TriageRule.objects.create(name=name, position=position, **{"priority": 1, **fields})


def answered(cast: Cast, score: int = 2, minutes: int = 0, **fields: Any) -> Response:
    customer = fields.pop("customer", None) or cast.customer()
    response = cast.response(score, customer=customer, at=MONDAY + minutes * MINUTE, **fields)
    triage(response.pk, at=response.answered_at)
    return response


def tried(**how: bool) -> list[Line]:
    return try_rules(MONDAY + HOUR, **how)


def test_it_says_what_was_and_what_would_be(cast: Cast) -> None:
    response = answered(cast)
    made = rule("Angry", bands=["detractor"], team=cast.west, priority=1)
    (line,) = tried()
    assert line.ticket == Ticket.objects.get(response=response).number
    assert (str(line.before), line.rule_before) == ("opened a ticket", None)
    assert (line.verdict.rule, line.why) == (made, ["the score is low (detractor)"])
    assert line.plan is not None
    assert (line.plan.team, line.plan.priority) == (cast.west, 1)
    assert (line.owner_name, line.because) == ("Ann Smith", "had the fewest open tickets (0 of 20)")
    assert line.differs


def test_the_same_is_no_difference(cast: Cast) -> None:
    rule("Angry", bands=["detractor"])
    answered(cast)
    answered(cast, 9)
    assert [line.differs for line in tried()] == [False, False]


def test_no_ticket_where_there_was_one_is_a_difference(cast: Cast) -> None:
    answered(cast)
    rule("Never mind", opens_ticket=False)
    (line,) = tried()
    assert (line.differs, line.plan, line.owner) == (True, None, None)


def test_an_answer_that_asked_no_rule_differs_from_none(cast: Cast) -> None:
    response = answered(cast)
    Response.objects.update(triage_note={"result": "outcome", "ticket": None})
    rule("Angry", team=cast.west)
    (line,) = tried()
    assert (line.response, line.differs) == (response, False)


def test_rules_that_rest_are_tried_if_asked_for(cast: Cast) -> None:
    answered(cast)
    rule("New one", active=False)
    assert [line.differs for line in tried()] == [False]
    assert [line.differs for line in tried(and_resting=True)] == [True]


def test_the_owner_is_who_would_get_it_now(cast: Cast) -> None:
    account = Account.objects.create(name="Acme", owner=cast.ann)
    answered(cast, customer=cast.customer(account=account))
    assert [line.owner_name for line in tried()] == ["Ann Smith"]
    Membership.objects.update(capacity=1)
    assert [line.because for line in tried()] == ["had the fewest open tickets (0 of 1)"]
    Membership.objects.filter(team=cast.east).delete()
    assert [(line.owner_name, line.because) for line in tried()] == [
        ("Chen Hao", "supervises the team; nobody else was available")
    ]


def test_it_looks_at_the_last_hundred(cast: Cast) -> None:
    ids = [cast.response(9, customer=None, at=MONDAY + n * MINUTE).pk for n in range(103)]
    assert [line.response.pk for line in tried()] == ids[:2:-1]


def test_differences_come_first(cast: Cast, sign_in: SignIn) -> None:
    answered(cast, comment="my lawyer")
    answered(cast, minutes=1, comment="hello")
    rule("Legal", keywords="lawyer")
    page = sign_in(cast.admin).get("/rules/try/").content.decode()
    assert "1 answer would be treated otherwise" in page
    assert page.index("my lawyer") < page.index("hello")
    assert "their words include “lawyer”" in page


def rows_everywhere() -> dict[str, int]:
    """How many rows every table has, and every sequence's last number."""
    counts = {model._meta.db_table: model._base_manager.count() for model in apps.get_models()}
    with connection.cursor() as cursor:
        cursor.execute("SELECT sequencename, coalesce(last_value, 0) FROM pg_sequences")
        return counts | dict(cursor.fetchall())


def test_nothing_is_written_by_looking(cast: Cast, sign_in: SignIn) -> None:
    answered(cast)
    rule("Angry", team=cast.west)
    admin = sign_in(cast.admin)
    before, turns = rows_everywhere(), list(Membership.objects.order_by("pk").values())
    with CaptureQueriesContext(connection) as queries:
        assert admin.get("/rules/try/?resting=1").status_code == 200
    assert rows_everywhere() == before
    assert list(Membership.objects.order_by("pk").values()) == turns
    sent = [each["sql"] for each in queries]
    assert not [sql for sql in sent if re.match(r"(INSERT|UPDATE|DELETE)|.*FOR (NO KEY )?UPDATE", sql)]


@pytest.mark.parametrize("number", [1, 60])
def test_it_asks_at_most_twelve_times(cast: Cast, sign_in: SignIn, number: int) -> None:
    Membership.objects.filter(team=cast.west).delete()
    made = rule("Fussy", team=cast.west, dropped_from_promoter=True)
    RuleCondition.objects.create(rule=made, field="answers.any", operator="empty")
    made.surveys.add(cast.survey)
    account = Account.objects.create(name="Acme", owner=cast.ann)
    for n in range(number):
        customer = cast.customer(account=account if n % 2 else None)
        cast.response(9, customer=customer, at=MONDAY - DAY)
        answered(cast, minutes=n, customer=customer)
    admin = sign_in(cast.admin)
    admin.get("/rules/try/")
    with CaptureQueriesContext(connection) as queries:
        assert admin.get("/rules/try/").status_code == 200
    assert len(queries) <= 12, [each["sql"][:90] for each in queries]


@pytest.mark.parametrize(("name", "status"), [("admin", 200), ("chen", 403), ("lina", 403), ("vera", 403)])
def test_it_is_for_administrators(cast: Cast, sign_in: SignIn, name: str, status: int) -> None:
    assert sign_in(getattr(cast, name)).get("/rules/try/").status_code == status


def test_it_is_linked_from_the_list_of_rules(cast: Cast, sign_in: SignIn) -> None:
    page = sign_in(cast.admin).get("/admin/recovery/triagerule/").content.decode()
    assert 'href="/rules/try/"' in page


def test_it_says_that_there_are_no_answers(cast: Cast, sign_in: SignIn) -> None:
    assert "No answers yet" in sign_in(cast.admin).get("/rules/try/").content.decode()
