"""What became of everything that was intended: read from the providers' journals, the ledger, the client's
journal and, last, the database."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Any

from django.db import connection
from django.db.models import Count, Q

from recovery.models import (
    Callback,
    Deadline,
    Escalation,
    Resurvey,
    Ticket,
    TicketEvent,
    TicketResponse,
    Wait,
)
from surveys.messages.email import message_id
from surveys.models import DeliveryAttempt, Invitation, Message, Response
from tests.faults.client import ACKNOWLEDGED
from tests.faults.journal import read
from tests.faults.providers import COMPLAINT, DELIVERED
from tests.faults.rig import Rig

CLASSES = {"key": "A", "ask": "B", "smtp": "C"}
CHANNEL_OF = {"key": "sms", "ask": "chat", "smtp": "email"}
HONEST = (
    Message.ACCEPTED,
    Message.REJECTED,
    Message.SUPPRESSED,
    Message.CANCELLED,
    Message.EXPIRED,
    Message.UNCERTAIN,
    Message.DEAD,
)
Row = dict[str, Any]
LAST_BREATH = 2.0
# The sign of life falls due all the time.
CANARY = "canary"


@dataclass
class Verdict:
    """Counts and times; what is in `faults` must be empty for the run to pass."""

    intended: int = 0
    done: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    delivered: Counter[str] = field(default_factory=Counter)
    repeats: int = 0
    complaints: list[str] = field(default_factory=list)
    uncertain: int = 0
    uncertain_unexplained: list[str] = field(default_factory=list)
    in_flight: int = 0
    acknowledged: int = 0
    missing: list[str] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)
    lateness: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    done_times: list[tuple[float, float]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def weigh(self) -> None:
        """Turn what must not be into faults."""
        for what, rows in (
            ("lost", self.lost),
            ("complaint of a provider", self.complaints),
            ("uncertain though nothing was in flight", self.uncertain_unexplained),
            ("acknowledged but missing", self.missing),
        ):
            self.blame(what, rows)
        for group, rows in self.doubled.items():
            if group != COLLEAGUES:
                self.blame(f"doubled, {group}", rows)

    def blame(self, what: str, rows: Sequence[str]) -> None:
        if rows:
            self.faults.append(f"{what}: {len(rows)}, such as {', '.join(rows[:3])}")


COLLEAGUES = "class C to colleagues"


class Judge:
    """`floor` is when everything was first running (seconds since 1970): nothing can be late before it."""

    def __init__(self, rig: Rig, floor: float, kills: Sequence[float] = ()) -> None:
        self.rig, self.floor, self.kills = rig, floor, sorted(kills)
        self.ledger = read(rig.journal("ledger"))
        self.verdict = Verdict(intended=len(self.ledger))
        ours = Message.objects.exclude(dedup_key__startswith="past:")
        self.messages = {row.pk: row for row in ours.defer("text", "html")}
        self.deliveries = self.by_message()

    def judge(self) -> Verdict:
        by_kind: dict[str, list[Row]] = defaultdict(list)
        for row in self.ledger:
            by_kind[row["what"]].append(row)
        for what, rows in by_kind.items():
            found: Callable[[list[Row]], None] = getattr(self, f"judge_{what}")
            found(rows)
        self.judge_what_followed()
        self.judge_doubles()
        self.judge_uncertain()
        self.judge_acknowledged()
        self.verdict.weigh()
        return self.verdict

    # --- What providers accepted ---

    def by_message(self) -> dict[int, list[tuple[str, float]]]:
        """Which provider accepted which of our messages, and when."""
        known = {row.key or row.dedup_key: pk for pk, row in self.messages.items()}
        known |= {message_id(row.dedup_key): pk for pk, row in self.messages.items()}
        found: dict[int, list[tuple[str, float]]] = defaultdict(list)
        for provider, kind in CLASSES.items():
            for row in read(self.rig.journal(provider)):
                if row["what"] == COMPLAINT:
                    self.verdict.complaints.append(f"{provider}: {row['why']}")
                elif row["what"] != DELIVERED:
                    self.verdict.repeats += 1
                elif row["key"] not in known:
                    self.verdict.lost.append(f"{provider} accepted {row['key']}, which no message carries")
                else:
                    found[known[row["key"]]].append((kind, row["at"]))
                    self.verdict.delivered[kind] += 1
        return found

    def judge_doubles(self) -> None:
        for pk, taken in self.deliveries.items():
            if len(taken) > 1:
                group = COLLEAGUES if self.messages[pk].user_id else f"class {taken[0][0]}"
                self.verdict.doubled[group].append(f"message {pk} {len(taken)} times")
        for provider, channel in CHANNEL_OF.items():
            keys: dict[str, set[str]] = defaultdict(set)
            for row in read(self.rig.journal(provider)):
                if row["what"] == DELIVERED and not row["to"].endswith("@staff.example"):
                    keys[row["to"]].add(row["key"])
            wanted = Counter(row.to_address for row in self.messages.values() if row.channel == channel)
            for to, different in keys.items():
                if len(different) > wanted[to]:
                    self.verdict.doubled[f"class {CLASSES[provider]}"].append(
                        f"{to} under {len(different)} keys"
                    )

    def judge_what_followed(self) -> None:
        """Every message there is, whether the ledger or an act asked for it, has come to an honest end."""
        for pk, row in self.messages.items():
            self.verdict.ends[f"{row.state} {row.reason}".strip()] += 1
            if row.state not in HONEST:
                self.verdict.lost.append(f"message {pk} is still {row.state}")
            elif row.state == Message.ACCEPTED and pk not in self.deliveries and row.reason != "marked_sent":
                self.verdict.lost.append(f"message {pk} is recorded as sent and no provider has it")

    def judge_message(self, rows: list[Row]) -> None:
        for row in rows:
            pk = row["message"]
            taken = self.deliveries.get(pk)
            if taken:
                self.settle("message " + row["channel"], row, min(at for _kind, at in taken))
            elif pk not in self.messages:
                self.verdict.lost.append(f"message {pk} is gone")

    # --- What acts did ---

    def settle(self, what: str, row: Row, at: datetime | float) -> None:
        stamp = at.timestamp() if isinstance(at, datetime) else at
        self.verdict.done += 1
        self.verdict.lateness[what].append(max(0.0, stamp - max(row["due"], self.floor)))
        self.verdict.done_times.append((max(row["due"], self.floor), stamp))

    def once(self, what: str, row: Row, times: Sequence[datetime]) -> None:
        if not times:
            self.verdict.lost.append(f"{what} of ticket {row['ticket']}")
        else:
            self.settle(what, row, min(times))
        if len(times) > 1:
            self.verdict.doubled[what].append(f"ticket {row['ticket']} {len(times)} times")

    def events(self, kind: str) -> dict[int, list[datetime]]:
        found: dict[int, list[datetime]] = defaultdict(list)
        for ticket, at in TicketEvent.objects.filter(kind=kind, by=None).values_list("ticket", "at"):
            found[ticket].append(at)
        return found

    def judge_callback(self, rows: list[Row]) -> None:
        events = self.events("callback_due")
        announced = set(Callback.objects.exclude(announced_at=None).values_list("pk", flat=True))
        for row in rows:
            self.once("callback", row, events[row["ticket"]])
            if (row["callback"] in announced) != bool(events[row["ticket"]]):
                self.verdict.lost.append(f"callback {row['callback']} and its event disagree")

    def judge_wait(self, rows: list[Row]) -> None:
        events = self.events("resumed")
        ended = set(Wait.objects.exclude(ends_at=None).values_list("pk", flat=True))
        for row in rows:
            self.once("wait", row, events[row["ticket"]])
            if (row["wait"] in ended) != bool(events[row["ticket"]]):
                self.verdict.lost.append(f"wait {row['wait']} and its event disagree")

    def judge_resurvey(self, rows: list[Row]) -> None:
        events = self.events("resurvey_asked")
        asked = dict(Resurvey.objects.exclude(invitation=None).values_list("pk", "invitation"))
        written = self.invitations_written()
        for row in rows:
            self.once("resurvey", row, events[row["ticket"]])
            if row["resurvey"] in asked and written[asked[row["resurvey"]]] != 1:
                self.verdict.lost.append(f"resurvey {row['resurvey']} has no message, or several")

    def judge_invitation(self, rows: list[Row]) -> None:
        sent = {row.pk: row for row in Invitation.objects.filter(pk__in=[row["invitation"] for row in rows])}
        written = self.invitations_written()
        for row in rows:
            pk = row["invitation"]
            invitation = sent[pk]
            if invitation.sent_at is None:
                self.verdict.lost.append(f"invitation {pk} is {invitation.state} {invitation.reason}")
                continue
            self.settle("invitation", row, invitation.sent_at)
            if written[pk] != 1:
                self.verdict.doubled["invitation"].append(f"invitation {pk}: {written[pk]} messages")

    def invitations_written(self) -> Counter[int]:
        return Counter(row.invitation_id for row in self.messages.values() if row.invitation_id)

    def judge_expiry(self, rows: list[Row]) -> None:
        times: dict[int, list[datetime]] = defaultdict(list)
        for pk, at in self.changes("surveys_invitation", now=Invitation.EXPIRED):
            times[int(pk)].append(at)
        for row in rows:
            taken = times[row["invitation"]]
            if not taken:
                self.verdict.lost.append(f"expiry of invitation {row['invitation']}")
                continue
            self.settle("expiry", row, min(taken))
            if len(taken) > 1:
                self.verdict.doubled["expiry"].append(f"invitation {row['invitation']} {len(taken)} times")

    def changes(self, table: str, *, now: str) -> list[tuple[str, datetime]]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pk, at FROM faults_audit WHERE tbl = %s AND now = %s AND was IS DISTINCT FROM now",
                [table, now],
            )
            return list(cursor.fetchall())

    def judge_step(self, rows: list[Row]) -> None:
        """Each level at most once, the highest surely; a lower one only where a higher one took its place."""
        told: dict[tuple[int, int], list[datetime]] = defaultdict(list)
        for deadline, level, at in Escalation.objects.values_list("deadline", "level", "at"):
            if deadline is not None:
                told[deadline, level].append(at)
        events = Counter(
            TicketEvent.objects.filter(kind="escalated", data__deadline="first_contact").values_list(
                "ticket", "data__level"
            )
        )
        breached = set(Deadline.objects.exclude(breached_at=None).values_list("pk", flat=True))
        for row in rows:
            place = (row["deadline"], row["level"])
            higher = [at for level in range(row["level"] + 1, 3) for at in told[row["deadline"], level]]
            if told[place]:
                self.settle("step", row, min(told[place]))
            elif higher:
                self.verdict.ends["level taken by a higher one"] += 1
                self.settle("step", row, min(higher))
            else:
                self.verdict.lost.append(f"level {row['level']} of deadline {row['deadline']}")
            if len(told[place]) > 1 or events[row["ticket"], row["level"]] > 1:
                self.verdict.doubled["step"].append(f"level {row['level']} of deadline {row['deadline']}")
            if row["deadline"] not in breached:
                self.verdict.lost.append(f"the breach of deadline {row['deadline']}")

    # --- Uncertain, acknowledged ---

    def judge_uncertain(self) -> None:
        """Only what was being sent when something was killed may be uncertain."""
        flights = [
            (row.message_id, row.started_at.timestamp(), row.ended_at.timestamp() if row.ended_at else 1e12)
            for row in DeliveryAttempt.objects.exclude(provider="by_hand")
        ]
        self.verdict.in_flight = len(
            {pk for pk, began, ended in flights if self.killed_between(began, ended)}
        )
        # A child may begin one more in the moment in which its parent dies.
        struck = {pk for pk, began, ended in flights if self.killed_between(began - LAST_BREATH, ended)}
        for pk, row in self.messages.items():
            if row.state == Message.UNCERTAIN:
                self.verdict.uncertain += 1
                if pk not in struck:
                    self.verdict.uncertain_unexplained.append(f"message {pk}: {row.reason}")

    def killed_between(self, began: float, ended: float) -> bool:
        place = bisect_left(self.kills, began)
        return place < len(self.kills) and self.kills[place] <= ended

    def judge_acknowledged(self) -> None:
        said = [row for row in read(self.rig.journal("client")) if row["status"] in ACKNOWLEDGED]
        stored = dict(Response.objects.filter(source__slug="api").values_list("external_id", "pk"))
        tickets = dict(TicketResponse.objects.values_list("response", "ticket"))
        self.verdict.acknowledged = len(said)
        for row in said:
            if row["external_id"] not in stored:
                self.verdict.missing.append(row["external_id"])
            elif stored[row["external_id"]] not in tickets:
                self.verdict.lost.append(f"the ticket of {row['external_id']}")
        again = tickets_of_one_answer()
        self.verdict.doubled["ticket"].extend(again)
        if not again:
            del self.verdict.doubled["ticket"]

    # --- How soon all ran again ---

    def recoveries(self) -> tuple[list[float], list[float]]:
        """After each kill: seconds until something that fell due after it was done, and until all that was
        in flight at it was settled."""
        fresh, flying = [], []
        dues = sorted(self.verdict.done_times)
        flights = self.flights()
        for kill in self.kills:
            place = bisect_left(dues, (kill, 0.0))
            later = [done for due, done in dues[place : place + 50]]
            if later:
                # What fell due only long after the kill says nothing about how long it took.
                fresh.append(max(0.0, min(later) - max(kill, dues[place][0])))
            settled = [ended - kill for began, ended in flights if began <= kill < ended]
            flying.append(max(settled, default=0.0))
        return fresh, flying

    def flights(self) -> list[tuple[float, float]]:
        """From the moment an attempt, or the work under a claim, had begun until its end is known."""
        found = [
            (row.started_at.timestamp(), row.ended_at.timestamp())
            for row in DeliveryAttempt.objects.exclude(provider="by_hand")
            if row.ended_at
        ]
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT extract(epoch FROM began.at)::float8, extract(epoch FROM ended.at)::float8
                FROM faults_audit began
                JOIN LATERAL (
                    SELECT at FROM faults_audit WHERE tbl = 'dispatch_claim' AND op = 'DELETE'
                    AND pk = began.pk AND id > began.id ORDER BY id LIMIT 1
                ) ended ON true
                WHERE began.tbl = 'dispatch_claim' AND began.op = 'UPDATE' AND began.now::int > began.was::int
                """
            )
            found += cursor.fetchall()
        return found


