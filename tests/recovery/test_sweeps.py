from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dispatch import engine, kinds
from dispatch.kinds import Kind
from dispatch.models import Pulse
from recovery import sweeps
from recovery.lifecycle import Refused, book_callback, resolve
from recovery.models import Resurvey, SlaPolicy, Team, Ticket, TicketEvent
from surveys.models import Message
from tests.due import due, run_all, take_step
from tests.make import DAY, HOUR, MONDAY, Cast

named = pytest.mark.parametrize("kind", sweeps.KINDS, ids=lambda kind: kind.name)


@pytest.fixture
def busy(cast: Cast) -> Cast:
    """Something of every kind that falls due within a week."""
    book_callback(
        cast.ticket(), by=cast.lina, at=MONDAY, local_time="2026-03-02T18:00", time_zone="Asia/Shanghai"
    )
    resolve(cast.ticket(), by=cast.lina, at=MONDAY, cause_found=cast.late, what_was_done="x")
    cast.response(2, customer=cast.customer())
    return cast


@pytest.mark.django_db(transaction=True)
def test_one_round_does_everything_due_and_a_second_finds_nothing(transactional_db: None) -> None:
    cast = Cast()
    Pulse.objects.get_or_create(pk=Pulse.ONLY)
    book_callback(
        cast.ticket(), by=cast.lina, at=MONDAY, local_time="2026-03-02T18:00", time_zone="Asia/Shanghai"
    )
    resolve(cast.ticket(), by=cast.lina, at=MONDAY, cause_found=cast.late, what_was_done="x")
    response = cast.response(2, customer=cast.customer())
    at = MONDAY + 7 * DAY
    assert run_all(at) > 5
    response.refresh_from_db()
    assert response.triaged_at == at
    assert Ticket.objects.count() == 3
    assert Resurvey.objects.get().state == Resurvey.ASKED
    assert len(mail.outbox) == Message.objects.filter(state=Message.ACCEPTED).count()
    # What was said to colleagues a week ago is of no use any more.
    assert set(Message.objects.values_list("state", "kind")) == {
        ("accepted", "digest"),
        ("accepted", "resurvey_invitation"),
        ("accepted", "weekly"),
        ("expired", "ticket_assigned"),
    }
    assert run_all(at) == 0


def test_one_row_that_fails_stops_no_other(busy: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(pk: int, at: datetime) -> None:
        raise RuntimeError("poison")

    triage = kinds.find("triage")
    assert triage is not None
    monkeypatch.setitem(kinds._kinds, "triage", Kind("triage", triage.due, broken))
    failures: list[str] = []
    at = MONDAY + 7 * DAY
    taken = engine.run_all(at, lambda kind, pk, error: failures.append(f"{kind.name}: {error}"))
    assert failures == ["triage: poison"]
    assert taken > 3


@named
def test_each_sweep_finds_its_rows_in_one_query(busy: Cast, kind: Kind) -> None:
    with CaptureQueriesContext(connection) as queries:
        ids = kind.ids(MONDAY + 7 * DAY)
    # The instants of callbacks are compared once a day; whose week has begun is reckoned before it is asked.
    assert len(queries) == {"zones": 0, "weekly": 2}.get(kind.name, 1) or len(queries) == 1
    assert all(isinstance(pk, int) for pk in ids)


@named
def test_each_sweep_knows_since_when_its_rows_wait(busy: Cast, kind: Kind) -> None:
    """The column by which lateness is told is one of the rows', or reckoned with them."""
    rows = kind.due(MONDAY + 7 * DAY).values_list(kind.due_at or "pk", flat=True)
    assert None not in list(rows)


@named
def test_a_step_for_an_id_that_is_gone_does_nothing(cast: Cast, kind: Kind) -> None:
    kind.step(4711, MONDAY)
    assert not Ticket.objects.exists()


def test_the_command_runs_one_round_and_says_how_much(cast: Cast) -> None:
    cast.response(2, customer=cast.customer(), at=MONDAY)
    out = StringIO()
    call_command("dispatch", "--once", stdout=out)
    assert int(out.getvalue().split()[0]) >= 1
    assert Ticket.objects.count() == 1


def test_the_command_fails_loudly_where_a_step_failed(cast: Cast) -> None:
    cast.policy.targets.all().delete()
    cast.response(2, customer=cast.customer(), at=MONDAY)
    errors = StringIO()
    with pytest.raises(SystemExit):
        call_command("dispatch", stdout=StringIO(), stderr=errors)
    assert "triage" in errors.getvalue()
    assert "no targets" in errors.getvalue()


def test_a_callback_of_a_resolved_ticket_is_not_announced(cast: Cast) -> None:
    ticket = book_callback(
        cast.ticket(), by=cast.lina, at=MONDAY, local_time="2026-03-02T18:00", time_zone="Asia/Shanghai"
    )
    assert len(due("callbacks", MONDAY + DAY)) == 1
    resolve(ticket, by=cast.lina, at=MONDAY + HOUR, cause_found=cast.late, what_was_done="x")
    assert due("callbacks", MONDAY + DAY) == []
    assert due("deadlines", MONDAY + timedelta(days=30)) == []


def test_a_step_without_a_team_fails_where_it_is_heard(cast: Cast) -> None:
    response = cast.response(2)
    Team.objects.exclude(parent=None).delete()
    Team.objects.all().delete()
    with pytest.raises(Team.DoesNotExist, match="add one"):
        take_step("triage", response.pk, MONDAY)


def test_a_step_that_cannot_succeed_fails_where_it_is_heard(cast: Cast) -> None:
    ticket = cast.ticket()
    cast.policy.targets.all().delete()
    SlaPolicy.objects.update(version=2)
    assert due("recompute", MONDAY) == [ticket.pk]
    with pytest.raises(Refused, match="no targets"):
        take_step("recompute", ticket.pk, MONDAY)


def test_a_step_that_somebody_made_needless_is_quiet(busy: Cast) -> None:
    at = MONDAY + 7 * DAY
    for kind in sweeps.KINDS:
        for pk in kind.ids(at):
            kind.step(pk, at)
            before = TicketEvent.objects.count()
            kind.step(pk, at)
            assert TicketEvent.objects.count() == before, kind.name
