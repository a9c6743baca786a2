"""A real mail server on a free port, and what it took."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import TypeVar

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pytest_django import Settings

Found = TypeVar("Found")
PATIENCE_SECONDS = 30.0


def eventually(look: Callable[[], Found | None], what: str) -> Found:
    """What `look` finds, as soon as it finds something; fails with `what` after half a minute."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"did not happen within {PATIENCE_SECONDS:.0f} s: {what}")


class Mailbox:
    """Every mail that arrived, whoever it was for."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        mail = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for mail in self.mails if address in str(mail["To"])]

    def wait_for(self, address: str, subject: str = "") -> EmailMessage:
        """The newest mail to an address whose subject holds the words."""
        return eventually(
            lambda: next(
                (mail for mail in reversed(self.to(address)) if subject in str(mail["Subject"])), None
            ),
            f"a mail to {address} with “{subject}”, among {[str(mail['Subject']) for mail in self.mails]}",
        )


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(preferencelist=("plain",))
    assert body is not None
    return str(body.get_content())


def link_in(mail: EmailMessage, path: str) -> str:
    """The first link to a path of ours in the text of a mail."""
    found = re.search(rf"https?://[^\s/]+({path}[^\s]*)", text_of(mail))
    assert found, text_of(mail)
    return found.group(1)


@contextmanager
def mail_server(settings: Settings) -> Iterator[Mailbox]:
    """Settings point to it while it runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
