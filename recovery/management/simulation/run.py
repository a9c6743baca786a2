"""The months gone through day by day: what people do, and what falls due by itself, in order of time."""

from __future__ import annotations

import functools
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from django.db import connection, transaction
from django.db.models import F

from dispatch.nudge import silenced
from recovery import sweeps
from recovery.management.simulation import people, words
from recovery.management.simulation.agenda import Agenda
from recovery.management.simulation.desk import Desk
from recovery.management.simulation.ending import leave_as_found
from recovery.management.simulation.hold_outs import plan_hold_outs
from recovery.management.simulation.people import Person, Said
from recovery.management.simulation.scale import plan_another_scale
from recovery.management.simulation.sending import ensure_sending
from recovery.management.simulation.world import TOUCHPOINTS, World, build_world
from recovery.models import Deadline, Resurvey, Ticket
from recovery.models.contact import HEARD
from recovery.triage import active_rules, triage
from surveys import invitations, scoring
from surveys.intake.page import external_id
from surveys.intake.record import ResponseDraft, record
from surveys.models import DeliveryAttempt, Invitation, Message, Source, Survey

DAYS_PER_MONTH = 30
PEOPLE = 220
PROVIDER = "simulated"
HANDED_OVER_IN = timedelta(seconds=2)
DAY = timedelta(days=1)
# Whoever scored low passes the terminal by for so long: what they say next is what they are asked.
SULKS_FOR = timedelta(days=24)
# Answers are triaged as they come, zones, policies and calendars stay as they are, nobody asked for a report,
# and what changed is told by today's clock.
NEVER_DUE = ("triage", "zones", "recompute", "reports", "stories")
SURVEY_OF = {"support": "support", "delivery": "delivery"}
# Where one can say at once how it was, and how many do.
ON_THE_SPOT = {
    "store": ("terminal", 0.55),
    "delivery": ("app", 0.25),
    "support": ("keypad", 0.3),
    "app": ("app", 0.6),
    "billing": ("app", 0.2),
}


class NotEmpty(Exception):
    """History is made before anything else: this database has tickets already."""


@dataclass(frozen=True)
class Summary:
    """`refused` are acts that what happened meanwhile forbade, as in life."""

    responses: int
    tickets: int
    in_work: int
    messages: int
    refused: list[str]


def simulate(
    *,
    months: int,
    seed: int,
    until: datetime,
    scale: float = 1.0,
    tell: Callable[[datetime], None] = lambda _day: None,
) -> Summary:
    """Make the history of so many 30-day months up to `until`. The same arguments make the same history.

    Raises NotEmpty. Sends nothing: messages of the past are recorded as handed over at their own time.
    """
    if Ticket.objects.exists():
        raise NotEmpty
    history = History(Random(seed), until - timedelta(days=DAYS_PER_MONTH * months), until, scale)
    history.run(tell)
    return history.summary()


