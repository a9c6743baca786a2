"""POST deadlines/preview/: when it would fall due, line by line; or what is wrong with the calendar."""

from __future__ import annotations

from typing import Any

import pytest

from tests.make import Cast
from tests.recovery.api.client import Client, places, reason_at

NINE_TO_FIVE = {"days": [0, 1, 2, 3, 4], "open": "09:00", "close": "17:00"}
CALENDAR = {"time_zone": "Asia/Shanghai", "windows": [NINE_TO_FIVE]}
FRIDAY = "2026-03-06T16:00:00+08:00"


def preview(client: Client, **changes: Any) -> Any:
    body = {"calendar": CALENDAR, "start": FRIDAY, "minutes": 120, **changes}
    return client.send("deadlines/preview/", {name: value for name, value in body.items() if value != ...})


def due(answer: Any) -> str:
    assert answer.status_code == 200, answer.content
    return str(answer.json()["due_at"])


def test_it_goes_on_after_the_weekend(lina: Client) -> None:
    answer = preview(lina)
    assert answer.json() == {
        "due_at": "2026-03-09T02:00:00+00:00",
        "ledger": [
            {
                "from": "2026-03-06T08:00:00+00:00",
                "to": "2026-03-06T09:00:00+00:00",
                "minutes": 60,
                "why": "working",
            },
            {
                "from": "2026-03-06T09:00:00+00:00",
                "to": "2026-03-09T01:00:00+00:00",
                "minutes": 0,
                "why": "closed",
            },
            {
                "from": "2026-03-09T01:00:00+00:00",
                "to": "2026-03-09T02:00:00+00:00",
                "minutes": 60,
                "why": "working",
            },
        ],
    }


def calendar(**changes: Any) -> dict[str, Any]:
    return {"calendar": {**CALENDAR, **changes}}


@pytest.mark.parametrize(
    ("changes", "due_at"),
    [
        pytest.param({"minutes": 0}, "2026-03-06T08:00:00+00:00", id="no time at all"),
        pytest.param({"minutes": 60}, "2026-03-06T09:00:00+00:00", id="exactly at closing"),
        pytest.param({"minutes": 30.5}, "2026-03-06T08:30:30+00:00", id="half a minute"),
        pytest.param(
            calendar(holidays=[{"date": "2026-03-09"}]), "2026-03-10T02:00:00+00:00", id="a holiday"
        ),
        pytest.param(
            calendar(holidays=[{"date": "2026-03-09", "open": "13:00", "close": "15:00", "name": "Half"}]),
            "2026-03-09T06:00:00+00:00",
            id="a holiday with hours",
        ),
        pytest.param(
            calendar(holidays=[{"date": "2026-03-09", "open": None, "close": None}]),
            "2026-03-10T02:00:00+00:00",
            id="a holiday with hours said to be none",
        ),
        pytest.param(calendar(working_days=["2026-03-07"]), "2026-03-07T02:00:00+00:00", id="a make-up day"),
        pytest.param(
            calendar(windows=[{"days": [4], "open": "17:00", "close": "24:00"}]),
            "2026-03-06T11:00:00+00:00",
            id="up to midnight",
        ),
        pytest.param(
            calendar(windows=[{"days": [4], "open": "22:00", "close": "06:00"}]),
            "2026-03-06T16:00:00+00:00",
            id="past midnight",
        ),
        pytest.param(
            {"waiting": [{"from": "2026-03-06T16:15:00+08:00", "to": "2026-03-06T16:30:00+08:00"}]},
            "2026-03-09T02:15:00+00:00",
            id="a wait",
        ),
        pytest.param({"waiting": []}, "2026-03-09T02:00:00+00:00", id="no wait"),
    ],
)
def test_it_counts(lina: Client, changes: Any, due_at: str) -> None:
    assert due(preview(lina, **changes)) == due_at


def test_it_takes_a_calendar_that_is_kept(cast: Cast, lina: Client) -> None:
    assert due(preview(lina, calendar=cast.calendar.pk)) == "2026-03-09T02:00:00+00:00"


def test_it_has_no_due_time_while_the_clock_stands(lina: Client) -> None:
    answer = preview(lina, waiting=[{"from": "2026-03-06T16:15:00+08:00"}])
    assert answer.json()["due_at"] is None
    assert sum(line["minutes"] for line in answer.json()["ledger"]) == 15


