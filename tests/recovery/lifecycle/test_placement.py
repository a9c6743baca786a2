"""Nobody above their capacity, nobody without an owner: what finds no room waits with the supervisor."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dispatch import engine
from dispatch.models import Pulse
from recovery import lifecycle
from recovery.assignment import Choice, choose_owner
from recovery.lifecycle import Refused, assign, log_contact, place, placement, reopen, resolve
from recovery.models import DigestLine, Leave, Membership, Team, Ticket, TicketEvent
from recovery.triage import triage
from surveys.models import Account, Customer, Message
from tests.due import due, take_step
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast, join, make_user

WORKERS = 4


def fill(cast: Cast, capacity: int = 1) -> None:
    """Li Na and Ma Jun have all they can carry."""
    Membership.objects.filter(team=cast.east).update(capacity=capacity)
    for _n in range(2 * capacity):
        cast.ticket()


@pytest.fixture
def waiting(cast: Cast) -> Ticket:
    fill(cast)
    return cast.ticket(at=MONDAY + MINUTE)


def settle_one(owner: User, cast: Cast) -> Ticket:
    ticket = Ticket.objects.in_work().filter(owner=owner).earliest("pk")
    return resolve(ticket, by=owner, at=MONDAY + HOUR, cause_found=cast.late, what_was_done="Sent again")


def placed(at: datetime = MONDAY + HOUR) -> list[Ticket]:
    """What one round of the sweep gave out, in that order."""
    before = TicketEvent.objects.filter(kind="assigned").count()
    for pk in due("placements", at):
        take_step("placements", pk, at)
    events = TicketEvent.objects.filter(kind="assigned").select_related("ticket__owner").order_by("pk")
    return [event.ticket for event in events[before:]]


def test_what_finds_no_room_is_the_supervisors_and_says_that_it_waits(cast: Cast, waiting: Ticket) -> None:
    assert (waiting.owner, waiting.awaits_room) == (cast.chen, True)
    assert waiting.assigned_because == {"code": "supervisor_no_room"}
    assert DigestLine.objects.filter(user=cast.chen, kind="ticket_assigned").count() == 1
    assert due("placements", MONDAY + HOUR) == []


def test_the_supervisor_is_told_once_of_all_that_come_in_a_few_minutes(cast: Cast) -> None:
    fill(cast)
    for n in range(4):
        cast.ticket(at=MONDAY + n * MINUTE)
    assert due("digests", MONDAY + 4 * MINUTE) == []
    for at in (MONDAY + 5 * MINUTE, MONDAY + 20 * MINUTE):
        for pk in due("digests", at):
            take_step("digests", pk, at)
    (told,) = Message.objects.filter(user=cast.chen)
    assert told.kind == "digest"


def test_it_waits_for_nobody_in_a_team_in_which_nobody_works(cast: Cast) -> None:
    Membership.objects.filter(team=cast.east).delete()
    ticket = cast.ticket()
    assert (ticket.owner, ticket.awaits_room) == (cast.chen, False)
    assert ticket.assigned_because == {"code": "supervisor"}


def test_it_is_given_out_once_somebody_has_room_and_says_why(cast: Cast, waiting: Ticket) -> None:
    settle_one(cast.majun, cast)
    assert placed() == [waiting]
    waiting.refresh_from_db()
    assert (waiting.owner, waiting.awaits_room) == (cast.majun, False)
    event = waiting.events.get(kind="assigned")
    assert (event.by, event.data["from"], event.data["to"]) == (None, "Chen Hao", "Ma Jun")
    assert event.data["because"] == {"code": "least_loaded", "load": 0, "capacity": 1}
    assert DigestLine.objects.get(user=cast.majun).ticket == waiting
    assert due("placements", MONDAY + HOUR) == []


@pytest.mark.parametrize(
    "room", ["resolved", "reassigned", "capacity", "back", "takes new", "newcomer", "merged", "cover"]
)
def test_room_arises_however_it_may(cast: Cast, room: str) -> None:
    away = Leave.objects.create(user=cast.majun, starts_at=MONDAY - DAY, ends_at=MONDAY + HOUR)
    Membership.objects.filter(team=cast.east).update(capacity=1)
    held = cast.ticket()
    spare = make_user("spare")
    join(cast.east, spare, takes_new=False)
    waiting = cast.ticket(at=MONDAY + MINUTE)
    assert waiting.awaits_room
    at = MONDAY + 2 * MINUTE
    assert due("placements", at) == []
    if room == "resolved":
        settle_one(cast.lina, cast)
    elif room == "reassigned":
        assign(held, by=cast.chen, at=at, to=cast.chen)
    elif room == "merged":
        lifecycle.merge(held, by=cast.lina, at=at, into=cast.ticket(team=cast.west))
    elif room == "capacity":
        Membership.objects.filter(user=cast.lina).update(capacity=2)
    elif room == "back":
        at = away.ends_at
    elif room == "cover":
        away.delete()
    elif room == "takes new":
        Membership.objects.filter(user=spare).update(takes_new=True)
    else:
        join(cast.east, make_user("newcomer"))
    assert placed(at) == [waiting]


def test_the_oldest_goes_first_however_they_are_taken(cast: Cast) -> None:
    fill(cast)
    later = [cast.ticket(at=MONDAY + n * MINUTE) for n in (3, 1, 2)]
    settle_one(cast.lina, cast)
    settle_one(cast.majun, cast)
    # Whichever is taken, the oldest is given out.
    first, second = place(later[0].pk, at=MONDAY + HOUR), place(later[0].pk, at=MONDAY + HOUR)
    assert [first, second] == [later[1], later[2]]
    assert place(later[0].pk, at=MONDAY + HOUR) is None


def test_one_that_cannot_be_given_out_does_not_keep_the_rest(
    cast: Cast, waiting: Ticket, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    second = cast.ticket(at=MONDAY + 2 * MINUTE)
    settle_one(cast.majun, cast)

    def fails(team: Team, customer: Customer | None, at: datetime, **how: Any) -> Choice:
        choice = choose_owner(team, customer, at, **how)
        if customer == waiting.customer:
            raise ValueError("broken")
        return choice

    monkeypatch.setattr(placement, "choose_owner", fails)
    turns = list(Membership.objects.order_by("pk").values_list("turn", flat=True))
    with pytest.raises(ValueError, match="broken"):
        place(waiting.pk, at=MONDAY + HOUR)
    assert list(Membership.objects.order_by("pk").values_list("turn", flat=True)) == turns
    assert place(second.pk, at=MONDAY + HOUR) == second
    assert "could not be given out" in caplog.text
    waiting.refresh_from_db()
    assert (waiting.owner, waiting.awaits_room) == (cast.chen, True)


def test_a_team_waits_for_its_own_people(cast: Cast, waiting: Ticket) -> None:
    assert place(waiting.pk, at=MONDAY + HOUR) is None
    assert Membership.objects.get(user=cast.ann).team == cast.west
    assert due("placements", MONDAY + HOUR) == []


def test_a_step_finds_nothing_where_the_room_is_gone_or_the_ticket_is_given(
    cast: Cast, waiting: Ticket
) -> None:
    version = waiting.version
    assert place(waiting.pk, at=MONDAY + HOUR) is None
    assign(waiting, by=cast.chen, at=MONDAY + HOUR, to=cast.wu)
    settle_one(cast.lina, cast)
    assert place(waiting.pk, at=MONDAY + HOUR) is None
    waiting.refresh_from_db()
    assert (waiting.owner, waiting.version) == (cast.wu, version + 1)


class TestTakenOn:
    def test_who_takes_it_on_keeps_it(self, cast: Cast, waiting: Ticket) -> None:
        taken = assign(waiting, by=cast.chen, at=MONDAY + HOUR, to=cast.chen)
        assert (taken.owner, taken.awaits_room) == (cast.chen, False)
        with pytest.raises(Refused, match="owns the ticket already"):
            assign(taken, by=cast.chen, at=MONDAY + HOUR, to=cast.chen)

    def test_who_begins_to_work_on_it_takes_it_on(self, cast: Cast, waiting: Ticket) -> None:
        assert not log_contact(waiting, by=cast.chen, at=MONDAY + HOUR, outcome="no_answer").awaits_room

    def test_a_call_by_somebody_else_leaves_it_waiting(self, cast: Cast, waiting: Ticket) -> None:
        assert log_contact(waiting, by=cast.lina, at=MONDAY + HOUR, outcome="no_answer").awaits_room

    def test_what_is_resolved_waits_no_more(self, cast: Cast, waiting: Ticket) -> None:
        done = resolve(waiting, by=cast.admin, at=MONDAY, cause_found=cast.late, what_was_done="x")
        assert not Ticket.objects.get(pk=done.pk).awaits_room


class TestReopened:
    @pytest.fixture
    def done(self, cast: Cast) -> Ticket:
        """Ma Jun's, resolved."""
        Membership.objects.filter(team=cast.east).update(capacity=1)
        cast.ticket()
        ticket = cast.ticket()
        assert ticket.owner == cast.majun
        return resolve(ticket, by=cast.majun, at=MONDAY, cause_found=cast.late, what_was_done="Sent again")

    def again(self, ticket: Ticket) -> Ticket:
        return reopen(ticket, by=None, at=MONDAY + DAY, reason="still_low")

    def test_it_stays_with_its_owner_who_has_room(self, cast: Cast, done: Ticket) -> None:
        assert self.again(done).owner == cast.majun

    def test_it_goes_to_who_has_room(self, cast: Cast, done: Ticket) -> None:
        cast.ticket()
        Membership.objects.filter(user=cast.lina).update(capacity=2)
        back = self.again(done)
        assert (back.owner, back.assigned_because["code"]) == (cast.lina, "least_loaded")

    def test_it_waits_where_nobody_has(self, cast: Cast, done: Ticket) -> None:
        cast.ticket()
        back = self.again(done)
        assert (back.owner, back.awaits_room) == (cast.chen, True)


