"""A provider over HTTP on a free port: it keeps what it was sent, and misbehaves as it is told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "t0ken"


@dataclass
class Heard:
    """One request, as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Carrier:
    """`kind` is the word in the URL: key (class A), ask (class B) or none. `deliveries` is the judge."""

    kind: str = "key"
    heard: list[Heard] = field(default_factory=list)
    deliveries: list[str] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    # What to do with the next requests, one each; then it behaves.
    tricks: list[Callable[[Handler], None]] = field(default_factory=list)
    port: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def facts(self) -> dict[str, Any]:
        return {
            "URL": f"http://127.0.0.1:{self.port}/messages",
            "TOKEN": TOKEN,
            "CLASS": {"key": "A", "ask": "B", "none": "C"}[self.kind],
            "WINDOW_HOURS": 24.0,
        }

    def take(self, heard: Heard) -> None:
        key = heard.headers.get("Idempotency-Key") or heard.json.get("reference") or ""
        if self.kind == "key" and key in self.known:
            return
        self.known.add(key)
        self.deliveries.append(heard.json["to"][0])


class Handler(BaseHTTPRequestHandler):
    carrier: Carrier
    heard: Heard
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_POST(self) -> None:
        size = int(self.headers["Content-Length"])
        body = self.rfile.read(size)
        if len(body) < size:
            return  # whoever sent it is gone
        self.heard = Heard("POST", self.path, dict(self.headers), body)
        self.carrier.heard.append(self.heard)
        if self.carrier.tricks:
            self.carrier.tricks.pop(0)(self)
        else:
            self.carrier.take(self.heard)
            self.answer(200, b'{"id": "1"}')

    def do_GET(self) -> None:
        self.carrier.heard.append(Heard("GET", self.path, dict(self.headers), b""))
        if self.carrier.tricks:
            return self.carrier.tricks.pop(0)(self)
        key = parse_qs(urlsplit(self.path).query)["reference"][0]
        if key in self.carrier.known:
            return self.answer(200, b'{"state": "accepted"}')
        return self.answer(404, b"{}")

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    carrier: Carrier

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hangs up is what is tested."""


@contextmanager
def carrier(kind: str = "key") -> Iterator[Carrier]:
    made = Carrier(kind)
    handler = type("ItsHandler", (Handler,), {"carrier": made})
    with Server(("127.0.0.1", 0), handler) as server:
        made.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield made
        finally:
            made.over.set()
            server.shutdown()
            thread.join()


# --- Tricks ---


def answers(status: int, body: bytes = b"{}", **headers: str) -> Callable[[Handler], None]:
    return lambda line: line.answer(status, body, **headers)


def hangs(line: Handler) -> None:
    line.carrier.over.wait(10)


def drips(line: Handler) -> None:
    while not line.carrier.over.is_set():
        line.wfile.write(b"H")
        time.sleep(0.02)


def talks_garbage(line: Handler) -> None:
    line.wfile.write(b"\x00\xffnothing of the kind\r\n\r\n")
    line.close_connection = True


def hangs_up(line: Handler) -> None:
    line.close_connection = True


def takes_and_hangs_up(line: Handler) -> None:
    line.carrier.take(line.heard)
    line.close_connection = True


def takes_and_breaks_off(line: Handler) -> None:
    """It says yes and dies in the middle of the rest."""
    line.carrier.take(line.heard)
    line.wfile.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 500\r\n\r\n{")
    line.close_connection = True
