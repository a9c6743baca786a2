"""What every provider has in common: what it can do about a repetition, and what it says of one try."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from django.conf import settings

from surveys.models import Message

# How one try ended.
ACCEPTED: Final = "accepted"
REJECTED: Final = "rejected"
RETRY: Final = "retry"  # certainly not delivered, and worth another try
UNCERTAIN: Final = "uncertain"

# What a provider says when asked about a key.
FOUND: Final = "found"
ABSENT: Final = "absent"
UNKNOWN: Final = "unknown"

# A tells a repetition by our key. B can be asked whether it took our key. C can do neither.
KEYED: Final = "A"
ASKABLE: Final = "B"
BLIND: Final = "C"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one try ended, in the provider's words; `no_such_mailbox` when it said the address does not exist.

    `wait` is how long it asked us to stay away, if it did.
    """

    result: str
    detail: str = ""
    no_such_mailbox: bool = False
    wait: timedelta | None = None


class Provider(Protocol):
    """Somebody who carries messages. Neither call raises, nor takes much longer than `total_seconds()`.

    `window` is how long a provider of class A remembers a key.
    """

    @property
    def name(self) -> str: ...

    @property
    def klass(self) -> str: ...

    @property
    def window(self) -> timedelta: ...

    def deliver(self, message: Message, key: str) -> Outcome: ...

    def ask(self, key: str) -> str:
        """FOUND, ABSENT or UNKNOWN. Only class B has anything to say."""
        ...


def total_seconds() -> float:
    """The most one call may take, from the first packet to the last: a quarter of the lease."""
    return float(settings.DISPATCH_LEASE_SECONDS) / 4
