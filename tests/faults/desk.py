"""A desk with a database of its own, which a test may stop, freeze, cut off and kill.

`python -m tests.faults.desk` fills an empty database and prints what a visitor needs, as JSON.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from config import embedded

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 20.0


class Cluster:
    """PostgreSQL in a folder of its own, as durable as in production."""

    def __init__(self, where: Path) -> None:
        self.where = where
        self.data = (where / "postgres-18").resolve()
        self.servers = contextlib.ExitStack()

    def start(self) -> None:
        self.servers.enter_context(embedded.running(self.where, durable=True))

    def close(self) -> None:
        self.go_on()
        self.servers.close()
        shutil.rmtree(self.where, ignore_errors=True)

    @property
    def postmaster(self) -> int:
        return int((self.data / "postmaster.pid").read_text().split("\n")[0])

    def signal_postmaster(self, sign: signal.Signals) -> None:
        postmaster = self.postmaster
        os.kill(postmaster, sign)
        if sign in (signal.SIGQUIT, signal.SIGKILL, signal.SIGINT):
            wait_for(lambda: not alive(postmaster), "the postmaster went on")

    def freeze(self) -> None:
        self._all(signal.SIGSTOP)

    def go_on(self) -> None:
        self._all(signal.SIGCONT)

    def _all(self, sign: signal.Signals) -> None:
        for pid in embedded._working_in(self.data):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)


def alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


class Line:
    """Carries bytes between a socket of its own and the cluster's, until it is cut, or hangs."""

    def __init__(self, where: Path, to: Path) -> None:
        self.where, self.to = where, to
        self.pairs: list[socket.socket] = []
        self.flows = threading.Event()
        self.mend()

    def mend(self) -> None:
        self.flows.set()
        self.ear = socket.socket(socket.AF_UNIX)
        self.ear.bind(str(self.where / ".s.PGSQL.5432"))
        self.ear.listen(64)
        threading.Thread(target=self._take, args=(self.ear,), daemon=True).start()

    def cut(self) -> None:
        """Whoever talks hears that it is over; nobody gets through again."""
        (self.where / ".s.PGSQL.5432").unlink()
        self.ear.shutdown(socket.SHUT_RDWR)
        self.ear.close()
        for end in self.pairs:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self.pairs.clear()

    def hang(self) -> None:
        """What is said gets lost, and nobody is told."""
        self.flows.clear()

    def _take(self, ear: socket.socket) -> None:
        while True:
            try:
                near, _ = ear.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            try:
                far.connect(str(self.to / ".s.PGSQL.5432"))
            except OSError:
                near.close()
                continue
            self.pairs += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while heard := one.recv(65536):
                self.flows.wait()
                other.sendall(heard)
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: str
    took: float


@dataclass
class Desk:
    """The real web server on a port of this machine, and who may come in."""

    port: int
    environment: dict[str, str]
    facts: dict[str, Any] = field(default_factory=dict)

    def ask(
        self,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        patience: float = PATIENCE,
    ) -> Answer:
        began = time.monotonic()
        plug = http.client.HTTPConnection("127.0.0.1", self.port, timeout=patience)
        try:
            plug.request("GET" if body is None else "POST", path, body, headers or {})
            answer = plug.getresponse()
            text = answer.read().decode()
        finally:
            plug.close()
        took = time.monotonic() - began
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, text, took)

    def page(self, path: str) -> Answer:
        """As a colleague who is signed in."""
        return self.ask(path, headers={"Cookie": f"sessionid={self.facts['session']}"})

    def post(self, external_id: str, score: int = 2, patience: float = PATIENCE) -> Answer:
        body = {"survey": "delivery", "external_id": external_id, "score": score, "customer": CUSTOMER}
        headers = {"Authorization": f"Bearer {self.facts['token']}", "Content-Type": "application/json"}
        return self.ask("/api/v1/responses/", json.dumps(body).encode(), headers, patience)

    def answer_survey(self) -> Answer:
        return self.ask(f"/s/{self.facts['survey']}/", b"score=9&nonce=none", FORM)

    def sign_in(self) -> Answer:
        """With a wrong password."""
        form = {"username": "lina", "password": "wrong", "csrfmiddlewaretoken": "a" * 32}
        headers = {**FORM, "Cookie": f"csrftoken={'a' * 32}"}
        return self.ask("/login/", urlencode(form).encode(), headers)

    def is_well(self) -> bool:
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.page("/desk/").status == 200
        return False


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
CUSTOMER = {"external_id": "C-1", "name": "Zhang Wei", "email": "wei@example.com"}


def wait_for(what: Callable[[], bool], complaint: str, seconds: float = PATIENCE) -> float:
    """Returns after how many seconds it came true."""
    began = time.monotonic()
    while not what():
        assert time.monotonic() - began < seconds, complaint
        time.sleep(0.02)
    return time.monotonic() - began


def environment_of(database: Path, servers: Path, **more: str) -> dict[str, str]:
    """A process of the product, in this cluster, as if started on its own."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
        "DATABASE_URL": embedded.database_url(database),
        "REDIS_URL": embedded.redis_url(servers),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        **more,
    }


def run(environment: dict[str, str], *words: str) -> str:
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@contextlib.contextmanager
def process(environment: dict[str, str], log: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as output:
        started = embedded.child(
            [sys.executable, *words], cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield started
    finally:
        embedded.stop(started, patience=3)


@contextlib.contextmanager
def served(environment: dict[str, str], log: Path, workers: int = 1) -> Iterator[Desk]:
    with socket.socket() as plug:
        plug.bind(("127.0.0.1", 0))
        port: int = plug.getsockname()[1]
    words = ["-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}", "--threads", "8"]
    words += ["--workers", str(workers), "--graceful-timeout", "1", "--no-control-socket"]
    with process(environment, log, *words):
        desk = Desk(port, environment)
        yield desk


def fill() -> dict[str, str]:
    """The cast, one of them signed in and holding a token, and one open invitation."""
    from datetime import timedelta

    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from dispatch.clock import now
    from recovery.models import ApiToken
    from surveys.messages.links import new_link
    from surveys.models import Invitation, PublicLink
    from tests.make import Cast

    cast, at = Cast(), now()
    session = SessionStore()
    session[SESSION_KEY] = str(cast.lina.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = cast.lina.get_session_auth_hash()
    session.save()
    invitation = Invitation.objects.create(
        survey=cast.survey,
        customer=cast.customer(),
        channel="email",
        state=Invitation.SENT,
        send_at=at,
        created_at=at,
    )
    _link, url = new_link(PublicLink.SURVEY, at=at, expires_at=at + timedelta(days=14), invitation=invitation)
    ticket = cast.ticket(at=at)
    return {
        "session": str(session.session_key),
        "token": ApiToken.issue(cast.lina.pk, "test")[1],
        "survey": url.rstrip("/").rpartition("/")[2],
        "ticket": ticket.number,
    }


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(fill()))