def test_who_waits_with_a_member_is_not_carried_by_them(cast: Cast) -> None:
    """A supervisor who works in the team as well gets the next by the rules like anybody."""
    Membership.objects.filter(team=cast.east).delete()
    join(cast.east, cast.chen, capacity=1)
    first, second = cast.ticket(), cast.ticket()
    assert [first.awaits_room, second.awaits_room] == [False, True]
    resolve(first, by=cast.chen, at=MONDAY, cause_found=cast.late, what_was_done="x")
    assert placed() == [second]


def test_the_account_owner_gets_it_only_with_room(cast: Cast) -> None:
    account = Account.objects.create(name="Acme", owner=cast.ann)
    Membership.objects.filter(user=cast.ann).update(capacity=1)
    owners = [cast.ticket(customer=cast.customer(account=account)).owner for _n in range(2)]
    assert owners == [cast.ann, cast.lina]


def teams_held(act: Callable[[], object]) -> list[set[int]]:
    """The teams that were locked, query by query."""
    with CaptureQueriesContext(connection) as queries:
        act()
    sql = [each["sql"] for each in queries if "FOR NO KEY UPDATE" in each["sql"]]
    found = [re.search(r'"recovery_team"\."id" IN \(([\d, ]+)\)', each) for each in sql]
    return [{int(pk) for pk in each[1].split(",")} for each in found if each]


