"""The tickets behind the promises that a team, a priority or a person broke."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext

from recovery.insight.dues import GROUPINGS, OWNER
from recovery.insight.times import KINDS, missed
from recovery.views.insight_behind import BEHIND_EACH, SAID
from recovery.views.insight_slice import Asked
from recovery.views.tickets import number


def missed_code(kind: str, by: str, key: int) -> str:
    """What names them in an address."""
    return f"missed.{kind}.{by}.{key}"


def missed_in_group(asked: Asked, which: str) -> Iterable[int]:
    """`<kind>.<what it is grouped by>.<key>`; of a person only for who answers for them."""
    kind, by, key = (*which.split("."), "", "", "")[:3]
    if kind not in KINDS or by not in GROUPINGS:
        return ()
    theirs = asked.kept.tickets().filter(**{by: number(key)})
    if by == OWNER and asked.people_of is not None:
        theirs = theirs.filter(team__in=asked.people_of)
    return missed(theirs, kind, asked.at).values_list("pk", flat=True)


BEHIND_EACH["missed"] = missed_in_group
SAID["missed"] = lambda _which: gettext("not in time")
