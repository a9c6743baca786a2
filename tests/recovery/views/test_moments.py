"""Times as people say them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from recovery.lifecycle.calling_hours import CallingHours
from recovery.models import Deadline
from recovery.templatetags.moments import (
    chip_until,
    deadline_chip,
    due_title,
    moment,
    span,
    there_and_here,
    time_there,
)
from recovery.views.slots import ideas
from tests.make import HOUR, MINUTE, MONDAY, Cast

SHANGHAI, PARIS = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (0, "0 min"),
        (35, "35 min"),
        (-35, "35 min"),
        (60, "1 h 00"),
        (130, "2 h 10"),
        (24 * 60, "1 d 0 h"),
        (27 * 60 + 59, "1 d 3 h"),
    ],
)
def test_it_says_a_span_in_two_units_at_most(minutes: int, said: str) -> None:
    assert span(timedelta(minutes=minutes)) == said


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (0, "today 10:00"),
        (13.99, "today 23:59"),
        (14, "tomorrow 00:00"),
        (-11, "yesterday 23:00"),
        (24 * 3, "Thu 5 Mar 10:00"),
        (24 * 365, "Tue 2 Mar 2027 10:00"),
    ],
)
def test_it_names_a_day_as_the_reader_would(hours: float, said: str) -> None:
    with timezone.override(SHANGHAI):
        assert moment(MONDAY + timedelta(hours=hours), MONDAY) == said


def test_it_gives_both_clocks_only_where_they_differ() -> None:
    with timezone.override(SHANGHAI):
        assert there_and_here(MONDAY, PARIS) == "03:00 there, 10:00 here"
        assert there_and_here(MONDAY, ZoneInfo("Asia/Singapore")) == "10:00"
        assert due_title(MONDAY, PARIS) == "due Mon 2 Mar 03:00 Paris (10:00 here)"
        assert due_title(MONDAY, SHANGHAI) == "due Mon 2 Mar 10:00"
        assert time_there("2026-03-02T03:00", "Europe/Paris") == "Mon 2 Mar 03:00 in Paris"
        assert time_there("2026-03-02T10:00", "Asia/Shanghai") == ""


@pytest.mark.parametrize(
    ("minutes", "state"), [(-1, "late"), (0, "late"), (1, "soon"), (120, "soon"), (121, "due")]
)
def test_it_says_soon_in_the_last_two_hours_and_late_from_the_very_minute(minutes: int, state: str) -> None:
    assert chip_until(MONDAY + timedelta(minutes=minutes), MONDAY, SHANGHAI).state == state


def first_contact(cast: Cast) -> Deadline:
    return cast.ticket(priority=1).deadlines.get(kind="first_contact")


def test_it_tells_kept_from_late_from_missed(cast: Cast) -> None:
    row = first_contact(cast)
    row.met_at = MONDAY + 30 * MINUTE
    with timezone.override(SHANGHAI):
        chip = deadline_chip(row, MONDAY + HOUR)
    assert (chip.state, chip.text, chip.at) == ("met", "kept, today 10:30", None)
    row.breached_at, row.met_at = row.due_at, MONDAY + 95 * MINUTE
    chip = deadline_chip(row, MONDAY + 2 * HOUR)
    assert (chip.state, chip.text, chip.at) == ("late", "done 35 min late", None)
    row.met_at, row.ended_at = None, MONDAY + 2 * HOUR
    assert deadline_chip(row, MONDAY + 2 * HOUR).text == "missed"
    row.breached_at = None
    assert deadline_chip(row, MONDAY + 2 * HOUR).text == "no longer needed"


def hours_of(cast: Cast, at: datetime) -> CallingHours:
    return CallingHours(cast.ticket(), at, PARIS)


def test_it_offers_an_hour_from_now_across_a_clock_change(cast: Cast) -> None:
    before = datetime(2026, 3, 29, 0, 30, tzinfo=UTC).astimezone(PARIS)  # 01:30, the hour before 03:00
    name, wall = next(ideas(hours_of(cast, before), before))
    assert (name, f"{wall:%H:%M}") == ("in 1 h", "03:30")


@pytest.mark.parametrize(
    ("day", "hour", "names"),
    [
        (2, 9, ["in 1 h", "this afternoon", "tomorrow", "next Monday"]),
        (2, 14, ["in 1 h", "tomorrow", "next Monday"]),
        (8, 9, ["in 1 h", "this afternoon", "tomorrow"]),
    ],
)
def test_it_offers_no_time_that_is_gone_and_none_twice(
    cast: Cast, day: int, hour: int, names: list[str]
) -> None:
    there = datetime(2026, 3, day, hour, tzinfo=PARIS)
    slots = list(ideas(hours_of(cast, there), there))
    assert [name for name, _wall in slots] == names
    assert all(wall > there for _name, wall in slots)
