"""What is counted from kept stories is what the tickets' own rows say, whatever happened to either."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import fields, replace
from datetime import date, timedelta
from operator import attrgetter
from random import Random
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from recovery.insight.causes import SIDES, by_month, pareto
from recovery.insight.cohort import Slice, Story, low_scores, stories
from recovery.insight.funnel import PLACED, funnel
from recovery.insight.recovery import ranking, recovery, wait_of
from recovery.insight.sent import ON_ITS_WAY
from recovery.insight.telling import check, tell_batch
from recovery.insight.told import AGREES, BESIDE, WAIT, Told, Wanted
from recovery.models import Cause, Contact, Resurvey, Ticket, ToldTicket, UntoldChange
from surveys.messages.deliver import record_end
from surveys.models import Customer, Invitation, Message, Response, Survey
from tests.make import DAY, HOUR, MONDAY, Cast
from tests.recovery.insight import histories
from tests.recovery.insight.histories import answer, ask, heard, loop, low, put_right
from tests.recovery.insight.test_as_of import change
from tests.surveys.make import make_survey

ALL = Slice()
KEYS: dict[str, Callable[[Story], Hashable]] = {
    "cause_found": attrgetter("cause_found"),
    "cause_said": attrgetter("cause_said"),
    "team": attrgetter("team"),
    "touchpoint": attrgetter("touchpoint"),
    "tier": attrgetter("tier"),
    WAIT: wait_of,
}


def everything(which: Slice = ALL, seen: Any = None) -> dict[str, Any]:
    """Every number of the cohort, the slow way."""
    told = stories(low_scores(Ticket.objects.all() if seen is None else seen, which))
    return numbers(lambda *_fields: told)


def from_kept(which: Slice = ALL, seen: Any = None) -> dict[str, Any]:
    return numbers(Told(Ticket.objects.all() if seen is None else seen, which).counted)


def numbers(counted: Callable[..., list[Story]]) -> dict[str, Any]:
    return {
        "recovery": recovery(counted()),
        **{f"by {name}": groups(counted(name), key) for name, key in KEYS.items()},
        **{side: pareto(counted(f"cause_{side}"), side) for side in SIDES},
        "funnel": funnel(counted(*PLACED)),
    }


def groups(told: list[Story], key: Callable[[Story], Hashable]) -> Any:
    """In an order of their own, where groups are as large as each other."""
    found = ranking(told, key)
    return [sorted(some, key=lambda group: str(group.key)) for some in (found.ranked, found.small)]


def behind(*wanted: Wanted) -> set[int]:
    return set(Told(Ticket.objects.all(), ALL).behind(wanted).values_list("pk", flat=True))


def keep_all() -> None:
    while tell_batch():
        pass


# --- whatever happens ---------------------------------------------------------------------------------------


class World:
    """Tickets that go wherever chance leads them, and everything else that may change what became of them."""

    def __init__(self, cast: Cast, chance: Random) -> None:
        self.cast, self.chance, self.at = cast, chance, MONDAY
        self.phone = make_survey("delivery-phone", line="delivery")

    def step(self) -> str:
        self.at += self.chance.choice([HOUR, DAY, 4 * DAY])
        happening = self.chance.choice([self.opened, self.acted, self.acted, self.acted, *self.besides])
        try:
            with transaction.atomic():
                happening()
        except IntegrityError:
            return "refused"
        return happening.__name__

    @property
    def besides(self) -> list[Callable[[], object]]:
        return [
            *(self.tier_changed, self.answer_changed, self.answer_gone, self.answered_on_the_phone),
            *(self.person_changed, self.moved, self.cause_changed, self.contact_undone, self.line_changed),
            *(self.resurvey_changed, self.ticket_gone, self.message_ended, self.message_ended),
            *(self.invitation_gone, self.answered_otherwise, self.code_changed, self.contact_logged_late),
        ]

    def one(self, rows: Any) -> Any:
        found = list(rows.order_by("pk"))
        return self.chance.choice(found) if found else None

    def opened(self) -> None:
        ticket = low(
            self.cast,
            at=self.at,
            team=self.chance.choice([self.cast.east, self.cast.west]),
            touchpoint=self.chance.choice(["", "Pudong", "Jing'an"]),
        )
        if self.chance.random() < 0.2:
            Ticket.objects.filter(pk=ticket.pk).update(cause_said=self.cast.rude)

    def acted(self) -> None:
        ticket = self.one(Ticket.objects)
        if ticket is not None:
            histories.step(self.cast, self.chance, ticket, self.at)

    def tier_changed(self) -> None:
        customer = self.one(Customer.objects)
        if customer is not None:
            customer.tier = self.chance.choice(["", "Gold", "Silver"])
            customer.save()

    def answer_changed(self) -> None:
        response = self.one(Response.objects)
        if response is not None:
            score = self.chance.randrange(11)
            moved = response.answered_at + self.chance.choice([timedelta(), DAY, -DAY])
            Response.objects.filter(pk=response.pk).update(
                score=score, band=self.cast.survey.band(score), answered_at=moved
            )

    def answer_gone(self) -> None:
        response = self.one(Response.objects)
        if response is not None:
            Response.objects.filter(pk=response.pk).update(
                state=self.chance.choice(["withdrawn", "complete"])
            )

    def answered_on_the_phone(self) -> None:
        customer = self.one(Customer.objects)
        self.cast.response(self.chance.randrange(11), customer=customer, survey=self.phone, at=self.at)

    def person_changed(self) -> None:
        ticket, customer = self.one(Ticket.objects), self.one(Customer.objects)
        if ticket is not None and customer is not None:
            Response.objects.filter(customer=ticket.customer_id).update(customer=customer)
            Ticket.objects.filter(pk=ticket.pk).update(customer=customer)

    def moved(self) -> None:
        ticket = self.one(Ticket.objects)
        if ticket is not None:
            Ticket.objects.filter(pk=ticket.pk).update(
                team=self.chance.choice([self.cast.east, self.cast.west])
            )

    def cause_changed(self) -> None:
        ticket = self.one(Ticket.objects)
        if ticket is not None:
            Ticket.objects.filter(pk=ticket.pk).update(cause_found=self.cast.rude)

    def contact_undone(self) -> None:
        contact = self.one(Contact.objects)
        if contact is not None:
            contact.delete()

    def line_changed(self) -> None:
        Survey.objects.filter(pk=self.phone.pk).update(line=self.chance.choice(["delivery", "phone"]))

    def resurvey_changed(self) -> None:
        Resurvey.objects.filter(state="ended", outcome="not_asked").update(reason="no_address")

    def message_ended(self) -> None:
        message = self.one(Message.objects.filter(invitation__resurvey__isnull=False))
        if message is not None:
            end = self.chance.choice(["accepted", "rejected", "uncertain", "cancelled"])
            record_end(message, end, "", self.at)

    def invitation_gone(self) -> None:
        invitation = self.one(Invitation.objects.filter(resurvey__isnull=False))
        if invitation is not None and self.chance.random() < 0.3:
            invitation.messages.all().delete()
            Invitation.objects.filter(pk=invitation.pk).update(
                state=Invitation.CANCELLED, reason="no_consent"
            )

    def answered_otherwise(self) -> None:
        """A new version of an answer, which may say the same."""
        response = self.one(Response.objects.exclude(state="withdrawn"))
        if response is not None:
            change(response, self.chance.choice([response.score, 1, 8, 10]), at=self.at)

    def code_changed(self) -> None:
        Cause.objects.filter(pk=self.cast.rude.pk).update(code=self.chance.choice(["rude", "unfriendly"]))

    def contact_logged_late(self) -> None:
        ticket = self.one(Ticket.objects)
        if ticket is not None:
            Contact.objects.create(ticket=ticket, cycle=1, at=self.at - 2 * DAY, outcome="reached")

    def ticket_gone(self) -> None:
        if self.chance.random() < 0.2 and (ticket := self.one(Ticket.objects)):
            Ticket.objects.filter(merged_into=ticket).update(merged_into=None)
            ticket.delete()

    def a_slice(self) -> Slice:
        cast, chance = self.cast, self.chance
        start = MONDAY + chance.randrange(30) * DAY
        return chance.choice(
            [
                Slice(start=start, end=start + 30 * DAY),
                Slice(survey=cast.survey.pk, touchpoint="Pudong"),
                Slice(teams=frozenset({cast.west.pk})),
                Slice(segment="tier:Gold"),
                self.a_past_day(),
            ]
        )

    def a_past_day(self) -> Slice:
        """From the first to a little after the last thing that happened, of some of the tickets or of all."""
        chance = self.chance
        at = MONDAY + chance.random() * (self.at - MONDAY + DAY)
        teams = frozenset({chance.choice([self.cast.east, self.cast.west]).pk})
        return replace(chance.choice([ALL, Slice(teams=teams), Slice(start=at - 20 * DAY)]), as_of=at)


@pytest.mark.parametrize("seed", range(2))
def test_it_counts_what_the_slow_way_counts_after_every_step(cast: Cast, seed: int) -> None:
    chance = Random(seed)
    world = World(cast, chance)
    seen = set()
    for number in range(60):
        happened = world.step()
        if chance.random() < 0.4:
            tell_batch(limit=chance.choice([1, 5, 50]))
        seen.add((ToldTicket.objects.exists(), UntoldChange.objects.exists()))
        assert from_kept() == everything(), (number, happened)
        for which in [world.a_past_day(), *([world.a_slice()] if number % 5 == 0 else [])]:
            told = stories(low_scores(Ticket.objects.all(), which), which.as_of)
            assert from_kept(which) == numbers(lambda *_fields, told=told: told), (number, happened, which)
            assert set(Told(Ticket.objects.all(), which).tickets()) == {
                Ticket(pk=story.ticket) for story in told
            }, (number, happened, which)
    assert (True, True) in seen, "some stories were kept, and some were not true any more"
    keep_all()
    assert from_kept() == everything()
    assert [found for _size, found in check() if found] == []


def test_it_gives_the_tickets_behind_each_number(cast: Cast) -> None:
    world = World(cast, Random(11))
    for _ in range(40):
        world.step()
        if world.chance.random() < 0.3:
            tell_batch(limit=5)
    told = stories(low_scores(Ticket.objects.all(), ALL))
    for state in {story.next for story in told}:
        for reached in (True, False):
            expected = {story.ticket for story in told if story.next == state and story.reached == reached}
            assert behind(("next", [state]), ("reached", [reached])) == expected
    for wait in {wait_of(story) for story in told}:
        assert behind((WAIT, [wait])) == {story.ticket for story in told if wait_of(story) == wait}
    unknown = {story.ticket for story in told if story.cause_found is None}
    assert behind(("cause_found", [None])) == unknown != behind()
    late = {story.ticket for story in told if story.cause_found in (None, cast.late.pk)}
    assert behind(("cause_found", [None, cast.late.pk])) == late
    agreeing = {each.ticket for each in told if each.cause_found and each.cause_found == each.cause_said}
    assert behind((AGREES, [True])) == agreeing
    assert behind() == {story.ticket for story in told}


def test_it_counts_causes_by_month(cast: Cast) -> None:
    for at in (MONDAY, MONDAY, MONDAY + 40 * DAY):
        put_right(cast, low(cast, at=at), at=at + DAY)
    low(cast, at=MONDAY + 40 * DAY)
    late, march, april = cast.late.pk, date(2026, 3, 1), date(2026, 4, 1)
    expected = {(late, march): 2, (late, april): 1, (None, april): 1}
    assert Told(Ticket.objects.all(), ALL).by_month("cause_found") == expected
    tell_batch(limit=4)
    assert ToldTicket.objects.exists()
    assert UntoldChange.objects.exists()
    assert Told(Ticket.objects.all(), ALL).by_month("cause_found") == expected
    keep_all()
    assert Told(Ticket.objects.all(), ALL).by_month("cause_found") == expected
    found = by_month(expected)
    assert (found.months, found.counts) == ([march, april], {late: [2, 1]})
    assert (found.unknown, found.all) == ([0, 1], [2, 2])


# --- what it must know --------------------------------------------------------------------------------------


def test_it_keeps_every_field_of_a_story() -> None:
    kept = {field.name for field in ToldTicket._meta.get_fields()} - {"given_at", "survey", "steady_since"}
    assert kept == {field.name for field in fields(Story)} - {"count"}
    assert {field.name for field in fields(Story)} >= set(BESIDE)


def test_it_knows_every_way_to_narrow_a_cohort() -> None:
    """Whoever adds one adds it to `Told`, too."""
    known = {"start", "end", "survey", "teams", "touchpoint", "segment", "as_of"}
    assert {field.name for field in fields(Slice)} == known


def test_it_asks_as_often_for_many_as_for_few(cast: Cast) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            Told(Ticket.objects.all(), ALL).counted("team")
        return len(asked)

    loop(cast, 9)
    few_changed = queries()
    for _ in range(5):
        loop(cast, 3)
    assert queries() == few_changed == 8
    keep_all()
    assert queries() == 2


def test_it_shows_nobody_what_they_may_not_see(cast: Cast) -> None:
    low(cast)
    low(cast, team=cast.west)
    keep_all()
    theirs = Ticket.objects.filter(team=cast.west)
    assert from_kept(seen=theirs) == everything(seen=theirs)
    assert from_kept(seen=theirs)["recovery"].size == 1
    assert from_kept(seen=Ticket.objects.none())["recovery"].size == 0


def test_stories_alike_are_one_with_their_number(cast: Cast) -> None:
    for _ in range(3):
        loop(cast, 9)
    keep_all()
    (story,) = Told(Ticket.objects.all(), ALL).counted()
    assert (story.count, story.next, story.team) == (3, "promoter", 0)
    (story,) = Told(Ticket.objects.all(), ALL).counted("team")
    assert replace(story, count=0).team == cast.east.pk


def test_a_wait_of_a_moment_too_long_is_too_long(cast: Cast) -> None:
    for over in (timedelta(), timedelta(microseconds=1)):
        heard(cast, low(cast), at=MONDAY + 4 * HOUR + over)
    keep_all()
    assert from_kept() == everything()
    told = Told(Ticket.objects.all(), ALL).counted(WAIT)
    assert {wait_of(story): story.count for story in told} == {"4h": 1, "24h": 1}


def test_as_of_a_past_day_what_came_later_is_not_there(cast: Cast) -> None:
    ticket = put_right(cast, low(cast))
    ask(ticket)
    answer(cast, ticket, 9, at=MONDAY + 8 * DAY)
    keep_all()
    which = Slice(as_of=MONDAY + 6 * DAY)
    assert from_kept(which)["recovery"].columns["next"] == {"waiting": 1}
    assert from_kept()["recovery"].columns["next"] == {"promoter": 1}


def test_as_of_a_past_day_only_what_came_later_is_told_anew(cast: Cast) -> None:
    for _ in range(4):
        loop(cast, 9)
    loop(cast, 9, at=MONDAY + 5 * DAY)
    low(cast, at=MONDAY + 9 * DAY)
    keep_all()
    told = Told(Ticket.objects.all(), Slice(as_of=MONDAY + 8 * DAY))
    assert sum(story.count for story in told.counted()) == 5
    assert [story.next for story in told.retold] == ["to_be_asked"]


def test_as_of_a_past_day_an_answer_reads_as_it_did_then(cast: Cast) -> None:
    loop(cast, 9)
    change(Response.objects.get(score=9), 7, at=MONDAY + 20 * DAY)
    keep_all()
    then = Told(Ticket.objects.all(), Slice(as_of=MONDAY + 10 * DAY)).counted()
    assert [story.now for story in then] == ["promoter"]
    assert [story.now for story in Told(Ticket.objects.all(), ALL).counted()] == ["passive"]


def test_as_of_a_past_day_a_message_was_still_on_its_way(cast: Cast) -> None:
    loop(cast, None)
    record_end(Message.objects.get(invitation__resurvey__isnull=False), "accepted", "", MONDAY + 5 * DAY)
    keep_all()
    for day, undelivered in ((4, ON_ITS_WAY), (5, "")):
        then = Told(Ticket.objects.all(), Slice(as_of=MONDAY + day * DAY)).counted(*PLACED)
        assert [story.undelivered for story in then] == [undelivered]


def test_rows_changed_without_an_event_are_told_anew_for_a_past_day(cast: Cast) -> None:
    ticket = loop(cast, 9)
    Ticket.objects.filter(pk=ticket.pk).update(cause_found=cast.rude)
    keep_all()
    assert ToldTicket.objects.get().steady_since is None
    told = Told(Ticket.objects.all(), Slice(as_of=MONDAY + 90 * DAY))
    assert [story.cause_found for story in told.counted("cause_found")] == [cast.late.pk]
