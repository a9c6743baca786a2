"""The simulated history: the same every time, whole in itself, and silent."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import celery
import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import F
from pytest_django.plugin import DjangoDbBlocker

from dispatch import nudge as nudges
from recovery.management.simulation import Summary, simulate
from recovery.models import Contact, Deadline, Goodwill, HoldOut, HoldOutDraw, Request, Ticket, TicketEvent
from surveys.intake.banding import band_again
from surveys.models import DeliveryAttempt, FormerScale, Message, Response

pytestmark = pytest.mark.django_db

UNTIL = datetime(2026, 3, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Made:
    """One history, looked at by every test, and what the same call and another seed made before it."""

    summary: Summary
    first: str
    again: str
    of_another_seed: str


def make_history(seed: int = 4) -> Summary:
    return simulate(months=1, seed=seed, until=UNTIL, scale=0.15)


def digest() -> str:
    """Numbers and events without the ids, which a database counts on from one history to the next."""
    answers = Response.objects.order_by("id").values_list("survey__slug", "score", "comment", "answered_at")
    events = TicketEvent.objects.order_by("id").values_list(
        "ticket__number", "kind", "version", "cycle", "at", "by_name", "text"
    )
    dues = Deadline.objects.order_by("id").values_list("kind", "cycle", "due_at", "met_at", "breached_at")
    text = repr([list(rows) for rows in (answers, events, dues)])
    return hashlib.sha256(text.encode()).hexdigest()


def digest_of(seed: int) -> str:
    """Of a history that is undone again."""
    with transaction.atomic():
        make_history(seed)
        found = digest()
        transaction.set_rollback(True)
    return found


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Made]:
    with django_db_blocker.unblock(), transaction.atomic():
        first, other = digest_of(4), digest_of(5)
        yield Made(make_history(), first, digest(), other)
        transaction.set_rollback(True)


@pytest.fixture
def history(made: Made) -> Summary:
    return made.summary


def test_it_makes_the_same_history_of_the_same_seed_and_another_of_another(made: Made) -> None:
    assert made.again == made.first
    assert made.again != made.of_another_seed


def test_it_gives_every_ticket_an_owner_and_two_deadlines_per_cycle(history: Summary) -> None:
    assert history.tickets > 5
    for ticket in Ticket.objects.filter(merged_into=None).prefetch_related("deadlines"):
        kinds = sorted((row.cycle, row.kind) for row in ticket.deadlines.all())
        expected = [(n, kind) for n in range(1, ticket.cycle + 1) for kind in ("first_contact", "resolution")]
        assert ticket.owner_id
        assert kinds == expected


def test_it_numbers_the_events_of_a_ticket_without_a_gap_and_in_order_of_time(history: Summary) -> None:
    for ticket in Ticket.objects.prefetch_related("events"):
        events = list(ticket.events.all())
        assert [event.version for event in events] == list(range(1, ticket.version + 1))
        assert [event.at for event in events] == sorted(event.at for event in events)


def test_it_leaves_nothing_of_the_future_and_nothing_untriaged(history: Summary) -> None:
    assert not TicketEvent.objects.filter(at__gt=UNTIL).exists()
    assert not Response.objects.filter(answered_at__gt=UNTIL).exists()
    assert not Response.objects.filter(triaged_at=None).exists()


def test_it_opens_a_ticket_for_every_low_score(history: Summary) -> None:
    low = Response.objects.filter(band="detractor")

    assert low.exists()
    assert not low.filter(ticket_link=None).exists()


def test_it_queues_no_message_and_records_each_as_handed_over_in_its_time(history: Summary) -> None:
    assert history.messages > 10
    assert not Message.objects.filter(state__in=[Message.QUEUED, Message.SENDING]).exists()
    assert not DeliveryAttempt.objects.exclude(provider="simulated").exists()
    assert not Message.objects.exclude(finished_at__gte=F("created_at")).exists()
    assert DeliveryAttempt.objects.count() == Message.objects.count()


def test_it_wakes_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[object] = []
    monkeypatch.setattr(celery.current_app, "send_task", lambda *args, **kwargs: sent.append(args))
    with nudges.silenced():
        nudges.nudge("messages", 1)
    assert sent == []

    nudges.nudge("messages", 1)
    assert len(sent) == 1


def test_it_leaves_work_of_every_kind(history: Summary) -> None:
    kinds = set(TicketEvent.objects.values_list("kind", flat=True))

    assert {"opened", "contacted", "callback_booked", "resolved", "resurvey_asked", "outcome"} <= kinds
    lately = Ticket.objects.filter(opened_at__gte=UNTIL - timedelta(days=18), merged_into=None)
    assert lately.in_work().count() > lately.count() / 2
    assert Goodwill.objects.filter(state=Goodwill.PROPOSED).exists()
    assert Request.objects.filter(state=Request.OPEN, due_at__lt=UNTIL).exists()
    assert Message.objects.filter(state__in=Message.NEEDS_A_PERSON).count() == 2


def test_it_begins_two_hold_outs_in_their_time_and_plans_a_third(history: Summary) -> None:
    rows = HoldOut.objects.order_by("pk")
    assert [row.state for row in rows] == [HoldOut.RUNNING, HoldOut.RUNNING, HoldOut.DRAFT]
    begun = [row.started_at for row in rows if row.started_at]
    assert len(begun) == 2
    assert all(UNTIL - timedelta(days=30) < at < UNTIL for at in begun)
    assert HoldOutDraw.objects.exists()


def test_nobody_works_on_what_the_lot_leaves_for_later(history: Summary) -> None:
    for draw in HoldOutDraw.objects.filter(side=HoldOutDraw.LATER).select_related("ticket"):
        released = draw.released_at or UNTIL
        early = draw.ticket.events.filter(at__gt=draw.at, at__lt=released, by__isnull=False)
        assert not early.filter(at__lt=draw.ticket.waits.earliest("pk").resume_at).exists()


def test_it_comes_to_its_end_as_it_was_before(history: Summary) -> None:
    """No more answers a day in the last six days than chance makes of as many as before."""
    last = Response.objects.filter(answered_at__gte=UNTIL - timedelta(days=6)).count()
    before = Response.objects.filter(answered_at__lt=UNTIL - timedelta(days=6)).count() / 24 * 6
    assert last < before + 3 * before**0.5


def test_it_calls_nearly_nobody_at_night_by_their_own_clock(history: Summary) -> None:
    calls = list(Contact.objects.filter(channel="phone").select_related("ticket__customer"))
    hours = [each.at.astimezone(each.ticket.customer.zone).hour for each in calls if each.ticket.customer]
    assert len(hours) > 5
    assert all(8 <= hour <= 20 for hour in hours)


def test_it_changes_the_scale_of_one_survey_and_leaves_each_answer_on_its_own(history: Summary) -> None:
    former = FormerScale.objects.get()
    assert UNTIL - timedelta(days=30) < former.until < UNTIL
    assert (former.highest, former.survey.highest) == (7, 5)
    given = Response.objects.filter(survey=former.survey).exclude(score=None)
    assert not given.filter(answered_at__gte=former.until, score__gt=5).exists()
    assert band_again(former.survey) == 0


def test_it_refuses_a_database_with_tickets(history: Summary) -> None:
    before = Ticket.objects.count()

    with pytest.raises(CommandError, match="already"):
        call_command("simulate", months=1, seed=4)

    assert Ticket.objects.count() == before
