"""The e-mail channel: Django's mail, and an honest account of how far it came."""

import contextlib
import smtplib
from datetime import timedelta
from email.utils import formataddr
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection

from surveys.messages.providers.base import (
    ACCEPTED,
    BLIND,
    REJECTED,
    RETRY,
    UNCERTAIN,
    UNKNOWN,
    Outcome,
    total_seconds,
)
from surveys.models import Message

DJANGOS_SMTP = "django.core.mail.backends.smtp.EmailBackend"
WATCHED_SMTP = "surveys.messages.smtp.WatchedBackend"


class Mail:
    """SMTP: it neither knows a repetition nor can be asked what became of a message."""

    name, klass, window = "smtp", BLIND, timedelta(0)

    def deliver(self, message: Message, key: str) -> Outcome:
        return deliver(message)

    def ask(self, key: str) -> str:
        return UNKNOWN


def deliver(message: Message) -> Outcome:
    """Hand the message over once. Takes about `total_seconds()` at most after connecting; raises nothing."""
    connection = open_connection()
    try:
        mail = as_mail(message)
        mail.connection = connection
        mail.message()
    except Exception as error:  # nothing has been said to anyone yet
        return Outcome(REJECTED, told(error))
    try:
        connection.open()
    except Exception as error:  # refused, unknown host, wrong password: no message has begun
        return Outcome(RETRY, told(error))
    try:
        mail.send()
    except Exception as error:
        return judge(error, data_began=getattr(connection, "data_began", True))
    else:
        return Outcome(ACCEPTED)
    finally:
        # The result stands already; a server that says goodbye badly changes nothing.
        with contextlib.suppress(Exception):
            connection.close()


def open_connection() -> Any:
    backend = WATCHED_SMTP if settings.EMAIL_BACKEND == DJANGOS_SMTP else settings.EMAIL_BACKEND
    return get_connection(backend, timeout=total_seconds())


def as_mail(message: Message) -> EmailMultiAlternatives:
    mail = EmailMultiAlternatives(
        subject=message.subject,
        body=message.text,
        to=[formataddr((message.to_name, message.to_address))],
        headers={**message.headers, "Message-ID": message_id(message.dedup_key)},
    )
    if message.html:
        mail.attach_alternative(message.html, "text/html")
    return mail


def message_id(dedup_key: str) -> str:
    """The same for every try of one message, so that a mailbox can tell a repetition."""
    host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    return f"<{sha256(dedup_key.encode()).hexdigest()[:32]}@{host}>"


def judge(error: Exception, *, data_began: bool) -> Outcome:
    """What an error after connecting means for the one message under way."""
    code, words = answer(error)
    if 500 <= code < 600:
        # RFC 3463: 5.1.1 is a mailbox that does not exist; other refusals may be about us, not about it.
        return Outcome(REJECTED, told(error), no_such_mailbox="5.1.1" in words)
    if 400 <= code < 500:
        return Outcome(RETRY, told(error))
    if data_began:
        return Outcome(UNCERTAIN, told(error))
    if isinstance(error, ValueError | smtplib.SMTPNotSupportedError):
        return Outcome(REJECTED, told(error))
    return Outcome(RETRY, told(error))


def answer(error: Exception) -> tuple[int, str]:
    """The server's reply code and words, 0 when it did not answer."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, words = next(iter(error.recipients.values()))
        return code, readable(words)
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code, readable(error.smtp_error)
    return 0, ""


def told(error: Exception) -> str:
    code, words = answer(error)
    said = f"{code} {words}" if code else f"{type(error).__name__}: {error}"
    return " ".join(said.replace("\0", "").split())[:200]


def readable(words: bytes | str) -> str:
    return words.decode(errors="replace") if isinstance(words, bytes) else words
