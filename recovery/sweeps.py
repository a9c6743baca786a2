"""What falls due in this room: where its rows are, and the step each takes, which may run twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from dispatch.kinds import Kind
from recovery import lifecycle
from recovery.catch_up import LATE
from recovery.insight.telling import due_changes, tell_changed
from recovery.lifecycle import Refused
from recovery.lifecycle.contact import instant_of
from recovery.lifecycle.placement import due_placements
from recovery.lifecycle.request import due_requests
from recovery.models import Callback, Deadline, DigestLine, Resurvey, Ticket, Wait
from recovery.models.ticket import IN_WORK
from recovery.reports import due_reports, send_report
from recovery.triage import due_triage, triage
from recovery.weekly import due_weeklies, send_weekly
from surveys.models import Invitation

DAY = timedelta(days=1)


def due_callbacks(at: datetime) -> QuerySet[Callback]:
    rows = Callback.objects.filter(state=Callback.BOOKED, announced_at=None, due_at__lte=at)
    return rows.filter(ticket__status__in=IN_WORK).order_by("due_at")


def moved_callbacks(at: datetime) -> QuerySet[Callback]:
    """Callbacks ahead whose instant is not that of their wall time by the zone data of this process."""
    rows = Callback.objects.filter(state=Callback.BOOKED, announced_at=None, due_at__gt=at)
    rows = rows.filter(ticket__status__in=IN_WORK)
    return rows.filter(pk__in=_zones.moved(rows, at)).order_by("due_at")


class Zones:
    """Which callbacks other zone data has moved. New data comes with a new process: all are compared when one
    begins, and once a day for what older processes went on booking; between that only those found."""

    def __init__(self) -> None:
        self.compared_at: datetime | None = None
        self.found: list[int] = []

    def moved(self, rows: QuerySet[Callback], at: datetime) -> list[int]:
        if self.compared_at is None or abs(at - self.compared_at) >= DAY:
            self.found = differing(rows)
            self.compared_at = at
        elif self.found:
            self.found = differing(rows.filter(pk__in=self.found))
        return self.found


def differing(rows: QuerySet[Callback]) -> list[int]:
    facts = rows.values_list("pk", "local_time", "time_zone", "due_at").order_by()
    return [pk for pk, wall, zone, due_at in facts if differs(wall, zone, due_at)]


def differs(local_time: str, time_zone: str, due_at: datetime) -> bool:
    """A zone that is no longer known moves nothing."""
    try:
        return instant_of(local_time, time_zone) != due_at
    except Refused:
        return False


_zones = Zones()


def due_deadlines(at: datetime) -> QuerySet[Deadline]:
    """Deadlines that near or passed, by their ladder's next step."""
    rows = Deadline.objects.filter(next_step_at__lte=at, ticket__status__in=IN_WORK)
    return rows.order_by("next_step_at")


def due_waits(at: datetime) -> QuerySet[Wait]:
    return Wait.objects.filter(ends_at=None, resume_at__lte=at).order_by("resume_at")


def outdated_tickets(at: datetime) -> QuerySet[Ticket]:
    """Tickets whose running deadlines were reckoned under an older policy or calendar than today's."""
    changed = (
        ~Q(policy_version=F("policy__version"))
        | ~Q(calendar_version=F("calendar__version"))
        | ~Q(policy=OuterRef("policy"))
        | ~Q(calendar=OuterRef("team__calendar"))
    )
    rows = Deadline.objects.filter(changed, ticket=OuterRef("pk"), met_at=None, ended_at=None)
    rows = rows.filter(cycle=OuterRef("cycle"), starts_at__lte=at)
    return Ticket.objects.in_work().filter(Exists(rows)).order_by("pk")


def due_resurveys(at: datetime) -> QuerySet[Resurvey]:
    rows = Resurvey.objects.filter(state__in=[Resurvey.PLANNED, Resurvey.HELD], due_at__lte=at)
    return rows.order_by("due_at")


def silent_resurveys(at: datetime) -> QuerySet[Resurvey]:
    """Asked, and the time to answer ran out or the message never arrived."""
    over = Q(invitation__expires_at__lte=at) | Q(
        invitation__state__in=[Invitation.CANCELLED, Invitation.EXPIRED]
    )
    return Resurvey.objects.filter(over | Q(invitation=None), state=Resurvey.ASKED).order_by("pk")


