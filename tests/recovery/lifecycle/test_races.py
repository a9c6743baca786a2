"""Real threads on PostgreSQL: whoever comes second finds out."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.contrib.auth.models import User
from django.db import connection

from recovery.lifecycle import Refused, assign, climb, resolve
from recovery.models import Deadline, Membership, Ticket, TicketEvent
from recovery.triage import triage
from surveys.models import Message
from tests.make import HOUR, MONDAY, Cast

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
    return crew.vera if person == ticket.owner else person


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
    results = race(lambda n: climb(row.pk, at=MONDAY + 4 * HOUR))
    assert len(winners(results)) == 1
    assert Message.objects.filter(kind="ticket_escalated").count() == 1


def test_nobody_gets_more_than_they_can_carry(crew: Cast) -> None:
    Membership.objects.update(capacity=2)
    ids = [crew.response(2, customer=crew.customer()).pk for _n in range(THREADS)]
    race(lambda n: triage(ids[n], at=MONDAY))
    owners = list(Ticket.objects.values_list("owner__username", flat=True))
    assert sorted(owners) == sorted(["lina", "lina", "majun", "majun", "chen", "chen", "chen", "chen"])