class TestHeldInOneGo:
    """Whoever locks a team with a lower id later waits in a circle with whoever does not."""

    @pytest.fixture
    def acme(self, cast: Cast) -> Account:
        """Ann's, whose own team was made before East."""
        join(cast.region, cast.ann)
        return Account.objects.create(name="Acme", owner=cast.ann)

    def test_giving_out_for_an_account(self, cast: Cast, acme: Account) -> None:
        fill(cast)
        Membership.objects.filter(user=cast.ann).update(takes_new=False)
        cast.ticket(customer=cast.customer(account=acme))
        later = cast.ticket(at=MONDAY + MINUTE)
        settle_one(cast.majun, cast)
        first, *rest = teams_held(lambda: place(later.pk, at=MONDAY + HOUR))
        assert first == {cast.east.pk, cast.west.pk, cast.region.pk}
        assert all(each <= first for each in rest)

    def test_reopening_for_an_account(self, cast: Cast, acme: Account) -> None:
        ticket = cast.ticket(customer=cast.customer(account=acme))
        Ticket.objects.filter(pk=ticket.pk).update(owner=cast.majun)
        done = settle_one(cast.majun, cast)
        Membership.objects.filter(user=cast.majun).update(capacity=0)
        first, *rest = teams_held(lambda: reopen(done, by=None, at=MONDAY + DAY, reason="still_low"))
        assert first == {cast.east.pk, cast.west.pk, cast.region.pk}
        assert all(each <= first for each in rest)

    def test_who_does_not_come_first_is_not_held(self, cast: Cast, acme: Account) -> None:
        Team.objects.filter(pk=cast.east.pk).update(account_owner_first=False)
        cast.east.refresh_from_db()
        held = teams_held(lambda: cast.ticket(customer=cast.customer(account=acme)))
        assert held == [{cast.east.pk}]


