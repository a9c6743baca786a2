from datetime import datetime
from typing import Any

import pytest

from recovery import lifecycle
from recovery.models import DigestLine, SlaPolicy, Team, Ticket, TriageRule
from recovery.triage import triage
from surveys.models import Account, Response
from tests.due import due
from tests.make import DAY, HOUR, MONDAY, Cast
from tests.surveys.make import make_survey


def rule(cast: Cast, position: int = 1, **fields: Any) -> TriageRule:
    values: dict[str, Any] = {"name": f"Rule {position}", "team": cast.west, "priority": 1, **fields}
    return TriageRule.objects.create(position=position, **values)


def decided(response: Response) -> Ticket | None:
    return triage(response.pk, at=response.answered_at)


@pytest.mark.parametrize(
    ("conditions", "answer", "reasons"),
    [
        pytest.param({"bands": ["detractor"]}, {}, [("band", "detractor")], id="band"),
        pytest.param(
            {"touchpoint": "Pudong store"},
            {"touchpoint": "pudong store"},
            [("touchpoint", "pudong store")],
            id="touchpoint",
        ),
        pytest.param({"tier": "Gold"}, {"tier": "gold"}, [("tier", "gold")], id="tier"),
        pytest.param(
            {"keywords": "lawyer, refund"},
            {"comment": "I want a REFUND"},
            [("keyword", "refund")],
            id="keyword",
        ),
        pytest.param(
            {"keywords": "投诉，退款"},
            {"comment": "我要退款并投诉"},
            [("keyword", "投诉, 退款")],
            id="keywords in Chinese",
        ),
        pytest.param(
            {"contact_me": True}, {"contact_me": True}, [("contact_me", True)], id="asks for contact"
        ),
        pytest.param({"account_known": False}, {}, [("account_known", False)], id="no account"),
        pytest.param({}, {}, [], id="no condition matches everything"),
        pytest.param(
            {"bands": ["detractor"], "contact_me": False},
            {},
            [("band", "detractor"), ("contact_me", False)],
            id="two conditions",
        ),
    ],
)
def test_a_rule_fires_and_says_why(
    cast: Cast, conditions: dict[str, Any], answer: dict[str, Any], reasons: list[tuple[str, object]]
) -> None:
    fired = rule(cast, **conditions)
    customer = cast.customer(tier=answer.pop("tier", ""))
    ticket = decided(cast.response(2, customer=customer, **answer))
    assert ticket is not None
    assert (ticket.rule, ticket.team, ticket.priority) == (fired, cast.west, 1)
    assert [(each["code"], each["value"]) for each in ticket.severity_reasons] == reasons
    note = Response.objects.get(opened_tickets=ticket).triage_note
    assert (note["rule"], note["result"], note["ticket"]) == ("Rule 1", "opened", ticket.number)


@pytest.mark.parametrize(
    "conditions",
    [
        {"bands": ["passive"]},
        {"touchpoint": "Pudong"},
        {"tier": "Gold"},
        {"keywords": "lawyer"},
        {"contact_me": True},
        {"dropped_from_promoter": True},
        {"account_known": True},
        {"bands": ["detractor"], "tier": "Gold"},
        {"active": False},
    ],
    ids=lambda conditions: ",".join(conditions),
)
def test_a_rule_whose_condition_does_not_hold_leaves_it_to_the_house(
    cast: Cast, conditions: dict[str, Any]
) -> None:
    rule(cast, **conditions)
    ticket = decided(cast.response(2, customer=cast.customer()))
    assert ticket is not None
    assert (ticket.rule, ticket.team, ticket.priority) == (None, cast.east, 3)


def test_the_first_match_decides(cast: Cast) -> None:
    rule(cast, 2, priority=2)
    first = rule(cast, 1, team=cast.east)
    ticket = decided(cast.response(2, customer=cast.customer()))
    assert ticket is not None
    assert (ticket.rule, ticket.team) == (first, cast.east)


def test_a_rule_can_name_surveys(cast: Cast) -> None:
    rule(cast).surveys.add(make_survey("support"))
    ticket = decided(cast.response(2, customer=cast.customer()))
    assert ticket is not None
    assert ticket.rule is None


def test_a_rule_can_open_no_ticket_and_the_reason_is_kept(cast: Cast) -> None:
    rule(cast, keywords="just testing", opens_ticket=False)
    response = cast.response(2, customer=cast.customer(), comment="just testing")
    assert decided(response) is None
    response.refresh_from_db()
    assert response.triage_note["result"] == "no_ticket"
    assert response.triage_note["rule"] == "Rule 1"


