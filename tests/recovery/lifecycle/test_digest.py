"""What came late is told once: one message to each colleague, in their language and time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recovery.catch_up import LATE
from recovery.lifecycle import (
    announce_callback,
    book_callback,
    climb,
    digest,
    resolve,
    send_digest,
)
from recovery.models import Callback, Deadline, DigestLine, StaffProfile, Ticket
from recovery.models.policy import FIRST_CONTACT
from recovery.triage import triage
from surveys.models import Message
from tests.due import due
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast, make_user

# First contact of a P3 ticket opened on Monday at 10:00; told to the manager two hours of work later.
DUE = MONDAY + 4 * HOUR
LATER = DUE + 6 * HOUR


@pytest.fixture
def missed(cast: Cast) -> Ticket:
    """Li Na promised a call at 15:00 the customer's time; it is 20:00, and nobody said so."""
    ticket = cast.ticket(customer=cast.customer("Zhang Wei"))
    return book_callback(
        ticket, by=cast.lina, at=MONDAY, local_time="2026-03-02T15:00", time_zone="Asia/Shanghai"
    )


def announce_all(at: datetime) -> None:
    for pk in due("callbacks", at):
        announce_callback(pk, at=at)


def line(user: User, ticket: Ticket, number: int, at: datetime = MONDAY, **facts: object) -> DigestLine:
    return DigestLine.objects.create(
        dedup_key=f"{user.pk}:{number}",
        user=user,
        ticket=ticket,
        kind="ticket_escalated",
        facts={
            "deadline": FIRST_CONTACT,
            "level": 1,
            "late": True,
            "due_at": (at - number * MINUTE).isoformat(),
            **facts,
        },
        due_at=at,
        at=at,
    )


def test_a_late_notice_is_a_line_and_no_message(cast: Cast, missed: Ticket) -> None:
    announce_all(LATER)
    found = DigestLine.objects.get()
    assert (found.user, found.ticket, found.kind) == (cast.lina, missed, "callback_due")
    assert (found.due_at, found.at, found.told_at) == (DUE + HOUR, LATER, None)
    assert not Message.objects.filter(kind="callback_due").exists()


@pytest.mark.parametrize(("late", "lines"), [(LATE, 0), (LATE + MINUTE, 1)])
def test_up_to_a_quarter_of_an_hour_is_no_lateness(
    cast: Cast, missed: Ticket, late: timedelta, lines: int
) -> None:
    announce_all(DUE + HOUR + late)
    assert DigestLine.objects.count() == lines
    assert Message.objects.filter(kind="callback_due").count() == 1 - lines


def test_one_message_says_it_all(cast: Cast, missed: Ticket) -> None:
    other = cast.ticket(customer=cast.customer("Wang Fang"))
    Ticket.objects.update(owner=cast.wu)
    announce_all(LATER)
    for row in Deadline.objects.filter(kind=FIRST_CONTACT).order_by("pk"):
        climb(row.pk, at=LATER)
    assert send_digest(cast.lina.pk, at=LATER) is None
    message = send_digest(cast.wu.pk, at=LATER)
    assert message is not None
    assert message.subject == "3 things waited for you"
    lines = [each.strip() for each in message.text.splitlines() if each.strip()]
    why = [
        "You get this because you are above the supervisor of East. "
        "Level 2 of the policy “Standard”, 120 working minutes after the deadline.",
    ]
    assert lines == [
        "These fell due outside your working time, or when nothing could be sent. "
        "Here they are once, together.",
        "Times are those of Asia/Shanghai.",
        "Callbacks missed",
        f"- {missed.number}, Zhang Wei: promised for Mon 2 Mar 15:00 "
        "(15:00 where the customer is, Asia/Shanghai)",
        "You get this because you own the ticket.",
        f"{base()}/tickets/{missed.number}/",
        "Deadlines passed",
        f"- {missed.number}, Zhang Wei: first contact, level 2, late since Mon 2 Mar 14:00",
        *why,
        f"{base()}/tickets/{missed.number}/",
        f"- {other.number}, Wang Fang: first contact, level 2, late since Mon 2 Mar 14:00",
        *why,
        f"{base()}/tickets/{other.number}/",
        f"All that waits for you: {base()}/overdue/",
        "Each line says why you get it. What is promised to a customer, or urgent, is told at any hour.",
    ]
    for said in ("Callbacks missed", "Deadlines passed", "Wang Fang", f"/tickets/{other.number}/"):
        assert said in message.html


def base() -> str:
    return str(settings.PUBLIC_URL)


