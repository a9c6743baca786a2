"""What a process believes of PostgreSQL, and what it answers while it believes the worst."""

from __future__ import annotations

import json
import threading
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from psycopg import errors
from psycopg.abc import PQGen
from pytest_django import Settings

from config import database
from config.database import Connection, Server, Silent, impatiently, knock, options, serves
from config.errors import away
from config.guard import GuardMiddleware


class Door:
    """Knocks as told, and counts."""

    def __init__(self, *answers: bool) -> None:
        self.answers = list(answers)
        self.knocks = 0

    def __call__(self, conninfo: str, facts: dict[str, Any]) -> bool:
        self.knocks += 1
        return self.answers.pop(0)


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "KNOCK_AGAIN_SECONDS", -1.0)


def known(door: Door) -> Server:
    server = Server(door)
    server.opened("", {})
    return server


class TestServer:
    def test_it_answers_until_somebody_doubts_it(self) -> None:
        door = Door()
        assert Server(door).answers()
        assert known(door).answers()
        assert door.knocks == 0

    def test_a_doubt_is_settled_by_one_knock(self, no_pause: None) -> None:
        door = Door(True)
        server = known(door)
        server.suspect()
        assert server.answers()
        assert server.answers()
        assert door.knocks == 1

    def test_it_is_away_until_a_knock_is_answered(self, no_pause: None) -> None:
        server = known(Door(False, False, True))
        server.suspect()
        assert [server.answers() for _ in range(4)] == [False, False, True, True]

    def test_it_is_not_knocked_at_more_than_once_a_second(self) -> None:
        door = Door(False)
        server = known(door)
        server.suspect()
        assert [server.answers() for _ in range(50)] == [False] * 50
        assert door.knocks == 1

    def test_who_comes_while_somebody_knocks_does_not_wait(self, no_pause: None) -> None:
        ready, go = threading.Event(), threading.Event()

        def slowly(conninfo: str, facts: dict[str, Any]) -> bool:
            ready.set()
            return not go.wait(5)

        server = Server(slowly)
        server.opened("", {})
        server.away = True
        first = threading.Thread(target=server.answers)
        first.start()
        assert ready.wait(5)
        assert not server.answers()
        go.set()
        first.join()

    def test_a_connection_that_opens_ends_the_doubt(self) -> None:
        server = known(Door())
        server.away = True
        server.opened("", {})
        assert server.answers()


def says(states: int) -> PQGen[str]:
    """An exchange with the server that takes this many turns."""
    for _ in range(states):
        yield 1  # type: ignore[misc]
    return "done"


def drive(gen: PQGen[str], ready: int, turns: int = 1000) -> str:
    try:
        next(gen)
        for _ in range(turns):
            gen.send(ready)
    except StopIteration as done:
        return str(done.value)
    return "still waiting"


