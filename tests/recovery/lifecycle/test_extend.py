from datetime import time

import pytest

from recovery.lifecycle import Refused, climb, extend, log_contact
from recovery.models import Deadline, Escalation, EscalationStep, Ticket
from surveys.models import Message
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast


def test_it_allows_more_working_time_and_keeps_the_reason(cast: Cast) -> None:
    ticket = extend(
        cast.ticket(), by=cast.chen, at=MONDAY, minutes=60, reason="Parts come late", kind="first_contact"
    )
    row = Deadline.objects.get(kind="first_contact")
    assert row.due_at == MONDAY + 5 * HOUR
    assert sum(line["minutes"] for line in row.ledger) == 300
    event = ticket.events.get(kind="extended")
    assert (event.text, event.data["minutes"], event.data["deadline"]) == (
        "Parts come late",
        60,
        "first_contact",
    )


def test_what_was_late_stays_late_and_the_ladder_begins_anew(cast: Cast) -> None:
    ticket = cast.ticket()
    row = Deadline.objects.get(kind="first_contact")
    EscalationStep.objects.filter(level=0).update(minutes_after=-10)
    Deadline.objects.update(next_step_at=MONDAY + 4 * HOUR - 10 * MINUTE)
    climb(row.pk, at=MONDAY + 4 * HOUR)
    ticket.refresh_from_db()
    extend(ticket, by=cast.chen, at=MONDAY + 5 * HOUR, minutes=120, reason="Agreed", kind="first_contact")
    row.refresh_from_db()
    assert row.breached_at == MONDAY + 4 * HOUR
    assert (row.round, row.level) == (2, -1)
    assert row.due_at == MONDAY + 6 * HOUR
    assert row.next_step_at == MONDAY + 6 * HOUR - 10 * MINUTE
    climb(row.pk, at=MONDAY + 6 * HOUR)
    assert sorted(Escalation.objects.values_list("round", "level")) == [(1, 1), (2, 1)]
    assert Message.objects.filter(kind="ticket_escalated", user=cast.chen).count() == 2


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"minutes": 60, "reason": ""}, "reason"),
        ({"minutes": 0, "reason": "x"}, "minutes"),
        ({"minutes": -5, "reason": "x"}, "minutes"),
        ({"minutes": 10**9, "reason": "x"}, "minutes"),
        ({"minutes": 60, "reason": "x", "kind": "lunch"}, "kind"),
    ],
)
def test_it_refuses(cast: Cast, given: dict[str, object], field: str) -> None:
    with pytest.raises(Refused) as refused:
        extend(cast.ticket(), by=cast.chen, at=MONDAY, **given)  # type: ignore[arg-type]
    assert refused.value.field == field


def test_it_refuses_a_deadline_that_was_met(cast: Cast) -> None:
    ticket = log_contact(cast.ticket(), by=cast.lina, at=MONDAY, outcome="reached")
    with pytest.raises(Refused, match="met already"):
        extend(ticket, by=cast.chen, at=MONDAY + DAY, minutes=60, reason="x", kind="first_contact")


def test_what_was_late_and_not_yet_swept_stays_late_too(cast: Cast) -> None:
    ticket = extend(
        cast.ticket(),
        by=cast.chen,
        at=MONDAY + 4 * HOUR + MINUTE,
        minutes=120,
        reason="Agreed",
        kind="first_contact",
    )
    row = Deadline.objects.get(ticket=ticket, kind="first_contact")
    assert (row.breached_at, row.due_at) == (MONDAY + 4 * HOUR, MONDAY + 6 * HOUR)


def test_it_is_not_late_when_it_is_extended_at_the_very_deadline(cast: Cast) -> None:
    extend(
        cast.ticket(), by=cast.chen, at=MONDAY + 4 * HOUR, minutes=120, reason="Agreed", kind="first_contact"
    )
    assert Deadline.objects.get(kind="first_contact").breached_at is None


def test_it_refuses_more_time_than_can_be_reckoned(cast: Cast) -> None:
    cast.calendar.hours.update(opens=time(9), closes=time(9, 1))
    with pytest.raises(Refused) as refused:
        extend(cast.ticket(), by=cast.chen, at=MONDAY, minutes=500_000, reason="x")
    assert refused.value.code == "deadline_too_far"
    assert Deadline.objects.get(kind="resolution").extra_minutes == 0


def test_it_refuses_what_adds_up_to_more_than_ten_years(cast: Cast) -> None:
    cast.calendar.hours.update(opens=time(0), closes=time(0), days=[0, 1, 2, 3, 4, 5, 6])
    ticket = cast.ticket()
    Deadline.objects.update(extra_minutes=5_200_000)
    with pytest.raises(Refused, match="too far"):
        extend(ticket, by=cast.chen, at=MONDAY, minutes=500_000, reason="x")


def late_by(cast: Cast, hours: int) -> Ticket:
    """A ticket whose first contact was due at 14:00, and was told of as late."""
    ticket = cast.ticket()
    climb(Deadline.objects.get(kind="first_contact").pk, at=MONDAY + (4 + hours) * HOUR)
    ticket.refresh_from_db()
    return ticket


def test_what_was_late_first_is_what_was_late(cast: Cast) -> None:
    given = {"by": cast.chen, "minutes": 60, "reason": "Agreed", "kind": "first_contact"}
    ticket = extend(late_by(cast, 0), at=MONDAY + 4 * HOUR, **given)  # type: ignore[arg-type]
    extend(ticket, at=MONDAY + 6 * HOUR, **given)  # type: ignore[arg-type]
    row = Deadline.objects.get(kind="first_contact")
    assert (row.breached_at, row.due_at) == (MONDAY + 4 * HOUR, MONDAY + 6 * HOUR)


def test_the_ladder_goes_on_where_more_time_is_not_enough(cast: Cast) -> None:
    ticket = late_by(cast, 1)
    extend(ticket, by=cast.chen, at=MONDAY + 5 * HOUR, minutes=30, reason="Agreed", kind="first_contact")
    row = Deadline.objects.get(kind="first_contact")
    assert (row.round, row.level) == (1, 1)
    assert row.next_step_at == MONDAY + 6 * HOUR + 30 * MINUTE


def test_a_round_of_the_ladder_that_told_nothing_is_none(cast: Cast) -> None:
    extend(cast.ticket(), by=cast.chen, at=MONDAY, minutes=60, reason="Agreed", kind="first_contact")
    assert Deadline.objects.get(kind="first_contact").round == 1


def test_a_contact_that_is_late_again_leaves_when_it_was_late_first(cast: Cast) -> None:
    ticket = late_by(cast, 0)
    ticket = extend(
        ticket, by=cast.chen, at=MONDAY + 4 * HOUR, minutes=60, reason="Agreed", kind="first_contact"
    )
    log_contact(ticket, by=cast.lina, at=MONDAY + 6 * HOUR, outcome="reached")
    assert Deadline.objects.get(kind="first_contact").breached_at == MONDAY + 4 * HOUR