def test_it_speaks_the_time_of_who_reads_it(cast: Cast, missed: Ticket) -> None:
    StaffProfile.objects.filter(user=cast.lina).update(time_zone="Europe/London", locale="zh-hans")
    announce_all(LATER)
    message = send_digest(cast.lina.pk, at=LATER)
    assert message is not None
    assert message.locale == "zh-hans"
    assert "Europe/London" in message.text
    assert "07:00" in message.text
    assert f"{base()}/desk/" in message.text


def test_a_summer_night_is_told_in_the_hour_it_was(cast: Cast) -> None:
    """Booked for 2:30 in the night whose clocks go back in Berlin: the first half past two."""
    StaffProfile.objects.filter(user=cast.lina).update(time_zone="Europe/Berlin")
    night = datetime.fromisoformat("2026-10-25T00:30:00+00:00")
    book_callback(
        cast.ticket(), by=cast.lina, at=MONDAY, local_time="2026-10-25T02:30", time_zone="Europe/Berlin"
    )
    assert due("callbacks", night - MINUTE) == []
    announce_all(night + HOUR)
    assert DigestLine.objects.get().due_at == night
    message = send_digest(cast.lina.pk, at=night + HOUR)
    assert message is not None
    assert "promised for Sun 25 Oct 02:30 (02:30 where the customer is, Europe/Berlin)" in message.text


def test_tickets_that_came_out_of_a_heap_are_told_together(cast: Cast) -> None:
    for number in range(3):
        triage(cast.response(2, customer=cast.customer(f"Person {number}")).pk, at=MONDAY + HOUR)
    Ticket.objects.update(owner=cast.lina)
    DigestLine.objects.update(user=cast.lina)
    assert not Message.objects.filter(kind="ticket_assigned").exists()
    message = send_digest(cast.lina.pk, at=MONDAY + HOUR)
    assert message is not None
    assert "Person 2: new, answered Mon 2 Mar 10:00" in message.text


def test_an_answer_triaged_at_once_is_told_at_once(cast: Cast) -> None:
    triage(cast.response(2, customer=cast.customer()).pk, at=MONDAY)
    assert Message.objects.filter(kind="ticket_assigned").count() == 1
    assert not DigestLine.objects.exists()


def test_an_old_answer_changed_just_now_is_told_at_once(cast: Cast) -> None:
    response = cast.response(2, customer=cast.customer(), at=MONDAY - DAY)
    response.versions.create(score=9, band="promoter", replaced_at=MONDAY)
    triage(response.pk, at=MONDAY)
    assert Message.objects.filter(kind="ticket_assigned").count() == 1


def test_a_second_low_answer_out_of_a_heap_is_a_line(cast: Cast) -> None:
    ticket = cast.ticket()
    triage(cast.response(1, customer=ticket.customer).pk, at=MONDAY + HOUR)
    message = send_digest(ticket.owner.pk, at=MONDAY + HOUR)
    assert message is not None
    assert f"{ticket.number}, Zhang Wei: another low score, Mon 2 Mar 10:00" in message.text


def test_a_low_outcome_out_of_a_heap_is_a_line(cast: Cast) -> None:
    ticket = resolve(cast.ticket(), by=cast.lina, at=MONDAY, cause_found=cast.late, what_was_done="x")
    triage(cast.response(1, customer=ticket.customer).pk, at=MONDAY + HOUR)
    message = send_digest(ticket.owner.pk, at=MONDAY + HOUR)
    assert message is not None
    assert f"{ticket.number}, Zhang Wei: open again, answered Mon 2 Mar 10:00" in message.text


def test_the_most_urgent_are_shown_and_the_rest_counted(cast: Cast) -> None:
    ticket = cast.ticket()
    for number in range(digest.MOST_LINES + 7):
        line(cast.chen, ticket, number)
    line(cast.chen, ticket, 999, level=2)
    message = send_digest(cast.chen.pk, at=MONDAY)
    assert message is not None
    assert message.subject == f"{digest.MOST_LINES + 8} things waited for you"
    assert message.text.count(ticket.number + ",") == digest.MOST_LINES
    assert message.text.index("level 2") < message.text.index("level 1")
    assert f"and 8 more: {base()}/overdue/" in message.text
    assert not DigestLine.objects.filter(told_at=None).exists()


def test_it_asks_as_much_of_the_database_for_many_lines_as_for_few(cast: Cast) -> None:
    tickets = [cast.ticket() for _each in range(20)]

    def queries(user: User, many: int) -> int:
        for number in range(many):
            line(user, tickets[number % 20], number)
        with CaptureQueriesContext(connection) as seen:
            send_digest(user.pk, at=MONDAY)
        return len(seen)

    assert queries(cast.chen, 2) == queries(cast.wu, 40) <= 15


