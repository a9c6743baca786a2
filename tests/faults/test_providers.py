"""The fakes do what providers of their class do: A knows a repetition, B can be asked, C takes it all."""

from __future__ import annotations

import json
import smtplib
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from config import embedded
from tests.faults.journal import Journal, read
from tests.faults.rig import ROOT, free_port

TOKEN = "secret"


class Fake:
    def __init__(self, kind: str, folder: Path) -> None:
        self.port, self.journal = free_port(), folder / f"{kind}.jsonl"
        self.kind = kind
        self.begin()

    def begin(self) -> None:
        command = ["-m", "tests.faults.providers", self.kind, str(self.port), str(self.journal), TOKEN, "0"]
        self.process = embedded.child([sys.executable, *command], cwd=ROOT)
        ends = time.monotonic() + 20
        while not self.listens() and time.monotonic() < ends:
            time.sleep(0.05)

    def listens(self) -> bool:
        with socket.socket() as plug:
            return plug.connect_ex(("127.0.0.1", self.port)) == 0

    def rows(self) -> list[dict[str, Any]]:
        return read(self.journal)

    def end(self) -> None:
        embedded.stop(self.process)

    def post(self, key: str = "k1", *, token: str = TOKEN, **body: Any) -> int:
        whole = {"to": ["c1"], "text": "Hello", **body}
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        return self.status(json.dumps(whole).encode(), headers)

    def ask(self, reference: str) -> int:
        return self.status(None, {"Authorization": f"Bearer {TOKEN}"}, f"?reference={reference}")

    def cut(self) -> bytes:
        """What is answered to somebody who falls silent in the middle of a request."""
        body = json.dumps({"to": ["c1"], "text": "Hello", "reference": "k1"}).encode()
        head = (
            f"POST /messages HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\nIdempotency-Key: k1\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", self.port), 20) as plug:
            plug.sendall(head.encode() + body[: len(body) // 2])
            plug.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: plug.recv(4096), b""))

    def status(self, raw: bytes | None, headers: dict[str, str], query: str = "") -> int:
        url = f"http://127.0.0.1:{self.port}/messages{query}"
        try:
            with closing(urllib.request.urlopen(urllib.request.Request(url, raw, headers))) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code


def fake(kind: str, folder: Path) -> Iterator[Fake]:
    made = Fake(kind, folder)
    try:
        yield made
    finally:
        made.end()


@pytest.fixture
def keyed(tmp_path: Path) -> Iterator[Fake]:
    yield from fake("key", tmp_path)


@pytest.fixture
def askable(tmp_path: Path) -> Iterator[Fake]:
    yield from fake("ask", tmp_path)


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[Fake]:
    yield from fake("smtp", tmp_path)


def whats(made: Fake) -> list[str]:
    return [row["what"] for row in made.rows()]


def test_it_delivers_a_key_once_and_answers_the_same_again(keyed: Fake) -> None:
    assert [keyed.post("k1"), keyed.post("k1"), keyed.post("k2")] == [202, 202, 202]
    assert whats(keyed) == ["delivered", "repeat", "delivered"]


def test_it_complains_of_a_key_with_another_body(keyed: Fake) -> None:
    assert [keyed.post("k1"), keyed.post("k1", text="Other")] == [202, 422]
    assert whats(keyed) == ["delivered", "complaint"]


def test_it_complains_of_a_missing_key_a_wrong_token_and_no_message(keyed: Fake) -> None:
    assert [keyed.post(""), keyed.post("k1", token="wrong"), keyed.post("k1", to=[])] == [400, 401, 400]
    assert whats(keyed) == ["complaint"] * 3


def test_it_complains_of_a_whole_body_that_is_no_json(keyed: Fake) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": "k1"}
    assert keyed.status(b'{"to": ["c1"], "te', headers) == 400
    assert [(row["what"], row["why"]) for row in keyed.rows()] == [("complaint", "the body is no JSON")]


def test_it_neither_takes_nor_minds_a_body_cut_off_by_the_death_of_its_sender(
    keyed: Fake, askable: Fake
) -> None:
    for made in (keyed, askable):
        assert made.cut() == b""
        assert made.rows() == []
    assert [keyed.post("k1"), askable.ask("k1")] == [202, 404]
    assert whats(keyed) == ["delivered"]


def test_it_says_what_became_of_a_reference(askable: Fake) -> None:
    assert askable.ask("k1") == 404
    assert askable.post("", reference="k1") == 202
    assert askable.ask("k1") == 200


def test_it_delivers_a_reference_as_often_as_it_comes(askable: Fake) -> None:
    assert [askable.post("", reference="k1"), askable.post("", reference="k1")] == [202, 202]
    assert whats(askable) == ["delivered", "delivered"]


def test_it_complains_of_a_missing_reference(askable: Fake) -> None:
    assert askable.post("") == 400
    assert whats(askable) == ["complaint"]


def test_it_knows_after_a_restart_what_it_accepted(keyed: Fake) -> None:
    keyed.post("k1")
    keyed.end()
    keyed.begin()
    assert keyed.post("k1") == 202
    assert whats(keyed) == ["delivered", "repeat"]


def test_it_takes_mail_and_writes_down_whose(mail: Fake) -> None:
    letter = EmailMessage()
    letter["To"], letter["Subject"], letter["Message-ID"] = "c1@example.com", "Hello", "<1@here>"
    with smtplib.SMTP("127.0.0.1", mail.port) as line:
        line.send_message(letter, "us@example.com", ["c1@example.com"])
    assert [(row["what"], row["to"], row["key"]) for row in mail.rows()] == [
        ("delivered", "c1@example.com", "<1@here>")
    ]


def test_it_complains_of_mail_without_a_message_id(mail: Fake) -> None:
    letter = EmailMessage()
    letter["To"] = "c1@example.com"
    with smtplib.SMTP("127.0.0.1", mail.port) as line, pytest.raises(smtplib.SMTPDataError):
        line.send_message(letter, "us@example.com", ["c1@example.com"])
    assert whats(mail) == ["complaint"]


def test_it_reads_only_whole_lines_of_a_journal(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    Journal(path).write(what="whole")
    with path.open("a") as file:
        file.write('{"what": "ha')
    assert [row["what"] for row in read(path)] == ["whole"]
