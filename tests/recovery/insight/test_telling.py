"""What changes a story marks it, is told again and kept; nobody waits for it, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from random import Random
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from psycopg import Connection

from recovery.insight.telling import REST, TELLERS, check, rebuild, tell_batch, tell_changed
from recovery.models import Contact, Resurvey, Ticket, TicketEvent, ToldTicket, UntoldChange
from surveys.models import Customer, Response
from tests.due import due, run_all, take_step
from tests.make import DAY, HOUR, MONDAY, Cast
from tests.recovery.insight.histories import loop, low, unknown, wander
from tests.recovery.insight.test_told import everything, from_kept, keep_all


# What may change a story, done to a ticket whose loop has ended; without its mark the numbers would be wrong.
def contacted(cast: Cast, ticket: Ticket) -> None:
    Contact.objects.create(ticket=ticket, cycle=1, at=MONDAY + HOUR, outcome="reached")


def answered(cast: Cast, ticket: Ticket) -> None:
    cast.response(9, customer=ticket.customer, at=MONDAY + 6 * DAY)


def opened(cast: Cast, ticket: Ticket) -> None:
    low(cast)


def asked_again(cast: Cast, ticket: Ticket) -> None:
    Resurvey.objects.update(state="ended", outcome="no_answer")


def tier(cast: Cast, ticket: Ticket) -> None:
    Customer.objects.update(tier="Gold")


def team(cast: Cast, ticket: Ticket) -> None:
    Ticket.objects.update(team=cast.west)


def gone(cast: Cast, ticket: Ticket) -> None:
    TicketEvent.objects.filter(ticket=ticket).delete()


@pytest.mark.parametrize("change", [contacted, answered, opened, asked_again, tier, team, gone])
def test_a_change_that_left_no_mark_would_be_missed(cast: Cast, change: Callable[..., None]) -> None:
    ticket = loop(cast, None, reached=False)
    keep_all()
    change(cast, ticket)
    assert from_kept() == everything()
    UntoldChange.objects.all().delete()
    assert from_kept() != everything()
    assert [len(found) for _size, found in check() if found] == [1]


def test_what_changes_no_story_marks_nothing(cast: Cast) -> None:
    ticket = loop(cast, None)
    keep_all()
    Ticket.objects.filter(pk=ticket.pk).update(priority=1, version=99, owner=cast.majun)
    Customer.objects.update(name="Wang")
    Response.objects.update(comment="Somebody called.")
    assert not UntoldChange.objects.exists()


# --- while others write -------------------------------------------------------------------------------------


@pytest.fixture
def meanwhile(transactional_db: None) -> Any:
    """Somebody else's transaction, open until it is committed."""
    facts = {name: value for name, value in connection.get_connection_params().items() if name != "context"}
    with Connection.connect(**facts) as other:
        yield other


REACHED = (
    "INSERT INTO recovery_contact (ticket_id, cycle, at, by_name, channel, outcome, note)"
    " VALUES (%s, 1, %s, '', 'phone', 'reached', '')"
)


