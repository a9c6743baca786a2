import pytest

from recovery.insight.causes import pareto
from recovery.insight.cohort import Slice, low_scores, stories
from recovery.lifecycle import resolve
from recovery.models import Cause, Ticket
from tests.make import MONDAY, Cast


def resolved(cast: Cast, found: Cause, said: Cause | None = None) -> None:
    ticket = cast.ticket()
    resolve(ticket, by=cast.lina, at=MONDAY, cause_found=found, cause_said=said, what_was_done="Sent again")


def test_the_commonest_cause_comes_first_and_shares_add_up(cast: Cast) -> None:
    for cause in (cast.rude, cast.late, cast.late, cast.late):
        resolved(cast, cause)
    cast.ticket()
    found = pareto(stories(low_scores(Ticket.objects.all(), Slice())), "found")
    assert [(row.cause.code, row.count, row.share, row.upto) for row in found.rows] == [
        ("late", 3, 0.75, 0.75),
        ("rude", 1, 0.25, 1.0),
    ]
    assert (found.known, found.unknown) == (4, 1)


def test_what_was_said_and_what_was_found_are_kept_apart(cast: Cast) -> None:
    resolved(cast, cast.late, said=cast.rude)
    resolved(cast, cast.late)
    told = stories(low_scores(Ticket.objects.all(), Slice()))
    assert [(row.cause.code, row.count) for row in pareto(told, "said").rows] == [("rude", 1)]
    assert pareto(told, "said").unknown == 1
    assert [(row.cause.code, row.count) for row in pareto(told, "found").rows] == [("late", 2)]


@pytest.mark.django_db
def test_nothing_known_is_an_empty_list() -> None:
    assert pareto([], "found").rows == []
