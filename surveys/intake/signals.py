"""What intake announces, and the one question it asks, so that it need not know who listens."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.dispatch import Signal

# Sent after commit with `response_ids: list[int]` and `at: datetime`. A nudge: whoever misses it finds the
# rows by `triaged_at IS NULL`.
responses_recorded = Signal()

# Asked with `response_id: int` and `at: datetime`; a receiver answers a Promise, or None.
promise_wanted = Signal()


@dataclass(frozen=True, slots=True)
class Promise:
    """Who will be in touch, and by when. `text`, if not empty, is said to the customer as it stands.

    `channel`, if not empty, is how it was agreed to be in touch; `url`, if not empty, is the page on which
    they may choose another time.
    """

    name: str
    by: datetime
    text: str = ""
    url: str = ""
    channel: str = ""


def promise_for(response_id: int, at: datetime) -> Promise | None:
    """What was promised to the person who gave this answer; None when nobody knows, or nobody could say."""
    return next(_promises(response_id, at), None)


def _promises(response_id: int, at: datetime) -> Iterator[Promise]:
    for _receiver, reply in promise_wanted.send_robust(None, response_id=response_id, at=at):
        if isinstance(reply, Promise):
            yield reply
