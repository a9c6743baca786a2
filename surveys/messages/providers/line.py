"""One request on one connection, over in time however slowly the other side talks."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message as Headers
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import SplitResult

from dispatch.clock import steady
from dispatch.failpoints import failpoint

MOST_BYTES = 64 * 1024


@dataclass(frozen=True)
class Answer:
    status: int
    reason: str
    headers: Headers
    words: str


@cache
def trusted() -> ssl.SSLContext:
    """Whom this machine trusts; reading it takes longer than most calls."""
    return ssl.create_default_context()


class Line:
    """`seconds` bound everything from the first packet on; looking up the name comes on top."""

    def __init__(self, url: SplitResult, seconds: float) -> None:
        self._url, self._ends = url, steady() + seconds
        self._secure = url.scheme == "https"
        self._host, self._port = url.hostname or "", url.port or (443 if self._secure else 80)
        self._connection: HTTPConnection | None = None
        self._alarm: threading.Timer | None = None
        self._twin: socket.socket | None = None

    def open(self) -> None:
        """Connect, and be sure of whom to. Raises OSError or ValueError; nothing has been asked of anyone."""
        raw = self._reach()
        self._twin = raw.dup()
        # A timeout of the socket bounds one read; a server that drips a byte at a time would never reach it.
        self._alarm = threading.Timer(self._left(), self._hang_up)
        self._alarm.daemon = True
        self._alarm.start()
        if self._secure:
            self._connection = HTTPSConnection(self._host, self._port)
            with raw:
                raw = trusted().wrap_socket(raw, server_hostname=self._host)
        else:
            self._connection = HTTPConnection(self._host, self._port)
        self._connection.sock = raw
        raw.settimeout(self._left())

    def exchange(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """Raises OSError or HTTPException when there was no answer: it may have been heard nevertheless."""
        line = self._connection
        assert line is not None
        line.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers.items():
            line.putheader(name, value)
        if body:
            line.putheader("Content-Length", str(len(body)))
        half = len(body) // 2
        # Who has heard enough may answer and hang up before the end.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            line.endheaders(body[:half])
            if body:
                failpoint("request_half_sent")
                line.send(body[half:])
        answer = line.getresponse()
        words = b""
        # The first line says it all: what follows may break off.
        with contextlib.suppress(OSError, HTTPException):
            words = answer.read(MOST_BYTES)
        return Answer(answer.status, answer.reason, answer.headers, words.decode(errors="replace"))

    def close(self) -> None:
        if self._alarm:
            self._alarm.cancel()
        for each in (self._connection, self._twin):
            if each:
                with contextlib.suppress(OSError):
                    each.close()

    def _reach(self) -> socket.socket:
        places = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        trouble: OSError = OSError("no address")
        for number, (family, kind, protocol, _name, address) in enumerate(places):
            raw = socket.socket(family, kind, protocol)
            try:
                # Each address gets its share: one that swallows everything leaves time for the next.
                raw.settimeout(self._left() / (len(places) - number))
                raw.connect(address)
                raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return raw
            except OSError as error:
                raw.close()
                trouble = error
        raise trouble

    def _left(self) -> float:
        left = self._ends - steady()
        if left <= 0:
            raise TimeoutError("it took too long")
        return left

    def _hang_up(self) -> None:
        # The twin is the same line under a number of its own: it stays ours while TLS wraps the other.
        if self._twin:
            with contextlib.suppress(OSError):
                self._twin.shutdown(socket.SHUT_RDWR)