@pytest.mark.django_db(transaction=True)
class TestMeanwhile:
    @pytest.mark.parametrize("before", ["kept", "marked", "new"])
    def test_a_change_not_committed_yet_is_not_lost(self, meanwhile: Connection[Any], before: str) -> None:
        cast = Cast()
        ticket = low(cast)
        if before != "new":
            keep_all()
        if before == "marked":
            Ticket.objects.update(touchpoint="Pudong")
        meanwhile.execute(REACHED, [ticket.pk, MONDAY + HOUR])
        keep_all()
        assert from_kept()["recovery"].reached.hits == 0
        meanwhile.commit()
        assert from_kept() == everything()
        assert from_kept()["recovery"].reached.hits == 1
        keep_all()
        assert from_kept()["recovery"].reached.hits == 1

    def test_an_act_waits_for_no_teller(self, meanwhile: Connection[Any]) -> None:
        cast = Cast()
        ticket = low(cast)
        with transaction.atomic():
            tell_batch()
            meanwhile.execute("SET lock_timeout = 500")
            meanwhile.execute("SELECT 1 FROM recovery_ticket WHERE id = %s FOR UPDATE", [ticket.pk])
            meanwhile.execute(REACHED, [ticket.pk, MONDAY + HOUR])
            meanwhile.commit()
        assert from_kept() == everything()

    def test_a_teller_waits_for_no_act(self, meanwhile: Connection[Any]) -> None:
        cast = Cast()
        ticket = low(cast)
        meanwhile.execute("SELECT 1 FROM recovery_ticket WHERE id = %s FOR UPDATE", [ticket.pk])
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = 500")
            tell_batch()
        assert ToldTicket.objects.get().ticket_id == ticket.pk

    def test_tellers_tell_one_after_the_other(self, meanwhile: Connection[Any]) -> None:
        low(Cast())
        with transaction.atomic():
            tell_batch()
            locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            assert meanwhile.execute(locks).fetchone() == (1,)

    def test_a_worker_leaves_it_to_who_tells_already(self, meanwhile: Connection[Any]) -> None:
        low(Cast())
        meanwhile.execute("SELECT pg_advisory_xact_lock(%s)", [TELLERS])
        mark = UntoldChange.objects.earliest("pk").pk
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = 500")
            assert not tell_changed(mark, timezone.now())
        assert UntoldChange.objects.filter(pk=mark).exists()
        meanwhile.rollback()
        assert tell_changed(mark, timezone.now())
        assert not UntoldChange.objects.exists()


# --- the sweep and the command ------------------------------------------------------------------------------


def test_the_sweep_tells_what_has_rested(cast: Cast) -> None:
    loop(cast, 9)
    at = timezone.now()
    assert due("stories", at) == []
    (mark,) = due("stories", at + REST + timedelta(seconds=5))
    take_step("stories", mark, at)
    assert not UntoldChange.objects.exists()
    assert from_kept() == everything()
    take_step("stories", mark, at)


def test_a_round_and_the_one_after_what_it_sent_leave_nothing_to_tell(cast: Cast) -> None:
    for _ in range(3):
        loop(cast, 9)
    for minutes in (1, 2):
        run_all(timezone.now() + timedelta(minutes=minutes))
    assert not UntoldChange.objects.exists()
    assert ToldTicket.objects.count() == 3


def command(*options: str) -> str:
    out = StringIO()
    call_command("rebuild_insight", *options, stdout=out)
    return out.getvalue()


def test_the_command_rebuilds_everything_from_the_rows(cast: Cast) -> None:
    chance = Random(3)
    for _ in range(12):
        wander(cast, chance)
    UntoldChange.objects.all().delete()
    ToldTicket.objects.all().delete()
    assert command() == f"{Ticket.objects.count()} tickets told.\n"
    assert from_kept() == everything()
    with CaptureQueriesContext(connection) as queries:
        from_kept()
    assert len(queries) < 20, "nothing was told the slow way"
    assert "0 differ" in command("--check")


def test_the_check_names_what_differs_and_fails(cast: Cast) -> None:
    first, second, third = loop(cast, 9), loop(cast, 3), low(cast)
    command()
    ToldTicket.objects.filter(pk=first.pk).update(next="detractor")
    ToldTicket.objects.filter(pk=third.pk).delete()
    row = ToldTicket.objects.get(pk=second.pk)
    row.pk = 4711
    row.save(force_insert=True)
    out = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("rebuild_insight", "--check", stdout=out)
    assert stopped.value.code == 1
    assert out.getvalue().splitlines() == [
        f"ticket {first.pk}: next is kept as 'detractor' and is 'promoter'",
        f"ticket {third.pk}: not kept",
        "ticket 4711: kept, but no low score",
        "3 tickets compared, 3 differ.",
    ]
    command()
    assert "0 differ" in command("--check")


def test_what_is_marked_is_not_taken_for_wrong(cast: Cast) -> None:
    loop(cast, 9)
    command()
    Response.objects.filter(score=9).update(state="withdrawn")
    assert "0 differ" in command("--check")


def test_rebuilding_says_how_far_it_is(cast: Cast) -> None:
    low(cast)
    unknown(cast, MONDAY)
    assert sum(rebuild()) == 2