@pytest.mark.parametrize("teams", [1, 20])
def test_looking_for_room_is_one_query_however_many_teams_there_are(cast: Cast, teams: int) -> None:
    for number in range(teams):
        cast.ticket(team=Team.objects.create(**team_like(cast, f"Team {number}")))
    with CaptureQueriesContext(connection) as queries:
        due("placements", MONDAY)
    assert len(queries) == 1


def team_like(cast: Cast, name: str) -> dict[str, object]:
    return {"name": name, "supervisor": cast.chen, "calendar": cast.calendar, "policy": cast.policy}


def in_threads(numbers: Iterable[int], act: Callable[[int], object]) -> None:
    """Each by one of four threads, each with a connection of its own."""

    def run(number: int) -> None:
        try:
            act(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(run, numbers))


@pytest.mark.django_db(transaction=True)
def test_two_hundred_low_scores_in_a_minute_for_five_agents_of_twenty(transactional_db: None) -> None:
    cast = Cast()
    Pulse.objects.get_or_create(pk=Pulse.ONLY)
    for name in ("mei", "tom", "kim"):
        join(cast.east, make_user(name))
    answered = [MONDAY + n * timedelta(seconds=0.3) for n in range(200)]
    answers = [cast.response(2, customer=cast.customer(), at=at) for at in answered]

    in_threads(range(200), lambda n: triage(answers[n].pk, at=answered[n]))

    given = list(Ticket.objects.order_by("pk").values_list("owner__username", "awaits_room"))
    assert len(given) == 200
    loads = Counter(dict.fromkeys(["lina", "majun", "mei", "tom", "kim"], 0))
    for owner, _waits in given[:100]:
        loads[owner] += 1
        assert max(loads.values()) - min(loads.values()) <= 1
    assert set(loads.values()) == {20}
    assert given[100:] == [("chen", True)] * 100

    in_order = list(Ticket.objects.filter(awaits_room=True).order_by("opened_at", "pk"))
    for person in (cast.lina, cast.lina, cast.lina, cast.majun, User.objects.get(username="kim")):
        settle_one(person, cast)
    drain = engine.drain
    in_threads(
        range(WORKERS),
        lambda _n: drain(lambda: MONDAY + HOUR, holder=engine.new_holder(), names=["placements"]),
    )
    events = TicketEvent.objects.filter(kind="assigned").order_by("pk").values_list("ticket", flat=True)
    assert list(events) == [ticket.pk for ticket in in_order[:5]]
    carried = Counter(Ticket.objects.in_work().filter(awaits_room=False).values_list("owner", flat=True))
    assert set(carried.values()) == {20}
    assert Ticket.objects.filter(awaits_room=True, owner=cast.chen).count() == 95
