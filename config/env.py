"""Deployment facts from the environment. `NAME_FILE` may hold the path of a file with the value of `NAME`."""

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var"

env = environ.FileAwareEnv()


def given(name: str) -> bool:
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


def database_from_url() -> dict[str, Any]:
    """DATABASE_URL as Django's connection facts. A socket's folder stands percent-encoded for the host."""
    facts: dict[str, Any] = env.db_url("DATABASE_URL")
    return {**facts, "HOST": unquote(facts["HOST"])}


def broker_url(redis_url: str) -> str:
    """The same Redis in the words of Celery's transport, which names a socket differently."""
    path, _, query = redis_url.removeprefix("unix://").partition("?")
    if not redis_url.startswith("unix://"):
        return redis_url
    return f"redis+socket://{path}?virtual_host={parse_qs(query).get('db', ['0'])[0]}"


# The variable that names who carries the messages of a channel.
CHANNELS = {"email": "EMAIL_URL", "sms": "SMS_URL", "chat": "CHAT_URL"}
# Class A takes our key and knows a repetition by it, B can be asked about it, C can do neither.
CLASSES = {"key": "A", "ask": "B", "none": "C"}


def http_providers() -> dict[str, dict[str, Any]]:
    """By channel, the providers spoken to over HTTP: `https://TOKEN@host/path?class=key&window_hours=24`."""
    urls = {channel: str(env.str(name, default="")).strip() for channel, name in CHANNELS.items()}
    return {
        channel: http_provider(CHANNELS[channel], url)
        for channel, url in urls.items()
        if url and not (channel == "email" and not url.startswith(("http:", "https:")))
    }


def http_provider(name: str, url: str) -> dict[str, Any]:
    """The facts in a provider's URL. Raises ImproperlyConfigured, which never repeats the token."""
    parts = urlsplit(url)
    asked = dict(parse_qsl(parts.query, keep_blank_values=True))
    kind, hours = asked.pop("class", "none"), asked.pop("window_hours", "24")
    try:
        facts: dict[str, Any] = {
            "URL": parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl(),
            "TOKEN": unquote(parts.username or ""),
            "CLASS": CLASSES[kind],
            "WINDOW_HOURS": float(hours),
        }
        fit = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not asked
        fit = fit and printable(facts["URL"]) and 0 < facts["WINDOW_HOURS"] <= 24 * 365
        fit = fit and parts.password is None and (not facts["TOKEN"] or printable(facts["TOKEN"]))
    except (KeyError, ValueError):
        fit = False
    if not fit:
        raise ImproperlyConfigured(
            f"{name} must look like https://TOKEN@host/path?class=key&window_hours=24, where class is "
            "key, ask or none, and window_hours says for how long the provider remembers a key."
        )
    return facts


def printable(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def secret_key() -> str:
    """The configured key, or one made on first start and kept in var/ for this checkout."""
    if given("SECRET_KEY"):
        return str(env.str("SECRET_KEY"))
    path = VAR / "secret_key"
    VAR.mkdir(exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        key = secrets.token_urlsafe(50)
        file.write(key)
    return key
