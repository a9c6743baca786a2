"""Every change of every clock from 2026 to 2030: promised calls fire once, deadlines fall in open hours,
quiet hours end when the clock says so. Each is compared with a walk from minute to minute over the clock."""

from __future__ import annotations

import importlib.metadata
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, cached_property
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from django.db import connections

from dispatch import engine
from recovery import sweeps
from recovery.business_hours import Holiday, Window, WorkingCalendar
from recovery.deadlines import reckon
from recovery.lifecycle import book_callback
from recovery.lifecycle.contact import ZONE_RULES, check_slot, instant_of
from recovery.models import Callback, Ticket, TicketEvent
from recovery.views.timeline import entries_of
from surveys.messages.quiet import quiet_until
from tests.due import due, fail, run_all
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast

FIRST, LAST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
GAP, OVERLAP = "gap", "overlap"
# How far around a change the clock is read, so that the day before and a night after are seen.
BEFORE, AFTER = 32 * HOUR, 26 * HOUR


@dataclass(frozen=True)
class Change:
    """A clock that is set forward or back. `at` is the first instant of the new offset."""

    zone: str
    at: datetime
    before: timedelta
    after: timedelta

    @property
    def kind(self) -> str:
        return GAP if self.after > self.before else OVERLAP

    @property
    def shape(self) -> tuple[timedelta, timedelta, str]:
        return self.before, self.after, self.kind

    @cached_property
    def walk(self) -> Walk:
        return walk(self.zone, self.at)

    def wall_times(self) -> list[datetime]:
        """A minute before it, at it by the old offset and by the new, a minute after it, and in the middle of
        what is skipped or repeated."""
        old, new = self.at + self.before, self.at + self.after
        middle = old + (new - old) / 2
        return [naive(moment).replace(second=0) for moment in (old - MINUTE, old, new, new + MINUTE, middle)]


@dataclass(frozen=True)
class Walk:
    """What the clock on the wall shows, minute by minute."""

    start: datetime
    walls: list[datetime]

    def first_showing(self, wall: datetime) -> datetime:
        """The first minute, less than five hours from the change, that shows this or has jumped past it."""
        near = int((BEFORE - 5 * HOUR) / MINUTE)
        assert self.walls[near] < wall
        return self.minute(next(each for each in range(near, len(self.walls)) if self.walls[each] >= wall))

    def minute(self, index: int) -> datetime:
        return self.start + index * MINUTE


def naive(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)


@cache
def rules(zone: str, at: datetime) -> tuple[timedelta, ...]:
    """The offsets around a change: zones that share them share what is read there."""
    steps = range(-int(BEFORE / HOUR), int(AFTER / HOUR) + 1)
    return tuple(offset(ZoneInfo(zone), at + step * HOUR) for step in steps)


_walks: dict[tuple[datetime, tuple[timedelta, ...]], Walk] = {}


def walk(zone: str, at: datetime) -> Walk:
    known = at, rules(zone, at)
    if known not in _walks:
        place, minutes = ZoneInfo(zone), range(int((BEFORE + AFTER) / MINUTE))
        walls = [naive((at - BEFORE + minute * MINUTE).astimezone(place)) for minute in minutes]
        _walks[known] = Walk(at - BEFORE, walls)
    return _walks[known]


def offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def found_in(name: str) -> Iterator[Change]:
    zone, at = ZoneInfo(name), FIRST
    known = offset(zone, at)
    while at < LAST:
        following = min(at + 12 * HOUR, LAST)
        now = offset(zone, following)
        if now != known:
            yield Change(name, turn(zone, at, following), known, now)
        at, known = following, now


