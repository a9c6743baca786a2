"""What makes a page too old to act on, and what was only told meanwhile."""

import pytest

from recovery import lifecycle
from recovery.lifecycle import Stale
from recovery.models import EscalationStep, Ticket
from tests.due import run_all
from tests.make import HOUR, MINUTE, MONDAY, Cast

# First contact is due four hours after ten: the owner is warned half an hour before.
WARNED = MONDAY + 3.5 * HOUR


def as_seen(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def test_a_warning_meanwhile_refuses_nobody_who_is_on_the_phone(cast: Cast) -> None:
    seen = as_seen(cast.ticket())
    run_all(WARNED)
    assert as_seen(seen).version > seen.version
    done = lifecycle.log_contact(seen, by=cast.lina, at=WARNED + MINUTE, outcome="reached")
    assert done.status == "open"


def test_a_passed_deadline_meanwhile_refuses_nobody_either(cast: Cast) -> None:
    seen = as_seen(cast.ticket())
    run_all(MONDAY + 4 * HOUR)
    lifecycle.log_contact(seen, by=cast.lina, at=MONDAY + 4 * HOUR + MINUTE, outcome="reached")


def test_a_step_that_raised_the_priority_makes_the_page_old(cast: Cast) -> None:
    EscalationStep.objects.filter(level=0).update(action=EscalationStep.RAISE)
    seen = as_seen(cast.ticket())
    run_all(WARNED)
    with pytest.raises(Stale):
        lifecycle.log_contact(seen, by=cast.lina, at=WARNED + MINUTE, outcome="reached")


def test_a_colleagues_act_among_what_was_told_makes_the_page_old(cast: Cast) -> None:
    seen = as_seen(cast.ticket())
    run_all(WARNED)
    lifecycle.note(as_seen(seen), by=cast.majun, at=WARNED, text="She called back.")
    with pytest.raises(Stale):
        lifecycle.log_contact(seen, by=cast.lina, at=WARNED + MINUTE, outcome="reached")


def test_help_asked_by_a_person_makes_the_page_old(cast: Cast) -> None:
    seen = as_seen(cast.ticket())
    lifecycle.escalate(as_seen(seen), by=cast.majun, at=MONDAY + MINUTE, reason="Above my limit")
    with pytest.raises(Stale):
        lifecycle.log_contact(seen, by=cast.lina, at=MONDAY + 2 * MINUTE, outcome="reached")


def test_a_version_that_never_was_is_refused(cast: Cast) -> None:
    seen = as_seen(cast.ticket())
    seen.version += 1
    with pytest.raises(Stale):
        lifecycle.log_contact(seen, by=cast.lina, at=MONDAY + MINUTE, outcome="reached")
