"""The agents at work: calls in working hours, callbacks, waiting, hand-overs, resolving, sometimes late."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User

from recovery import business_hours, lifecycle
from recovery.lifecycle import Refused
from recovery.management.simulation import words
from recovery.management.simulation.agenda import Agenda
from recovery.management.simulation.decency import decent_time, is_decent
from recovery.management.simulation.people import Person, pick
from recovery.management.simulation.world import World
from recovery.models import Callback, Deadline, GoodwillKind, Resurvey, Ticket, Wait
from recovery.models.policy import FIRST_CONTACT, RESOLUTION
from recovery.models.ticket import WAITING

MOST_TRIES = 5
# Between two acts of one person on one ticket.
BREATH = timedelta(seconds=40)
LATELY, STILL_AT_IT, EXTENDED, WORKING_WEEK = timedelta(days=18), 0.9, 0.7, 2400
GIVES = 0.12
MOVES_DEADLINES = (lifecycle.resume, lifecycle.extend, lifecycle.change_priority)
UNHEARD = {"no_answer": 64, "voicemail": 28, "wrong_number": 3, "refused": 5}


@dataclass
class Case:
    """One cycle of a ticket, as the agent has it in mind."""

    ticket_id: int
    cause: str
    person: Person | None
    neglected: bool
    tries: int = 0
    heard: bool = False


class Desk:
    def __init__(self, world: World, rng: Random, agenda: Agenda, until: datetime) -> None:
        self.world = world
        self.rng = rng
        self.agenda = agenda
        self.until = until
        self.cases: dict[int, Case] = {}
        self.held_out: dict[int, tuple[str, Person | None]] = {}
        self.refused: list[str] = []
        self.awaited: set[tuple[str, datetime]] = set()
        self.sweep: Callable[[str, datetime], None] = lambda _name, _at: None

    # --- A ticket arrives ---

    def begin(self, ticket: Ticket, cause: str, person: Person | None, at: datetime) -> None:
        self.expect_questions(ticket)
        if ticket.status == WAITING:
            self.leave_for_later(ticket, cause, person)
        else:
            self.set_to_work(ticket, cause, person, at)

    def set_to_work(self, ticket: Ticket, cause: str, person: Person | None, at: datetime) -> None:
        again = ticket.cycle > 1
        case = Case(ticket.pk, cause, person, neglected=not again and self.rng.random() < 0.07)
        self.cases[ticket.pk] = case
        pace = self.rng.lognormvariate(-1.75, 0.7) * (6 if case.neglected else 1)
        self.later(ticket, at, pace * self.minutes_of(ticket, FIRST_CONTACT), self.try_contact, case)
        self.watch(ticket.pk)

    def leave_for_later(self, ticket: Ticket, cause: str, person: Person | None) -> None:
        """By lot: nobody touches it until its wait is over, or its customer comes forward."""
        self.held_out[ticket.pk] = cause, person
        until = Wait.objects.values_list("resume_at", flat=True).get(ticket=ticket, ends_at=None)
        assert until is not None
        self.sweep_at("waits", until)
        self.agenda.plan(until + BREATH, functools.partial(self.take_up, ticket.pk))

    def came_forward(self, ticket: Ticket, at: datetime) -> None:
        if ticket.pk in self.held_out and ticket.status != WAITING:
            self.take_up(ticket.pk, at)

    def take_up(self, ticket_id: int, at: datetime) -> None:
        """What was left by lot is followed up like any other, once."""
        left = self.held_out.pop(ticket_id, None)
        ticket = Ticket.objects.get(pk=ticket_id)
        if left and ticket.is_in_work:
            self.set_to_work(ticket, *left, at)

    def is_still_at_it(self, ticket: Ticket, at: datetime) -> bool:
        """Most matters of the last weeks still wait for a part or a parcel, so that today's lists are full.

        Not more customers complain than before: a surge would look as if the firm had crashed.
        """
        if self.until - ticket.opened_at > LATELY or self.rng.random() >= STILL_AT_IT:
            return False
        if self.rng.random() < EXTENDED:
            by = self.supervisor(ticket)
            reason = self.in_words_of(by, words.EXTEND_REASONS)
            self.act(lifecycle.extend, ticket, by=by, at=at, minutes=WORKING_WEEK, reason=reason)
        return True

    def minutes_of(self, ticket: Ticket, kind: str) -> int:
        return next(
            row.minutes for row in Deadline.objects.filter(ticket=ticket, kind=kind, cycle=ticket.cycle)
        )

    def later(
        self, ticket: Ticket, at: datetime, minutes: float, step: Callable[[Case, datetime], None], case: Case
    ) -> None:
        """Plan a step after so many minutes of the team's own working time."""
        amount = timedelta(minutes=max(4, round(minutes)))
        then = business_hours.add_working_time(self.world.hours[ticket.team_id], at, amount)
        assert then is not None
        self.agenda.plan(self.blurred(then), functools.partial(step, case))

    def blurred(self, at: datetime) -> datetime:
        """People do not work on the full second; nothing is blurred out of its opening hours by much."""
        return at + timedelta(seconds=self.rng.randrange(5, 170))

    def in_words_of(self, user: User, pool: tuple[str, ...]) -> str:
        return self.rng.choice(words.fitting(pool, self.world.locales[user.pk]))

    def act(self, act: Callable[..., Ticket], ticket: Ticket, **words_of_act: object) -> Ticket | None:
        """The act, or None where it is refused by what happened meanwhile."""
        try:
            done = act(ticket, **words_of_act)
        except Refused as refused:
            self.refused.append(refused.code)
            return None
        if act in MOVES_DEADLINES:
            self.watch(ticket.pk)
        return done

    # --- Time that passes by itself ---

    def watch(self, ticket_id: int) -> None:
        """Plan a sweep for whatever of this ticket falls due next."""
        steps = Deadline.objects.filter(ticket=ticket_id, next_step_at__isnull=False)
        for at in steps.values_list("next_step_at", flat=True):
            if at is not None:
                self.sweep_at("deadlines", at)

    def sweep_at(self, name: str, at: datetime) -> None:
        if (name, at) not in self.awaited:
            self.awaited.add((name, at))
            self.agenda.plan(at, functools.partial(self.wake, name))

    def expect_questions(self, ticket: Ticket) -> None:
        """Plan a sweep for when its customer is to be asked."""
        waiting = Resurvey.objects.filter(ticket=ticket).exclude(state=Resurvey.ENDED)
        for due_at in waiting.values_list("due_at", flat=True):
            self.sweep_at("resurveys", due_at)

    def wake(self, name: str, at: datetime) -> None:
        self.awaited.discard((name, at))
        self.sweep(name, at)

    # --- Hearing the customer ---

    def open_case(self, case: Case, at: datetime, then: Callable[[Case, datetime], None]) -> Ticket | None:
        """The ticket if its owner is here to work on it; else it is handed over and `then` comes later."""
        ticket = Ticket.objects.select_related("team", "owner").get(pk=case.ticket_id)
        if not ticket.is_in_work or self.cases.get(ticket.pk) is not case:
            return None
        if not self.world.is_away(ticket.owner_id, at):
            return ticket
        colleague = self.colleague_for(ticket, at)
        if colleague:
            reason = self.in_words_of(self.supervisor(ticket), words.LEAVE_REASONS)
            self.act(lifecycle.assign, ticket, by=self.supervisor(ticket), at=at, to=colleague, reason=reason)
        self.later(ticket, at, self.rng.uniform(30, 120) if colleague else 480, then, case)
        return None

    def supervisor(self, ticket: Ticket) -> User:
        return next(user for user in self.world.users.values() if user.pk == ticket.team.supervisor_id)

    def colleague_for(self, ticket: Ticket, at: datetime) -> User | None:
        team = [
            user
            for user in self.world.members[ticket.team_id]
            if user.pk != ticket.owner_id and not self.world.is_away(user.pk, at)
        ]
        return self.rng.choice(team) if team else None

    def try_contact(self, case: Case, at: datetime) -> None:
        ticket = self.open_case(case, at, self.try_contact)
        if ticket is None:
            return
        if case.person is None:  # nobody knows whom to call: what can be put right is
            self.later(ticket, at, self.rng.uniform(60, 400), self.resolve, case)
            return
        writes = self.rng.random() < 0.14
        if not writes and not is_decent(at, case.person.row.zone):
            then = decent_time(self.world.hours[ticket.team_id], case.person.row.zone, at)
            self.agenda.plan(self.blurred(then), functools.partial(self.try_contact, case))
            return
        reached = self.rng.random() < case.person.picks_up
        if writes:
            outcome, channel, note = "replied", "email", self.in_words_of(ticket.owner, words.REPLIED_NOTES)
        elif reached:
            outcome, channel, note = "reached", "phone", self.in_words_of(ticket.owner, words.REACHED_NOTES)
        else:
            outcome, channel, note = (
                pick(self.rng, UNHEARD),
                "phone",
                self.in_words_of(ticket.owner, words.UNHEARD_NOTES),
            )
        case.tries += 1
        self.act(
            lifecycle.log_contact, ticket, by=ticket.owner, at=at, outcome=outcome, channel=channel, note=note
        )
        if writes or reached:
            self.after_hearing(case, ticket, at)
        else:
            self.after_silence(case, ticket, at)

    def after_silence(self, case: Case, ticket: Ticket, at: datetime) -> None:
        gives_up = self.rng.random() < (0.2 if case.tries == 1 else 0.5)
        if gives_up or case.tries >= MOST_TRIES:
            self.later(ticket, at, self.rng.uniform(200, 600), self.resolve, case)
        elif self.rng.random() < 0.3:
            self.agenda.plan(at + BREATH, functools.partial(self.promise, case))
        else:
            self.later(ticket, at, self.rng.uniform(30, 150), self.try_contact, case)

    def after_hearing(self, case: Case, ticket: Ticket, at: datetime) -> None:
        first, case.heard = not case.heard, True
        minutes = self.minutes_of(ticket, RESOLUTION) * self.rng.lognormvariate(-1.65, 0.8)
        if self.rng.random() < 0.3:
            self.later(ticket, at, min(minutes / 2, 90), self.write_note, case)
        chance = self.rng.random()
        if first and chance < 0.13:
            self.later(ticket, at, self.rng.uniform(3, 20), self.wait, case)
        elif first and chance < 0.25:
            self.agenda.plan(at + BREATH, functools.partial(self.promise, case))
        elif first and chance < 0.32:
            self.later(ticket, at, minutes / 3, self.ask_for_help, case)
            self.later(ticket, at, minutes + 60, self.resolve, case)
        else:
            self.later(ticket, at, minutes, self.resolve, case)

    def promise(self, case: Case, at: datetime) -> None:
        """Book a callback for the customer's next days, at their time of day."""
        ticket = Ticket.objects.select_related("owner").get(pk=case.ticket_id)
        zone = case.person.row.time_zone if case.person else "UTC"
        local = self.slot(at.astimezone(ZoneInfo(zone)), soon=not case.heard)
        booked = self.act(
            lifecycle.book_callback,
            ticket,
            by=ticket.owner,
            at=at,
            local_time=f"{local:%Y-%m-%dT%H:%M}",
            time_zone=zone,
        )
        if booked is None:
            return
        due_at = Callback.objects.values_list("due_at", flat=True).get(
            ticket=ticket.pk, state=Callback.BOOKED
        )
        self.sweep_at("callbacks", due_at)
        late = self.rng.uniform(50, 200) if self.rng.random() < 0.1 else self.rng.uniform(0, 9)
        self.agenda.plan(
            self.blurred(due_at + timedelta(minutes=late)), functools.partial(self.try_contact, case)
        )

    def slot(self, local: datetime, *, soon: bool) -> datetime:
        """A time of the customer's day: within hours while nobody has heard them, else in a day or two."""
        wished = local + (
            timedelta(hours=self.rng.randrange(2, 6))
            if soon
            else timedelta(days=self.rng.choice((1, 1, 2)), hours=self.rng.randrange(-3, 4))
        )
        if wished.hour < 9 or wished.hour >= 20:
            wished += timedelta(days=1 if wished.hour >= 20 else 0)
            wished = wished.replace(hour=self.rng.randrange(9, 12))
        return wished.replace(minute=self.rng.choice((0, 15, 30, 45)))

    # --- In between ---

    def write_note(self, case: Case, at: datetime) -> None:
        ticket = self.open_case(case, at, self.write_note)
        if ticket is not None:
            self.act(
                lifecycle.note,
                ticket,
                by=ticket.owner,
                at=at,
                text=self.in_words_of(ticket.owner, words.INTERNAL_NOTES),
            )

    def ask_for_help(self, case: Case, at: datetime) -> None:
        ticket = self.open_case(case, at, self.ask_for_help)
        if ticket is None:
            return
        chance = self.rng.random()
        if chance < 0.4:
            reason = self.in_words_of(ticket.owner, words.HELP_REASONS)
            self.act(lifecycle.escalate, ticket, by=ticket.owner, at=at, reason=reason)
        elif chance < 0.7:
            by = self.supervisor(ticket)
            reason = self.in_words_of(by, words.EXTEND_REASONS)
            self.act(lifecycle.extend, ticket, by=by, at=at, minutes=480, reason=reason)
        elif ticket.priority > 1:
            reason = self.in_words_of(ticket.owner, words.RAISE_REASONS)
            priority = ticket.priority - 1
            self.act(
                lifecycle.change_priority, ticket, by=ticket.owner, at=at, priority=priority, reason=reason
            )

    def wait(self, case: Case, at: datetime) -> None:
        ticket = self.open_case(case, at, self.wait)
        if ticket is None or ticket.status == WAITING:
            return
        until = at + timedelta(days=self.rng.randrange(2, 6)) if self.rng.random() < 0.7 else None
        reason = self.in_words_of(ticket.owner, words.WAIT_REASONS)
        if self.act(lifecycle.start_waiting, ticket, by=ticket.owner, at=at, reason=reason, until=until):
            if until is not None:
                self.sweep_at("waits", until)
            self.later(ticket, at, self.rng.uniform(400, 2000), self.customer_returned, case)

    def customer_returned(self, case: Case, at: datetime) -> None:
        ticket = self.open_case(case, at, self.customer_returned)
        if ticket is None:
            return
        note = self.in_words_of(ticket.owner, words.REPLIED_NOTES)
        self.act(
            lifecycle.log_contact,
            ticket,
            by=ticket.owner,
            at=at,
            outcome="replied",
            channel="email",
            note=note,
        )
        self.agenda.plan(at + BREATH, functools.partial(self.resume, case))
        self.later(ticket, at, self.rng.uniform(30, 400), self.resolve, case)

    def resume(self, case: Case, at: datetime) -> None:
        ticket = Ticket.objects.select_related("owner").get(pk=case.ticket_id)
        if ticket.status == WAITING:
            self.act(lifecycle.resume, ticket, by=ticket.owner, at=at)

    def rescue(self, case: Case, at: datetime) -> None:
        """A supervisor who was told gives a neglected ticket to somebody else."""
        ticket = self.open_case(case, at, self.rescue)
        colleague = self.colleague_for(ticket, at) if ticket else None
        if ticket is None or colleague is None or case.heard:
            return
        self.act(lifecycle.assign, ticket, by=self.supervisor(ticket), at=at, to=colleague, reason="")
        self.later(ticket, at, self.rng.uniform(15, 60), self.try_contact, case)

    def told_of_lateness(self, ticket_id: int, at: datetime) -> None:
        case = self.cases.get(ticket_id)
        if case and case.neglected and not case.heard and self.rng.random() < 0.4:
            ticket = Ticket.objects.get(pk=ticket_id)
            self.later(ticket, at, self.rng.uniform(30, 300), self.rescue, case)

    # --- Putting it right ---

    def give(self, ticket: Ticket, at: datetime) -> Ticket:
        """Something small, as much as an agent gives alone."""
        kind = self.rng.choice(self.small_kinds)
        cost = kind.usual_cost
        return (
            self.act(lifecycle.give_goodwill, ticket, by=ticket.owner, at=at, kind=kind, cost=cost) or ticket
        )

    @functools.cached_property
    def small_kinds(self) -> list[GoodwillKind]:
        return list(GoodwillKind.objects.order_by("usual_cost", "pk")[:2])

    def resolve(self, case: Case, at: datetime) -> None:
        ticket = self.open_case(case, at, self.resolve)
        if ticket is None or self.is_still_at_it(ticket, at):
            return
        said = words.BY_CODE[case.cause]
        found = said.code if self.rng.random() < 0.76 else self.rng.choice(words.CAUSES[:-1]).code
        done = self.in_words_of(ticket.owner, words.BY_CODE[found].done)
        if case.heard and self.rng.random() < GIVES:
            ticket = self.give(ticket, at)
        resolved = self.act(
            lifecycle.resolve,
            ticket,
            by=ticket.owner,
            at=at,
            cause_said=self.world.causes[said.code],
            cause_found=self.world.causes[found],
            what_was_done=done,
        )
        if resolved is not None:
            self.expect_questions(resolved)