def turn(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first second of the new offset."""
    new = offset(zone, after)
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if offset(zone, middle) == new:
            after = middle
        else:
            before = middle
    return after


@pytest.fixture(scope="module")
def changes() -> list[Change]:
    found = [change for name in sorted(available_timezones()) for change in found_in(name)]
    zones = {change.zone for change in found}
    print(f"tzdata {importlib.metadata.version('tzdata')}: {len(found)} changes in {len(zones)} zones")
    return found


def shapes(changes: Iterable[Change]) -> list[Change]:
    """One change of each kind there is."""
    return list({change.shape: change for change in changes}.values())


def test_it_looks_at_every_change_of_the_tz_database(changes: list[Change]) -> None:
    """About two thousand; the exact number moves with what governments decide."""
    assert 1800 < len(changes) < 2300
    assert all(change.at.second == 0 for change in changes)
    kinds = Counter(change.kind for change in changes)
    assert abs(kinds[GAP] - kinds[OVERLAP]) < 30
    assert len(shapes(changes)) > 30


# --- Callbacks ---


def test_the_instant_of_a_wall_time_is_the_first_that_shows_it_or_the_end_of_the_gap(
    changes: list[Change],
) -> None:
    for change in changes:
        for wall in change.wall_times():
            found = instant_of(text(wall), change.zone)
            assert found == change.walk.first_showing(wall), (change, wall)
            skipped = change.kind == GAP and naive(found.astimezone(ZoneInfo(change.zone))) != wall
            assert not skipped or found == change.at, (change, wall)


def text(wall: datetime) -> str:
    return wall.isoformat(timespec="minutes")


@pytest.fixture
def promises(changes: list[Change], cast: Cast) -> dict[datetime, set[int]]:
    """A callback at each wall time of each change, by the time at which it shall fire."""
    slots = [
        (change, wall, change.walk.first_showing(wall)) for change in changes for wall in change.wall_times()
    ]
    tickets = copies(cast.ticket(), len(slots))
    rows = []
    for ticket, (change, wall, expected) in zip(tickets, slots, strict=True):
        local_time, due_at = check_slot(text(wall), change.zone, "phone", MONDAY - 365 * DAY)
        assert due_at == expected
        rows.append(
            Callback(ticket=ticket, cycle=1, local_time=local_time, time_zone=change.zone, due_at=due_at)
        )
    promised: dict[datetime, set[int]] = {}
    for row in Callback.objects.bulk_create(rows, batch_size=2000):
        promised.setdefault(row.due_at, set()).add(row.pk)
    return promised


def copies(ticket: Ticket, number: int) -> list[Ticket]:
    facts = {
        field.attname: getattr(ticket, field.attname)
        for field in Ticket._meta.concrete_fields
        if field.name not in ("id", "number", "line")
    }
    rows = [Ticket(**facts, number=f"C-{index}", line=f"line {index}") for index in range(number)]
    return Ticket.objects.bulk_create(rows, batch_size=2000)


# Copies of a ticket have no deadlines.
bare = pytest.mark.violates


@bare
@pytest.mark.django_db
def test_every_callback_falls_due_at_its_minute_and_not_before_and_once(
    promises: dict[datetime, set[int]],
) -> None:
    for at in sorted(promises):
        assert set(sweeps.due_callbacks(at - MINUTE).values_list("pk", flat=True)) == set(), at
        assert set(sweeps.due_callbacks(at).values_list("pk", flat=True)) == promises[at]
        Callback.objects.filter(pk__in=promises[at]).update(announced_at=at)
    assert not sweeps.due_callbacks(LAST + DAY).exists()


@bare
@pytest.mark.django_db
def test_it_announces_a_callback_once_while_the_clock_changes(changes: list[Change], cast: Cast) -> None:
    """Booked and dispatched for real, minute by minute over the change; one of each kind of change."""
    booked = [(change, wall) for change in shapes(changes) for wall in change.wall_times()]
    template = cast.ticket()
    for ticket, (change, wall) in zip(copies(template, len(booked)), booked, strict=True):
        book_callback(ticket, by=cast.lina, at=FIRST - DAY, local_time=text(wall), time_zone=change.zone)
    expected = {row.pk: row.due_at for row in Callback.objects.all()}
    for at in sweep(expected.values()):
        engine.drain(lambda at=at: at, holder="test", names=["callbacks"], on_error=fail)  # type: ignore[misc]
    assert dict(Callback.objects.values_list("pk", "announced_at")) == expected
    told = TicketEvent.objects.filter(kind="callback_due").values_list("ticket_id", flat=True)
    assert Counter(Counter(told).values()) == {1: len(booked)}


def sweep(moments: Iterable[datetime]) -> list[datetime]:
    """The minutes just before and after each, in order."""
    around = {moment + minute * MINUTE for moment in moments for minute in (-1, 0, 1)}
    return sorted(around)


@bare
@pytest.mark.django_db(transaction=True)
def test_two_dispatchers_at_once_announce_each_callback_once(
    changes: list[Change], transactional_db: None
) -> None:
    cast = Cast()
    sample = shapes(changes)[:12]
    for ticket, change in zip(copies(cast.ticket(), len(sample)), sample, strict=True):
        wall = text(change.wall_times()[-1])
        book_callback(ticket, by=cast.lina, at=FIRST - DAY, local_time=wall, time_zone=change.zone)
    ready = threading.Barrier(2)

    def dispatch(name: str) -> None:
        try:
            ready.wait()
            engine.drain(lambda: LAST, holder=name, names=["callbacks"], on_error=fail)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(dispatch, ["one", "other"]))
    told = TicketEvent.objects.filter(kind="callback_due").values_list("ticket_id", flat=True)
    assert sorted(Counter(told).values()) == [1] * len(sample)


# --- Zone data that is replaced ---


@pytest.fixture
def other_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shanghai keeps the time of Tokyo from now on, and this process has just begun."""

    def place(name: str) -> ZoneInfo:
        return ZoneInfo("Asia/Tokyo" if name == "Asia/Shanghai" else name)

    monkeypatch.setattr("recovery.lifecycle.wall_clock.ZoneInfo", place)
    monkeypatch.setattr(sweeps, "_zones", sweeps.Zones())


def booked(cast: Cast, zone: str = "Asia/Shanghai") -> Callback:
    ticket = cast.ticket()
    book_callback(ticket, by=cast.lina, at=MONDAY, local_time="2026-03-10T18:00", time_zone=zone)
    return Callback.objects.get(ticket=ticket)


@pytest.mark.violates  # the zone data is whole again before the invariants are looked at
@pytest.mark.django_db
class TestNewRules:
    def test_what_was_promised_is_the_time_on_the_clock(
        self, cast: Cast, request: pytest.FixtureRequest
    ) -> None:
        here, elsewhere = booked(cast), booked(cast, "Europe/Berlin")
        before = here.due_at, elsewhere.due_at
        request.getfixturevalue("other_rules")
        assert due("zones", MONDAY) == [here.pk]
        run_all(MONDAY)
        here.refresh_from_db()
        elsewhere.refresh_from_db()
        assert (here.due_at, elsewhere.due_at) == (before[0] - HOUR, before[1])
        assert here.local_time == "2026-03-10T18:00"
        event = TicketEvent.objects.get(kind="callback_moved")
        assert (event.ticket_id, event.by) == (here.ticket_id, None)
        assert event.data["reason"] == ZONE_RULES
        assert event.data["from"] == before[0].isoformat()
        told = [str(entry.sentence) for entry in entries_of(here.ticket, MONDAY)]
        assert any("rules of the time zone changed" in sentence for sentence in told)
        assert not any("customer moved" in sentence for sentence in told)
        assert due("zones", MONDAY) == due("zones", MONDAY + 2 * DAY) == []

    def test_what_was_announced_or_is_past_stays(self, cast: Cast, request: pytest.FixtureRequest) -> None:
        announced, past = booked(cast), booked(cast)
        Callback.objects.filter(pk=announced.pk).update(announced_at=MONDAY)
        request.getfixturevalue("other_rules")
        assert due("zones", past.due_at) == []

    def test_what_an_older_process_went_on_booking_is_found_the_day_after(
        self, cast: Cast, other_rules: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert due("zones", MONDAY) == []
        with monkeypatch.context() as older:
            older.setattr("recovery.lifecycle.wall_clock.ZoneInfo", ZoneInfo)
            late = booked(cast)
        assert due("zones", MONDAY + HOUR) == []
        assert due("zones", MONDAY + DAY) == [late.pk]

    def test_a_zone_that_is_no_longer_known_moves_nothing(self, cast: Cast, other_rules: None) -> None:
        Callback.objects.filter(pk=booked(cast).pk).update(time_zone="Mars/Base")
        assert due("zones", MONDAY) == []


# --- Deadlines ---

EVERY_DAY = frozenset(range(7))


def hours(*pairs: tuple[int, int]) -> tuple[Window, ...]:
    return tuple(Window(EVERY_DAY, opens, closes) for opens, closes in pairs)


WEEKS: dict[str, tuple[Window, ...]] = {
    "9 to 17": hours((540, 1020)),
    "night": hours((1320, 360)),
    "around the clock": hours((0, 1440)),
    "split": hours((30, 75), (90, 135), (165, 720), (780, 1440)),
    "half holiday": hours((0, 1440)),
}


def holidays(week: str, day: date) -> tuple[Holiday, ...]:
    return (Holiday(day, "Half", 120, 720),) if week == "half holiday" else ()


def open_minutes(read: Walk, windows: tuple[Window, ...], half: date | None) -> list[datetime]:
    """The minutes of work, in order, by nothing but the clock on the wall."""
    ordinary = table(windows)
    special = table(hours((120, 720)))
    found = []
    for index, wall in enumerate(read.walls):
        of_day = wall.hour * 60 + wall.minute
        if (special if half is not None and wall.date() == half else ordinary)[of_day]:
            found.append(read.minute(index))
    return found


def table(windows: tuple[Window, ...]) -> list[bool]:
    """Whether each minute of a day is open, in a week whose days are alike."""
    return [
        any(
            w.opens <= minute < w.closes if w.opens < w.closes else minute >= w.opens or minute < w.closes
            for w in windows
        )
        for minute in range(1440)
    ]


@pytest.mark.parametrize("week", WEEKS)
def test_a_deadline_near_a_change_takes_the_minutes_asked_and_falls_in_open_hours(
    week: str, changes: list[Change]
) -> None:
    known: dict[Any, list[datetime]] = {}
    for change in changes:
        day = (change.at + change.after).date()
        half = day if week == "half holiday" else None
        key = id(change.walk)
        if key not in known:
            known[key] = open_minutes(change.walk, WEEKS[week], half)
        working, start = known[key], change.at - 24 * HOUR
        ahead = [minute for minute in working if minute >= start]
        calendar = WorkingCalendar(ZoneInfo(change.zone), WEEKS[week], holidays(week, day))
        reached = sum(minute < change.at for minute in ahead)
        for amount in {max(reached - 1, 1), max(reached, 1), reached + 1, reached + 45}:
            due_at = reckon(calendar, start, amount).due_at
            assert due_at == ahead[amount - 1] + MINUTE, (change, amount)


# --- Quiet hours ---


def test_quiet_hours_end_when_the_clock_says_so(changes: list[Change]) -> None:
    for _rules, alike in groupby(
        sorted(changes, key=lambda each: id(each.walk)), key=lambda each: id(each.walk)
    ):
        change = next(alike)
        wall_of_change = change.wall_times()
        ends = [wall.time() for wall in (*wall_of_change, *(w + 30 * MINUTE for w in wall_of_change))]
        for end in ends:
            begins = (datetime.combine(date(2026, 1, 2), end) - 10 * HOUR).time()
            for minute in (-240, -61, -1, 0, 1, 29, 61):
                check_quiet(change, change.at + minute * MINUTE, begins, end)


def check_quiet(change: Change, at: datetime, begins: time, end: time) -> None:
    found = quiet_until(at, ZoneInfo(change.zone), begins, end)
    index = int((at - change.walk.start) / MINUTE)
    if not is_quiet(change.walk.walls[index], begins, end):
        assert found is None
        return
    rest = range(index, len(change.walk.walls))
    loud = next(each for each in rest if not is_quiet(change.walk.walls[each], begins, end))
    assert found is not None
    assert at <= found == change.walk.minute(loud), (change, at, begins, end)


def is_quiet(wall: datetime, begins: time, end: time) -> bool:
    shown = wall.time()
    return begins <= shown < end if begins <= end else shown >= begins or shown < end
