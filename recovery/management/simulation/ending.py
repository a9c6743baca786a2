"""The last touches: promises for the hours to come, and messages that need a person."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from recovery import lifecycle
from recovery.lifecycle import Refused
from recovery.lifecycle.lost import mark_lost
from recovery.management.simulation import words
from recovery.management.simulation.world import World
from recovery.models import Callback, Cause, Department, GoodwillKind, Initiative, Target, Ticket
from recovery.models.ticket import OPEN, WAITING
from surveys.messages import suppress
from surveys.messages.suppression import BOUNCED, UNSUBSCRIBED
from surveys.models import Customer, DeliveryAttempt, Invitation, Message, Survey

CALLBACKS_AHEAD = 9
WAITING_PEOPLE, UNSUBSCRIBED_PEOPLE = 3, 3
REFUSAL = "550 5.1.1 No such user here"
PROPOSED, WHY_SO_MUCH = Decimal(80), "The second time this month."
ASKED, AN_HOUR = "Is the parcel still with you?", timedelta(hours=1)
TAKEN_OVER = "I take this one over."
TARGETS = (("recovered", 45, 60), ("contacted_in_time", 80, 30), ("repeat_contact", 10, 30), ("nps", 20, 90))
FIX = ("Another courier for the evening routes", "The former one was late on every second evening.")
# When the story of the months gets a better courier, as a part of them.
FIXED_AFTER = 0.45
LEFT = ("Found it cheaper elsewhere", "Moved away", "Waited too long for us")
LOST = "The server hung up after the message had begun"


def leave_as_found(world: World, rng: Random, until: datetime) -> None:
    others_are_asked(world, until)
    supervisors_step_in(world, rng, until)
    let_some_wait(rng, until)
    promise_the_hours_ahead(rng, until)
    go_wrong(until)
    set_targets(until)
    record_a_fix(until)
    lose_some(world, until)
    for person in Message.objects.filter(kind="invitation").order_by("pk")[:UNSUBSCRIBED_PEOPLE]:
        suppress(person.to_address, UNSUBSCRIBED, until - timedelta(days=40))


def others_are_asked(world: World, until: datetime) -> None:
    """In each team somebody proposed more than they may give alone, and a department is late to answer."""
    at = until - timedelta(minutes=150)
    kind, department = GoodwillKind.objects.earliest("pk"), Department.objects.earliest("pk")
    for team in world.teams.values():
        others = Ticket.objects.filter(status=OPEN, team=team, opened_at__lt=at).exclude(
            owner=team.supervisor
        )
        quiet = [each for each in others.select_related("owner").order_by("pk") if not began_after(each, at)]
        for ticket in quiet[-1:]:
            owner, due_at = ticket.owner, at + AN_HOUR
            asked = lifecycle.give_goodwill(
                ticket, by=owner, at=at, kind=kind, cost=PROPOSED, note=WHY_SO_MUCH
            )
            lifecycle.ask_department(
                asked, by=owner, at=at, department=department, title=ASKED, due_at=due_at
            )


def set_targets(until: datetime) -> None:
    for metric, value, days in TARGETS:
        survey = Survey.objects.filter(kind=metric).order_by("pk").first()
        Target.objects.create(
            metric=metric, value=value, by_day=(until + timedelta(days=days)).date(), survey=survey
        )


def record_a_fix(until: datetime) -> None:
    first = Ticket.objects.order_by("opened_at").values_list("opened_at", flat=True).first()
    late = Cause.objects.filter(code="late_delivery").first()
    if first and late:
        since = (first + FIXED_AFTER * (until - first)).date()
        Initiative.objects.create(title=FIX[0], note=FIX[1], cause=late, since=since)


def lose_some(world: World, until: datetime) -> None:
    """A few who were never won back have left since, as their supervisor learned."""
    by = next(iter(world.teams.values())).supervisor
    gone = Customer.objects.filter(resurveys__outcome="detractor").distinct().order_by("pk")[: 2 * len(LEFT)]
    for number, customer in enumerate(gone):
        at = until - timedelta(days=3 + 5 * number)
        mark_lost(customer, by=by, at=at, lost_at=at, reason=LEFT[number % len(LEFT)])


def supervisors_step_in(world: World, rng: Random, until: datetime) -> None:
    """Each supervisor took over two tickets of their team, and promised one of the customers a call."""
    at = until - timedelta(minutes=rng.randrange(95, 120))
    for team in world.teams.values():
        tickets = Ticket.objects.filter(status=OPEN, team=team, opened_at__lt=at).exclude(
            owner=team.supervisor
        )
        booked = Callback.objects.filter(state=Callback.BOOKED).values("ticket")
        known = tickets.exclude(customer=None).exclude(pk__in=booked).order_by("pk")
        taken = [ticket for ticket in known if not began_after(ticket, at)][:2]
        for ticket in taken:
            lifecycle.assign(ticket, by=team.supervisor, at=at, to=team.supervisor, reason=TAKEN_OVER)
        if taken:
            promise(taken[0].pk, rng, at, until)


def let_some_wait(rng: Random, until: datetime) -> None:
    """The clock of a few stands, because their customers must do something first."""
    at = until - timedelta(minutes=rng.randrange(60, 90))
    booked = Callback.objects.filter(state=Callback.BOOKED).values("ticket")
    tickets = Ticket.objects.filter(status=OPEN, opened_at__lt=at).exclude(pk__in=booked)
    quiet = [
        ticket for ticket in tickets.select_related("owner").order_by("pk") if not began_after(ticket, at)
    ]
    for ticket in quiet[-WAITING_PEOPLE:]:
        reason, days = rng.choice(words.WAIT_REASONS), rng.randrange(1, 4)
        lifecycle.start_waiting(
            ticket, by=ticket.owner, at=at, reason=reason, until=until + timedelta(days=days)
        )


def promise_the_hours_ahead(rng: Random, until: datetime) -> None:
    """Callbacks within the coming day, in the customers' day time, spread over the owners."""
    booked = Callback.objects.filter(state=Callback.BOOKED).values("ticket")
    tickets = Ticket.objects.in_work().exclude(status=WAITING).exclude(pk__in=booked).exclude(customer=None)
    at = until - timedelta(minutes=rng.randrange(20, 55))
    owners: dict[int, int] = {}
    for ticket in tickets.filter(opened_at__lt=at).order_by("-pk"):
        if sum(owners.values()) >= CALLBACKS_AHEAD:
            return
        if (
            owners.get(ticket.owner_id, 0) < 2
            and not began_after(ticket, at)
            and promise(ticket.pk, rng, at, until)
        ):
            owners[ticket.owner_id] = owners.get(ticket.owner_id, 0) + 1