def window(**changes: Any) -> dict[str, Any]:
    return calendar(windows=[{**NINE_TO_FIVE, **changes}])


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        pytest.param(calendar(windows=[]), "calendar.windows", id="never open"),
        pytest.param(calendar(windows=None), "calendar.windows", id="no windows"),
        pytest.param(window(days=[]), "calendar.windows[0].days", id="no days"),
        pytest.param(window(days=[7]), "calendar.windows[0].days", id="an eighth day"),
        pytest.param(window(days=["Monday"]), "calendar.windows[0].days[0]", id="a named day"),
        pytest.param(window(days=["1"]), "calendar.windows[0].days[0]", id="a day as text"),
        pytest.param(window(days=[1.0]), "calendar.windows[0].days[0]", id="a day as a fraction"),
        pytest.param(window(open="25:00"), "calendar.windows[0].open", id="opens at 25:00"),
        pytest.param(window(open="9 am"), "calendar.windows[0].open", id="opens at 9 am"),
        pytest.param(window(open=9), "calendar.windows[0].open", id="opens at a number"),
        pytest.param(window(open="24:00"), "calendar.windows[0].open", id="opens at 24:00"),
        pytest.param(window(close="09:00"), "calendar.windows[0].close", id="empty window"),
        pytest.param(window(lunch="12:00"), "calendar.windows[0].lunch", id="unknown field in a window"),
        pytest.param(calendar(windows=["09:00"]), "calendar.windows[0]", id="window a text"),
        pytest.param(calendar(time_zone="Mars/Base"), "calendar.time_zone", id="zone unknown"),
        pytest.param(calendar(time_zone="localtime"), "calendar.time_zone", id="zone of this machine"),
        pytest.param(calendar(time_zone="../etc/passwd"), "calendar.time_zone", id="zone a path"),
        pytest.param(
            calendar(holidays=[{"date": "soon"}]), "calendar.holidays[0].date", id="holiday malformed"
        ),
        pytest.param(
            calendar(holidays=[{"date": "2026-03-09", "open": "09:00"}]),
            "calendar.holidays[0].close",
            id="holiday half open",
        ),
        pytest.param(
            calendar(holidays=[{"date": "2026-03-09"}], working_days=["2026-03-09"]),
            "calendar.holidays[0].date",
            id="holiday and worked",
        ),
        pytest.param(calendar(colour="red"), "calendar.colour", id="unknown field in the calendar"),
        pytest.param({"calendar": 999_999}, "calendar", id="calendar unknown"),
        pytest.param({"calendar": True}, "calendar", id="calendar true"),
        pytest.param({"calendar": 10**40}, "calendar", id="calendar of 40 digits"),
        pytest.param({"calendar": ...}, "calendar", id="calendar missing"),
        pytest.param({"start": ...}, "start", id="start missing"),
        pytest.param({"start": "2026-03-06T16:00:00"}, "start", id="start without zone"),
        pytest.param({"start": "soon"}, "start", id="start malformed"),
        pytest.param({"minutes": -1}, "minutes", id="less than no time"),
        pytest.param({"minutes": "120"}, "minutes", id="minutes as text"),
        pytest.param({"minutes": True}, "minutes", id="minutes true"),
        pytest.param({"minutes": 10**12}, "minutes", id="minutes of ages"),
        pytest.param({"minutes": 10**400}, "minutes", id="minutes beyond floats"),
        pytest.param(
            {"waiting": [{"from": "2026-03-06T16:15:00"}]}, "waiting[0].from", id="wait without zone"
        ),
        pytest.param({"waiting": [{}]}, "waiting[0].from", id="wait without a beginning"),
        pytest.param(
            {"waiting": [{"from": "2026-03-06T16:15:00Z", "to": "2026-03-06T16:00:00Z"}]},
            "waiting[0].to",
            id="wait reversed",
        ),
        pytest.param({"colour": "red"}, "colour", id="unknown field"),
    ],
)
def test_it_refuses_with_the_place(cast: Cast, lina: Client, changes: Any, path: str) -> None:
    answer = preview(lina, **changes)
    assert answer.status_code == 400
    assert places(answer) == {path}
    assert reason_at(answer, path)


def test_it_says_when_it_would_take_a_hundred_years(lina: Client) -> None:
    rare = {"days": [0], "open": "09:00", "close": "09:01"}
    answer = preview(lina, **calendar(windows=[rare]), minutes=5_000_000)
    assert (answer.status_code, places(answer)) == (400, {"minutes"})


def test_it_refuses_a_calendar_kept_without_open_time(cast: Cast, lina: Client) -> None:
    cast.calendar.hours.all().delete()
    answer = preview(lina, calendar=cast.calendar.pk)
    assert (answer.status_code, places(answer)) == (400, {"calendar.windows"})


@pytest.mark.parametrize("body", [[], "soon", 7, None])
def test_it_takes_an_object(cast: Cast, lina: Client, body: Any) -> None:
    answer = lina.send("deadlines/preview/", body)
    assert answer.status_code == 400
