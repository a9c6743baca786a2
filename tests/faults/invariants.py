"""What must hold after every fault, each as a query: `violated()` names whatever does not.

The numbers are those of the list in docs/reliability.md. With a rig the providers' journals and the client's
are held against the database; without one the database is held against itself.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db import connection
from django.db.models import Count, Exists, F, Max, OuterRef, Q

from dispatch import epoch
from dispatch.claims import MOST_ATTEMPTS
from dispatch.clock import now
from dispatch.models import Claim
from recovery.lifecycle.contact import instant_of
from recovery.models import Callback, Deadline, Escalation, Resurvey, Ticket, TicketEvent, Wait
from recovery.models.ticket import IN_WORK
from recovery.sweeps import due_callbacks, due_waits
from surveys.messages.doubt import QUESTIONS, in_doubt
from surveys.messages.email import message_id
from surveys.models import Consent, DeliveryAttempt, Invitation, Message, Response, SendingRules, Suppression
from tests.faults.client import ACKNOWLEDGED
from tests.faults.journal import read
from tests.faults.providers import DELIVERED
from tests.faults.rig import Rig

ALARM = timedelta(minutes=5)
# Who was given a slot may be held up on the way to its provider.
JITTER = timedelta(seconds=2)
BY_HAND = "by_hand"
HONEST_ENDS = (
    Message.ACCEPTED,
    Message.REJECTED,
    Message.SUPPRESSED,
    Message.CANCELLED,
    Message.EXPIRED,
    Message.UNCERTAIN,
    Message.DEAD,
)
# Columns that make one intent one row.
UNIQUE = (
    ("surveys_message", "dedup_key"),
    ("surveys_deliveryattempt", "message_id, fence"),
    ("surveys_response", "source_id, external_id"),
    ("dispatch_claim", "kind, subject"),
    ("recovery_escalation", "deadline_id, round, level, recipient_id"),
    ("recovery_deadline", "ticket_id, kind, cycle"),
    ("recovery_resurvey", "ticket_id, cycle"),
)


@dataclass(frozen=True)
class Evidence:
    """`settled`: nothing is due or being sent any more. `rig`: journals are there to read."""

    rig: Rig | None = None
    settled: bool = False

    def deliveries(self) -> Iterator[dict[str, Any]]:
        for name in ("key", "ask", "smtp") if self.rig else ():
            assert self.rig is not None
            yield from (row for row in read(self.rig.journal(name)) if row["what"] == DELIVERED)

    def acknowledged(self) -> set[str]:
        rows = read(self.rig.journal("client")) if self.rig else []
        return {row["external_id"] for row in rows if row["status"] in ACKNOWLEDGED}


Check = Callable[[Evidence], Iterator[str]]


@dataclass(frozen=True)
class Invariant:
    number: int
    says: str
    check: Check


INVARIANTS: list[Invariant] = []


def invariant(number: int, says: str) -> Callable[[Check], Check]:
    def keep(check: Check) -> Check:
        INVARIANTS.append(Invariant(number, says, check))
        return check

    return keep


def violated(evidence: Evidence | None = None) -> list[str]:
    """One line for each invariant that does not hold, with its first examples."""
    found = []
    for each in INVARIANTS:
        rows = list(each.check(evidence or Evidence()))
        if rows:
            found.append(f"invariant {each.number} ({each.says}): {len(rows)}, such as {'; '.join(rows[:3])}")
    return found


def customers_attempts() -> Any:
    """Tries to hand something to a customer, as opposed to a colleague, by a machine."""
    tries = DeliveryAttempt.objects.exclude(provider=BY_HAND).exclude(result__in=QUESTIONS)
    return tries.filter(message__user=None)


@invariant(1, "everything due is a committed row that a look at PostgreSQL alone finds")
def truth(evidence: Evidence) -> Iterator[str]:
    at = now()
    lost = Callback.objects.filter(state=Callback.BOOKED, announced_at=None, due_at__lte=at)
    lost = lost.filter(ticket__status__in=IN_WORK).exclude(pk__in=due_callbacks(at).values("pk"))
    yield from (f"callback {row.pk} is found by nobody" for row in lost)
    stopped = Wait.objects.filter(ends_at=None, resume_at__lte=at).exclude(pk__in=due_waits(at).values("pk"))
    yield from (f"wait {row.pk} is found by nobody" for row in stopped)
    running = Deadline.objects.filter(met_at=None, ended_at=None, due_at__isnull=False, breached_at=None)
    running = running.filter(ticket__status__in=IN_WORK, cycle=F("ticket__cycle"))
    asleep = running.filter(Q(next_step_at=None) | Q(next_step_at__gt=F("due_at")) & Q(next_step_at__gt=at))
    yield from (f"deadline {row.pk} will pass unseen" for row in asleep)
    bare = Ticket.objects.in_work().annotate(n=Count("deadlines", filter=Q(deadlines__cycle=F("cycle"))))
    yield from (f"ticket {row.number} has {row.n} deadlines" for row in bare.filter(n__lt=2))  # type: ignore[attr-defined]


@invariant(2, "what was acknowledged is committed")
def acknowledged_is_stored(evidence: Evidence) -> Iterator[str]:
    said = evidence.acknowledged()
    stored = set(Response.objects.filter(external_id__in=said).values_list("external_id", flat=True))
    yield from (f"{external_id} was acknowledged" for external_id in sorted(said - stored))


@invariant(3, "one intent is one row, and the database sees to it")
def one_row_per_intent(evidence: Evidence) -> Iterator[str]:
    with connection.cursor() as cursor:
        for table, columns in UNIQUE:
            cursor.execute(
                "SELECT 1 FROM pg_indexes WHERE tablename = %s AND indexdef LIKE 'CREATE UNIQUE%%' "
                "AND indexdef LIKE %s AND schemaname = current_schema()",
                [table, f"%({columns})%"],
            )
            if not cursor.fetchone():
                yield f"nothing keeps {table} ({columns}) unique"
    keys = Message.objects.exclude(key="").values("key").annotate(n=Count("pk")).filter(n__gt=1)
    yield from (f"{row['n']} messages carry the key {row['key']}" for row in keys)
    tickets = Ticket.objects.values("response").annotate(n=Count("pk")).filter(n__gt=1)
    yield from (f"answer {row['response']} opened {row['n']} tickets" for row in tickets)
    asked = Resurvey.objects.exclude(invitation=None)
    asked = asked.annotate(n=Count("invitation__messages")).filter(n__gt=1)
    yield from (f"resurvey {row.pk} was said {row.n} times" for row in asked)


@invariant(4, "each claim has a fence of its own, and an attempt never one above its message's")
def fences(evidence: Evidence) -> Iterator[str]:
    shared = Claim.objects.values("fence").annotate(n=Count("pk")).filter(n__gt=1)
    yield from (f"{row['n']} claims hold the fence {row['fence']}" for row in shared)
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM dispatch_fence")
        last = cursor.fetchone()[0]
    yield from (f"claim {row} has a fence from nowhere" for row in Claim.objects.filter(fence__gt=last))
    ahead = DeliveryAttempt.objects.filter(fence__gt=F("message__fence"))
    yield from (f"attempt {row.pk} is ahead of its message" for row in ahead)
    stale = DeliveryAttempt.objects.filter(ended_at=None).exclude(
        message__state=Message.SENDING, fence=F("message__fence")
    )
    yield from (f"attempt {row.pk} runs under a fence that is over" for row in stale)


@invariant(5, "no provider heard of anything before its attempt was written, and every try has the same key")
def written_ahead(evidence: Evidence) -> Iterator[str]:
    firsts = dict(
        DeliveryAttempt.objects.exclude(provider=BY_HAND)
        .order_by("message", "-id")
        .values_list("message", "started_at")
    )
    known = keys_of_messages() if evidence.rig else {}
    for row in evidence.deliveries():
        pk = known.get(row["key"])
        if pk is None:
            yield f"{row['to']} was sent what no message says"
        elif pk not in firsts or firsts[pk].timestamp() > row["at"] + 0.5:
            yield f"message {pk} went out before its attempt was written"
    wandering = DeliveryAttempt.objects.exclude(key="").exclude(key=F("message__key"))
    yield from (f"attempt {row.pk} has a key of its own" for row in wandering)
    attempts = DeliveryAttempt.objects.filter(message=OuterRef("pk"))
    unwritten = Message.objects.filter(~Exists(attempts), state__in=[Message.ACCEPTED, Message.REJECTED])
    yield from (f"message {row.pk} is {row.state} without an attempt" for row in unwritten)


def keys_of_messages() -> dict[str, int]:
    """Both names under which providers know a message."""
    known: dict[str, int] = {}
    for pk, key, dedup_key in Message.objects.values_list("pk", "key", "dedup_key"):
        known[key or dedup_key] = known[message_id(dedup_key)] = pk
    return known


@invariant(6, "nothing is delivered to a customer twice")
def at_most_once(evidence: Evidence) -> Iterator[str]:
    known = keys_of_messages() if evidence.rig else {}
    colleagues = set(Message.objects.exclude(user=None).values_list("pk", flat=True))
    resent = set(DeliveryAttempt.objects.filter(result="resent").values_list("message", flat=True))
    times = Counter(known.get(row["key"], 0) for row in evidence.deliveries())
    for pk, count in times.items():
        if count > 1 and pk not in colleagues | resent:
            yield f"message {pk} was delivered {count} times"
    accepted = customers_attempts().filter(result="accepted").exclude(message__in=resent)
    for row in accepted.values("message").annotate(n=Count("pk")).filter(n__gt=1):
        yield f"message {row['message']} was accepted {row['n']} times"


@invariant(7, "every message comes to an end that is shown, and a doubtful one raises an alarm in 5 minutes")
def no_silent_loss(evidence: Evidence) -> Iterator[str]:
    at = now()
    alive = (Message.QUEUED, Message.SENDING)
    unknown = Message.objects.exclude(state__in=[*HONEST_ENDS, *alive])
    yield from (f"message {row.pk} is {row.state}" for row in unknown)
    endless = Message.objects.filter(state__in=HONEST_ENDS, finished_at=None)
    yield from (f"message {row.pk} is {row.state} and says not since when" for row in endless)
    mute = Message.objects.filter(state__in=HONEST_ENDS, reason="").exclude(state=Message.ACCEPTED)
    yield from (f"message {row.pk} is {row.state} and says not why" for row in mute)
    stuck = Message.objects.filter(state=Message.SENDING, lease_until=None)
    yield from (f"message {row.pk} is being sent for ever" for row in stuck)
    silent = Message.objects.filter(state__in=[Message.UNCERTAIN, Message.DEAD], alarmed_at=None)
    yield from (f"message {row.pk} alarmed nobody" for row in silent.filter(finished_at__lt=at - ALARM))
    buried = Claim.objects.filter(dead_at__lt=at - ALARM, alarmed_at=None)
    yield from (f"{row} is given up and alarmed nobody" for row in buried)
    if evidence.settled:
        waiting = Message.objects.filter(state__in=alive)
        yield from (f"message {row.pk} is still {row.state}" for row in waiting)


@invariant(8, "what is recorded as not sent never began to be sent")
def honest_record(evidence: Evidence) -> Iterator[str]:
    doubtful = in_doubt(DeliveryAttempt.objects.filter(message=OuterRef("pk")))
    taken = DeliveryAttempt.objects.filter(message=OuterRef("pk"), result__in=["accepted", "found"])
    decided = DeliveryAttempt.objects.filter(provider=BY_HAND, message=OuterRef("pk"))
    denied = Message.objects.filter(
        Exists(doubtful) | Exists(taken),
        ~Exists(decided),
        user=None,
        state__in=[Message.CANCELLED, Message.DEAD, Message.EXPIRED, Message.SUPPRESSED],
    )
    yield from (f"message {row.pk} is {row.state}, and may have gone out" for row in denied)


@invariant(9, "nothing begins to be sent past its time, in quiet hours, or to who must not be written to")
def send_gate(evidence: Evidence) -> Iterator[str]:
    attempts = customers_attempts().select_related("message__customer", "message__invitation")
    rules = SendingRules.objects.first()
    for row in attempts.filter(started_at__gt=F("message__not_after")):
        yield f"attempt {row.pk} began past not_after"
    blocked = Suppression.objects.filter(
        channel=OuterRef("message__channel"),
        address=OuterRef("message__to_address"),
        created_at__lt=OuterRef("started_at"),
    )
    yield from (f"attempt {row.pk} to a suppressed address" for row in attempts.filter(Exists(blocked)))
    for row in attempts.filter(message__customer__isnull=False):
        if rules is not None and is_quiet(row, rules):
            yield f"attempt {row.pk} began in quiet hours"
        if has_refused(row):
            yield f"attempt {row.pk} to somebody who said no"
    if rules is not None and rules.paused_at:
        stopped = attempts.filter(started_at__gt=rules.paused_at + JITTER)
        yield from (f"attempt {row.pk} began after everything was stopped" for row in stopped)


def is_quiet(attempt: DeliveryAttempt, rules: SendingRules) -> bool:
    assert attempt.message.customer is not None
    local = attempt.started_at.astimezone(attempt.message.customer.zone).time()
    if rules.quiet_from == rules.quiet_until:
        return False
    if rules.quiet_from < rules.quiet_until:
        return rules.quiet_from <= local < rules.quiet_until
    return local >= rules.quiet_from or local < rules.quiet_until


def has_refused(attempt: DeliveryAttempt) -> bool:
    message = attempt.message
    said = Consent.objects.filter(
        customer=message.customer, channel=message.channel, at__lt=attempt.started_at
    )
    last = said.order_by("-id").first()
    return last is not None and not last.given


@invariant(10, "nothing is begun more than five times, but for what a provider clearly refused")
def bounded_retry(evidence: Evidence) -> Iterator[str]:
    yield from (
        f"{row} begun {row.attempts} times" for row in Claim.objects.filter(attempts__gt=MOST_ATTEMPTS)
    )
    for row in Message.objects.filter(attempts__gt=MOST_ATTEMPTS):
        refused = row.deliveries.filter(result="retry").count()
        if row.attempts - refused > MOST_ATTEMPTS:
            yield f"message {row.pk} begun {row.attempts} times, {refused} of them refused"
    if evidence.settled:
        undead = Claim.objects.filter(attempts__gte=MOST_ATTEMPTS, lease_until__lt=now(), dead_at=None)
        yield from (f"{row} is neither alive nor given up" for row in undead)


@invariant(11, "a callback's instant follows from its wall time, and it is announced once")
def time(evidence: Evidence) -> Iterator[str]:
    for row in Callback.objects.all():
        if instant_of(row.local_time, row.time_zone) != row.due_at:
            yield f"callback {row.pk} is due at another time than it says"
    announced = Counter(
        (ticket, data.get("due_at"))
        for ticket, data in TicketEvent.objects.filter(kind="callback_due").values_list("ticket", "data")
    )
    yield from (f"ticket {place[0]} announced {n} times" for place, n in announced.items() if n > 1)
    early = Callback.objects.filter(announced_at__lt=F("due_at"))
    yield from (f"callback {row.pk} was announced early" for row in early)


@invariant(12, "nobody is written to above the rate, and no level is told twice or after a higher one")
def catch_up(evidence: Evidence) -> Iterator[str]:
    rules = SendingRules.objects.first()
    if rules is not None:
        yield from above_rate(rules)
        yield from above_daily(rules)
    told: dict[tuple[int | None, int], list[tuple[datetime, int]]] = defaultdict(list)
    for row in Escalation.objects.exclude(deadline=None):
        told[row.deadline_id, row.round].append((row.at, row.level))
    for (deadline, _turn), levels in told.items():
        if any(after <= before for (_, before), (_, after) in pairwise(sorted(levels))):
            yield f"deadline {deadline} was told in the order {[level for _, level in sorted(levels)]}"


def above_rate(rules: SendingRules) -> Iterator[str]:
    # Messages given a slot keep to it; the minute may be entered a little late on both sides.
    started = list(customers_attempts().order_by("started_at").values_list("started_at", flat=True))
    allowed = rules.per_minute + max(5, rules.per_minute // 10)
    for first, last in zip(started, started[allowed:], strict=False):
        if last - first < timedelta(minutes=1) - JITTER:
            yield f"more than {allowed} in the minute from {first:%H:%M:%S}"
            return


def above_daily(rules: SendingRules) -> Iterator[str]:
    times: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    firsts = customers_attempts().values("message", "message__channel", "message__to_address")
    for row in firsts.annotate(at=Max("started_at")):
        times[row["message__channel"], row["message__to_address"]].append(row["at"])
    for (_channel, to), stamps in times.items():
        stamps.sort()
        for first, last in zip(stamps, stamps[rules.per_person_per_day :], strict=False):
            if last - first < timedelta(days=1):
                yield f"{to} was written to more than {rules.per_person_per_day} times in a day"
                break


@invariant(21, "a database older than what is remembered outside it sends nothing")
def restore_fence(evidence: Evidence) -> Iterator[str]:
    if not epoch.is_behind():
        return
    since = now() - timedelta(minutes=1)
    begun = customers_attempts().filter(started_at__gt=since)
    yield from (f"attempt {row.pk} began behind the fence" for row in begun)
    asked = Invitation.objects.filter(sent_at__gt=since)
    yield from (f"invitation {row.pk} was sent behind the fence" for row in asked)
