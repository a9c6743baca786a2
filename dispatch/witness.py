"""What is remembered outside the database about how far it had come: in a file of this host, and in Redis.

Each database is remembered by its own id, with the highest number it ever had. Neither memory is ever
lowered. One that is missing remembers nothing: a first start, an emptied Redis. A file that is there and
cannot be read raises Unreadable: what it knew may be just what is missing now.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)

LOCK_SECONDS = 1.0
REDIS_SECONDS = 0.3
# While Redis is away, nothing waits for it again before this.
REDIS_PAUSE_SECONDS = 10.0
# A checkout that works on many databases one after the other need not remember all of them for ever.
MOST_DATABASES = 50

RAISE = """
local known = redis.call('HGET', KEYS[1], 'number')
if not known or tonumber(known) < tonumber(ARGV[1]) then
    redis.call('HSET', KEYS[1], 'number', ARGV[1], 'server', ARGV[2], 'at', ARGV[3])
end
"""


class Unreadable(Exception):
    """The file is there, and nobody can tell what it remembers."""


@dataclass(frozen=True, slots=True)
class Memory:
    """The highest number of a database, on which server it had it, and when."""

    number: int
    server: str
    at: datetime

    def facts(self) -> dict[str, Any]:
        return {"number": self.number, "server": self.server, "at": self.at.isoformat()}


def from_facts(facts: dict[str, Any]) -> Memory:
    """Raises KeyError, TypeError or ValueError where they are not those of a memory."""
    at = datetime.fromisoformat(facts["at"])
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return Memory(int(facts["number"]), str(facts["server"]), at)


def note(database: str, memory: Memory, *, afresh: bool = False) -> bool:
    """Remember it wherever possible; False when nobody could. `afresh` replaces an unreadable file."""
    return any([note_in_file(database, memory, afresh=afresh), note_in_redis(database, memory)])


# --- The file ---

_seen: tuple[tuple[str, int, int, int], dict[str, Memory]] | None = None


def recall_file(database: str) -> Memory | None:
    """Raises Unreadable."""
    return read_file().get(database)


def read_file() -> dict[str, Memory]:
    """What the file says; it is read again only after it has changed."""
    global _seen
    path = Path(settings.EPOCH_FILE)
    try:
        found = path.stat()
        stamp = (str(path), found.st_ino, found.st_size, found.st_mtime_ns)
        seen = _seen
        if seen is None or seen[0] != stamp:
            seen = _seen = (stamp, parse(path.read_text()))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"{path}: {type(error).__name__}") from error
    return dict(seen[1])


def parse(text: str) -> dict[str, Memory]:
    return {str(database): from_facts(facts) for database, facts in json.loads(text).items()}


def note_in_file(database: str, memory: Memory, *, afresh: bool = False) -> bool:
    path = Path(settings.EPOCH_FILE)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path):
            known = read_to_change(afresh)
            before = known.get(database)
            if before is None or before.number < memory.number:
                at = max(before.at, memory.at) if before else memory.at
                replace(path, {**known, database: Memory(memory.number, memory.server, at)})
    except (OSError, Unreadable) as error:
        log.error("What was sent cannot be remembered in a file: %s", error)
        return False
    return True


def read_to_change(afresh: bool) -> dict[str, Memory]:
    global _seen
    _seen = None  # two changes within a tick of the file system's clock look like none
    try:
        return read_file()
    except Unreadable:
        if not afresh:
            raise
        return {}


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One writer at a time on this host. A frozen one is not waited for: raises TimeoutError."""
    ends = time.monotonic() + LOCK_SECONDS
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > ends:
                    raise TimeoutError(f"{path} is locked") from None
                time.sleep(0.005)
        yield


def replace(path: Path, known: dict[str, Memory]) -> None:
    """All or nothing, whenever the process or the machine stops."""
    newest = sorted(known.items(), key=lambda pair: pair[1].at)[-MOST_DATABASES:]
    draft = path.with_name(f"{path.name}.new")
    with draft.open("w") as file:
        json.dump({database: memory.facts() for database, memory in newest}, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


# --- Redis ---

_redis: tuple[str, Redis] | None = None
_redis_quiet_until = 0.0


def recall_redis(database: str) -> Memory | None:
    facts: Any = ask_redis(lambda redis: redis.hgetall(key_of(database)))
    try:
        return from_facts({name.decode(): value.decode() for name, value in facts.items()}) if facts else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def note_in_redis(database: str, memory: Memory) -> bool:
    facts = memory.facts()
    values = [str(facts[name]) for name in ("number", "server", "at")]
    return ask_redis(lambda redis: (redis.eval(RAISE, 1, key_of(database), *values), True)[1]) is True


def key_of(database: str) -> str:
    return f"redress:epoch:{database}"


def ask_redis(question: Any) -> Any:
    """Its answer, or None while it is away or makes no sense: Redis is a second witness, not the first."""
    global _redis, _redis_quiet_until
    if time.monotonic() < _redis_quiet_until:
        return None
    try:
        if _redis is None or _redis[0] != settings.REDIS_URL:
            _redis = settings.REDIS_URL, connect(settings.REDIS_URL)
        return question(_redis[1])
    except (RedisError, OSError, ValueError) as error:
        _redis_quiet_until = time.monotonic() + REDIS_PAUSE_SECONDS
        log.info("Redis remembers nothing for now: %s", error)
        return None


def connect(url: str) -> Redis:
    return Redis.from_url(
        url,
        socket_timeout=REDIS_SECONDS,
        socket_connect_timeout=REDIS_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
