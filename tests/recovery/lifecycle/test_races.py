"""Real threads on PostgreSQL: whoever comes second finds out."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from recovery.lifecycle import Refused, ask_again, assign, climb, hold_out, merge, reopen, resolve
from recovery.models import Deadline, HoldOut, Membership, Resurvey, Ticket, TicketEvent
from recovery.triage import triage
from surveys.models import Customer, Invitation, Message, Response
from tests.make import HOUR, MINUTE, MONDAY, Cast
from tests.surveys.make import make_survey

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 8


@pytest.fixture
def crew(transactional_db: None) -> Cast:
    return Cast()


def race(act: Callable[[int], object]) -> list[object]:
    """What each of eight threads got, all let go at the same moment: a result, or the exception."""
    gate = Barrier(THREADS)

    def run(number: int) -> object:
        try:
            gate.wait()
            return act(number)
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def winners(results: list[object]) -> list[object]:
    assert all(isinstance(each, Refused) for each in results if isinstance(each, Exception)), results
    return [each for each in results if not isinstance(each, Exception)]


def test_eight_assign_at_once_and_one_wins_with_one_event(crew: Cast) -> None:
    ticket = crew.ticket()
    people = [crew.majun, crew.chen, crew.wu, crew.ann, crew.bob, crew.majun, crew.chen, crew.wu]
    results = race(lambda n: assign(Ticket.objects.get(pk=ticket.pk), by=crew.chen, at=MONDAY, to=people[n]))
    # Each reads for itself, so a late one may see the newer version and win in its turn.
    ticket.refresh_from_db()
    assert len(winners(results)) == TicketEvent.objects.filter(kind="assigned").count()
    stale = Ticket.objects.get(pk=ticket.pk)
    again = race(
        lambda n: assign(copy_of(stale), by=crew.chen, at=MONDAY, to=other_than(stale, people[n], crew))
    )
    assert len(winners(again)) == 1
    assert TicketEvent.objects.filter(version=stale.version + 1).count() == 1


def copy_of(ticket: Ticket) -> Ticket:
    fresh = Ticket(pk=ticket.pk)
    fresh.version = ticket.version
    return fresh


def other_than(ticket: Ticket, person: User, crew: Cast) -> User:
    return crew.admin if person == ticket.owner else person


def test_eight_resolve_at_once_and_one_wins_with_one_event(crew: Cast) -> None:
    ticket = crew.ticket()
    results = race(
        lambda n: resolve(
            copy_of(ticket), by=crew.lina, at=MONDAY, cause_found=crew.late, what_was_done=f"by {n}"
        )
    )
    assert len(winners(results)) == 1
    assert TicketEvent.objects.filter(kind="resolved").count() == 1
    assert ticket.resurveys.count() == 1


def test_eight_answers_of_one_person_make_one_ticket(crew: Cast) -> None:
    customer = crew.customer()
    ids = [crew.response(2, customer=customer).pk for _n in range(THREADS)]
    results = race(lambda n: triage(ids[n], at=MONDAY))
    assert len(winners(results)) == THREADS
    ticket = Ticket.objects.get()
    assert ticket.ticket_responses.count() == THREADS
    assert ticket.events.filter(kind="absorbed").count() == THREADS - 1
    assert ticket.version == THREADS


def test_one_response_triaged_by_eight_is_one_ticket(crew: Cast) -> None:
    response = crew.response(2, customer=crew.customer())
    results = race(lambda n: triage(response.pk, at=MONDAY))
    assert len(set(winners(results))) == 1
    assert Ticket.objects.count() == 1


def test_a_level_is_told_once_however_many_look(crew: Cast) -> None:
    row = Deadline.objects.get(ticket=crew.ticket(), kind="first_contact")
    results = race(lambda n: climb(row.pk, at=MONDAY + 4 * HOUR - 30 * MINUTE))
    assert len(winners(results)) == 1
    assert Message.objects.filter(kind="ticket_escalated").count() == 1


def test_nobody_gets_more_than_they_can_carry(crew: Cast) -> None:
    Membership.objects.update(capacity=2)
    ids = [crew.response(2, customer=crew.customer()).pk for _n in range(THREADS)]
    race(lambda n: triage(ids[n], at=MONDAY))
    owners = list(Ticket.objects.values_list("owner__username", flat=True))
    assert sorted(owners) == sorted(["lina", "lina", "majun", "majun", "chen", "chen", "chen", "chen"])


def test_two_matters_of_one_person_resolved_at_once_plan_one_question(crew: Cast) -> None:
    customer = crew.customer()
    tickets = [crew.ticket(customer=customer, survey=make_survey(f"line{n}")) for n in range(THREADS)]
    results = race(
        lambda n: resolve(
            tickets[n], by=crew.lina, at=MONDAY, cause_found=crew.late, what_was_done="Sent again"
        )
    )
    assert len(winners(results)) == THREADS
    states = sorted(Resurvey.objects.values_list("state", flat=True))
    assert states == ["held"] * (THREADS - 1) + ["planned"]


def test_nobody_waits_in_a_circle_when_low_scores_come_while_it_is_resolved(crew: Cast) -> None:
    customer = crew.customer()
    ticket = crew.ticket(customer=customer)
    ids = [crew.response(2, customer=customer, at=MONDAY).pk for _n in range(THREADS)]
    results = race(
        lambda n: (
            triage(ids[n], at=MONDAY + HOUR)
            if n
            else resolve(
                copy_of(ticket), by=crew.lina, at=MONDAY + HOUR, cause_found=crew.late, what_was_done="x"
            )
        )
    )
    assert len(winners(results)) >= THREADS - 1
    assert Ticket.objects.count() == 1
    assert ticket.events.filter(kind="absorbed").count() == THREADS - 1


def test_a_closed_ticket_is_not_reopened_beside_a_new_one(crew: Cast) -> None:
    """Each reopens its own closed ticket of the same person and line: one is open in the end."""
    customer = crew.customer()
    tickets = []
    for _n in range(THREADS):
        ticket = crew.ticket(customer=customer)
        Ticket.objects.filter(pk=ticket.pk).update(status="closed", closed_at=MONDAY)
        tickets.append(ticket)
    results = race(lambda n: reopen(tickets[n], by=crew.lina, at=MONDAY + HOUR, reason="Broken again"))
    assert len(winners(results)) == 1
    assert Ticket.objects.in_work().count() == 1


def test_an_answer_that_changes_while_it_is_triaged_holds_up_nobody(crew: Cast) -> None:
    """Intake locks the answer, then fills in the person: whoever locks both goes the same way round."""
    customer = crew.customer()
    response = crew.response(2, customer=customer)
    has_locked = Event()

    def take_in() -> None:
        with transaction.atomic():
            Response.objects.select_for_update().get(pk=response.pk)
            has_locked.set()
            time.sleep(0.5)
            Customer.objects.filter(pk=customer.pk).update(tier="Gold")
        connection.close()

    def decide() -> Ticket | None:
        has_locked.wait()
        try:
            return triage(response.pk, at=MONDAY)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        taken, decided = pool.submit(take_in), pool.submit(decide)
        taken.result()
        assert decided.result() == Ticket.objects.get()


def test_an_answer_taken_in_while_another_of_the_person_is_decided_holds_up_nobody(crew: Cast) -> None:
    """The one has closed the invitation and is not committed yet; the other withdraws that invitation."""
    ticket = resolve(
        crew.ticket(), by=crew.lina, at=MONDAY, cause_found=crew.late, what_was_done="Sent again"
    )
    resurvey = ask_again(ticket.resurveys.get().pk, at=MONDAY + 72 * HOUR)
    assert resurvey is not None
    at = MONDAY + 73 * HOUR
    other = crew.response(9, customer=ticket.customer, at=at)
    has_closed = Event()

    def take_in() -> None:
        with transaction.atomic():
            crew.response(8, customer=ticket.customer, invitation=resurvey.invitation, at=at)
            Invitation.objects.update(state=Invitation.ANSWERED)
            has_closed.set()
            time.sleep(0.5)
        connection.close()

    def decide() -> Ticket | None:
        has_closed.wait()
        try:
            return triage(other.pk, at=at)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        taken, decided = pool.submit(take_in), pool.submit(decide)
        taken.result()
        assert decided.result() == ticket
    ticket.refresh_from_db()
    assert (ticket.status, ticket.outcome) == ("closed", "promoter")


def test_two_tickets_merged_into_each_other_leave_one(crew: Cast) -> None:
    pair = [crew.ticket(), crew.ticket()]
    results = race(
        lambda n: merge(copy_of(pair[n % 2]), by=crew.lina, at=MONDAY, into=copy_of(pair[1 - n % 2]))
    )
    assert len(winners(results)) == 1
    assert Ticket.objects.in_work().count() == 1


def test_of_eight_drawn_at_once_for_the_last_place_one_gets_it(
    crew: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hold_out, "side_of", lambda _row, _number: "later")
    tickets = [crew.ticket() for _n in range(THREADS)]
    plan = {"difference": 60, "expected_recovered": 10, "expected_response": 100, "share": 50}
    row = HoldOut.objects.create(name="Calls", survey=crew.survey, **plan)
    row = hold_out.start(row, by=crew.admin, at=MONDAY)
    assert row.planned_later is not None
    for _n in range(row.planned_later - 1):
        crew.ticket()

    def draw(number: int) -> Ticket:
        with transaction.atomic():  # that of the opening
            return hold_out.draw(tickets[number], tickets[number].response, at=MONDAY)

    drawn = winners(race(draw))
    row.refresh_from_db()
    assert (row.state, row.ended_why) == (HoldOut.ENDED, hold_out.FULL)
    assert row.draws.filter(side="later").count() == row.planned_later
    assert sorted(each.status for each in drawn if isinstance(each, Ticket)) == ["new"] * 7 + ["waiting"]
