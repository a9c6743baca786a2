"""The weekly mail: once, on the first morning of the supervisor's own week, with the numbers of the pages."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from recovery import lifecycle, weekly
from recovery.insight.recovery import Rate
from recovery.models import CalendarDay, Ticket, TicketEvent
from recovery.weekly import Then
from surveys.models import Message
from tests.due import due, take_step
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast, make_calendar

OPENS = MONDAY - HOUR  # nine o'clock


def waiting(at: datetime) -> set[str]:
    names = User.objects.filter(pk__in=due("weekly", at)).values_list("username", flat=True)
    return set(names)


def test_it_falls_due_when_the_week_of_the_supervisor_begins(cast: Cast) -> None:
    assert waiting(OPENS - MINUTE) == set()
    assert waiting(OPENS) == {"chen", "wu", "bob"}


def test_it_goes_by_their_own_working_hours(cast: Cast) -> None:
    cast.bob.staff.calendar = make_calendar("London", "Europe/London")
    cast.bob.staff.save()
    assert waiting(OPENS) == {"chen", "wu"}
    assert waiting(OPENS + 8 * HOUR) == {"chen", "wu", "bob"}


def test_a_holiday_moves_it_to_the_first_day_that_is_worked(cast: Cast) -> None:
    CalendarDay.objects.create(calendar=cast.calendar, date=date(2026, 3, 2), name="Holiday")
    assert waiting(OPENS) == set()
    assert waiting(OPENS + DAY) == {"chen", "wu", "bob"}


def test_it_is_not_sent_more_than_three_days_late(cast: Cast) -> None:
    assert waiting(OPENS + 3 * DAY - MINUTE) == {"chen", "wu", "bob"}
    assert waiting(OPENS + 3 * DAY) == set()
    take_step("weekly", cast.chen.pk, OPENS + 3 * DAY)
    assert not Message.objects.exists()


def test_it_is_sent_once_a_week(cast: Cast) -> None:
    for at in (OPENS, OPENS, OPENS + HOUR, OPENS + DAY):
        take_step("weekly", cast.chen.pk, at)
    message = Message.objects.get(kind="weekly")
    assert message.dedup_key == f"weekly:{cast.chen.pk}:2026-03-02"
    assert message.not_after == OPENS + 3 * DAY
    assert waiting(OPENS) == {"wu", "bob"}
    assert "chen" in waiting(OPENS + 7 * DAY)
    take_step("weekly", cast.chen.pk, OPENS + 7 * DAY)
    assert Message.objects.filter(kind="weekly").count() == 2


@pytest.mark.parametrize("who", ["lina", "admin", "vera"])
def test_nobody_else_gets_it(cast: Cast, who: str) -> None:
    take_step("weekly", getattr(cast, who).pk, OPENS)
    assert not Message.objects.exists()


def test_who_has_no_address_or_left_gets_none(cast: Cast) -> None:
    User.objects.filter(pk=cast.chen.pk).update(email="")
    User.objects.filter(pk=cast.wu.pk).update(is_active=False)
    assert waiting(OPENS) == {"bob"}


# --- what it says -------------------------------------------------------------------------------------------


def outcome(ticket: Ticket, at: datetime, band: str) -> None:
    last = ticket.events.latest("version").version
    TicketEvent.objects.create(
        ticket=ticket, kind="outcome", cycle=1, at=at, version=last + 1, data={"outcome": band}
    )


@pytest.fixture
def lived(cast: Cast) -> Cast:
    """Last week two low scores, one heard in time and one late; the week before one, heard in time."""
    thursday = MONDAY - 4 * DAY
    kept, broken = cast.ticket(at=thursday, priority=1), cast.ticket(at=thursday, priority=1)
    lifecycle.log_contact(kept, by=cast.lina, at=thursday + 30 * MINUTE, outcome="reached")
    older = cast.ticket(at=thursday - 7 * DAY, priority=1)
    lifecycle.log_contact(older, by=cast.lina, at=thursday - 7 * DAY + MINUTE, outcome="reached")
    outcome(older, thursday, "promoter")
    outcome(kept, thursday + DAY, "detractor")
    cast.ticket(at=MONDAY - 30 * MINUTE, priority=1)
    cast.ticket(at=thursday, team=cast.west)
    assert broken.pk
    return cast


def figures(cast: Cast, user: User, at: datetime = MONDAY) -> weekly.Weekly:
    return weekly.weekly(user, cast.calendar, at)


def test_it_compares_last_week_with_the_week_before(lived: Cast) -> None:
    (east,) = figures(lived, lived.chen).lines
    assert east.last == Then(2, Rate(1, 2), Rate(1, 2))
    assert east.before == Then(1, Rate(1, 1), Rate(0, 0))
    assert (east.late, east.waiting) == (3, 0)


def test_its_numbers_are_those_of_the_board(lived: Cast, client: Client, monkeypatch: Any) -> None:
    from recovery.views import frame, overdue

    at = MONDAY + 10 * MINUTE
    for module in (overdue, frame):
        monkeypatch.setattr(module, "now", lambda: at)
    client.force_login(lived.wu, backend="django.contrib.auth.backends.ModelBackend")
    total = figures(lived, lived.wu, at).total
    tabs = {tab["code"]: tab["count"] for tab in client.get("/overdue/").context["tabs"]}
    assert (total.late, total.risk, total.waiting) == (tabs["late"], tabs["risk"], tabs["waiting"])
    assert total.risk == 1
    for url in (total.late_url, total.risk_url, total.waiting_url):
        path = url.partition("/overdue")[2]
        tab = url.rpartition("=")[2]
        assert client.get(f"/overdue{path}").context["page_obj"].paginator.count == tabs[tab]


def test_the_total_is_of_all_teams_below(lived: Cast) -> None:
    found = figures(lived, lived.wu)
    assert [line.name for line in found.lines] == ["East", "Region"]
    assert found.total.last == Then(2, Rate(1, 2), Rate(1, 2))


def test_it_is_said_in_words_and_in_bars(lived: Cast) -> None:
    lived.chen.staff.time_zone = "Asia/Shanghai"
    lived.chen.staff.save()
    take_step("weekly", lived.chen.pk, MONDAY)
    message = Message.objects.get(kind="weekly")
    assert message.subject == "Your teams, 23 Feb to 1 Mar"
    for said in ("Low scores: 2, the week before 1.", "First contact in time: 1 of 2", "/overdue/?tab=late"):
        assert said in message.text
    assert 'width="100%" height="14"' in message.html
    assert 'width="50%" height="14"' in message.html
    assert f"/overdue/?tab=late&amp;team={lived.east.pk}" in message.html
    assert "<img" not in message.html


def test_a_quiet_week_is_said_too(cast: Cast) -> None:
    take_step("weekly", cast.chen.pk, OPENS)
    message = Message.objects.get()
    assert "Low scores: 0, the week before 0." in message.text
    assert "First contact in time: none was due." in message.text
    assert "Nobody answered when asked again." in message.text
    assert "none due" in message.html


def test_it_is_in_the_language_of_the_supervisor(cast: Cast) -> None:
    cast.chen.staff.locale = "zh-hans"
    cast.chen.staff.save()
    take_step("weekly", cast.chen.pk, OPENS)
    assert Message.objects.get().locale == "zh-hans"


# --- beforehand ---------------------------------------------------------------------------------------------


def test_a_supervisor_sees_it_beforehand(lived: Cast, client: Client) -> None:
    for user, status in ((lived.chen, 200), (lived.admin, 200), (lived.lina, 403), (lived.vera, 403)):
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        assert client.get("/overdue/weekly/").status_code == status
        response = client.get("/overdue/weekly/body/")
        assert response.status_code == status
        if status == 200:
            assert "sandbox" in response["Content-Security-Policy"]
            assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert not Message.objects.filter(kind="weekly").exists()
    assert timedelta(0) < weekly.TOLD_LATELY < timedelta(days=7)
