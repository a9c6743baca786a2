"""Which tickets stand behind a number that is not one of the recovery's own: `behind=<code>` in the address.

Whoever shows such a number enters it here when its module is loaded; `recovery.urls` loads them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from django.db.models import QuerySet

from recovery.views.insight_slice import Asked

# Ticket ids by code: exactly those the number counts.
BEHIND: Final[dict[str, Callable[[Asked], Iterable[int]]]] = {}
# The same for one number of many: `behind=<code>.<which>`.
BEHIND_EACH: Final[dict[str, Callable[[Asked, str], Iterable[int]]]] = {}
# What such a list says of itself, by the same code; it is given what follows the point.
SAID: Final[dict[str, Callable[[str], str]]] = {}


def ids_behind(asked: Asked, name: str) -> list[int]:
    """Newest first, and none this reader may not see; an unknown name counts nothing."""
    code, _point, which = name.partition(".")
    if name in BEHIND:
        found = BEHIND[name](asked)
    elif code in BEHIND_EACH:
        found = BEHIND_EACH[code](asked, which)
    else:
        return []
    # What PostgreSQL can look up by itself need not come here and go back.
    wanted = found if isinstance(found, QuerySet) else set(found)
    return list(asked.seen.filter(pk__in=wanted).order_by("-pk").values_list("pk", flat=True))


def said_of(name: str) -> list[str]:
    code, _point, which = name.partition(".")
    said = SAID.get(name) or SAID.get(code)
    words = said(which) if said else ""
    return [words] if words else []