def due_digests(at: datetime) -> QuerySet[User]:
    """Colleagues with something untold: once the heap of late work is worked off, or when it takes too long.

    So an outage ends in one message to each, and a row that cannot be worked off holds nobody's up for long.
    What waits for somebody's working time waits for nothing else before it.
    """
    untold = DigestLine.objects.filter(user=OuterRef("pk"), told_at=None)
    ready = untold.annotate(ready_at=Coalesce("send_at", "at")).order_by("ready_at").values("ready_at")
    people = User.objects.annotate(untold_since=Subquery(ready[:1]))
    people = people.filter(untold_since__lte=at)
    heap = [late(at - LATE).order_by() for late in (due_triage, due_callbacks, due_deadlines)]
    worked_off = ~Exists(heap[0]) & ~Exists(heap[1]) & ~Exists(heap[2])
    return people.filter(Q(untold_since__lte=at - LATE) | worked_off).order_by("untold_since", "pk")


# What somebody else's act makes of a step; any other refusal would come back for ever, and has to be heard.
SETTLED = {"not_allowed_now", "stale", "callback_not_due", "step_not_due"}


def unless_settled(act: Callable[[], object]) -> object:
    """Run a step that somebody else may have made needless in the meantime."""
    try:
        return act()
    except Refused as refused:
        if refused.code not in SETTLED:
            raise
        return None


def announce_callback(callback_id: int, at: datetime) -> object:
    return unless_settled(lambda: lifecycle.announce_callback(callback_id, at=at))


def keep_wall_time(callback_id: int, at: datetime) -> object:
    return unless_settled(lambda: lifecycle.keep_wall_time(callback_id, at=at))


def climb(deadline_id: int, at: datetime) -> object:
    return unless_settled(lambda: lifecycle.climb(deadline_id, at=at))


def resume(wait_id: int, at: datetime) -> object:
    """The ticket is read before its wait: who begins another wait meanwhile makes this one stale."""
    ticket = Ticket.objects.filter(waits=wait_id).first()
    if ticket is None or not Wait.objects.filter(pk=wait_id, ends_at=None, resume_at__lte=at).exists():
        return None
    return unless_settled(lambda: lifecycle.resume(ticket, by=None, at=at))


def recompute(ticket_id: int, at: datetime) -> object:
    ticket = Ticket.objects.filter(pk=ticket_id).first()
    return ticket and unless_settled(lambda: lifecycle.recompute_deadlines(ticket, by=None, at=at))


def ask_again(resurvey_id: int, at: datetime) -> object:
    return lifecycle.ask_again(resurvey_id, at=at)


def end_unanswered(resurvey_id: int, at: datetime) -> object:
    return lifecycle.end_unanswered(resurvey_id, at=at)


def climb_request(request_id: int, at: datetime) -> object:
    return unless_settled(lambda: lifecycle.climb_request(request_id, at=at))


def place(ticket_id: int, at: datetime) -> object:
    return unless_settled(lambda: lifecycle.place(ticket_id, at=at))


def send_digest(user_id: int, at: datetime) -> object:
    return lifecycle.send_digest(user_id, at=at)


def triage_one(response_id: int, at: datetime) -> object:
    return triage(response_id, at=at)


KINDS = [
    Kind("placements", due_placements, place, ""),
    Kind("triage", due_triage, triage_one, "received_at"),
    Kind("callbacks", due_callbacks, announce_callback),
    Kind("zones", moved_callbacks, keep_wall_time, ""),
    Kind("waits", due_waits, resume, "resume_at"),
    Kind("recompute", outdated_tickets, recompute, ""),
    Kind("deadlines", due_deadlines, climb, "next_step_at"),
    Kind("requests", due_requests, climb_request, "next_step_at"),
    Kind("resurveys", due_resurveys, ask_again, speaks=True),
    Kind("silence", silent_resurveys, end_unanswered, "invitation__expires_at"),
    Kind("digests", due_digests, send_digest, "untold_since"),
    Kind("weekly", due_weeklies, send_weekly, ""),
    Kind("reports", due_reports, send_report, "next_at"),
    Kind("stories", due_changes, tell_changed, "marked_at"),
]