def test_lines_told_are_not_told_again(cast: Cast, missed: Ticket) -> None:
    announce_all(LATER)
    assert send_digest(cast.lina.pk, at=LATER) is not None
    assert send_digest(cast.lina.pk, at=LATER + MINUTE) is None
    assert due("digests", LATER + DAY) == []
    told = DigestLine.objects.get()
    assert (told.told_at, told.message) == (LATER, Message.objects.get(kind="digest"))


def test_what_comes_later_is_another_digest(cast: Cast, missed: Ticket) -> None:
    announce_all(LATER)
    send_digest(cast.lina.pk, at=LATER)
    line(cast.lina, missed, 1, at=LATER + DAY)
    assert due("digests", LATER + DAY + LATE) == [cast.lina.pk]
    message = send_digest(cast.lina.pk, at=LATER + DAY + LATE)
    assert message is not None
    assert "Zhang Wei: promised" not in message.text
    assert Message.objects.filter(kind="digest").count() == 2


def test_whoever_lost_their_address_is_not_waited_for(cast: Cast, missed: Ticket) -> None:
    announce_all(LATER)
    User.objects.filter(pk=cast.lina.pk).update(email="")
    assert due("digests", LATER + DAY) == [cast.lina.pk]
    assert send_digest(cast.lina.pk, at=LATER + DAY) is None
    assert due("digests", LATER + DAY) == []


class TestWhenItIsDue:
    def test_not_before_the_heap_is_worked_off(self, cast: Cast, missed: Ticket) -> None:
        line(cast.majun, missed, 1, at=LATER)
        Deadline.objects.update(next_step_at=None)
        assert due("digests", LATER) == []
        announce_all(LATER)
        assert sorted(due("digests", LATER)) == sorted([cast.lina.pk, cast.majun.pk])

    @pytest.mark.parametrize("heap", ["triage", "callbacks", "deadlines"])
    def test_each_kind_that_is_told_late_is_waited_for(self, cast: Cast, heap: str) -> None:
        ticket = cast.ticket()
        Deadline.objects.update(next_step_at=None)
        line(cast.chen, ticket, 1, at=LATER)
        assert due("digests", LATER) == [cast.chen.pk]
        if heap == "triage":
            cast.response(2)
        elif heap == "deadlines":
            Deadline.objects.filter(kind=FIRST_CONTACT).update(next_step_at=DUE)
        else:
            Callback.objects.create(ticket=ticket, cycle=1, time_zone="UTC", due_at=DUE)
        assert due("digests", LATER) == []

    def test_what_is_just_due_is_not_waited_for(self, cast: Cast, missed: Ticket) -> None:
        Deadline.objects.update(next_step_at=LATER)
        Callback.objects.update(due_at=LATER)
        line(cast.chen, missed, 1, at=LATER)
        assert due("digests", LATER) == [cast.chen.pk]

    def test_a_row_that_cannot_be_worked_off_holds_it_up_for_a_quarter_of_an_hour(
        self, cast: Cast, missed: Ticket
    ) -> None:
        line(cast.chen, missed, 1, at=LATER)
        assert due("digests", LATER + LATE - MINUTE) == []
        assert due("digests", LATER + LATE) == [cast.chen.pk]


def test_a_worker_that_dies_before_its_commit_has_told_nothing(
    cast: Cast, missed: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce_all(LATER)

    def die(name: str) -> None:
        raise SystemExit(name)

    with monkeypatch.context() as patched:
        patched.setattr(digest, "failpoint", die)
        with pytest.raises(SystemExit, match="digest_told"):
            send_digest(cast.lina.pk, at=LATER)
    assert not Message.objects.filter(kind="digest").exists()
    assert due("digests", LATER + LATE) == [cast.lina.pk]
    assert send_digest(cast.lina.pk, at=LATER + LATE) is not None


@pytest.mark.django_db(transaction=True)
def test_of_eight_workers_one_tells(transactional_db: None) -> None:
    cast = Cast()
    ticket, gate = cast.ticket(), Barrier(8)
    reader = make_user("reader", "supervisor")
    for number in range(30):
        line(reader, ticket, number)

    def work(_number: int) -> Message | None:
        try:
            gate.wait()
            return send_digest(reader.pk, at=MONDAY)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        told = [each for each in pool.map(work, range(8)) if each]
    assert len(told) == Message.objects.filter(kind="digest").count() == 1
    assert DigestLine.objects.filter(message=told[0]).count() == 30
