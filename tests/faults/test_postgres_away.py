"""PostgreSQL stopped, frozen, cut off, killed: nothing is acknowledged that is not kept, everybody is told to
come back, and all goes on by itself. The real web server, the real workers, a cluster of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path

import psycopg
import pytest
from celery import Celery

from config import embedded
from config.env import broker_url
from tests.faults import desk
from tests.faults.desk import Answer, Cluster, Desk, Line, wait_for

pytestmark = [
    pytest.mark.skipif(not embedded.installed(), reason="the servers' wheels are not installed"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are found in Linux's /proc"),
]
BACK_WITHIN = 15.0
REFUSED_WITHIN = 8.0  # for who was just being served when the server fell silent
REFUSED_AT_ONCE = 3.0  # for who comes later


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    running = Cluster(embedded.temporary_home())
    try:
        running.start()
        yield running
    finally:
        running.close()


@pytest.fixture(scope="module")
def facts(cluster: Cluster) -> dict[str, str]:
    environment = desk.environment_of(cluster.where, cluster.where)
    desk.run(environment, "manage.py", "migrate", "-v0")
    found: dict[str, str] = json.loads(desk.run(environment, "-m", "tests.faults.desk"))
    return found


@pytest.fixture(scope="module")
def line(cluster: Cluster) -> Line:
    """Lies in the cluster's folder, beside its own socket."""
    (cluster.where / "line").mkdir()
    return Line(cluster.where / "line", cluster.where)


@pytest.fixture(scope="module")
def web(cluster: Cluster, facts: dict[str, str], line: Line) -> Iterator[Desk]:
    environment = desk.environment_of(line.where, cluster.where)
    with desk.served(environment, cluster.where / "web.log") as found:
        found.facts = facts
        wait_for(found.is_well, "the desk never opened")
        yield found


@pytest.fixture(autouse=True)
def whole_again(cluster: Cluster) -> Iterator[None]:
    """What one test broke, no other has to wait for."""
    yield
    cluster.go_on()
    cluster.start()


def doors(web: Desk) -> list[Answer]:
    """Everybody comes at once."""
    visits = [
        lambda: web.page("/desk/"),
        lambda: web.page(f"/tickets/{web.facts['ticket']}/"),
        lambda: web.page("/admin/"),
        lambda: web.sign_in(),
        lambda: web.ask(f"/s/{web.facts['survey']}/"),
        lambda: web.answer_survey(),
        lambda: web.ask("/health/ready"),
        lambda: web.post("never"),
    ]
    with ThreadPoolExecutor(len(visits)) as threads:
        return [each.result() for each in [threads.submit(visit) for visit in visits]]


def all_refused(answers: list[Answer], within: float) -> None:
    for answer in answers:
        assert answer.status == 503, answer
        assert int(answer.headers["retry-after"]) > 0
        assert answer.took < within, answer
    pages, ready, api = answers[:6], answers[6], answers[7]
    for page in pages:
        assert "Closed for a moment" in page.body
        assert "暂时停止服务" in page.body
    assert ready.headers["content-type"] == "text/plain"
    assert api.headers["content-type"] == "application/problem+json"
    assert json.loads(api.body)["code"] == "unavailable"


def still_open(web: Desk) -> None:
    assert web.ask("/health/live", patience=2).status == 200
    assert web.ask("/static/site/tokens.css", patience=2).status == 200
    assert web.ask("/metrics", patience=8).status == 200


def comes_back(web: Desk) -> None:
    took = wait_for(lambda: failing(web) == [], "the desk stayed closed", BACK_WITHIN)
    assert took < BACK_WITHIN
    assert failing(web) == [], "it closed again"


def failing(web: Desk) -> list[int]:
    return [answer.status for answer in doors(web) if answer.status >= 500]


def kept(cluster: Cluster) -> set[str]:
    with psycopg.connect(embedded.database_url(cluster.where)) as connection:
        rows = connection.execute("SELECT external_id FROM surveys_response").fetchall()
    return {row[0] for row in rows}


def closed_for_a_while(web: Desk) -> None:
    """The first visitors wait a little; those after them hear at once that it is closed."""
    all_refused(doors(web), REFUSED_WITHIN)
    still_open(web)
    all_refused(doors(web), REFUSED_AT_ONCE)
    time.sleep(1)
    all_refused(doors(web), REFUSED_AT_ONCE)


def test_it_refuses_everybody_while_postgresql_is_frozen_and_goes_on_afterwards(
    cluster: Cluster, web: Desk
) -> None:
    comes_back(web)
    cluster.freeze()
    closed_for_a_while(web)
    cluster.go_on()
    comes_back(web)


def test_it_refuses_everybody_while_postgresql_is_stopped_and_goes_on_afterwards(
    cluster: Cluster, web: Desk
) -> None:
    comes_back(web)
    cluster.signal_postmaster(signal.SIGQUIT)
    closed_for_a_while(web)
    cluster.start()
    comes_back(web)


