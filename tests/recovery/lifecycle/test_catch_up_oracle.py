"""Random ladders and outages against a plain reckoning of what should be told; and two thousand at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from itertools import pairwise
from random import Random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dispatch import engine
from recovery.catch_up import LATE
from recovery.lifecycle import climb
from recovery.models import Deadline, DigestLine, Escalation, EscalationStep, Ticket, TicketEvent
from recovery.models.policy import FIRST_CONTACT, RESOLUTION
from surveys.models import Customer, Message, Response, Source
from tests.due import due, fail
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast, make_calendar

EVERY = 5 * MINUTE
# Most of what falls due does so in this time.
BUSY = 30 * HOUR
AFTER = 12 * DAY
Step = tuple[str, int]  # of which deadline, and its level


def work_off(at: datetime) -> None:
    engine.drain(lambda: at, holder="test", names=["deadlines", "digests"], on_error=fail)


def rounds(rng: Random) -> Iterator[datetime]:
    """When the dispatcher looks: every five minutes, but for two or three outages of any length."""
    outages = []
    for _each in range(rng.randint(2, 3)):
        begins = MONDAY + timedelta(minutes=rng.randrange(BUSY // MINUTE))
        outages.append((begins, begins + timedelta(minutes=int(10 ** rng.uniform(0.7, 3.5)))))
    at = MONDAY
    while at < MONDAY + AFTER:
        if not any(begins <= at < ends for begins, ends in outages):
            yield at
        at += EVERY


@dataclass
class Oracle:
    """Of one ticket, with a clock that never stands: plain minutes around plain due times."""

    due_at: dict[str, datetime]
    ladder: dict[Step, int]
    reached: set[Step] = field(default_factory=set)
    breached: set[str] = field(default_factory=set)
    told: list[tuple[datetime, str, int, bool]] = field(default_factory=list)

    def time_of(self, step: Step) -> datetime:
        return self.due_at[step[0]] + timedelta(minutes=self.ladder[step])

    def moments(self) -> list[datetime]:
        return [*self.due_at.values(), *(self.time_of(step) for step in self.ladder)]

    def waiting(self, kind: str, at: datetime) -> list[datetime]:
        """The times of everything of one deadline that has come and was not dealt with."""
        steps = [self.time_of(each) for each in self.ladder if each[0] == kind and each not in self.reached]
        passed = [] if kind in self.breached else [self.due_at[kind]]
        return [each for each in steps + passed if each <= at]

    def look(self, at: datetime) -> None:
        kinds = [kind for kind in self.due_at if self.waiting(kind, at)]
        oldest = min((moment for kind in kinds for moment in self.waiting(kind, at)), default=at)
        if at - oldest > LATE:
            self.settle(kinds, at, late=True)
            return
        for kind in kinds:
            self.settle([kind], at, late=False)

    def settle(self, kinds: list[str], at: datetime, *, late: bool) -> None:
        # A level reached takes all below it along, even one of a later time.
        steps = [each for each in self.ladder if each[0] in kinds and each not in self.reached]
        steps = [each for each in steps if self.time_of(each) <= at]
        self.breached |= {kind for kind in kinds if self.due_at[kind] <= at}
        for kind in kinds:
            top = max((level for of, level in steps if of == kind), default=-1)
            self.reached |= {each for each in self.ladder if each[0] == kind and each[1] <= top}
        passed = {kind: self.due_at[kind] <= at for kind in kinds}
        useful = [each for each in steps if not passed[each[0]] or self.ladder[each] >= 0]
        if useful:
            first = sorted(self.due_at, key=lambda kind: self.due_at[kind])
            kind, level = max(useful, key=lambda each: (passed[each[0]], each[1], -first.index(each[0])))
            self.told.append((at, kind, level, late))


def random_ladder(rng: Random, cast: Cast) -> dict[Step, int]:
    EscalationStep.objects.all().delete()
    ladder: dict[Step, int] = {}
    for kind in (FIRST_CONTACT, RESOLUTION):
        before = sorted(-rng.randint(1, 600) for _each in range(rng.randint(0, 3)))
        after = [rng.choice([0, 1, 30, 60, 600, 2000]) for _each in range(rng.randint(0, 4))]
        for level, minutes in enumerate(before + after):
            ladder[kind, level] = minutes
            recipient = rng.choice(["owner", "supervisor", "manager"])
            EscalationStep.objects.create(
                policy=cast.policy, kind=kind, level=level, minutes_after=minutes, recipient=recipient
            )
    return ladder


def always_open(cast: Cast) -> None:
    cast.east.calendar = make_calendar("Always", "UTC", days=list(range(7)), opens=time(0), closes=time(0))
    cast.east.save()
    cast.region.calendar = cast.east.calendar
    cast.region.save()


@pytest.mark.parametrize("seed", range(20))
def test_it_tells_what_a_plain_reckoning_tells(cast: Cast, seed: int) -> None:
    rng = Random(seed)
    always_open(cast)
    ladder = random_ladder(rng, cast)
    tickets = [cast.ticket(at=MONDAY, priority=rng.choice([1, 2, 3])) for _each in range(3)]
    oracles = {ticket.pk: Oracle(due_times(ticket), ladder) for ticket in tickets}
    every = list(rounds(rng))
    moments = {moment for oracle in oracles.values() for moment in oracle.moments()}
    worth_it = {next(at for at in every if at >= moment) for moment in moments}
    for at in sorted(worth_it | set(rng.sample(every, 10))):
        for oracle in oracles.values():
            oracle.look(at)
        work_off(at)
    for ticket in tickets:
        compare(ticket, oracles[ticket.pk])
    rows = list(DigestLine.objects.all())
    assert all(row.told_at == row.at for row in rows)
    assert Message.objects.filter(kind="digest").count() == len({(row.user_id, row.at) for row in rows})


def due_times(ticket: Ticket) -> dict[str, datetime]:
    return {row.kind: row.due_at for row in ticket.deadlines.all() if row.due_at is not None}


def compare(ticket: Ticket, oracle: Oracle) -> None:
    rows = Escalation.objects.filter(ticket=ticket).values_list("at", "deadline__kind", "level")
    assert sorted(rows) == sorted((at, kind, level) for at, kind, level, _late in oracle.told)
    late = [(at, kind, level) for at, kind, level, is_late in oracle.told if is_late]
    lines = DigestLine.objects.filter(ticket=ticket)
    assert sorted((row.at, row.facts["deadline"], row.facts["level"]) for row in lines) == sorted(late)
    assert len({at for at, _kind, _level in late}) == len(late), "one a ticket and late round"
    mails = Message.objects.filter(kind="ticket_escalated", about=f"ticket:{ticket.number}")
    assert mails.count() == len(oracle.told) - len(late)
    steps = [(kind, level) for _at, kind, level, _late in oracle.told]
    assert len(set(steps)) == len(steps), "a level told twice"
    breaches = {row.kind: row.breached_at for row in ticket.deadlines.all()}
    assert breaches == {kind: at if kind in oracle.breached else None for kind, at in oracle.due_at.items()}
    assert oracle.breached == set(oracle.due_at)
    events = TicketEvent.objects.filter(ticket=ticket).order_by("version").values_list("version", flat=True)
    assert all(after - before == 1 for before, after in pairwise(events))


# --- Two thousand at once ---

MANY = 200


def many_overdue(cast: Cast) -> None:
    """A thousand tickets of one morning, both deadlines of each long past."""
    source = Source.objects.create(slug="heap", name="Heap", kind="api")
    people = Customer.objects.bulk_create(
        Customer(name=f"Person {number}", created_at=MONDAY) for number in range(MANY)
    )
    answers = Response.objects.bulk_create(
        Response(
            survey=cast.survey,
            source=source,
            external_id=str(person.pk),
            customer=person,
            score=2,
            band="detractor",
            received_at=MONDAY,
            answered_at=MONDAY,
            triaged_at=MONDAY,
            payload_hash="",
        )
        for person in people
    )
    tickets = Ticket.objects.bulk_create(
        Ticket(
            number=f"H-{number}",
            customer=answer.customer,
            response=answer,
            line=cast.survey.line,
            team=cast.east,
            owner=(cast.lina, cast.majun)[number % 2],
            policy=cast.policy,
            opened_at=MONDAY,
            cycle_started_at=MONDAY,
        )
        for number, answer in enumerate(answers)
    )
    Deadline.objects.bulk_create(
        Deadline(
            ticket=ticket,
            kind=kind,
            cycle=1,
            minutes=minutes,
            policy=cast.policy,
            policy_version=1,
            calendar=cast.calendar,
            calendar_version=cast.calendar.version,
            starts_at=MONDAY,
            due_at=due_at,
            next_step_at=due_at - 30 * MINUTE,
        )
        for ticket in tickets
        for kind, minutes, due_at in (
            (FIRST_CONTACT, 240, MONDAY + 4 * HOUR),
            (RESOLUTION, 1440, MONDAY + 3 * DAY),
        )
    )


def test_hundreds_of_overdue_deadlines_drain_to_one_digest(cast: Cast) -> None:
    many_overdue(cast)
    at = MONDAY + 7 * DAY
    work_off(at)
    assert due("deadlines", at) == []
    assert Deadline.objects.filter(breached_at=None).count() == 0
    assert Escalation.objects.count() == MANY
    message = Message.objects.get(kind="digest")
    assert (message.user, message.subject) == (cast.wu, f"{MANY} things waited for you")
    assert f"and {MANY - 50} more" in message.text


def test_a_late_step_asks_no_more_of_the_database_than_a_punctual_one(cast: Cast) -> None:
    def queries(at: datetime) -> int:
        row = cast.ticket().deadlines.get(kind=FIRST_CONTACT)
        with CaptureQueriesContext(connection) as seen:
            climb(row.pk, at=at)
        return len(seen)

    punctual, late = queries(MONDAY + 210 * MINUTE), queries(MONDAY + 7 * DAY)
    # 32 and 30 as this is written; a late step settles both deadlines and queues no message of its own.
    assert late <= punctual <= 32