class History:
    def __init__(self, rng: Random, start: datetime, until: datetime, scale: float) -> None:
        self.rng = rng
        self.start = start
        self.until = until
        self.scale = scale
        self.agenda = Agenda()
        self.people: list[Person] = []
        self.by_customer: dict[int, Person] = {}
        self.serial = 0

    def run(self, tell: Callable[[datetime], None]) -> None:
        with one_day():
            self.settle_in()
        day = self.start
        while day < self.until:
            with one_day():
                self.live_through(day, min(day + DAY, self.until))
            tell(day)
            day += DAY
        with one_day():
            leave_as_found(self.world, self.rng, self.until)
            hand_over_messages()

    def settle_in(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER SEQUENCE recovery_ticket_number RESTART")
        ensure_sending()
        self.world: World = build_world(self.rng, self.start, self.until)
        self.people = people.make_people(self.world, self.rng, max(4, round(PEOPLE * self.scale)), self.start)
        self.by_customer = {person.row.pk: person for person in self.people}
        self.rules = active_rules()
        self.desk = Desk(self.world, self.rng, self.agenda, self.until)
        self.desk.sweep = self.sweep
        plan_hold_outs(self.world, self.rng, self.start, self.until, self.agenda.plan)
        plan_another_scale(self.world, self.start, self.until, self.agenda.plan)

    def live_through(self, day: datetime, end: datetime) -> None:
        self.agenda.plan(day, self.every_morning)
        for person in self.people:
            if self.rng.random() < person.visits:
                self.plan_visit(person, day)
        self.agenda.run_until(end)
        hand_over_messages()

    # --- What falls due by itself ---

    def every_morning(self, at: datetime) -> None:
        """The rounds that need no exact time: expiries, and whatever no step has woken."""
        for invitation in invitations.due_expiries(at).order_by("pk"):
            invitations.expire_invitation(invitation.pk, at)
        for kind in sweeps.KINDS:
            if kind.name not in NEVER_DUE:
                self.sweep(kind.name, at)

    def sweep(self, name: str, at: datetime) -> None:
        kind = next(each for each in sweeps.KINDS if each.name == name)
        due = sorted(kind.ids(at))
        for pk in due:
            kind.step(pk, at)
        if due and name == "deadlines":
            self.after_ladder(due, at)
        elif due and name == "resurveys":
            self.after_asking(at)

    def after_ladder(self, deadline_ids: list[int], at: datetime) -> None:
        rows = Deadline.objects.filter(pk__in=deadline_ids).order_by("pk")
        for ticket_id, late in rows.values_list("ticket_id", "breached_at"):
            self.desk.watch(ticket_id)
            if late:
                self.desk.told_of_lateness(ticket_id, at)

    def after_asking(self, at: datetime) -> None:
        asked = Resurvey.objects.filter(state=Resurvey.ASKED, asked_at=at).order_by("pk")
        for resurvey in asked.select_related("invitation__survey", "ticket"):
            if resurvey.customer_id and resurvey.invitation and self.rng.random() < 0.75:
                person = self.by_customer[resurvey.customer_id]
                step = functools.partial(self.answer_again, person, resurvey.invitation)
                self.agenda.plan(at + timedelta(hours=1 + self.rng.expovariate(1 / 22)), step)

    # --- Customers ---

    def plan_visit(self, person: Person, day: datetime) -> None:
        touchpoint = self.rng.choices(TOUCHPOINTS, weights=person.touchpoints)[0]
        local_hour = self.rng.uniform(9, 20)
        offset = person.row.zone.utcoffset(day.replace(tzinfo=None))
        at = day + timedelta(hours=local_hour) - (offset or timedelta())
        at = min(max(at, day), day + DAY - timedelta(minutes=1)).replace(microsecond=0)
        self.agenda.plan(at, functools.partial(self.visit, person, touchpoint))

    def visit(self, person: Person, touchpoint: str, at: datetime) -> None:
        """Something happened; some say how it was on the spot, others are asked by mail."""
        survey = self.world.surveys[SURVEY_OF.get(touchpoint, "relationship")]
        if at < person.silent_until.get(survey.line, at):
            return
        outside = people.story(touchpoint, (at - self.start) / (self.until - self.start))
        said = people.experience(self.rng, person, survey, touchpoint, outside)
        source, on_the_spot = ON_THE_SPOT[touchpoint]
        chance = self.rng.random()
        if chance < on_the_spot:
            anonymous = source == "terminal" and self.rng.random() < 0.2
            self.say(None if anonymous else person, said, survey, source, touchpoint, at)
        elif chance < on_the_spot + 0.3:
            self.ask(person, said, survey, touchpoint, at)

    def ask(self, person: Person, said: Said, survey: Survey, touchpoint: str, at: datetime) -> None:
        last = person.asked.get(survey.line)
        if last and at < last + timedelta(days=survey.cooldown_days):
            return  # whoever plans the asks knows who was asked lately
        asked = invitations.ask(person.row, survey, at=at, purpose=Invitation.SURVEY, touchpoint=touchpoint)
        if isinstance(asked, Invitation):
            person.asked[survey.line] = at
        moved = 0.12 if said.cause else 0.0  # who is cross writes sooner
        if isinstance(asked, Invitation) and self.rng.random() < person.answers_mail + moved:
            then = at + timedelta(minutes=5 + self.rng.expovariate(1 / 900))
            self.agenda.plan(then, functools.partial(self.answer, person, asked, said))

    def answer(self, person: Person, invitation: Invitation, said: Said, at: datetime) -> None:
        if invitation.expires_at is None or at >= invitation.expires_at:
            return
        self.record(person, said, invitation.survey, self.world.sources["page"], at, invitation=invitation)

    def answer_again(self, person: Person, invitation: Invitation, at: datetime) -> None:
        rows = Ticket.objects.filter(
            resurveys__invitation=invitation, resurveys__invitation__state=Invitation.SENT
        )
        found = rows.select_related("cause_found").first()
        if found is None or invitation.expires_at is None or at >= invitation.expires_at:
            return
        late = Deadline.objects.filter(ticket=found, cycle=found.cycle).exclude(breached_at=None).exists()
        heard = found.contacts.filter(outcome__in=HEARD).exists()
        said = people.asked_again(
            self.rng, person, invitation.survey, heard=heard, in_time=not late, cause=code_of(found)
        )
        self.record(person, said, invitation.survey, self.world.sources["page"], at, invitation=invitation)

    def say(
        self, person: Person | None, said: Said, survey: Survey, source: str, touchpoint: str, at: datetime
    ) -> None:
        self.record(person, said, survey, self.world.sources[source], at, touchpoint=touchpoint)

    def record(
        self,
        person: Person | None,
        said: Said,
        survey: Survey,
        source: Source,
        at: datetime,
        *,
        invitation: Invitation | None = None,
        touchpoint: str = "",
    ) -> None:
        """Record the answer as its door would, and let triage look at it at once."""
        self.serial += 1
        people.say_on_todays_scale(self.rng, said, survey)
        draft = ResponseDraft(
            survey=survey,
            source=source,
            external_id=external_id(invitation) if invitation else f"{source.slug}-{self.serial}",
            score=said.score,
            comment=said.comment,
            answers=said.answers,
            known_customer=person.row if person else None,
            invitation=invitation,
            touchpoint=touchpoint,
            channel="page" if invitation else source.slug[:20],
            locale=person.lang if person else "",
            contact_me=said.contact_me and person is not None,
        )
        if person and said.band == scoring.DETRACTOR:
            person.silent_until[survey.line] = at + SULKS_FOR
        recorded = record(draft, at=at, nudge=False, replace=True)
        ticket = triage(recorded.response.pk, at=at, rules=self.rules)
        if ticket is not None:
            self.after_triage(ticket, person, said, survey, at)

    def after_triage(
        self, ticket: Ticket, person: Person | None, said: Said, survey: Survey, at: datetime
    ) -> None:
        if ticket.is_in_work and ticket.cycle_started_at == at:
            self.desk.begin(ticket, said.cause or "other", person, at)
            if person and ticket.cycle == 1 and self.rng.random() < 0.16:
                again = people.once_more(self.rng, person, survey, said.cause or "other")
                then = at + timedelta(hours=self.rng.uniform(6, 90))
                self.agenda.plan(
                    then, lambda at: self.say(person, again, survey, "app", ticket.touchpoint, at)
                )
        else:
            self.desk.watch(ticket.pk)
            self.desk.came_forward(ticket, at)

    def summary(self) -> Summary:
        return Summary(
            responses=self.serial,
            tickets=Ticket.objects.count(),
            in_work=Ticket.objects.in_work().count(),
            messages=Message.objects.count(),
            refused=self.desk.refused,
        )


def code_of(ticket: Ticket) -> str:
    return ticket.cause_found.code if ticket.cause_found else words.CAUSES[-1].code


@contextmanager
def one_day() -> Iterator[None]:
    """One transaction, whose messages wake nobody."""
    with silenced(), without_collecting(), transaction.atomic():
        with connection.cursor() as cursor:
            # Of so many small queries, looking for a better order of joins costs more than it saves.
            cursor.execute("SET LOCAL join_collapse_limit = 1")
        yield


@contextmanager
def without_collecting() -> Iterator[None]:
    """A day leaves little that refers to itself, and so many rows have it looked for all the time."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def hand_over_messages() -> None:
    """What was said in the past was handed over then; nothing of it may go out now."""
    waiting = list(Message.objects.filter(state=Message.QUEUED).values_list("pk", "created_at"))
    DeliveryAttempt.objects.bulk_create(
        DeliveryAttempt(
            message_id=pk,
            fence=1,
            provider=PROVIDER,
            started_at=at,
            ended_at=at + HANDED_OVER_IN,
            result=Message.ACCEPTED,
        )
        for pk, at in waiting
    )
    Message.objects.filter(pk__in=[pk for pk, _at in waiting]).update(
        state=Message.ACCEPTED, attempts=1, fence=1, finished_at=F("created_at") + HANDED_OVER_IN
    )