def began_after(ticket: Ticket, at: datetime) -> bool:
    """Whether something happened in the last minutes: a promise before it would be out of order."""
    return ticket.events.filter(at__gt=at).exists()


def promise(ticket_id: int, rng: Random, at: datetime, until: datetime) -> bool:
    ticket = Ticket.objects.select_related("customer", "owner").get(pk=ticket_id)
    assert ticket.customer is not None
    zone = ticket.customer.zone
    local = next_day_time(until + timedelta(minutes=rng.randrange(25, 600)), zone)
    try:
        lifecycle.book_callback(
            ticket, by=ticket.owner, at=at, local_time=f"{local:%Y-%m-%dT%H:%M}", time_zone=str(zone)
        )
    except Refused:
        return False
    return True


def next_day_time(at: datetime, zone: ZoneInfo) -> datetime:
    """The next quarter of an hour between 9 and 20 o'clock there."""
    local = at.astimezone(zone)
    local += timedelta(minutes=15 - local.minute % 15)
    if local.hour < 9:
        return local.replace(hour=9 + local.minute % 3)
    return local if local.hour < 20 else (local + timedelta(days=1)).replace(hour=10)


def go_wrong(until: datetime) -> None:
    """Two of the latest invitations: one refused by its mailbox, one lost with its connection."""
    latest = Message.objects.filter(kind="invitation", invitation__state=Invitation.SENT)
    latest = latest.filter(created_at__lt=until - timedelta(hours=3)).order_by("-created_at", "-pk")
    fates = ((Message.REJECTED, REFUSAL), (Message.UNCERTAIN, LOST))
    for message, (state, why) in zip(list(latest[:2]), fates, strict=False):
        message.state, message.reason = state, why
        message.save(update_fields=["state", "reason"])
        DeliveryAttempt.objects.filter(message=message).update(result=state, detail=why)
        if state == Message.REJECTED:
            Invitation.objects.filter(messages=message).update(
                state=Invitation.CANCELLED, reason="message_rejected"
            )
            suppress(message.to_address, BOUNCED, message.created_at)
