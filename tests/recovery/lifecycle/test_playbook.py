"""The playbook of the cause, its ticks, and the cause named before anything is resolved."""

import pytest

from recovery import lifecycle
from recovery.lifecycle import Refused
from recovery.lifecycle.playbook import next_issues, playbook_of
from recovery.models import NextIssue, Playbook, PlaybookStep, StepDone, Ticket
from tests.make import HOUR, MINUTE, MONDAY, Cast

AT = MONDAY + 5 * MINUTE


def fresh(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def make_playbook(name: str) -> tuple[Playbook, PlaybookStep]:
    book = Playbook.objects.create(name=name, guide="Say sorry first.")
    return book, PlaybookStep.objects.create(playbook=book, text="Ask what it broke for them")


def test_naming_the_cause_is_one_event_and_brings_its_playbook(cast: Cast) -> None:
    cast.late.playbook, _step = make_playbook("Late delivery")
    cast.late.save()
    ticket = cast.ticket()
    assert playbook_of(ticket) is None
    done = lifecycle.name_cause(ticket, by=cast.lina, at=AT, cause=cast.late)
    event = done.events.last()
    assert event is not None
    assert (event.kind, event.data) == ("cause_named", {"cause": "late", "before": None})
    assert (done.cause_said, done.version, done.status) == (cast.late, 2, "new")
    assert playbook_of(fresh(ticket)) == cast.late.playbook


def test_it_refuses_no_cause_and_one_no_longer_used(cast: Cast) -> None:
    cast.rude.active = False
    for cause in (None, cast.rude):
        with pytest.raises(Refused) as refused:
            lifecycle.name_cause(cast.ticket(), by=cast.lina, at=AT, cause=cause)
        assert refused.value.code == "cause_missing"


def test_the_playbook_of_the_rule_gives_way_to_that_of_a_cause_somebody_heard(cast: Cast) -> None:
    general, _one = make_playbook("Any low score")
    special, _two = make_playbook("Late delivery")
    Ticket.objects.filter(pk=cast.ticket().pk).update(playbook=general)
    ticket = Ticket.objects.get(playbook=general)
    assert playbook_of(ticket) == general
    ticket = lifecycle.name_cause(ticket, by=cast.lina, at=AT, cause=cast.rude)
    assert playbook_of(ticket) == general  # the cause has none of its own
    cast.rude.playbook = special
    cast.rude.save()
    assert playbook_of(fresh(ticket)) == special
    special.active = False
    special.save()
    assert playbook_of(fresh(ticket)) == general


def test_a_tick_is_kept_with_who_and_when_and_makes_no_form_stale(cast: Cast) -> None:
    book, step = make_playbook("Late delivery")
    Ticket.objects.filter(pk=cast.ticket().pk).update(playbook=book)
    ticket = Ticket.objects.get(playbook=book)
    for by in (cast.lina, cast.majun):
        lifecycle.tick_step(ticket, step, by=by, at=AT, done=True)
    row = StepDone.objects.get()
    assert (row.by, row.at, row.cycle) == (cast.lina, AT, 1)
    assert (fresh(ticket).version, ticket.events.count()) == (1, 1)
    lifecycle.tick_step(ticket, step, by=cast.majun, at=AT, done=False)
    lifecycle.tick_step(ticket, step, by=cast.majun, at=AT, done=False)
    assert not StepDone.objects.exists()


def test_it_refuses_a_step_of_another_playbook(cast: Cast) -> None:
    book, _step = make_playbook("Late delivery")
    _other, step = make_playbook("Rude")
    Ticket.objects.filter(pk=cast.ticket().pk).update(playbook=book)
    with pytest.raises(Refused) as refused:
        lifecycle.tick_step(Ticket.objects.get(playbook=book), step, by=cast.lina, at=AT, done=True)
    assert refused.value.code == "no_such_step"


def test_it_refuses_a_tick_once_the_ticket_is_resolved_and_begins_anew_in_the_next_cycle(cast: Cast) -> None:
    book, step = make_playbook("Late delivery")
    Ticket.objects.filter(pk=cast.ticket().pk).update(playbook=book)
    ticket = Ticket.objects.get(playbook=book)
    lifecycle.tick_step(ticket, step, by=cast.lina, at=AT, done=True)
    ticket = lifecycle.resolve(ticket, by=cast.lina, at=AT, cause_found=cast.late, what_was_done="Sent again")
    with pytest.raises(Refused) as refused:
        lifecycle.tick_step(ticket, step, by=cast.lina, at=AT, done=False)
    assert refused.value.code == "not_allowed_now"
    ticket = lifecycle.reopen(ticket, by=cast.lina, at=AT + HOUR, reason="Broken")
    lifecycle.tick_step(ticket, step, by=cast.lina, at=AT + HOUR, done=True)
    assert [row.cycle for row in StepDone.objects.all()] == [1, 2]


def test_it_knows_what_usually_follows_the_cause(cast: Cast) -> None:
    NextIssue.objects.create(cause=cast.late, follows=cast.rude, tip="Ask how the driver was")
    ticket = cast.ticket()
    assert next_issues(ticket) == []
    ticket = lifecycle.name_cause(ticket, by=cast.lina, at=AT, cause=cast.late)
    assert [str(issue) for issue in next_issues(ticket)] == ["Ask how the driver was"]
