"""What falls due in a run: put there by the product's own acts, and written into a ledger of our own.

The ledger (JSON lines) says what was intended and when it is due; the judge compares it with what happened.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from dispatch.clock import now
from dispatch.nudge import silenced
from recovery import lifecycle
from recovery.lifecycle import Plan
from recovery.models import (
    ApiToken,
    Calendar,
    Cause,
    Deadline,
    EscalationStep,
    Membership,
    OpeningHours,
    PolicyTarget,
    SlaPolicy,
    StaffProfile,
    Team,
    Ticket,
)
from recovery.models.policy import FIRST_CONTACT, RESOLUTION
from surveys.invitations import invite
from surveys.messages import queue_message
from surveys.models import (
    Customer,
    CustomerIdentity,
    DeliveryAttempt,
    Invitation,
    Message,
    Response,
    SendingRules,
    Source,
    Survey,
)
from tests.faults.journal import Journal

MINUTE = timedelta(minutes=1)
FAR_MINUTES = 100_000
FIRST_MINUTES = 60
RESURVEY_MINUTES = 1_000
LEVELS = ((0, -1, EscalationStep.OWNER), (1, 0, EscalationStep.SUPERVISOR), (2, 1, EscalationStep.MANAGER))
CHANNELS = ("email", "sms", "chat")
AT_ONCE = 50
USUAL = 3_000

# How much of what there is, of the whole.
SHARES = {"message": 0.42, "callback": 0.12, "step": 0.18, "wait": 0.06, "resurvey": 0.06,
          "invitation": 0.06, "expiry": 0.10}  # fmt: skip


@dataclass
class World:
    """The few rows that everything else hangs on."""

    survey: Survey
    team: Team
    quick: SlaPolicy
    slow: SlaPolicy
    source: Source
    cause: Cause
    agent: User
    token: str
    serial: Iterator[int] = field(default_factory=lambda: iter(range(1, 10**9)))


def make_world() -> World:
    """Open round the clock, no quiet hours, a rate nobody reaches: what is due is due."""
    generous_rules()
    busy_past()
    calendar = Calendar.objects.create(name="Always", time_zone="UTC")
    OpeningHours.objects.create(
        calendar=calendar, days=list(range(7)), opens=clock_time(0), closes=clock_time(0)
    )
    quick, slow = make_policy("Quick", FIRST_MINUTES), make_policy("Slow", FAR_MINUTES)
    manager, chief, agent = (make_user(*who) for who in PEOPLE)
    region = Team.objects.create(name="Region", supervisor=manager, calendar=calendar, policy=slow)
    team = Team.objects.create(
        name="East", supervisor=chief, calendar=calendar, policy=slow, parent=region, is_fallback=True
    )
    Membership.objects.create(team=team, user=agent, capacity=30_000)
    survey = Survey.objects.create(
        slug="delivery", name="Delivery", line="delivery", resurvey_after_minutes=RESURVEY_MINUTES
    )
    survey.questions.create(key="score", kind="score", position=0, text="How likely are you to recommend us?")
    return World(
        survey=survey,
        team=team,
        quick=quick,
        slow=slow,
        source=Source.objects.create(slug="load", name="Load", kind="api"),
        cause=Cause.objects.create(code="late", name="Late delivery"),
        agent=agent,
        token=ApiToken.issue(make_user("robot", "administrator").pk, "load")[1],
    )


PEOPLE = (("manager", "supervisor"), ("chief", "supervisor"), ("agent", "agent"))


def make_user(username: str, role: str) -> User:
    user = User.objects.create(username=username, email=f"{username}@staff.example", first_name=username)
    StaffProfile.objects.create(user=user, role=role, time_zone="UTC", locale="en")
    return user


def make_policy(name: str, first_minutes: int) -> SlaPolicy:
    policy = SlaPolicy.objects.create(name=name)
    PolicyTarget.objects.create(
        policy=policy, priority=3, first_contact_minutes=first_minutes, resolution_minutes=FAR_MINUTES
    )
    for kind in (FIRST_CONTACT, RESOLUTION):
        for level, minutes, recipient in LEVELS:
            EscalationStep.objects.create(
                policy=policy, kind=kind, level=level, minutes_after=minutes, recipient=recipient
            )
    return policy


def busy_past() -> None:
    """So much was usual lately that nothing of ours looks like a heap; it went through no provider."""
    then = now() - timedelta(days=10)
    made = Message.objects.bulk_create(
        Message(
            dedup_key=f"past:{n}",
            kind="invitation",
            to_address=f"past{n}@example.com",
            state=Message.ACCEPTED,
            reason="marked_sent",
            fence=1,
            send_at=then,
            created_at=then,
            finished_at=then,
        )
        for n in range(USUAL)
    )
    DeliveryAttempt.objects.bulk_create(
        DeliveryAttempt(
            message=row, fence=1, provider="by_hand", started_at=then, ended_at=then, result="marked_sent"
        )
        for row in made
    )


def generous_rules(**rules: Any) -> None:
    generous: dict[str, Any] = {
        "quiet_from": clock_time(0),
        "quiet_until": clock_time(0),
        "per_minute": 1_000_000,
        "per_person_per_day": 30_000,
        # A run's load is no heap: somebody has let it go beforehand.
        "released_at": now() + timedelta(days=365),
    }
    SendingRules.objects.update_or_create(pk=SendingRules.ONLY, defaults={**generous, **rules})


@dataclass
class Load:
    """Fills the database. `due` of each thing lies evenly between `begins` and `ends`."""

    world: World
    ledger: Journal
    begins: datetime
    ends: datetime
    chance: random.Random
    zone: str = "UTC"
    not_after: datetime | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)

    def fill(
        self, actions: int, shares: dict[str, float] = SHARES, say: Callable[[str], None] = print
    ) -> None:
        makers = {
            "message": self.message,
            "callback": self.callback,
            "step": self.ladder,
            "wait": self.wait,
            "resurvey": self.resurvey,
            "invitation": self.invitation,
        }
        with silenced():
            for what, share in shares.items():
                started, count = time.monotonic(), round(actions * share)
                if what == "step":
                    count = -(-count // len(LEVELS))
                if what == "expiry":
                    self.expiries(count)
                else:
                    self.in_chunks(makers[what], count)
                say(f"  {count} × {what} in {time.monotonic() - started:.1f} s")

    def in_chunks(self, make: Callable[[Customer, datetime], None], count: int) -> None:
        dues = [self.begins + (self.ends - self.begins) * (n + 0.5) / count for n in range(count)]
        for start in range(0, count, AT_ONCE):
            chunk = dues[start : start + AT_ONCE]
            with transaction.atomic():
                for customer, due in zip(self.customers(len(chunk)), chunk, strict=True):
                    make(customer, due)
            self.write_down()

    def write_down(self) -> None:
        self.ledger.write_many(self.rows)
        self.rows.clear()

    def intend(self, what: str, due: datetime, **facts: Any) -> None:
        self.rows.append({"what": what, "due": due.timestamp(), **facts})

    def customers(self, count: int) -> list[Customer]:
        numbers = [next(self.world.serial) for _ in range(count)]
        made = Customer.objects.bulk_create(
            [
                Customer(name=f"Customer {n}", locale="en", time_zone=self.zone, created_at=self.begins)
                for n in numbers
            ]
        )
        CustomerIdentity.objects.bulk_create(
            CustomerIdentity(customer=customer, kind=kind, value=value)
            for customer, n in zip(made, numbers, strict=True)
            for kind, value in (("email", address(n, "email")), ("phone", address(n, "sms")))
        )
        for customer, n in zip(made, numbers, strict=True):
            customer.number = n  # type: ignore[attr-defined]
        return made

    # --- One of each kind ---

    def message(self, customer: Customer, due: datetime, channel: str = "") -> None:
        number: int = customer.number  # type: ignore[attr-defined]
        channel = channel or CHANNELS[number % len(CHANNELS)]
        message = queue_message(
            dedup_key=f"load:{number}",
            kind="invitation",
            to_address=address(number, channel),
            to_name=customer.name,
            locale="en",
            context={"survey": "Delivery", "question": f"How was order {number}?", "points": [],
                     "survey_url": f"http://127.0.0.1/{number}/", "expires_at": due},
            at=min(due, self.begins),
            send_at=due,
            not_after=self.not_after,
            customer=customer,
            channel=channel,
        )  # fmt: skip
        self.intend("message", due, message=message.pk, channel=channel, to=message.to_address)

    def ticket(self, customer: Customer, opened: datetime, policy: SlaPolicy) -> Ticket:
        response = Response.objects.create(
            survey=self.world.survey,
            source=self.world.source,
            external_id=f"load-{customer.pk}",
            customer=customer,
            score=2,
            band="detractor",
            comment="Nobody called.",
            received_at=opened,
            answered_at=opened,
            payload_hash="",
            triaged_at=opened,
        )
        return lifecycle.open_ticket(response, Plan(self.world.team, policy, 3), at=opened)

    def callback(self, customer: Customer, due: datetime) -> None:
        opened = self.begins - MINUTE * 10
        ticket = self.ticket(customer, opened, self.world.slow)
        due = due.astimezone(UTC).replace(second=0, microsecond=0)
        lifecycle.book_callback(
            ticket, by=self.world.agent, at=opened, local_time=due.strftime("%Y-%m-%dT%H:%M"), time_zone="UTC"
        )
        self.intend("callback", due, callback=ticket.callbacks.get().pk, ticket=ticket.pk)

    def ladder(self, customer: Customer, due: datetime) -> None:
        """Its last level falls due at `due`, the deadline itself a minute before."""
        opened = due.replace(microsecond=0) - MINUTE * (FIRST_MINUTES + LEVELS[-1][1])
        ticket = self.ticket(customer, opened, self.world.quick)
        row = Deadline.objects.get(ticket=ticket, kind=FIRST_CONTACT)
        assert row.due_at is not None
        for level, minutes, _recipient in LEVELS:
            self.intend("step", row.due_at + MINUTE * minutes, deadline=row.pk, level=level, ticket=ticket.pk)

    def wait(self, customer: Customer, due: datetime) -> None:
        opened = self.begins - MINUTE * 10
        ticket = self.ticket(customer, opened, self.world.slow)
        lifecycle.start_waiting(ticket, by=self.world.agent, at=opened, reason="photo", until=due)
        self.intend("wait", due, wait=ticket.waits.get().pk, ticket=ticket.pk)

    def resurvey(self, customer: Customer, due: datetime) -> None:
        resolved = due - MINUTE * RESURVEY_MINUTES
        ticket = self.ticket(customer, resolved - MINUTE, self.world.slow)
        lifecycle.resolve(
            ticket, by=self.world.agent, at=resolved, cause_found=self.world.cause, what_was_done="Sent again"
        )
        self.intend("resurvey", due, resurvey=ticket.resurveys.get().pk, ticket=ticket.pk)

    def invitation(self, customer: Customer, due: datetime) -> None:
        row = invite(customer, self.world.survey, send_at=due, at=min(due, self.begins))
        self.intend("invitation", due, invitation=row.pk)

    def expiries(self, count: int) -> None:
        """Plain rows as a sent invitation leaves them."""
        dues = [self.begins + (self.ends - self.begins) * (n + 0.5) / count for n in range(count)]
        for start in range(0, count, 5_000):
            chunk = dues[start : start + 5_000]
            sent = self.begins - timedelta(days=14)
            rows = Invitation.objects.bulk_create(
                Invitation(
                    survey=self.world.survey,
                    customer=customer,
                    state=Invitation.SENT,
                    send_at=sent,
                    sent_at=sent,
                    created_at=sent,
                    expires_at=due,
                )
                for customer, due in zip(self.customers(len(chunk)), chunk, strict=True)
            )
            for row in rows:
                assert row.expires_at is not None
                self.intend("expiry", row.expires_at, invitation=row.pk)
            self.write_down()


def address(number: int, channel: str) -> str:
    if channel == "sms":
        return f"+4477{number:08d}"
    return f"chat-{number}" if channel == "chat" else f"customer{number}@example.com"
