"""A provider spoken to in JSON over HTTP: POST to send; for class B, GET with our reference to ask.

The request is that of Resend's `POST /emails`: `from`, `to`, `subject`, `text`, `html` and `headers`, a
bearer token, and the header `Idempotency-Key`, which Resend remembers for 24 hours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

from django.conf import settings

from surveys.messages.compose import EMAIL, brand, one_line
from surveys.messages.providers.base import (
    ABSENT,
    ACCEPTED,
    ASKABLE,
    FOUND,
    KEYED,
    REJECTED,
    RETRY,
    UNCERTAIN,
    UNKNOWN,
    Outcome,
    total_seconds,
)
from surveys.messages.providers.line import Answer, Line
from surveys.models import Message

LONGEST_WAIT = timedelta(minutes=30)
# The answers that say nothing was done with the request. 409 is judged apart.
NOT_NOW = (408, 425, 429, 503)
# Our token is wrong or may not do this: nothing about the message. An administrator can mend it meanwhile.
NOT_US = (401, 403)
ANOTHER_PAYLOAD = "invalid_idempotent_request"
TAKEN = ("accepted", "sent", "delivered")


@dataclass(frozen=True)
class HttpProvider:
    name: str
    klass: str
    window: timedelta
    url: SplitResult
    token: str = field(repr=False)

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> HttpProvider:
        url = urlsplit(facts["URL"])
        window = timedelta(hours=facts["WINDOW_HOURS"])
        return cls(url.netloc[:40], facts["CLASS"], window, url, facts["TOKEN"])

    def deliver(self, message: Message, key: str) -> Outcome:
        body = json.dumps(self._payload(message, key)).encode()
        line = Line(self.url, total_seconds())
        try:
            line.open()
        except (OSError, ValueError) as error:  # refused, unknown, untrusted, too slow: nothing was said yet
            line.close()
            return Outcome(RETRY, told(error))
        try:
            answer = line.exchange("POST", self.url.path or "/", self._headers(key), body)
        except (OSError, HTTPException, ValueError) as error:
            return Outcome(UNCERTAIN, told(error))
        finally:
            line.close()
        return self._judge(answer)

    def ask(self, key: str) -> str:
        line = Line(self.url, total_seconds())
        try:
            line.open()
            path = f"{self.url.path or '/'}?reference={quote(key)}"
            return read(line.exchange("GET", path, self._headers("")), key)
        except (OSError, HTTPException, ValueError, RecursionError):
            return UNKNOWN
        finally:
            line.close()

    def _payload(self, message: Message, key: str) -> dict[str, Any]:
        mail = message.channel == EMAIL
        payload: dict[str, Any] = {
            "from": settings.DEFAULT_FROM_EMAIL if mail else brand(),
            "to": [message.to_address],
            "subject": message.subject,
            "text": message.text,
        }
        if message.html:
            payload["html"] = message.html
        if message.headers:
            payload["headers"] = message.headers
        if self.klass == ASKABLE:
            payload["reference"] = key
        return payload

    def _headers(self, key: str) -> dict[str, str]:
        headers = {"Accept": "application/json", "User-Agent": "Redress", "Connection": "close"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if key:
            headers["Content-Type"] = "application/json"
        if key and self.klass == KEYED:
            headers["Idempotency-Key"] = key
        return headers

    def _judge(self, answer: Answer) -> Outcome:
        said = self._said(answer)
        if 200 <= answer.status < 300:
            return Outcome(ACCEPTED)
        if answer.status == 409:
            return Outcome(self._conflict(answer), said, wait=answer_wait(answer))
        if answer.status in (*NOT_NOW, *NOT_US):
            return Outcome(RETRY, said, wait=answer_wait(answer))
        if 300 <= answer.status < 500:
            return Outcome(REJECTED, said)
        # Any other trouble of the server may have come after it took the message.
        return Outcome(UNCERTAIN, said)

    def _conflict(self, answer: Answer) -> str:
        """To A an equal request is under way. To B the reference is known: it can be asked."""
        if self.klass == KEYED and ANOTHER_PAYLOAD not in answer.words:
            return RETRY
        return UNCERTAIN if self.klass == ASKABLE else REJECTED

    def _said(self, answer: Answer) -> str:
        words = answer.words.replace(self.token, "…") if self.token else answer.words
        return one_line(f"{answer.status} {answer.reason} {words}")[:200]


def read(answer: Answer, key: str) -> str:
    """What the answer to our question means; anything not clearly a yes or a no is UNKNOWN."""
    if answer.status == 404:
        return ABSENT
    if answer.status != 200:
        return UNKNOWN
    found = json.loads(answer.words)
    if found == []:
        return ABSENT
    rows = found if isinstance(found, list) else [found]
    taken = any(
        isinstance(row, dict) and row.get("state") in TAKEN and row.get("reference", key) == key
        for row in rows
    )
    return FOUND if taken else UNKNOWN


def answer_wait(answer: Answer) -> timedelta | None:
    """How long the server asks us to stay away, LONGEST_WAIT at most; a date counts from its own clock."""
    asked = answer.headers.get("Retry-After", "").strip()
    if asked.isascii() and asked.isdigit():
        return min(timedelta(seconds=int(asked[:6])), LONGEST_WAIT)
    until, sent = parsed(asked), parsed(answer.headers.get("Date", ""))
    if until is None or sent is None:
        return None
    return min(max(until - sent, timedelta(0)), LONGEST_WAIT)


def parsed(date: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(date)
    except ValueError:
        return None
    return found if found.tzinfo else None


def told(error: Exception) -> str:
    return one_line(f"{type(error).__name__}: {error}")[:200]
