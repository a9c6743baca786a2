"""Connections to PostgreSQL that give up on a server which no longer answers.

A server that was stopped closes its connections, and whoever waits hears of it at once. One that is frozen,
or behind a cut line, keeps them open and says nothing, and no timeout of libpq or of the server ends that
wait. So whoever has waited for a while knocks at the server anew: where nobody opens, the wait is over.
"""

import logging
import re
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TypeVar

import psycopg
from psycopg import errors
from psycopg.abc import ConnParam, PQGen
from psycopg.pq import ConnStatus

log = logging.getLogger(__name__)

T = TypeVar("T")

# A statement that takes longer makes sure, again and again, that somebody is there.
PATIENCE_SECONDS = 2.0
KNOCK_SECONDS = 2
# While the server is known to be away, a statement waits this long before it believes it.
BRIEFLY_SECONDS = 0.5
KNOCK_AGAIN_SECONDS = 1.0
# What a pool puts between two attempts grows up to this, so that it notices soon that the server is back.
RECONNECT_SECONDS = 5.0
LOCK_SECONDS = 15
SERVING = ("gunicorn", "celery", "uvicorn")
CLOSED = re.compile(r"starting up|shutting down|recovery|not accepting|not yet accepting")


class Silent(errors.OperationalError):
    """The server does not answer on this connection, nor does it open another."""


class Server:
    """What this process knows of the server: whether it answers, as of the last knock. Safe for threads."""

    def __init__(self, knock: Callable[[str, dict[str, Any]], bool]) -> None:
        self.suspected = False
        self.away = False
        self._knock = knock
        self._address: tuple[str, dict[str, Any]] | None = None
        self._knocked = float("-inf")
        self._knocking = threading.Lock()

    def answers(self) -> bool:
        """True unless a knock said otherwise; while there is doubt, one caller a second knocks."""
        if self.suspected or self.away:
            self.look()
        return not self.away

    def look(self) -> None:
        """Knock, unless somebody just did or is just doing so. Takes at most KNOCK_SECONDS."""
        if self._address is None or not self._knocking.acquire(blocking=False):
            return
        try:
            if time.monotonic() - self._knocked > KNOCK_AGAIN_SECONDS:
                self._heard(self._knock(*self._address))
        finally:
            self._knocking.release()

    def suspect(self) -> None:
        self.suspected = True

    def opened(self, conninfo: str, facts: dict[str, Any]) -> None:
        """A connection was opened with these facts: the next knock uses them."""
        self._address = conninfo, facts
        self.suspected = self.away = False

    def failed(self, conninfo: str, facts: dict[str, Any]) -> None:
        self._address = self._address or (conninfo, facts)
        self.suspected = True

    def _heard(self, answer: bool) -> None:
        self._knocked = time.monotonic()
        if self.away is answer:
            log.warning("PostgreSQL answers again" if answer else "PostgreSQL does not answer")
        self.suspected, self.away = False, not answer


def knock(conninfo: str, facts: dict[str, Any]) -> bool:
    """Whether the server opens a connection. One that says it is full, or refuses us, is there."""
    try:
        psycopg.connect(conninfo, **{**facts, "connect_timeout": KNOCK_SECONDS}).close()
    except errors.ConnectionTimeout:
        return False
    except psycopg.OperationalError as error:
        return "FATAL" in str(error) and not CLOSED.search(str(error))
    return True


server = Server(knock)


class Connection(psycopg.Connection[Any]):
    """Raises Silent instead of waiting for ever, and tells its pool when the server has closed it."""

    @classmethod
    def connect(cls, conninfo: str = "", **kwargs: Any) -> Self:
        facts = {name: value for name, value in kwargs.items() if name not in NOT_FOR_KNOCKS}
        try:
            connection = super().connect(conninfo, **kwargs)
        except psycopg.OperationalError:
            server.failed(conninfo, facts)
            raise
        server.opened(conninfo, facts)
        return connection

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        try:
            return super().wait(impatiently(gen), interval, timeout)
        except Silent:
            self.pgconn.finish()
            self._lost()
            raise
        except errors.IdleInTransactionSessionTimeout as ended:
            self._lost()
            raise errors.OperationalError("the server ended a session that had fallen silent") from ended
        except psycopg.OperationalError:
            if self.pgconn.status == ConnStatus.BAD:
                self._lost()
            raise

    def _lost(self) -> None:
        """Its siblings in the pool are as old: they are replaced before somebody gets one."""
        server.suspect()
        pool = getattr(self, "_pool", None)
        if pool is not None and self._created_at > pool._drained_at:
            pool.drain()


NOT_FOR_KNOCKS = ("autocommit", "prepare_threshold", "context", "row_factory", "cursor_factory")


def impatiently(gen: PQGen[T]) -> PQGen[T]:
    """The same exchange with the server, broken off by Silent when the server is away."""
    waits_since = looked = time.monotonic()
    try:
        state = next(gen)
        while True:
            ready = yield state
            now = time.monotonic()
            if ready:
                waits_since = looked = now
            elif now - looked > PATIENCE_SECONDS:
                server.look()
                looked = time.monotonic()
            if not ready and server.away and now - waits_since > BRIEFLY_SECONDS:
                raise Silent("the server does not answer")
            state = gen.send(ready)
    except StopIteration as done:
        result: T = done.value
        return result


def options(lease_seconds: float, words: list[str] = sys.argv) -> dict[str, Any]:
    """Django's OPTIONS for the connection. The processes that serve, not commands, have limits.

    A page or worker that froze inside its transaction keeps a ticket locked for one lease at most.
    """
    facts: dict[str, ConnParam | dict[str, Any]] = {
        "connect_timeout": 5,
        # A line that was cut, on TCP.
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 2,
        "tcp_user_timeout": 15_000,
        "pool": {
            "min_size": 1,
            "max_size": 16,
            "timeout": 5,
            "reconnect_timeout": RECONNECT_SECONDS,
            "connection_class": Connection,
        },
    }
    if serves(words):
        facts["options"] = (
            f"-c idle_in_transaction_session_timeout={round(lease_seconds * 1000)}"
            f" -c lock_timeout={LOCK_SECONDS * 1000}"
        )
    return facts


def serves(words: list[str]) -> bool:
    """Whether this process answers requests or does what falls due, by its command line."""
    program = Path(words[0] if words else "")
    name = program.parent.name if program.name == "__main__.py" else program.name
    return name in SERVING or words[1:2] in (["dispatch"], ["runserver"])