def tickets_of_one_answer() -> list[str]:
    """Answers that opened more than one ticket."""
    rows = Ticket.objects.values("response").annotate(n=Count("pk")).filter(n__gt=1)
    return [f"response {row['response']}" for row in rows]


def percentile(values: Iterable[float], share: float) -> float:
    """The nearest-rank percentile, 0.0 of nothing."""
    ordered = sorted(values)
    return ordered[ceil(share * len(ordered)) - 1] if ordered else 0.0


def unsettled() -> dict[str, int]:
    """How much is due, taken or being sent now, by kind; dead rows are settled."""
    from dispatch import kinds
    from dispatch.clock import now
    from dispatch.models import Claim

    at = now()
    dead: dict[str, list[int]] = defaultdict(list)
    for name, subject in Claim.objects.exclude(dead_at=None).values_list("kind", "subject"):
        dead[name].append(subject)
    chosen = [kind for kind in kinds.all_kinds() if kind.name != CANARY]
    left = {kind.name: without(kind.due(at), dead[kind.name]) for kind in chosen}
    # One that nobody came back to is no work: if its row is still due, it counts as due.
    taken = Claim.objects.filter(dead_at=None, lease_until__gt=at, kind__in=[kind.name for kind in chosen])
    left["claims"] = taken.count()
    under_way = Message.objects.filter(Q(state=Message.SENDING) | Q(state=Message.QUEUED)).order_by()
    for state, reason, n in under_way.values_list("state", "reason").annotate(n=Count("pk")):
        left[f"messages {state} {reason}"] = n
    return {name: count for name, count in left.items() if count}


def without(rows: Any, dead: list[int]) -> int:
    count: int = rows.exclude(pk__in=dead).count()
    return count
