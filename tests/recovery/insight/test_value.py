"""Value at risk and kept, by hand count: 1,000 a year each unless said otherwise."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from recovery.insight.cohort import Slice, low_scores, stories
from recovery.insight.recovery import recovery
from recovery.insight.retention import retention_table
from recovery.insight.told import Told
from recovery.insight.value import (
    AT_RISK,
    Amount,
    Levels,
    Stake,
    Value,
    if_all_left,
    if_recovered_as_before,
    one_by_one,
    retention_after,
    value_of,
)
from recovery.lifecycle import merge, reopen
from recovery.models import ExpectedRetention, Ticket
from recovery.triage import triage
from surveys.models import Customer, FormerScale, Response
from tests.make import DAY, HOUR, MONDAY, Cast
from tests.recovery.insight.histories import answer, ask, low, put_right
from tests.recovery.insight.test_as_of import change

LATER = MONDAY + 30 * DAY


def person(cast: Cast, value: int | None = 1000) -> Customer:
    return cast.customer(annual_value=None if value is None else Decimal(value))


def value(at: datetime = LATER, as_of: datetime | None = None) -> Value:
    return value_of(Told(Ticket.objects.all(), Slice(as_of=as_of)), at)


def rows(which: str) -> list[Stake]:
    return one_by_one(Told(Ticket.objects.all(), Slice()), LATER, which)


def recovered(
    cast: Cast, score: int, *, was: int = 2, at: datetime = MONDAY, worth: int | None = 1000
) -> Ticket:
    ticket = put_right(cast, low(cast, customer=person(cast, worth), score=was, at=at), at=at + DAY)
    ask(ticket, at=at + 4 * DAY)
    answer(cast, ticket, score, at=at + 5 * DAY)
    return Ticket.objects.get(pk=ticket.pk)


def five_points_until(cast: Cast, until: datetime) -> None:
    FormerScale.objects.create(survey=cast.survey, until=until, lowest=1, highest=5, low_cut=2, high_cut=4)


def five_of_five(cast: Cast) -> Ticket:
    """Recovered, on a scale that ends at five."""
    ticket = put_right(cast, low(cast, customer=person(cast)))
    response = cast.response(5, customer=ticket.customer, at=MONDAY + 5 * DAY)
    Response.objects.filter(pk=response.pk).update(band="promoter")
    triage(response.pk, at=MONDAY + 5 * DAY)
    return ticket


def close(amount: Amount) -> tuple[float, float, float]:
    return round(amount.value, 6), round(amount.low, 6), round(amount.high, 6)


class TestAtRisk:
    def test_it_is_value_times_what_is_not_expected_to_stay(self, cast: Cast) -> None:
        low(cast, customer=person(cast), score=2)  # very dissatisfied: 0 to 5 % stay
        low(cast, customer=person(cast, 400), score=6)  # neutral: 60 to 65 % stay
        found = value().at_risk
        assert close(found.total) == (975 + 150, 950 + 140, 1000 + 160)
        assert (found.customers, found.counted, found.worth) == (2, 2, 1400)
        assert [row.worth for row in rows(AT_RISK)] == [1000, 400], "the largest first"

    def test_who_has_no_value_is_counted_beside_it(self, cast: Cast) -> None:
        low(cast, customer=person(cast, None))
        low(cast, customer=person(cast))
        found = value().at_risk
        assert (found.customers, found.counted, found.without_value) == (2, 1, 1)
        assert rows(AT_RISK)[-1].amount is None

    def test_a_customer_with_several_tickets_counts_once_by_their_latest_score(self, cast: Cast) -> None:
        customer = person(cast)
        other = cast.survey
        low(cast, customer=customer, score=6)
        assert close(value().at_risk.total)[0] == 375
        cast.response(2, customer=customer, at=MONDAY + HOUR, survey=other)
        found = value().at_risk
        assert found.customers == 1
        assert close(found.total)[0] == 975
        assert found.rows[0].levels == Levels(3, 1, is_well=False)

    def test_a_withdrawn_score_leaves_nobody_to_reckon_with(self, cast: Cast) -> None:
        ticket = low(cast, customer=person(cast))
        Response.objects.filter(pk=ticket.response_id).update(state=Response.WITHDRAWN)
        found = value().at_risk
        assert (found.customers, found.counted, found.without_score, found.without_value) == (1, 0, 1, 0)

    def test_resolved_and_merged_tickets_are_not_open_and_reopened_ones_are(self, cast: Cast) -> None:
        done = put_right(cast, low(cast, customer=person(cast)))
        merge(low(cast, customer=person(cast)), by=cast.chen, at=MONDAY, into=low(cast), reason="same")
        assert value().at_risk.counted == 0
        reopen(done, by=cast.chen, at=MONDAY + 2 * DAY, reason="They called")
        assert value().at_risk.counted == 1

    def test_who_has_answered_well_since_is_said_beside_it(self, cast: Cast) -> None:
        customer = person(cast)
        low(cast, customer=customer)
        low(cast, customer=person(cast, 400))
        cast.response(9, customer=customer, at=MONDAY + HOUR)
        found = value().at_risk
        assert (found.customers, found.well.customers, found.well.worth) == (2, 1, 1000)
        cast.response(3, customer=customer, at=MONDAY + 2 * HOUR)
        assert value().at_risk.well.customers == 0

    def test_a_promoter_of_before_the_low_score_has_not_answered_well_since(self, cast: Cast) -> None:
        customer = person(cast)
        cast.response(9, customer=customer, at=MONDAY - 60 * DAY)
        ticket = low(cast, customer=customer)
        Response.objects.filter(pk=ticket.response_id).update(state=Response.WITHDRAWN)
        found = value().at_risk
        assert close(found.total)[0] == 55, "their latest valid score it is all the same"
        assert found.well.customers == 0
        assert not rows(AT_RISK)[0].levels.is_well

    def test_the_low_score_itself_changed_for_a_better_one_is_no_answer_since(self, cast: Cast) -> None:
        ticket = low(cast, customer=person(cast))
        change(ticket.response, 9, at=MONDAY + DAY)
        assert (value().at_risk.customers, value().at_risk.well.customers) == (1, 0)

    def test_a_score_of_a_former_scale_is_read_on_that_scale(self, cast: Cast) -> None:
        five_points_until(cast, MONDAY + DAY)
        low(cast, customer=person(cast))  # 2 of 5: dissatisfied, 15 to 20 % stay
        low(cast, customer=person(cast), at=MONDAY + DAY)  # 2 of 10: very dissatisfied
        assert close(value().at_risk.total) == (825 + 975, 800 + 950, 850 + 1000)
        assert [row.levels.was for row in rows(AT_RISK)] == [1, 2]

    def test_on_a_past_day_an_answer_is_what_it_said_then(self, cast: Cast) -> None:
        customer = person(cast)
        low(cast, customer=customer, score=6)
        response = cast.response(9, customer=customer, at=MONDAY + HOUR)
        change(response, 2, at=MONDAY + 3 * DAY)
        then = MONDAY + 2 * DAY
        found = value(at=then, as_of=then).at_risk
        assert (close(found.total)[0], found.well.customers) == (55, 1)
        assert close(value().at_risk.total)[0] == 975

    def test_on_a_past_day_what_was_blank_then_is_no_answer(self, cast: Cast) -> None:
        customer = person(cast)
        low(cast, customer=customer, score=6)
        response = cast.response(9, customer=customer, at=MONDAY + HOUR)
        change(response, None, at=MONDAY + DAY)
        change(response, 10, at=MONDAY + 3 * DAY)
        then = MONDAY + 2 * DAY
        assert close(value(at=then, as_of=then).at_risk.total)[0] == 375
        assert close(value().at_risk.total)[0] == 55

    def test_it_stands_as_it_stood_on_a_past_day(self, cast: Cast) -> None:
        put_right(cast, low(cast, customer=person(cast)), at=MONDAY + 3 * DAY)
        then = MONDAY + 2 * DAY
        assert value(at=then, as_of=then).at_risk.counted == 1
        assert value().at_risk.customers == 0

    def test_who_was_lost_is_not_at_risk_any_more(self, cast: Cast) -> None:
        customer = person(cast)
        low(cast, customer=customer)
        Customer.objects.filter(pk=customer.pk).update(lost_at=MONDAY + 2 * DAY)
        assert value().at_risk.customers == 0
        assert value(at=MONDAY + DAY).at_risk.customers == 1

    def test_rows_of_the_table_change_it(self, cast: Cast) -> None:
        ExpectedRetention.objects.create(level=1, low=40, high=60)
        low(cast, customer=person(cast))
        assert close(value().at_risk.total) == (500, 400, 600)


class TestKept:
    def test_it_is_value_times_the_change_of_retention(self, cast: Cast) -> None:
        recovered(cast, 9)  # 2.5 % -> 94.5 %
        recovered(cast, 7, was=6)  # 62.5 % -> 82.5 %
        found = value().kept
        assert close(found.total) == (920 + 200, 870 + 150, 970 + 250)
        assert found.customers == 2

    def test_who_still_is_a_detractor_kept_nothing(self, cast: Cast) -> None:
        recovered(cast, 5)
        assert value().kept.customers == 0

    def test_a_relapse_takes_it_back(self, cast: Cast) -> None:
        ticket = recovered(cast, 10)
        answer(cast, ticket, 3, at=MONDAY + 20 * DAY)
        assert value().kept.customers == 0

    def test_an_answer_that_came_too_late_changes_nothing(self, cast: Cast) -> None:
        ticket = recovered(cast, 10)
        answer(cast, ticket, 7, at=MONDAY + DAY + 91 * DAY)
        found = value(at=MONDAY + 100 * DAY).kept
        assert close(found.total) == (920, 870, 970)
        assert found.rows[0].levels == Levels(1, 5, is_well=True)

    def test_each_score_is_read_on_the_scale_of_its_time(self, cast: Cast) -> None:
        five_points_until(cast, MONDAY + 6 * DAY)
        five_of_five(cast)
        found = value().kept
        assert close(found.total) == (770, 720, 820)  # 17.5 % -> 94.5 %
        assert found.rows[0].levels == Levels(2, 5, is_well=True)

    def test_the_scale_may_change_between_the_two_scores(self, cast: Cast) -> None:
        five_points_until(cast, MONDAY + 3 * DAY)
        recovered(cast, 7)
        assert close(value().kept.total)[0] == 650  # 2 of 5, 17.5 % -> 7 of 10, 82.5 %

    def test_on_a_past_day_it_is_of_what_the_answer_said_then(self, cast: Cast) -> None:
        ticket, then = recovered(cast, 9), MONDAY + 8 * DAY
        changed = Response.objects.get(customer=ticket.customer, score=9)
        change(changed, 2, at=MONDAY + 10 * DAY)
        found = value(at=then, as_of=then).kept
        assert close(found.total) == (920, 870, 970)
        assert found.rows[0].levels == Levels(1, 5, is_well=True)
        assert value().kept.customers == 0

    def test_on_a_past_day_it_is_of_what_the_low_score_said_then(self, cast: Cast) -> None:
        ticket, then = recovered(cast, 9), MONDAY + 8 * DAY
        change(ticket.response, 5, at=MONDAY + 10 * DAY)
        assert close(value(at=then, as_of=then).kept.total)[0] == 920

    def test_it_counts_those_the_recovery_report_counts(self, cast: Cast) -> None:
        for score in (9, 10, 7, 3):
            recovered(cast, score)
        low(cast, customer=person(cast))
        found = recovery(stories(low_scores(Ticket.objects.all(), Slice())))
        assert value().kept.customers == found.recovered("now").hits == 3


class TestWhatIf:
    def test_if_all_left_the_whole_value_goes(self, cast: Cast) -> None:
        low(cast, customer=person(cast))
        low(cast, customer=person(cast, 500), score=6)
        low(cast, customer=person(cast, None))
        answered = if_all_left(value())
        assert answered.amount == Amount(1500, 1500, 1500)
        assert answered.customers == 2

    def test_if_as_many_recovered_as_before_the_rest_is_lost(self, cast: Cast) -> None:
        for _ in range(5):
            recovered(cast, 9, worth=None)
        for _ in range(5):
            low(cast, at=MONDAY)
        before = Told(Ticket.objects.all(), Slice(end=MONDAY + HOUR))
        low(cast, customer=person(cast), at=MONDAY + 2 * DAY)
        found = if_recovered_as_before(value(), before)
        assert found.recovered is not None
        assert (found.recovered.hits, found.recovered.n) == (5, 10)
        assert found.amount is not None
        # Half go from 2.5 % to 94.5 %: 1,000 x (1 - (0.5 x 0.945 + 0.5 x 0.025)).
        assert found.amount.value == pytest.approx(515)
        interval = found.recovered.interval
        assert interval is not None
        assert found.amount.low == pytest.approx(1000 * (1 - (0.025 + interval.high * 0.92)))
        assert found.amount.high == pytest.approx(1000 * (1 - (0.025 + interval.low * 0.92)))

    def test_nothing_is_supposed_from_fewer_than_ten(self, cast: Cast) -> None:
        low(cast, customer=person(cast))
        before = Told(Ticket.objects.all(), Slice())
        found = if_recovered_as_before(value(), before)
        assert found.amount is None
        assert found.recovered is not None
        assert found.recovered.n == 1

    def test_the_next_answers_are_read_on_the_scale_of_their_time(self, cast: Cast) -> None:
        five_points_until(cast, MONDAY + 6 * DAY)
        five_of_five(cast)
        after = retention_after(Told(Ticket.objects.all(), Slice()), retention_table())
        assert after == pytest.approx(0.945)

    def test_the_next_answers_of_a_past_day_are_what_they_said_then(self, cast: Cast) -> None:
        ticket, then = recovered(cast, 9), MONDAY + 8 * DAY
        change(Response.objects.get(customer=ticket.customer, score=9), 7, at=MONDAY + 10 * DAY)
        after = retention_after(Told(Ticket.objects.all(), Slice(as_of=then)), retention_table())
        assert after == pytest.approx(0.945)