def test_a_rule_can_open_one_for_a_middling_score_that_asks_for_contact(cast: Cast) -> None:
    rule(cast, bands=["passive"], contact_me=True)
    assert decided(cast.response(7, customer=cast.customer(), contact_me=True)) is not None
    assert decided(cast.response(7, customer=cast.customer())) is None


@pytest.mark.parametrize(("before", "fires"), [([9], True), ([9, 7], False), ([3], False), ([], False)])
def test_a_drop_looks_at_the_answer_before(cast: Cast, before: list[int], fires: bool) -> None:
    fired = rule(cast, dropped_from_promoter=True)
    customer = cast.customer()
    for days, score in enumerate(before):
        triaged = cast.response(score, customer=customer, at=MONDAY - 9 * DAY + days * DAY)
        Response.objects.filter(pk=triaged.pk).update(triaged_at=MONDAY)
    ticket = decided(cast.response(2, customer=customer))
    assert ticket is not None
    assert (ticket.rule == fired) == fires


def test_the_rules_policy_wins_over_the_teams(cast: Cast) -> None:
    policy = SlaPolicy.objects.create(name="Gold")
    policy.targets.create(priority=1, first_contact_minutes=15, resolution_minutes=60)
    rule(cast, policy=policy)
    ticket = decided(cast.response(2, customer=cast.customer()))
    assert ticket is not None
    assert ticket.deadlines.get(kind="first_contact").minutes == 15


def test_an_account_owner_gets_their_customer(cast: Cast) -> None:
    account = Account.objects.create(name="Acme", owner=cast.ann)
    ticket = decided(cast.response(2, customer=cast.customer(account=account)))
    assert ticket is not None
    assert ticket.owner == cast.ann
    assert ticket.assigned_because == {"code": "account_owner", "account": "Acme"}


@pytest.mark.parametrize("state", ["withdrawn", "test", "unanswered"])
def test_what_does_not_count_opens_nothing(cast: Cast, state: str) -> None:
    response = cast.response(None if state == "unanswered" else 2, customer=cast.customer(), state=state)
    assert decided(response) is None
    response.refresh_from_db()
    assert response.triage_note["why"] == state


def test_a_changed_answer_is_noted_on_its_ticket(cast: Cast) -> None:
    response = cast.response(2, customer=cast.customer())
    ticket = decided(response)
    assert ticket is not None
    response.versions.create(score=2, band="detractor", comment="Nobody called.", replaced_at=MONDAY + HOUR)
    Response.objects.filter(pk=response.pk).update(
        score=9, band="promoter", comment="They did!", triaged_at=None
    )
    assert triage(response.pk, at=MONDAY + HOUR) == ticket
    event = ticket.events.get(kind="updated")
    assert (event.data["before"]["score"], event.data["score"], event.text) == (2, 9, "They did!")
    ticket.refresh_from_db()
    assert ticket.status == "new"


def test_a_good_answer_turned_low_opens_a_ticket(cast: Cast) -> None:
    response = cast.response(9, customer=cast.customer())
    assert decided(response) is None
    Response.objects.filter(pk=response.pk).update(score=2, band="detractor", triaged_at=None)
    assert triage(response.pk, at=MONDAY + HOUR) is not None


def test_the_sweep_takes_the_oldest_first_and_only_what_waits(cast: Cast) -> None:
    first, second = cast.response(2), cast.response(9)
    assert due("triage", MONDAY) == [first.pk, second.pk]
    decided(first)
    assert due("triage", MONDAY) == [second.pk]
    assert due("triage", MONDAY - HOUR) == []


def test_an_id_that_is_gone_does_nothing(cast: Cast) -> None:
    assert triage(4711, at=MONDAY) is None


def test_it_says_what_to_do_where_there_is_no_team(cast: Cast) -> None:
    Team.objects.exclude(parent=None).delete()
    Team.objects.all().delete()
    with pytest.raises(Team.DoesNotExist, match="add one"):
        decided(cast.response(2))


def test_a_response_is_told_who_will_be_in_touch(cast: Cast) -> None:
    from surveys.intake.signals import promise_for

    response = cast.response(2, customer=cast.customer())
    ticket = decided(response)
    assert ticket is not None
    promise = promise_for(response.pk, MONDAY)
    assert promise is not None
    assert (promise.name, promise.by) == ("Li Na", MONDAY + 4 * HOUR)
    lifecycle.log_contact(ticket, by=cast.lina, at=MONDAY, outcome="reached")
    assert promise_for(response.pk, MONDAY) is None


