"""Goodwill: at once within limit and budget, by approval above them, each refusal beside what is allowed."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import User

from recovery import lifecycle
from recovery.lifecycle import Refused
from recovery.models import Goodwill, GoodwillBudget, GoodwillKind, GoodwillLimit, Ticket
from surveys.models import Message
from tests.make import DAY, HOUR, MONDAY, Cast

AT = MONDAY + HOUR


@pytest.fixture
def voucher(db: None) -> GoodwillKind:
    GoodwillLimit.objects.create(role="agent", cost=Decimal("30"))
    GoodwillLimit.objects.create(role="supervisor", cost=Decimal("200"))
    return GoodwillKind.objects.create(name="Voucher", usual_cost=Decimal("20"))


def give(ticket: Ticket, by: User, kind: GoodwillKind, cost: str, **more: object) -> Ticket:
    return lifecycle.give_goodwill(ticket, by=by, at=AT, kind=kind, cost=Decimal(cost), **more)  # type: ignore[arg-type]


def only(ticket: Ticket) -> Goodwill:
    return Goodwill.objects.get(ticket=ticket)


def decide(ticket: Ticket, by: User, approve: bool, reason: str = "") -> Ticket:
    return lifecycle.decide_goodwill(
        ticket, by=by, at=AT + HOUR, goodwill=only(ticket), approve=approve, reason=reason
    )


def refused(code: str) -> "pytest.RaisesExc[Refused]":
    return pytest.raises(Refused, check=lambda error: error.code == code)


@pytest.mark.parametrize(
    ("who", "cost", "state"),
    [
        ("lina", "30.00", "given"),
        ("lina", "30.01", "proposed"),
        ("chen", "200", "given"),
        ("chen", "200.01", "proposed"),
        ("admin", "99999", "given"),
    ],
)
def test_it_gives_up_to_the_limit_of_the_role_and_proposes_above_it(
    cast: Cast, voucher: GoodwillKind, who: str, cost: str, state: str
) -> None:
    ticket = give(cast.ticket(), getattr(cast, who), voucher, cost)
    row = only(ticket)
    assert row.state == state
    assert (row.decided_at == AT) == (state == "given")
    event = ticket.events.latest("id")
    assert (event.kind, event.data["cost"]) == (f"goodwill_{state}", cost)


def test_it_lets_a_role_without_a_limit_give_nothing_alone(cast: Cast) -> None:
    kind = GoodwillKind.objects.create(name="Flowers")
    assert only(give(cast.ticket(), cast.lina, kind, "0.01")).state == "proposed"
    assert only(give(cast.ticket(), cast.lina, kind, "0")).state == "given"


def test_it_asks_the_nearest_above_who_may_approve(cast: Cast, voucher: GoodwillKind) -> None:
    give(cast.ticket(), cast.lina, voucher, "150")
    assert Message.objects.get(kind="goodwill_to_approve").user == cast.chen


def test_it_asks_an_administrator_where_nobody_above_may_approve(cast: Cast, voucher: GoodwillKind) -> None:
    give(cast.ticket(), cast.lina, voucher, "500")
    assert Message.objects.get(kind="goodwill_to_approve").user == cast.admin


def test_it_is_approved_by_somebody_above_and_the_proposer_is_told(cast: Cast, voucher: GoodwillKind) -> None:
    ticket = decide(give(cast.ticket(), cast.lina, voucher, "150"), cast.chen, approve=True)
    row = only(ticket)
    assert (row.state, row.decided_by, row.decided_at) == ("given", cast.chen, AT + HOUR)
    assert Message.objects.get(kind="goodwill_decided").user == cast.lina


def test_it_is_refused_with_a_reason_and_not_without_one(cast: Cast, voucher: GoodwillKind) -> None:
    ticket = give(cast.ticket(), cast.lina, voucher, "150")
    with refused("reason_missing"):
        decide(ticket, cast.chen, approve=False, reason=" ")
    ticket = decide(ticket, cast.chen, approve=False, reason="Too much for a late parcel")
    assert (only(ticket).state, only(ticket).reason) == ("refused", "Too much for a late parcel")


def test_nobody_approves_their_own_proposal(cast: Cast, voucher: GoodwillKind) -> None:
    ticket = give(cast.ticket(), cast.chen, voucher, "250")
    GoodwillLimit.objects.filter(role="supervisor").update(cost=Decimal("1000"))
    with refused("own_proposal"):
        decide(ticket, cast.chen, approve=True)
    assert only(decide(ticket, cast.wu, approve=True)).state == "given"


def test_nobody_approves_above_their_own_limit(cast: Cast, voucher: GoodwillKind) -> None:
    ticket = give(cast.ticket(), cast.lina, voucher, "250")
    with refused("above_limit"):
        decide(ticket, cast.chen, approve=True)
    assert only(decide(ticket, cast.admin, approve=True)).state == "given"


def test_it_is_decided_once(cast: Cast, voucher: GoodwillKind) -> None:
    ticket = decide(give(cast.ticket(), cast.lina, voucher, "150"), cast.chen, approve=True)
    with refused("goodwill_decided"):
        decide(ticket, cast.wu, approve=False, reason="No")


def test_only_who_proposed_it_withdraws_it(cast: Cast, voucher: GoodwillKind) -> None:
    ticket = give(cast.ticket(), cast.lina, voucher, "150")
    with refused("not_yours"):
        lifecycle.withdraw_goodwill(ticket, by=cast.majun, at=AT, goodwill=only(ticket))
    lifecycle.withdraw_goodwill(ticket, by=cast.lina, at=AT, goodwill=only(ticket))
    assert only(ticket).state == "withdrawn"


def test_it_waits_for_approval_where_the_month_is_used_up(cast: Cast, voucher: GoodwillKind) -> None:
    GoodwillBudget.objects.create(team=cast.east, monthly=Decimal("50"))
    give(cast.ticket(), cast.lina, voucher, "30")
    give(cast.ticket(), cast.lina, voucher, "20")
    ticket = give(cast.ticket(), cast.lina, voucher, "1")
    assert only(ticket).state == "proposed"
    with refused("above_budget"):
        decide(ticket, cast.chen, approve=True)
    assert only(decide(ticket, cast.admin, approve=True)).state == "given"


def test_the_month_is_that_of_the_teams_calendar(cast: Cast, voucher: GoodwillKind) -> None:
    """1 March 00:30 in Shanghai is still February in UTC."""
    GoodwillBudget.objects.create(team=cast.east, monthly=Decimal("30"))
    ticket = cast.ticket(at=MONDAY - 3 * DAY)
    night = MONDAY.replace(day=1, month=3, hour=0, minute=0) - 7.5 * HOUR
    before = night - HOUR
    lifecycle.give_goodwill(ticket, by=cast.lina, at=before, kind=voucher, cost=Decimal("30"))
    other = lifecycle.give_goodwill(cast.ticket(), by=cast.lina, at=night, kind=voucher, cost=Decimal("30"))
    assert only(other).state == "given"


def test_another_teams_month_is_its_own(cast: Cast, voucher: GoodwillKind) -> None:
    GoodwillBudget.objects.create(team=cast.east, monthly=Decimal("0"))
    assert only(give(cast.ticket(team=cast.west), cast.ann, voucher, "30")).state == "given"


@pytest.mark.parametrize("cost", ["-0.01", "1.005", "100000000"])
def test_it_refuses_what_is_no_amount(cast: Cast, voucher: GoodwillKind, cost: str) -> None:
    with refused("cost_out_of_range"):
        give(cast.ticket(), cast.lina, voucher, cost)
    assert not Goodwill.objects.exists()


def test_it_refuses_a_kind_that_is_switched_off(cast: Cast, voucher: GoodwillKind) -> None:
    voucher.active = False
    with refused("kind_unknown"):
        give(cast.ticket(), cast.lina, voucher, "1")
