"""What the cadence proposes after attempts that reached nobody. The cast's Monday, 10:00 in Shanghai."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command

from recovery.lifecycle import Proposal, book_callback, log_contact, proposal_after, reopen, resolve
from recovery.lifecycle.calling_hours import AFTER_DEADLINE, OUTSIDE_WINDOW, CallingHours
from recovery.models import Cadence, CadenceStep, CalendarDay, Ticket
from recovery.models.default_cadence import keep_a_default
from surveys.models import SendingRules
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast


def tried(
    ticket: Ticket, cast: Cast, *outcomes: str, at: datetime = MONDAY, channel: str = "phone"
) -> Ticket:
    """These attempts, a minute apart, the last one at `at`."""
    for back, outcome in zip(range(len(outcomes) - 1, -1, -1), outcomes, strict=True):
        ticket = log_contact(ticket, by=cast.lina, at=at - back * MINUTE, outcome=outcome, channel=channel)
    return ticket


def proposed(ticket: Ticket, at: datetime = MONDAY) -> Proposal:
    found = proposal_after(ticket, at)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("outcomes", "local_time"),
    [
        (["no_answer"], "2026-03-02T15:00"),
        (["no_answer", "no_answer"], "2026-03-03T09:00"),
        (["voicemail"], "2026-03-03T09:00"),
        (["wrong_number"], "2026-03-02T10:30"),
        (["refused"], "2026-03-09T09:00"),
    ],
)
def test_the_outcome_decides_when_the_next_attempt_is(
    cast: Cast, outcomes: list[str], local_time: str
) -> None:
    found = proposed(tried(cast.ticket(), cast, *outcomes))
    assert (found.local_time, found.time_zone) == (local_time, "Asia/Shanghai")
    assert (found.outcome, found.attempts) == (outcomes[-1], len(outcomes))


@pytest.mark.parametrize("outcome", ["reached", "replied"])
def test_it_proposes_nothing_to_a_customer_who_was_heard(cast: Cast, outcome: str) -> None:
    assert proposal_after(tried(cast.ticket(), cast, "no_answer", outcome), MONDAY) is None


def test_it_counts_from_when_the_customer_was_last_heard(cast: Cast) -> None:
    assert proposed(tried(cast.ticket(), cast, "no_answer", "reached", "no_answer")).attempts == 1


def test_it_counts_anew_in_a_new_cycle(cast: Cast) -> None:
    ticket = tried(cast.ticket(), cast, "no_answer", "no_answer")
    ticket = resolve(ticket, by=cast.lina, at=MONDAY, cause_found=cast.late, what_was_done="Sent")
    ticket = reopen(ticket, by=cast.lina, at=MONDAY, reason="Never came")
    assert proposal_after(ticket, MONDAY) is None
    assert proposed(tried(ticket, cast, "no_answer")).attempts == 1


def test_it_proposes_nothing_before_an_attempt_nor_beside_a_booked_callback(cast: Cast) -> None:
    assert proposal_after(cast.ticket(), MONDAY) is None
    ticket = tried(cast.ticket(), cast, "no_answer")
    ticket = book_callback(
        ticket, by=cast.lina, at=MONDAY, local_time="2026-03-02T16:00", time_zone="Asia/Shanghai"
    )
    assert proposal_after(ticket, MONDAY) is None


# --- the hours ---


def test_an_afternoon_that_is_all_but_over_is_tomorrows(cast: Cast) -> None:
    at = MONDAY + 4 * HOUR + MINUTE
    assert proposed(tried(cast.ticket(), cast, "no_answer", at=at), at).local_time == "2026-03-03T15:00"


@pytest.mark.parametrize(
    ("wished", "local_time"), [("morning", "2026-03-03T09:00"), ("afternoon", "2026-03-02T15:00")]
)
def test_it_keeps_to_the_part_of_the_day_the_customer_wished_for(
    cast: Cast, wished: str, local_time: str
) -> None:
    ticket = cast.ticket(customer=cast.customer(preferred_time=wished))
    found = proposed(tried(ticket, cast, "no_answer"))
    assert found.local_time == local_time
    assert OUTSIDE_WINDOW not in [each.code for each in found.concerns]


def test_what_was_wished_with_the_answer_comes_before_what_is_usual(cast: Cast) -> None:
    ticket = cast.ticket(customer=cast.customer(preferred_time="afternoon"), contact_time="morning")
    assert proposed(tried(ticket, cast, "no_answer")).local_time == "2026-03-03T09:00"


def test_a_wish_the_team_is_never_open_for_is_said_and_another_time_proposed(cast: Cast) -> None:
    ticket = cast.ticket(customer=cast.customer(preferred_time="evening"))
    found = proposed(tried(ticket, cast, "no_answer"))
    assert found.local_time == "2026-03-02T15:00"
    assert OUTSIDE_WINDOW in [each.code for each in found.concerns]


def test_it_is_a_time_on_the_customers_clock(cast: Cast) -> None:
    """Paris is seven hours behind: it is three at night there, and the team leaves at ten in the morning."""
    ticket = cast.ticket(customer=cast.customer(time_zone="Europe/Paris"))
    found = proposed(tried(ticket, cast, "no_answer"))
    assert (found.local_time, found.time_zone) == ("2026-03-03T08:00", "Europe/Paris")
    assert found.due_at == datetime(2026, 3, 3, 7, 0, tzinfo=UTC)


def test_it_passes_over_closed_days_and_holidays(cast: Cast) -> None:
    CalendarDay.objects.create(calendar=cast.calendar, date="2026-03-03", name="Lantern festival")
    assert proposed(tried(cast.ticket(), cast, "voicemail")).local_time == "2026-03-04T09:00"
    friday = MONDAY + 4 * DAY
    late = tried(cast.ticket(at=friday), cast, "voicemail", at=friday)
    assert proposed(late, friday).local_time == "2026-03-09T09:00"


def test_it_never_calls_into_quiet_hours(cast: Cast) -> None:
    SendingRules.objects.create(quiet_from=time(14), quiet_until=time(16, 30))
    assert proposed(tried(cast.ticket(), cast, "no_answer")).local_time == "2026-03-02T16:30"


def test_it_proposes_nothing_where_no_good_time_exists(cast: Cast) -> None:
    SendingRules.objects.create(quiet_from=time(8), quiet_until=time(20))
    assert proposal_after(tried(cast.ticket(), cast, "no_answer"), MONDAY) is None


def test_it_leaves_the_owner_a_quarter_of_an_hour_for_each_call(cast: Cast) -> None:
    other = tried(cast.ticket(), cast, "no_answer")
    Ticket.objects.filter(pk=other.pk).update(owner=cast.lina)
    other.refresh_from_db()
    log_contact(other, by=cast.lina, at=MONDAY, outcome="no_answer", book_next=False)
    book_callback(
        Ticket.objects.get(pk=other.pk),
        by=cast.lina,
        at=MONDAY,
        local_time="2026-03-02T15:00",
        time_zone="Asia/Shanghai",
    )
    ticket = cast.ticket()
    Ticket.objects.filter(pk=ticket.pk).update(owner=cast.lina)
    found = proposed(tried(Ticket.objects.get(pk=ticket.pk), cast, "no_answer"))
    assert found.local_time == "2026-03-02T15:15"


def test_it_says_when_the_time_lies_after_the_deadline(cast: Cast) -> None:
    """P1: the first contact is due an hour after the ticket opened."""
    found = proposed(tried(cast.ticket(priority=1), cast, "no_answer"))
    [concern] = found.concerns
    assert (concern.code, concern.at) == (AFTER_DEADLINE, MONDAY + HOUR)


# --- channel, and the end ---


def test_after_three_attempts_by_one_channel_it_is_another(cast: Cast) -> None:
    ticket = tried(cast.ticket(), cast, "no_answer", "no_answer")
    assert (proposed(ticket).channel, proposed(ticket).why) == ("phone", "again")
    ticket = tried(ticket, cast, "no_answer")
    assert (proposed(ticket).channel, proposed(ticket).why) == ("email", "other_channel")


def test_a_channel_nobody_has_an_address_for_is_not_proposed(cast: Cast) -> None:
    customer = cast.customer(email="")
    ticket = tried(cast.ticket(customer=customer), cast, "no_answer", "no_answer", "no_answer")
    assert proposed(ticket).channel == "phone"


def test_a_wrong_number_is_neither_called_nor_texted_again(cast: Cast) -> None:
    ticket = cast.ticket(customer=cast.customer(phone="+8613800000001", preferred_channel="sms"))
    assert proposed(tried(ticket, cast, "wrong_number")).channel == "email"


def test_who_does_not_want_to_talk_is_written_to(cast: Cast) -> None:
    assert proposed(tried(cast.ticket(), cast, "refused")).channel == "email"


def test_after_six_attempts_it_says_to_give_up(cast: Cast) -> None:
    ticket = tried(cast.ticket(), cast, *["no_answer"] * 5)
    assert not proposed(ticket).gives_up
    found = proposed(tried(ticket, cast, "voicemail"))
    assert found.gives_up
    assert (found.attempts, found.due_at) == (6, None)


# --- whose cadence ---


def make_cadence(**step: Any) -> Cadence:
    cadence = Cadence.objects.create(name="Gold", other_channel_after=1, unreachable_after=2)
    CadenceStep.objects.create(cadence=cadence, outcome="no_answer", **step)
    return cadence


def test_the_policys_own_cadence_comes_before_the_default(cast: Cast) -> None:
    cast.policy.cadence = make_cadence(when="minutes", minutes=20)
    cast.policy.save()
    ticket = tried(cast.ticket(), cast, "no_answer")
    assert (proposed(ticket).local_time, proposed(ticket).channel) == ("2026-03-02T10:20", "email")
    assert proposal_after(tried(cast.ticket(), cast, "voicemail"), MONDAY) is None
    assert proposed(tried(ticket, cast, "no_answer")).gives_up


def test_without_a_cadence_nothing_is_proposed(cast: Cast) -> None:
    Cadence.objects.all().delete()
    assert proposal_after(tried(cast.ticket(), cast, "no_answer"), MONDAY) is None


def test_good_times_are_the_same_whatever_the_clocks_do(cast: Cast) -> None:
    """Berlin sets its clocks forward on 29 March; nine o'clock there stays nine o'clock."""
    before = datetime(2026, 3, 27, 7, 0, tzinfo=UTC)
    ticket = cast.ticket(customer=cast.customer(time_zone="Europe/Berlin"), at=before)
    hours = CallingHours(ticket, before)
    found = hours.next_good(before + timedelta(days=3))
    assert found is not None
    assert f"{found[0].astimezone(hours.zone):%a %H:%M}" == "Mon 09:00"


@pytest.mark.django_db(transaction=True)
def test_emptying_a_database_leaves_the_default() -> None:
    Cadence.objects.all().delete()
    call_command("flush", interactive=False, verbosity=0)
    assert Cadence.objects.get().steps.exists()


def test_there_is_a_default_again_once_a_database_was_emptied_and_none_beside_ones_own(db: None) -> None:
    Cadence.objects.all().delete()
    keep_a_default()
    assert Cadence.objects.get().is_default
    Cadence.objects.update(is_default=False)
    keep_a_default(apps)
    assert Cadence.objects.count() == 1