class TestAnswerFromBeforeTheResolution:
    """It was given before the ticket was resolved and arrived after: a file, a queue, a slow connection."""

    def test_a_low_one_joins_the_resolved_ticket_and_leaves_it_resolved(self, cast: Cast) -> None:
        ticket = cast.ticket(customer=cast.customer())
        late = cast.response(1, customer=ticket.customer, at=MONDAY, comment="From the file")
        done = resolved(cast, ticket, MONDAY + HOUR)
        assert triage(late.pk, at=MONDAY + 2 * HOUR) == ticket
        ticket.refresh_from_db()
        assert (ticket.status, ticket.priority, ticket.version) == ("resolved", 3, done.version + 1)
        event = ticket.events.get(kind="absorbed")
        assert (event.text, event.data["from"], event.data["to"]) == ("From the file", 3, 3)
        assert ticket.resurveys.get().state == "planned"
        assert DigestLine.objects.filter(kind="ticket_absorbed", user=cast.lina).count() == 1

    def test_a_better_one_changes_nothing(self, cast: Cast) -> None:
        ticket = cast.ticket()
        late = cast.response(9, customer=ticket.customer, at=MONDAY)
        resolved(cast, ticket, MONDAY + HOUR)
        assert triage(late.pk, at=MONDAY + 2 * HOUR) is None
        assert not ticket.events.filter(kind="absorbed").exists()


def resolved(cast: Cast, ticket: Ticket, at: datetime) -> Ticket:
    return lifecycle.resolve(ticket, by=cast.lina, at=at, cause_found=cast.late, what_was_done="Sent again")


def changed(response: Response, score: int, at: datetime) -> Ticket | None:
    """The person changes the answer they gave."""
    response.refresh_from_db()
    response.versions.create(score=response.score, band=response.band, replaced_at=at)
    band = response.survey.band(score)
    Response.objects.filter(pk=response.pk).update(score=score, band=band, triaged_at=None)
    return triage(response.pk, at=at)


def closed_by(cast: Cast, ticket: Ticket, score: int, at: datetime) -> Response:
    """Resolved, and answered as the outcome."""
    resolved(cast, ticket, at)
    answer = cast.response(score, customer=ticket.customer, at=at)
    triage(answer.pk, at=at)
    ticket.refresh_from_db()
    return answer


class TestChangedOutcome:
    def test_an_answer_at_the_moment_of_the_resolution_is_its_outcome(self, cast: Cast) -> None:
        ticket = cast.ticket()
        closed_by(cast, ticket, 9, MONDAY + HOUR)
        assert (ticket.status, ticket.outcome) == ("closed", "promoter")

    def test_the_answer_that_opened_it_begins_no_cycle_when_it_turns_low_again(self, cast: Cast) -> None:
        ticket = cast.ticket()
        closed_by(cast, ticket, 9, MONDAY + HOUR)
        changed(ticket.response, 9, MONDAY + DAY)
        assert changed(ticket.response, 1, MONDAY + 2 * DAY) == ticket
        ticket.refresh_from_db()
        assert (ticket.status, ticket.cycle) == ("closed", 1)

    def test_the_outcome_of_an_earlier_cycle_begins_none(self, cast: Cast) -> None:
        ticket = cast.ticket()
        first = closed_by(cast, ticket, 3, MONDAY + HOUR)
        closed_by(cast, ticket, 9, MONDAY + DAY)
        changed(first, 9, MONDAY + 2 * DAY)
        changed(first, 1, MONDAY + 3 * DAY)
        ticket.refresh_from_db()
        assert (ticket.status, ticket.cycle) == ("closed", 2)

    def test_it_begins_none_while_another_ticket_of_the_person_is_open(self, cast: Cast) -> None:
        ticket = cast.ticket()
        answer = closed_by(cast, ticket, 9, MONDAY + HOUR)
        cast.ticket(customer=ticket.customer, at=MONDAY + DAY)
        assert changed(answer, 1, MONDAY + 2 * DAY) == ticket
        ticket.refresh_from_db()
        assert ticket.status == "closed"
        assert ticket.events.filter(kind="updated").count() == 1


def test_a_repeat_low_score_takes_the_priority_of_the_rule_it_meets(cast: Cast) -> None:
    ticket = cast.ticket(priority=4)
    rule(cast, priority=1, keywords="lawyer")
    decided(cast.response(1, customer=ticket.customer, at=MONDAY, comment="My lawyer will write"))
    ticket.refresh_from_db()
    assert (ticket.priority, ticket.team) == (1, cast.east)