class TestWaiting:
    @pytest.fixture(autouse=True)
    def quickly(self, monkeypatch: pytest.MonkeyPatch, no_pause: None) -> None:
        monkeypatch.setattr(database, "PATIENCE_SECONDS", -1.0)
        monkeypatch.setattr(database, "BRIEFLY_SECONDS", -1.0)

    def test_a_slow_statement_goes_on_while_the_server_opens_others(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        door = Door(*[True] * 10)
        monkeypatch.setattr(database, "server", known(door))
        assert drive(impatiently(says(5)), ready=0) == "done"
        assert door.knocks > 2

    def test_it_gives_up_on_a_server_that_opens_to_nobody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(database, "server", known(Door(False)))
        with pytest.raises(Silent):
            drive(impatiently(says(5)), ready=0)

    def test_it_goes_on_while_the_server_talks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        door = Door()
        monkeypatch.setattr(database, "server", known(door))
        assert drive(impatiently(says(5)), ready=1) == "done"
        assert door.knocks == 0


class TestKnocking:
    @pytest.fixture
    def facts(self, db: None) -> dict[str, Any]:
        found = connection.get_connection_params()
        return {name: value for name, value in found.items() if name not in database.NOT_FOR_KNOCKS}

    def test_a_server_that_opens_is_there(self, facts: dict[str, Any]) -> None:
        assert knock("", facts)

    def test_one_that_refuses_us_is_there(self, facts: dict[str, Any]) -> None:
        assert knock("", {**facts, "dbname": "no_such_database"})

    def test_one_that_is_not_there_is_not(self, facts: dict[str, Any]) -> None:
        assert not knock("", {**facts, "host": "/nowhere"})

    @pytest.mark.parametrize(
        ("error", "there"),
        [
            (errors.ConnectionTimeout("connection timeout expired"), False),
            (psycopg.OperationalError("FATAL:  the database system is starting up"), False),
            (psycopg.OperationalError("FATAL:  the database system is shutting down"), False),
            (psycopg.OperationalError("FATAL:  sorry, too many clients already"), True),
        ],
    )
    def test_it_tells_a_full_house_from_a_closed_one(
        self, error: Exception, there: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: Any, **__: Any) -> None:
            raise error

        monkeypatch.setattr(psycopg, "connect", fail)
        assert knock("", {}) is there


@pytest.fixture
def closed() -> GuardMiddleware:
    server = known(Door())
    server.away = True
    server._knocked = float("inf")
    return GuardMiddleware(lambda request: HttpResponse("in"), server)


def asked(path: str, **headers: str) -> HttpRequest:
    return RequestFactory().get(path, **headers)  # type: ignore[arg-type]


class TestGuard:
    @pytest.mark.parametrize(
        "path", ["/desk/", "/s/abc/", "/admin/", "/login/", "/health/ready", "/api/v1/tickets/"]
    )
    def test_it_tells_everybody_to_come_back(self, closed: GuardMiddleware, path: str) -> None:
        answer = closed(asked(path))
        assert (answer.status_code, answer["Cache-Control"]) == (503, "no-store")
        assert int(answer["Retry-After"]) > 0

    @pytest.mark.parametrize("path", ["/health/live", "/metrics"])
    def test_it_lets_those_in_who_need_no_database(self, closed: GuardMiddleware, path: str) -> None:
        assert closed(asked(path)).content == b"in"

    def test_it_lets_everybody_in_while_nobody_doubts(self) -> None:
        guard = GuardMiddleware(lambda request: HttpResponse("in"), known(Door()))
        assert guard(asked("/desk/")).content == b"in"

    def test_it_stands_before_whatever_asks_the_database(self, settings: Settings) -> None:
        order = [name.rpartition(".")[2] for name in settings.MIDDLEWARE]
        guard = order.index("GuardMiddleware")
        assert order.index("WhiteNoiseMiddleware") < guard < order.index("SessionMiddleware")


class TestAnswers:
    def test_people_read_it_in_their_language(self) -> None:
        text = away(asked("/desk/")).content.decode()
        assert "Closed for a moment" in text
        assert "暂时停止服务" in text

    def test_a_script_gets_a_problem_document(self) -> None:
        answer = away(asked("/api/v1/tickets/", HTTP_ACCEPT_LANGUAGE="zh-hans"))
        assert answer["Content-Type"] == "application/problem+json"
        body = json.loads(answer.content)
        assert (body["status"], body["code"]) == (503, "unavailable")

    def test_a_probe_gets_a_line(self) -> None:
        answer = away(asked("/health/ready"))
        assert (answer["Content-Type"], answer.content) == ("text/plain", b"PostgreSQL does not answer\n")

    def test_an_error_before_the_api_is_a_problem_document_too(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: Any) -> None:
            raise OperationalError

        monkeypatch.setattr("django.contrib.sessions.middleware.SessionMiddleware.process_request", fail)
        client.raise_request_exception = False
        answer = client.get("/api/v1/tickets/")
        assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")


class TestOptions:
    @pytest.mark.parametrize(
        ("line", "limited"),
        [
            ("/venv/bin/gunicorn config.wsgi", True),
            ("/venv/bin/celery --app config worker", True),
            ("/site-packages/celery/__main__.py --app config worker", True),
            ("manage.py dispatch --loop", True),
            ("manage.py migrate", False),
            ("manage.py demo_load", False),
            ("/home/celery/manage.py import_responses", False),
            ("/venv/bin/pytest tests", False),
        ],
    )
    def test_those_who_serve_have_limits_and_commands_take_their_time(self, line: str, limited: bool) -> None:
        assert serves(line.split()) is limited
        assert ("options" in options(60, line.split())) is limited

    def test_a_lock_is_kept_by_the_frozen_for_one_lease_at_most(self) -> None:
        found = options(60, ["gunicorn"])["options"]
        assert "idle_in_transaction_session_timeout=60000" in found
        assert "lock_timeout=15000" in found

    @pytest.mark.django_db
    def test_a_lock_of_the_frozen_comes_free(self) -> None:
        facts = {**connection.get_connection_params(), **SHORT}
        with Connection.connect(**facts) as frozen, Connection.connect(**facts) as other:
            frozen.execute("SELECT pg_advisory_xact_lock(4711)")
            other.execute("SET lock_timeout = 500")
            with pytest.raises(errors.LockNotAvailable):
                other.execute("SELECT pg_advisory_xact_lock(4711)")
            other.rollback()
            other.execute("SET lock_timeout = 10000")
            other.execute("SELECT pg_advisory_xact_lock(4711)")
            with pytest.raises(psycopg.OperationalError):  # what every door knows
                frozen.execute("SELECT 1")


# As somebody who serves, with a lease of two seconds.
SHORT = {"options": options(2, ["gunicorn"])["options"], "context": None}
