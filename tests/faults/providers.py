"""Fake providers, each a process of its own that writes down what it accepted before it says so.

`key` (class A) knows a repetition by its Idempotency-Key, `ask` (class B) can be asked what became of a
reference, `smtp` (class C) takes whatever comes. What is wrong with a request goes into the journal as a
complaint; one whose sender died before its end leaves nothing there. Run as
`python -m tests.faults.providers key|ask|smtp PORT JOURNAL TOKEN [SLOWEST_SECONDS]`.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
import random
import sys
import threading
import time
from email.utils import parseaddr
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.faults.journal import Journal, read

SLOWEST_SECONDS = 0.05
DELIVERED, REPEAT, COMPLAINT = "delivered", "repeat", "complaint"


class Http(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    journal: ClassVar[Journal]
    token: ClassVar[str]
    by_key: ClassVar[bool]
    slowest: ClassVar[float]
    known: ClassVar[dict[str, str]]
    lock: ClassVar[threading.Lock]

    def log_message(self, *_: Any) -> None:
        pass

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        if len(raw) < length:  # its sender died half-way: nothing was asked for, nobody hears an answer
            self.close_connection = True
        else:
            self.judge(raw)

    def judge(self, raw: bytes) -> None:
        time.sleep(random.uniform(0, self.slowest))
        try:
            body = json.loads(raw)
        except ValueError:
            return self.complain(400, "the body is no JSON")
        wrong = self.wrong_with(body)
        if wrong:
            return self.complain(*wrong)
        key = self.headers["Idempotency-Key"] if self.by_key else body["reference"]
        with self.lock:
            before, digest = self.known.get(key), sha256(raw).hexdigest()
            if before is not None and before != digest:
                return self.complain(422, f"key {key} came with another body")
            if self.by_key and before is not None:
                self.journal.write(what=REPEAT, key=key, to=body["to"][0])
            else:
                self.known[key] = digest
                self.journal.write(what=DELIVERED, key=key, to=body["to"][0], digest=digest)
        return self.answer(202, {"id": key[:16], "state": "accepted"})

    def wrong_with(self, body: Any) -> tuple[int, str] | None:
        if self.headers.get("Authorization") != f"Bearer {self.token}":
            return 401, "the token is missing or wrong"
        to = body.get("to") if isinstance(body, dict) else None
        if not isinstance(to, list) or len(to) != 1 or not body.get("text"):
            return 400, f"not a message: {str(body)[:200]}"
        if self.by_key and not self.headers.get("Idempotency-Key"):
            return 400, "no Idempotency-Key"
        if not self.by_key and not body.get("reference"):
            return 400, "no reference"
        return None

    def do_GET(self) -> None:
        time.sleep(random.uniform(0, self.slowest))
        if self.headers.get("Authorization") != f"Bearer {self.token}":
            return self.complain(401, "asked without the token")
        wanted = parse_qs(urlsplit(self.path).query).get("reference", [""])[0]
        if self.by_key or not wanted:
            return self.complain(400, f"asked in vain: {self.path}")
        if wanted in self.known:
            return self.answer(200, {"state": "accepted"})
        return self.answer(404, {"state": "unknown"})

    def complain(self, status: int, why: str) -> None:
        self.journal.write(what=COMPLAINT, why=why, status=status)
        self.answer(status, {"error": why})

    def answer(self, status: int, body: dict[str, Any]) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that dies in the middle of a request is what this is for."""


def serve_http(kind: str, port: int, path: Path, token: str, slowest: float) -> None:
    Http.by_key, Http.token, Http.slowest, Http.lock = kind == "key", token, slowest, threading.Lock()
    # A provider does not forget what it accepted when it starts again.
    Http.known = {row["key"]: row["digest"] for row in read(path) if row["what"] == DELIVERED}
    Http.journal = Journal(path)
    Server(("127.0.0.1", port), Http).serve_forever()


class Mailbox:
    def __init__(self, journal: Journal, slowest: float) -> None:
        self.journal, self.slowest = journal, slowest

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        await asyncio.sleep(random.uniform(0, self.slowest))
        raw = envelope.original_content or b""
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        key, to = str(mail["Message-ID"] or ""), envelope.rcpt_tos[0]
        if not key or len(envelope.rcpt_tos) != 1 or parseaddr(str(mail["To"]))[1] != to:
            self.journal.write(what=COMPLAINT, why=f"not one message to one person: {key} {to}", status=550)
            return "550 not one message to one person"
        self.journal.write(what=DELIVERED, key=key, to=to, subject=str(mail["Subject"])[:80])
        return "250 taken"


def serve_smtp(port: int, path: Path, slowest: float) -> None:
    mailbox = Mailbox(Journal(path), slowest)
    Controller(mailbox, hostname="127.0.0.1", port=port).start()
    threading.Event().wait()


def main(kind: str, port: str, path: str, token: str, slowest: str = str(SLOWEST_SECONDS)) -> None:
    if kind == "smtp":
        serve_smtp(int(port), Path(path), float(slowest))
    else:
        serve_http(kind, int(port), Path(path), token, float(slowest))


if __name__ == "__main__":
    main(*sys.argv[1:])
