import pytest

from recovery.lifecycle import Refused, note, resolve
from recovery.models import Deadline
from tests.make import DAY, HOUR, MONDAY, Cast


def test_it_keeps_the_cause_and_what_was_done(cast: Cast) -> None:
    ticket = resolve(
        cast.ticket(),
        by=cast.lina,
        at=MONDAY + HOUR,
        cause_said=cast.rude,
        cause_found=cast.late,
        what_was_done="Sent again, by courier",
    )
    assert (ticket.status, ticket.resolved_at) == ("resolved", MONDAY + HOUR)
    event = ticket.events.get(kind="resolved")
    assert (event.data["cause_said"], event.data["cause_found"]) == ("rude", "late")
    assert event.text == "Sent again, by courier"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"cause_found": None, "what_was_done": "x"}, "cause_found"),
        ({"what_was_done": "  "}, "what_was_done"),
    ],
)
def test_it_refuses_without_a_cause_or_a_deed(cast: Cast, given: dict[str, object], field: str) -> None:
    ticket = cast.ticket()
    with pytest.raises(Refused) as refused:
        resolve(ticket, by=cast.lina, at=MONDAY, **{"cause_found": cast.late, **given})  # type: ignore[arg-type]
    assert refused.value.field == field
    ticket.refresh_from_db()
    assert ticket.status == "new"
    assert ticket.events.count() == 1


@pytest.mark.parametrize(("after", "late"), [(3 * HOUR, False), (10 * DAY, True)])
def test_it_meets_the_resolution_and_ends_the_first_contact_unmet(
    cast: Cast, after: object, late: bool
) -> None:
    at = MONDAY + after  # type: ignore[operator]
    ticket = resolve(cast.ticket(), by=cast.lina, at=at, cause_found=cast.late, what_was_done="x")
    rows = {row.kind: row for row in Deadline.objects.filter(ticket=ticket)}
    assert (rows["resolution"].met_at, rows["resolution"].ended_at) == (at, None)
    assert (rows["resolution"].breached_at is not None) == late
    assert (rows["first_contact"].met_at, rows["first_contact"].ended_at) == (None, at)
    assert all(row.next_step_at is None for row in rows.values())


def test_a_note_is_kept_and_never_refused_for_being_stale(cast: Cast) -> None:
    ticket = cast.ticket()
    note(ticket, by=cast.majun, at=MONDAY, text="Called last week as well")
    noted = note(ticket, by=cast.lina, at=MONDAY, text=" Seen ")
    assert [event.text for event in noted.events.filter(kind="noted")] == ["Called last week as well", "Seen"]


def test_an_empty_note_is_refused(cast: Cast) -> None:
    with pytest.raises(Refused, match="Write the note"):
        note(cast.ticket(), by=cast.lina, at=MONDAY, text="\n")
