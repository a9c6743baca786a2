from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recovery import sweeps, tasks
from recovery.lifecycle import Refused, book_callback, resolve
from recovery.models import Resurvey, SlaPolicy, Team, Ticket, TicketEvent
from recovery.triage import due_triage
from surveys.models import Message, Response
from tests.make import DAY, HOUR, MONDAY, Cast


def fail(sweep: sweeps.Sweep, pk: int, error: Exception) -> None:
    raise AssertionError(f"{sweep.name} {pk}") from error


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
    book_callback(
        cast.ticket(), by=cast.lina, at=MONDAY, local_time="2026-03-02T18:00", time_zone="Asia/Shanghai"
    )
    resolve(cast.ticket(), by=cast.lina, at=MONDAY, cause_found=cast.late, what_was_done="x")
    response = cast.response(2, customer=cast.customer())
    at = MONDAY + 7 * DAY
    assert sweeps.run_all(at, fail) > 5
    response.refresh_from_db()
    assert response.triaged_at == at
    assert Ticket.objects.count() == 3
    assert Resurvey.objects.get().state == Resurvey.ASKED
    assert {"callback_due", "ticket_escalated", "resurvey_invitation"} <= set(
        Message.objects.filter(state=Message.ACCEPTED).values_list("kind", flat=True)
    )
    assert len(mail.outbox) == Message.objects.count()
    assert sweeps.run_all(at, fail) == 0


def test_one_row_that_fails_stops_no_other(busy: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(pk: int, at: datetime) -> None:
        raise RuntimeError("poison")

    bad = sweeps.Sweep("triage", due_triage, broken)
    good = [sweep for sweep in sweeps.SWEEPS if sweep.name != "triage"]
    monkeypatch.setattr(sweeps, "ALL_SWEEPS", [bad, *good])
    failures: list[str] = []
    taken = sweeps.run_all(
        MONDAY + 7 * DAY, lambda sweep, pk, error: failures.append(f"{sweep.name}: {error}")
    )
    assert failures == ["triage: poison"]
    assert taken > 3


@pytest.mark.parametrize("sweep", sweeps.SWEEPS, ids=lambda sweep: sweep.name)
def test_each_sweep_picks_ids_in_one_query(busy: Cast, sweep: sweeps.Sweep) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        ids = sweep.due(MONDAY + 7 * DAY)
    assert len(queries) == 1
    assert all(isinstance(pk, int) for pk in ids)


@pytest.mark.parametrize("sweep", sweeps.SWEEPS, ids=lambda sweep: sweep.name)
def test_a_step_for_an_id_that_is_gone_does_nothing(cast: Cast, sweep: sweeps.Sweep) -> None:
    sweeps.take_step(sweep.name, 4711, MONDAY)
    assert not Ticket.objects.exists()


def test_a_step_of_an_unknown_name_does_nothing(cast: Cast) -> None:
    assert sweeps.take_step("format_disk", 1, MONDAY) is False


def test_a_task_hands_out_ids_and_the_step_does_one(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    response = cast.response(2, customer=cast.customer())
    handed: list[tuple[Any, ...]] = []
    monkeypatch.setattr(tasks.step, "apply_async", lambda args, expires: handed.append(args))
    tasks.sweep_triage()
    assert handed == [("triage", response.pk)]
    tasks.step(*handed[0])
    assert Response.objects.get(pk=response.pk).triaged_at is not None


def test_the_command_runs_one_round_and_says_how_much(cast: Cast) -> None:
    cast.response(2, customer=cast.customer(), at=MONDAY)
    out = StringIO()
    call_command("dispatch", "--once", stdout=out)
    assert "1 done" in out.getvalue() or int(out.getvalue().split()[0]) >= 1
    assert Ticket.objects.count() == 1


def test_the_command_loops_until_stopped(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    def stop_after_three(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", stop_after_three)
    with pytest.raises(KeyboardInterrupt):
        call_command("dispatch", "--loop", "--every", "5", stdout=StringIO())
    assert pauses == [5.0, 5.0, 5.0]


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
    assert len(sweeps.due_callbacks(MONDAY + DAY)) == 1
    resolve(ticket, by=cast.lina, at=MONDAY + HOUR, cause_found=cast.late, what_was_done="x")
    assert sweeps.due_callbacks(MONDAY + DAY) == []
    assert sweeps.due_deadlines(MONDAY + timedelta(days=30)) == []


def test_a_step_without_a_team_fails_where_it_is_heard(cast: Cast) -> None:
    response = cast.response(2)
    Team.objects.exclude(parent=None).delete()
    Team.objects.all().delete()
    with pytest.raises(Team.DoesNotExist, match="add one"):
        sweeps.take_step("triage", response.pk, MONDAY)


def test_a_step_that_cannot_succeed_fails_where_it_is_heard(cast: Cast) -> None:
    ticket = cast.ticket()
    cast.policy.targets.all().delete()
    SlaPolicy.objects.update(version=2)
    assert sweeps.outdated_deadlines(MONDAY) == [ticket.pk]
    with pytest.raises(Refused, match="no targets"):
        sweeps.take_step("recompute", ticket.pk, MONDAY)


def test_a_step_that_somebody_made_needless_is_quiet(busy: Cast) -> None:
    at = MONDAY + 7 * DAY
    for sweep in sweeps.SWEEPS:
        for pk in sweep.due(at):
            assert sweeps.take_step(sweep.name, pk, at)
            before = TicketEvent.objects.count()
            assert sweeps.take_step(sweep.name, pk, at)
            assert TicketEvent.objects.count() == before, sweep.name