def test_it_refuses_everybody_while_the_line_is_cut_and_goes_on_afterwards(line: Line, web: Desk) -> None:
    comes_back(web)
    line.cut()
    closed_for_a_while(web)
    line.mend()
    comes_back(web)


def test_it_refuses_everybody_while_the_line_hangs_and_goes_on_afterwards(line: Line, web: Desk) -> None:
    comes_back(web)
    line.hang()
    closed_for_a_while(web)
    line.flows.set()
    comes_back(web)


def test_nobody_notices_a_restart_between_two_visits(cluster: Cluster, web: Desk) -> None:
    """Whatever the pool still holds is dead by then."""
    comes_back(web)
    cluster.signal_postmaster(signal.SIGQUIT)
    cluster.start()
    assert failing(web) == []


def test_what_was_acknowledged_is_there_after_the_postmaster_was_killed(cluster: Cluster, web: Desk) -> None:
    acknowledged: set[str] = set()
    errors: list[int] = []
    over = threading.Event()

    def visit(name: int) -> None:
        number = 0
        while not over.is_set():
            number += 1
            external_id = f"kill-{name}-{number}"
            try:
                answer = web.post(external_id, score=9)
            except (OSError, HTTPException):
                continue
            if answer.status < 300:
                acknowledged.add(external_id)
            elif answer.status != 503:
                errors.append(answer.status)

    comes_back(web)
    with ThreadPoolExecutor(4) as threads:
        for name in range(4):
            threads.submit(visit, name)
        try:
            for _ in range(3):
                before = len(acknowledged)
                wait_for(lambda seen=before: len(acknowledged) > seen + 20, "nothing was acknowledged")  # type: ignore[misc]
                cluster.signal_postmaster(signal.SIGKILL)
                cluster.start()
        finally:
            over.set()
    assert errors == []
    assert acknowledged - kept(cluster) == set()


def test_it_starts_over_orphans_that_a_killed_postmaster_left_frozen(cluster: Cluster) -> None:
    with psycopg.connect(embedded.database_url(cluster.where)) as connection:
        backend = connection.info.backend_pid
        os.kill(backend, signal.SIGSTOP)
        cluster.signal_postmaster(signal.SIGKILL)
        assert desk.alive(backend)
        cluster.start()
    assert not desk.alive(backend)
    assert kept(cluster) is not None


def due_callback(cluster: Cluster, number: str) -> int:
    """A promised call whose time has come."""
    with psycopg.connect(embedded.database_url(cluster.where)) as connection:
        connection.execute("UPDATE recovery_callback SET state = 'cancelled'")
        row = connection.execute(
            """
            INSERT INTO recovery_callback
                (ticket_id, cycle, local_time, time_zone, due_at, channel, state, note, origin)
            SELECT id, cycle, '2026-03-02T10:00', 'UTC', now(), 'phone', 'booked', '', 'staff'
            FROM recovery_ticket WHERE number = %s RETURNING id
            """,
            [number],
        ).fetchone()
        assert row is not None
        return int(row[0])


def is_announced(cluster: Cluster, pk: int) -> bool:
    with psycopg.connect(embedded.database_url(cluster.where)) as connection:
        found = connection.execute("SELECT announced_at FROM recovery_callback WHERE id = %s", [pk])
        return found.fetchone() != (None,)


WORKERS = {
    "dispatcher": ["manage.py", "dispatch", "--loop", "--every", "0.5"],
    "celery": ["-m", "celery", "--app", "config", "worker", "--concurrency", "2", "--without-mingle"],
}


@pytest.mark.parametrize("worker", WORKERS)
def test_it_goes_on_with_what_is_due_once_postgresql_is_back(
    cluster: Cluster, facts: dict[str, str], worker: str
) -> None:
    environment = desk.environment_of(cluster.where, cluster.where)
    broker = Celery(broker=broker_url(embedded.redis_url(cluster.where)))

    def done(pk: int) -> bool:
        if worker == "celery":
            broker.send_task("dispatch.tasks.drain", args=("callbacks",), expires=2)
            time.sleep(0.3)
        return is_announced(cluster, pk)

    def begins_again(process: subprocess.Popen[bytes]) -> None:
        pk = due_callback(cluster, facts["ticket"])
        wait_for(lambda: done(pk), f"the {worker} did not go on", BACK_WITHIN)
        assert process.poll() is None

    log = Path(cluster.where, f"{worker}.log")
    with desk.process(environment, log, *WORKERS[worker]) as process:
        begins_again(process)
        cluster.freeze()
        time.sleep(5)
        cluster.go_on()
        begins_again(process)
        cluster.signal_postmaster(signal.SIGKILL)
        time.sleep(2)
        cluster.start()
        begins_again(process)
