"""Every mail the demo sent, one file each, as its own SMTP receiver got them."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path

from django.conf import settings

MOST_MAILS = 600
# Nanoseconds since 1970, so that the names sort by time.
NAME = re.compile(r"[0-9]{19}")
SURVEY_LINK = re.compile(r"https?://[^\s\"<>]+/s/[\w-]+/")


@dataclass(frozen=True, slots=True)
class Mail:
    id: str
    at: datetime
    name: str
    address: str
    subject: str


@dataclass(frozen=True, slots=True)
class Opened:
    mail: Mail
    text: str
    html: str


def folder() -> Path:
    return Path(settings.DEMO_DIR) / "demo-mail"


def keep(content: bytes) -> str:
    """Store one mail so that nobody ever reads half of it; returns its id."""
    folder().mkdir(parents=True, exist_ok=True)
    mail_id = f"{time.time_ns():019d}"
    unfinished = folder() / f"{mail_id}.part"
    unfinished.write_bytes(content)
    os.replace(unfinished, file_of(mail_id))
    return mail_id


def forget_the_oldest(most: int = MOST_MAILS) -> None:
    for mail_id in list(newest_first())[most:]:
        file_of(mail_id).unlink(missing_ok=True)


def newest_first() -> Iterator[str]:
    names = (path.stem for path in folder().glob("*.eml"))
    yield from sorted((name for name in names if NAME.fullmatch(name)), reverse=True)


def file_of(mail_id: str) -> Path:
    return folder() / f"{mail_id}.eml"


def mails() -> Iterator[Mail]:
    """Newest first, read one by one."""
    for mail_id in newest_first():
        parsed = parse(mail_id)
        if parsed is not None:
            yield headers_of(mail_id, parsed)


def open_mail(mail_id: str) -> Opened | None:
    """The mail with its bodies; None where there is none of this id."""
    parsed = parse(mail_id) if NAME.fullmatch(mail_id) else None
    if parsed is None:
        return None
    return Opened(headers_of(mail_id, parsed), body_of(parsed, "plain"), body_of(parsed, "html"))


def parse(mail_id: str) -> EmailMessage | None:
    try:
        content = file_of(mail_id).read_bytes()
    except FileNotFoundError:
        return None
    return message_from_bytes(content, EmailMessage, policy=policy.default)


def headers_of(mail_id: str, parsed: EmailMessage) -> Mail:
    name, address = parseaddr(str(parsed.get("To", "")))
    at = datetime.fromtimestamp(int(mail_id) / 1e9, UTC)
    return Mail(mail_id, at, name, address.lower(), str(parsed.get("Subject", "")))


def body_of(parsed: EmailMessage, kind: str) -> str:
    part = parsed.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part is not None else ""


def survey_link(text: str) -> str:
    """The first survey page a mail leads to, '' if none."""
    found = SURVEY_LINK.search(text)
    return found.group() if found else ""
