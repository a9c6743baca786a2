import pytest

from recovery.lifecycle import Refused, change_priority
from recovery.models import Deadline
from tests.make import HOUR, MONDAY, Cast


def test_it_moves_the_running_deadlines_and_says_from_what_to_what(cast: Cast) -> None:
    ticket = change_priority(cast.ticket(), by=cast.lina, at=MONDAY, priority=1, reason="A lawyer wrote")
    assert ticket.priority == 1
    assert Deadline.objects.get(kind="first_contact").due_at == MONDAY + HOUR
    event = ticket.events.get(kind="priority_changed")
    assert (event.data["from"], event.data["to"], event.text) == (3, 1, "A lawyer wrote")
    [row] = [row for row in event.data["deadlines"] if row["kind"] == "first_contact"]
    assert (row["from"], row["to"]) == ("2026-03-02T06:00:00+00:00", "2026-03-02T03:00:00+00:00")


def test_it_takes_the_nearest_target_where_the_policy_has_none(cast: Cast) -> None:
    change_priority(cast.ticket(), by=cast.lina, at=MONDAY, priority=4)
    assert Deadline.objects.get(kind="first_contact").due_at == MONDAY + 4 * HOUR


@pytest.mark.parametrize(
    ("priority", "code"), [(3, "priority_unchanged"), (0, "priority_unknown"), (5, "priority_unknown")]
)
def test_it_refuses(cast: Cast, priority: int, code: str) -> None:
    with pytest.raises(Refused) as refused:
        change_priority(cast.ticket(), by=cast.lina, at=MONDAY, priority=priority)
    assert refused.value.code == code
