"""Everybody is told in their own working time, but for what is promised, urgent, or asked by a person."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils import translation

from dispatch import engine
from recovery.apps import NOTICES
from recovery.catch_up import POLICIES
from recovery.lifecycle import assign, book_callback, escalate, log_contact
from recovery.lifecycle.notices import tell
from recovery.lifecycle.own_time import opens_for
from recovery.models import (
    Calendar,
    CalendarDay,
    Deadline,
    DigestLine,
    Escalation,
    EscalationStep,
    Leave,
    StaffProfile,
    Ticket,
)
from recovery.models.policy import FIRST_CONTACT
from surveys.models import Message
from tests.due import due, fail, run_all, take_step
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast, make_calendar, make_user

DUE = MONDAY + 4 * HOUR
SHANGHAI, LONDON, NEW_YORK = (
    ZoneInfo(name) for name in ("Asia/Shanghai", "Europe/London", "America/New_York")
)


def at(zone: ZoneInfo, day: int, hour: int, minute: int = 0) -> datetime:
    """In March 2026; the 2nd is a Monday, the 7th a Saturday."""
    return datetime(2026, 3, day, hour, minute, tzinfo=zone).astimezone(UTC)


def work_off(moment: datetime) -> None:
    """Everything due but the sending itself."""
    names = [name for name in POLICIES if name != "messages"]
    engine.drain(lambda: moment, holder="test", names=names, on_error=fail)


def works_by(user: User, calendar: Calendar) -> None:
    StaffProfile.objects.filter(user=user).update(calendar=calendar)


def always(cast: Cast) -> None:
    """The East and the region are open round the clock; its people are not."""
    office = cast.calendar
    cast.east.calendar = cast.region.calendar = make_calendar(
        "Always", days=list(range(7)), opens=time(0), closes=time(0)
    )
    cast.east.save()
    cast.region.save()
    for user in (cast.lina, cast.majun, cast.chen, cast.wu):
        works_by(user, office)


def of_lina(cast: Cast, **fields: Any) -> Ticket:
    ticket = cast.ticket(**fields)
    Ticket.objects.filter(pk=ticket.pk).update(owner=cast.lina)
    ticket.refresh_from_db()
    return ticket


def texts(kind: str) -> dict[str, str]:
    rows = Message.objects.filter(kind=kind).order_by("id")
    return {row.user.username: row.text for row in rows if row.user}


class TestTheWeekend:
    """Round the clock in the East: a ticket of Friday 22:00 breaches at 02:00 on Saturday."""

    @pytest.fixture
    def breached(self, cast: Cast) -> Ticket:
        always(cast)
        ticket = of_lina(cast, at=at(SHANGHAI, 6, 22))
        Message.objects.all().delete()
        DigestLine.objects.all().delete()
        work_off(at(SHANGHAI, 7, 1, 30))  # Li Na is warned
        work_off(at(SHANGHAI, 7, 2))  # Chen Hao is told
        return ticket

    def test_the_breach_is_recorded_then(self, breached: Ticket) -> None:
        row = breached.deadlines.get(kind=FIRST_CONTACT)
        assert row.breached_at == at(SHANGHAI, 7, 2)
        event = breached.events.get(kind="escalated", data__level=1)
        assert (event.at, event.data["to"], event.data["late"]) == (at(SHANGHAI, 7, 2), "Chen Hao", True)
        assert Escalation.objects.get(ticket=breached, level=1).at == at(SHANGHAI, 7, 2)

    def test_it_is_told_when_the_persons_week_opens(self, cast: Cast, breached: Ticket) -> None:
        line = DigestLine.objects.get(user=cast.chen)
        assert (line.at, line.send_at) == (at(SHANGHAI, 7, 2), at(SHANGHAI, 9, 9))
        work_off(at(SHANGHAI, 7, 2, 30))
        work_off(at(SHANGHAI, 9, 8, 59))
        assert not Message.objects.filter(kind__in=["digest", "ticket_escalated"]).exists()
        work_off(at(SHANGHAI, 9, 9))
        text = texts("digest")["chen"]
        assert f"{breached.number}, Zhang Wei: first contact, level 1, late since Sat 7 Mar 02:00" in text
        assert "You get this because you supervise East." in text
        assert "Level 1 of the policy “Standard”, at the deadline." in text

    def test_each_gets_one_digest_and_no_other_mail(self, cast: Cast, breached: Ticket) -> None:
        work_off(at(SHANGHAI, 7, 4))
        work_off(at(SHANGHAI, 9, 9))
        found = Message.objects.exclude(kind="weekly").values_list("user__username", "kind")
        assert sorted(found) == [("chen", "digest"), ("lina", "digest"), ("wu", "digest")]
        assert not DigestLine.objects.filter(told_at=None).exists()

    def test_a_warning_that_was_overtaken_is_told_as_passed(self, cast: Cast, breached: Ticket) -> None:
        work_off(at(SHANGHAI, 9, 9))
        text = texts("digest")["lina"]
        assert "Deadlines due soon" not in text
        assert "late since Sat 7 Mar 02:00" in text

    def test_a_warning_of_what_was_settled_meanwhile_is_told_to_nobody(
        self, cast: Cast, breached: Ticket
    ) -> None:
        breached.refresh_from_db()
        log_contact(breached, by=cast.majun, at=at(SHANGHAI, 8, 12), outcome="reached")
        work_off(at(SHANGHAI, 9, 9))
        assert "lina" not in texts("digest")
        assert not DigestLine.objects.filter(told_at=None).exists()

    def test_a_person_elsewhere_is_told_when_their_own_week_opens(self, cast: Cast) -> None:
        always(cast)
        works_by(cast.chen, make_calendar("London", "Europe/London"))
        of_lina(cast, at=at(SHANGHAI, 6, 22))
        work_off(at(SHANGHAI, 7, 2))
        assert DigestLine.objects.get(user=cast.chen).send_at == at(LONDON, 9, 9)
        work_off(at(SHANGHAI, 9, 9))
        assert "chen" not in texts("digest")
        work_off(at(LONDON, 9, 9))
        assert "chen" in texts("digest")

    def test_it_goes_out_through_every_sweep(self, cast: Cast) -> None:
        """From the answer to the mail in the box, with nothing but the dispatcher."""
        always(cast)
        of_lina(cast, at=at(SHANGHAI, 6, 22))
        Message.objects.all().delete()
        for moment in (at(SHANGHAI, 7, 2), at(SHANGHAI, 9, 8, 59)):
            run_all(moment)
        assert mail.outbox == []
        run_all(at(SHANGHAI, 9, 9))
        assert "1 thing waited for you" in [each.subject for each in mail.outbox if "chen" in each.to[0]]


class TestAtOnce:
    def test_an_urgent_step_is_told_at_any_hour(self, cast: Cast) -> None:
        EscalationStep.objects.filter(level=1).update(urgent=True)
        always(cast)
        of_lina(cast, at=at(SHANGHAI, 6, 22))
        work_off(at(SHANGHAI, 7, 1, 30))
        work_off(at(SHANGHAI, 7, 2))
        assert set(texts("ticket_escalated")) == {"chen"}
        assert not DigestLine.objects.filter(user=cast.chen).exists()

    def test_a_promised_call_is_told_at_any_hour(self, cast: Cast) -> None:
        ticket = of_lina(cast)
        book_callback(
            ticket, by=cast.lina, at=MONDAY, local_time="2026-03-02T21:00", time_zone="Asia/Shanghai"
        )
        work_off(at(SHANGHAI, 2, 21))
        assert "Promised for 21:00" in texts("callback_due")["lina"]

    def test_help_asked_by_a_person_is_told_at_any_hour(self, cast: Cast) -> None:
        escalate(of_lina(cast), by=cast.lina, at=at(SHANGHAI, 2, 23), reason="They stand at the door")
        assert "They stand at the door" in texts("ticket_escalated")["chen"]

    def test_a_ticket_given_by_hand_at_night_waits_for_the_morning(self, cast: Cast) -> None:
        ticket = of_lina(cast)
        assign(ticket, by=cast.chen, at=at(SHANGHAI, 2, 23), to=cast.majun)
        assert "majun" not in texts("ticket_assigned")
        work_off(at(SHANGHAI, 3, 9))
        text = texts("digest")["majun"]
        assert f"{ticket.number}, Zhang Wei: given to you by Chen Hao, Mon 2 Mar 23:00" in text
        assert "You get this because you own the ticket." in text

    def test_one_given_by_day_is_told_at_once(self, cast: Cast) -> None:
        assign(of_lina(cast), by=cast.chen, at=MONDAY, to=cast.majun)
        assert "majun" in texts("ticket_assigned")


class TestLeave:
    def test_a_low_score_again_is_told_to_who_covers(self, cast: Cast) -> None:
        ticket = of_lina(cast)
        away(cast.lina, MONDAY, MONDAY + 5 * DAY, cover=cast.majun)
        cast.response(1, customer=ticket.customer, at=MONDAY + HOUR)
        work_off(MONDAY + HOUR)
        text = texts("ticket_absorbed")["majun"]
        assert "You get this because you stand in for Li Na." in text
        assert "lina" not in texts("ticket_absorbed")

    def test_a_digest_waits_for_the_end_of_leave_ahead(self, cast: Cast) -> None:
        """Noted on Friday evening, on leave all the next week."""
        away(cast.chen, at(SHANGHAI, 9, 0), at(SHANGHAI, 14, 0))
        assert opens_for(cast.chen, at(SHANGHAI, 6, 18)) == at(SHANGHAI, 16, 9)

    def test_what_waits_on_the_eve_of_a_leave_is_told_to_who_covers_then(self, cast: Cast) -> None:
        away(cast.lina, at(SHANGHAI, 3, 0), at(SHANGHAI, 7, 0), cover=cast.majun)
        ticket = of_lina(cast)
        Ticket.objects.filter(pk=ticket.pk).update(owner=cast.chen)
        ticket.refresh_from_db()
        DigestLine.objects.all().delete()
        assign(ticket, by=cast.chen, at=at(SHANGHAI, 2, 22), to=cast.lina)
        line = DigestLine.objects.get()
        assert (line.user, line.send_at) == (cast.majun, at(SHANGHAI, 3, 9))
        assert (line.facts["recipient"], line.facts["stands_for"]) == ("cover", "Li Na")

    def test_the_cover_is_told_in_their_own_hours(self, cast: Cast) -> None:
        works_by(cast.majun, make_calendar("Late shift", opens=time(13), closes=time(21)))
        away(cast.lina, at(SHANGHAI, 3, 0), at(SHANGHAI, 7, 0), cover=cast.majun)
        tell(cast.lina, "ticket_absorbed", of_lina(cast), at(SHANGHAI, 2, 22), "x")
        line = DigestLine.objects.get(kind="ticket_absorbed")
        assert (line.user, line.send_at) == (cast.majun, at(SHANGHAI, 3, 13))

    def test_a_supervisor_on_leave_by_then_is_stood_in_for_by_who_is_above(self, cast: Cast) -> None:
        always(cast)
        away(cast.chen, at(SHANGHAI, 7, 0), at(SHANGHAI, 14, 0))
        of_lina(cast, at=at(SHANGHAI, 6, 22))
        work_off(at(SHANGHAI, 7, 2))
        line = DigestLine.objects.get(kind="ticket_escalated", facts__level=1)
        assert (line.user, line.send_at) == (cast.wu, at(SHANGHAI, 9, 9))
        assert line.facts["recipient"] == "manager"

    def test_where_nobody_stands_in_the_leave_keeps_nothing_back(self, cast: Cast) -> None:
        for user in (cast.chen, cast.wu):
            away(user, at(SHANGHAI, 3, 0), at(SHANGHAI, 14, 0))
        ticket = of_lina(cast)
        tell(cast.chen, "ticket_escalated", ticket, at(SHANGHAI, 2, 22), "x", recipient="supervisor")
        line = DigestLine.objects.get(kind="ticket_escalated")
        assert (line.user, line.send_at) == (cast.chen, at(SHANGHAI, 3, 9))


def away(user: User, starts_at: datetime, ends_at: datetime, cover: User | None = None) -> None:
    Leave.objects.create(user=user, starts_at=starts_at, ends_at=ends_at, cover=cover)


class TestWhenSomebodyWorks:
    def test_by_their_own_calendar_first(self, cast: Cast) -> None:
        works_by(cast.lina, make_calendar("Late shift", opens=time(13), closes=time(21)))
        assert opens_for(cast.lina, MONDAY) == at(SHANGHAI, 2, 13)

    def test_else_by_that_of_their_team_wherever_they_are(self, cast: Cast) -> None:
        assert opens_for(cast.ann, at(SHANGHAI, 2, 20)) == at(SHANGHAI, 3, 9)

    def test_else_by_that_of_the_team_they_supervise(self, cast: Cast) -> None:
        assert opens_for(cast.bob, at(SHANGHAI, 2, 20)) == at(SHANGHAI, 3, 9)

    def test_a_team_they_work_in_counts_before_one_they_supervise(self, cast: Cast) -> None:
        cast.west.calendar = make_calendar("West", "America/New_York")
        cast.west.supervisor = cast.lina
        cast.west.save()
        assert opens_for(cast.lina, at(SHANGHAI, 2, 20)) == at(SHANGHAI, 3, 9)

    def test_else_nine_to_five_where_they_are(self, cast: Cast) -> None:
        user = make_user("free", time_zone="America/New_York")
        assert opens_for(user, at(NEW_YORK, 6, 17)) == at(NEW_YORK, 9, 9)  # the clocks go forward on the 8th
        assert opens_for(user, at(NEW_YORK, 6, 16)) == at(NEW_YORK, 6, 16)

    def test_a_holiday_of_theirs_is_closed(self, cast: Cast) -> None:
        CalendarDay.objects.create(calendar=cast.calendar, date=datetime(2026, 3, 3).date())
        assert opens_for(cast.lina, at(SHANGHAI, 2, 20)) == at(SHANGHAI, 4, 9)

    def test_a_calendar_that_cannot_be_read_keeps_nothing_from_them(self, cast: Cast) -> None:
        works_by(cast.lina, Calendar.objects.create(name="Never open"))
        night = at(SHANGHAI, 2, 23)
        assert opens_for(cast.lina, night) == night


class TestTheDigest:
    def test_it_goes_out_with_the_first_line_that_may_be_told_and_takes_the_rest_along(
        self, cast: Cast
    ) -> None:
        ticket = of_lina(cast)
        assign(ticket, by=cast.chen, at=at(SHANGHAI, 2, 23), to=cast.majun)
        ticket.refresh_from_db()
        book_callback(
            ticket,
            by=cast.majun,
            at=at(SHANGHAI, 2, 23),
            local_time="2026-03-03T06:00",
            time_zone="Asia/Shanghai",
        )
        Deadline.objects.update(next_step_at=None)
        work_off(at(SHANGHAI, 3, 7))  # an outage: the call of six is missed
        text = texts("digest")["majun"]
        assert ("Callbacks missed" in text, "given to you by Chen Hao" in text) == (True, True)
        work_off(at(SHANGHAI, 3, 9))
        assert Message.objects.filter(kind="digest").count() == 1

    def test_a_step_that_comes_too_soon_tells_nothing(self, cast: Cast) -> None:
        assign(of_lina(cast), by=cast.chen, at=at(SHANGHAI, 2, 23), to=cast.majun)
        Deadline.objects.update(next_step_at=None)
        assert due("digests", at(SHANGHAI, 3, 8, 59)) == []
        take_step("digests", cast.majun.pk, at(SHANGHAI, 3, 8, 59))
        assert not Message.objects.filter(kind="digest").exists()
        assert due("digests", at(SHANGHAI, 3, 9)) == [cast.majun.pk]

    def test_every_kind_of_notice_has_a_line_in_words(self, cast: Cast) -> None:
        ticket = of_lina(cast)
        DigestLine.objects.create(
            dedup_key="x", user=cast.lina, ticket=ticket, kind="goodwill_to_approve", due_at=MONDAY, at=MONDAY
        )
        work_off(MONDAY)
        text = texts("digest")["lina"]
        assert f"{ticket.number}, Zhang Wei: {NOTICES['goodwill_to_approve']}, Mon 2 Mar 10:00" in text

    def test_in_chinese_too(self, cast: Cast) -> None:
        StaffProfile.objects.filter(user=cast.majun).update(locale="zh-hans")
        ticket = of_lina(cast)
        assign(ticket, by=cast.chen, at=at(SHANGHAI, 2, 23), to=cast.majun)
        work_off(at(SHANGHAI, 3, 9))
        message = Message.objects.get(kind="digest", user=cast.majun)
        assert message.locale == "zh-hans"
        with translation.override("zh-hans"):
            assert str(ticket.number) in message.text


class Refusing(EmailBackend):
    """A mail server that knows no Li Na."""

    def send_messages(self, messages: Any) -> int:
        from smtplib import SMTPRecipientsRefused

        for message in messages:
            if "lina" in message.to[0] or "chen" in message.to[0]:
                raise SMTPRecipientsRefused({message.to[0]: (550, b"No such user")})
        return super().send_messages(messages)


def test_a_notice_that_could_not_be_sent_hides_no_higher_level(cast: Cast, settings: Any) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.Refusing"
    ticket = of_lina(cast)
    for moment in (DUE - 30 * MINUTE, DUE, DUE + 2 * HOUR):
        run_all(moment)
    states = (
        Message.objects.filter(kind="ticket_escalated").order_by("id").values_list("user__username", "state")
    )
    assert [(name, state) for name, state in states][-1] == ("wu", "accepted")
    assert {state for name, state in states if name != "wu"} == {"rejected"}
    levels = Escalation.objects.filter(ticket=ticket).values_list("level", flat=True)
    assert list(levels) == [0, 1, 2]
    [told] = [each.to[0] for each in mail.outbox if "late" in each.subject]
    assert "wu@staff.example" in told
