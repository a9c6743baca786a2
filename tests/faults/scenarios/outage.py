"""Three days down, thousands of things overdue, started again at 03:00 of the customers' time: row by row."""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime, timedelta
from datetime import time as clock_time

from django.db.models import Count

from dispatch import kinds
from dispatch.clock import now
from recovery.models import DigestLine, Escalation
from surveys.models import DeliveryAttempt, Message
from tests.faults import invariants
from tests.faults.journal import Journal, read
from tests.faults.judge import CANARY, Judge
from tests.faults.load import Load, generous_rules
from tests.faults.providers import DELIVERED
from tests.faults.stage import Stage, say

DOWN = timedelta(days=3)
NIGHT_HOUR, DAY_HOUR = 3, 12
PER_MINUTE = 60
RATE_SECONDS = 130.0
PATIENCE = 1_200.0
SHARES = {"callback": 0.2, "step": 0.3, "wait": 0.05, "resurvey": 0.05, "invitation": 0.1, "expiry": 0.1}
NIGHT_SHARE, DAY_SHARE, PAST_SHARE = 0.12, 0.03, 0.05


def zone_where(hour: int, at: datetime) -> str:
    """A zone whose clock shows this hour now; the tz database counts its signs the other way round."""
    ahead = (hour - at.hour + 11) % 24 - 11
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


def play(stage: Stage) -> None:
    at = now()
    night = zone_where(NIGHT_HOUR, at)
    fill(stage, at, night, zone_where(DAY_HOUR, at))
    generous_rules(
        quiet_from=clock_time(21), quiet_until=clock_time(8), per_minute=PER_MINUTE, per_person_per_day=3
    )
    stage.start()
    settle_inside(stage)
    time.sleep(RATE_SECONDS)
    judge(stage, at, night)


def fill(stage: Stage, at: datetime, night: str, day: str) -> None:
    actions, ledger = stage.options.actions, Journal(stage.rig.journal("ledger"))
    begins, ends = at - DOWN, at - timedelta(hours=2)
    say(f"{actions} things overdue; customers live in {night} and, a few, in {day}")
    load = Load(stage.world, ledger, begins, ends, stage.chance, zone=night)
    load.fill(actions, SHARES, say)
    load.fill(round(actions * NIGHT_SHARE), {"message": 1.0}, say)
    Load(stage.world, ledger, begins, ends, stage.chance, zone=day).fill(
        max(round(actions * DAY_SHARE), 3 * PER_MINUTE), {"message": 1.0}, say
    )
    Load(stage.world, ledger, begins, ends, stage.chance, zone=day, not_after=ends).fill(
        round(actions * PAST_SHARE), {"message": 1.0}, say
    )
    told_before(ends)


def told_before(at: datetime) -> None:
    """What colleagues were told when their tickets came to them, before anything was down."""
    rows = Message.objects.filter(kind="ticket_assigned", state=Message.QUEUED)
    DeliveryAttempt.objects.bulk_create(
        DeliveryAttempt(
            message_id=pk, fence=1, provider="by_hand", started_at=at, ended_at=at, result="marked_sent"
        )
        for pk in rows.values_list("pk", flat=True)
    )
    rows.update(state=Message.ACCEPTED, reason="marked_sent", fence=1, finished_at=at)


def settle_inside(stage: Stage) -> None:
    """Until only messages to customers wait: for the morning, or for their turn."""
    ends, told = time.monotonic() + PATIENCE, time.monotonic()
    while time.monotonic() < ends:
        left = {kind.name: kind.due(now()).count() for kind in kinds.all_kinds() if kind.name != "messages"}
        left["notices"] = Message.objects.exclude(user=None).filter(state__in=["queued", "sending"]).count()
        left = {name: count for name, count in left.items() if count and name != CANARY}
        if not left:
            say("what is inside is settled")
            return
        if time.monotonic() - told > 15:
            say(f"still due: {left}")
            told = time.monotonic()
        time.sleep(1)
    stage.report.faults.append(f"not settled: {left}")


def judge(stage: Stage, at: datetime, night: str) -> None:
    report = stage.report
    judge = Judge(stage.rig, stage.floor)
    for what in ("callback", "wait", "expiry", "step"):
        getattr(judge, f"judge_{what}")([row for row in judge.ledger if row["what"] == what])
    report.add("overdue things", len(judge.ledger))
    report.must("callbacks, waits, expiries, levels lost", len(judge.verdict.lost), 0)
    report.blame("lost", judge.verdict.lost)
    twice = sum(len(rows) for rows in judge.verdict.doubled.values())
    report.must("done twice", twice, 0)
    judge_colleagues(stage, judge)
    judge_customers(stage, at, night)
    report.faults += invariants.violated(invariants.Evidence(rig=stage.rig))
    report.add("invariants violated", sum("invariant" in each for each in report.faults), "0")


def judge_colleagues(stage: Stage, judge: Judge) -> None:
    """Of each ladder the highest level alone, and of everything late one digest a person."""
    report = stage.report
    ladders = {row["deadline"] for row in judge.ledger if row["what"] == "step"}
    told = Escalation.objects.filter(deadline__in=ladders).values_list("deadline", "level")
    levels = Counter(deadline for deadline, _level in told)
    report.add("ladders / levels told", f"{len(ladders)} / {len(told)}", "one each")
    report.blame("ladders of which several levels were told", [str(pk) for pk, n in levels.items() if n > 1])
    report.blame("ladders told below their highest", [f"{pk}: {n}" for pk, n in told if n != 2])
    notices = Message.objects.filter(kind__in=["callback_due", "ticket_escalated"])
    report.must("notices of their own about what is late", notices.count(), 0)
    digests = Message.objects.filter(kind="digest").values("user__username").annotate(n=Count("pk"))
    by_person = {row["user__username"]: row["n"] for row in digests}
    report.add("digests by person", by_person, "1 each")
    report.blame("several digests", [f"{name}: {n}" for name, n in by_person.items() if n > 1])
    report.must("late lines not told in a digest", DigestLine.objects.filter(told_at=None).count(), 0)


def judge_customers(stage: Stage, at: datetime, zone: str) -> None:
    report = stage.report
    delivered = {
        row["to"]
        for name in ("key", "ask", "smtp")
        for row in read(stage.rig.journal(name))
        if row["what"] == DELIVERED and not row["to"].endswith("@staff.example")
    }
    ours = Message.objects.filter(user=None).exclude(dedup_key__startswith="past:").select_related("customer")
    night = [row for row in ours if row.customer and row.customer.time_zone == zone]
    woken = [row.to_address for row in night if row.to_address in delivered]
    report.add("messages to who sleeps / delivered", f"{len(night)} / {len(woken)}", "0 delivered")
    report.blame("delivered in quiet hours", woken)
    lost = [r for r in night if r.state not in (Message.QUEUED, Message.EXPIRED)]
    report.blame("neither waiting nor too late", [f"{r.pk} {r.state} {r.reason}" for r in lost])
    past = [row for row in ours if row.not_after and row.not_after < at]
    report.add("messages past their time", len(past), "all expired")
    alive = [f"{row.pk} {row.state}" for row in past if row.state != Message.EXPIRED]
    report.blame("past its time and not expired", alive)
    report.blame("delivered past its time", [r.to_address for r in past if r.to_address in delivered])
    report.add("delivered in the day, within the rate", len(delivered), f"≤ {PER_MINUTE} a minute")
    minute = most_in_a_minute()
    report.must("tries to customers in the busiest minute", minute, PER_MINUTE)


def most_in_a_minute() -> int:
    times = list(invariants.customers_attempts().order_by("started_at").values_list("started_at", flat=True))
    most, first = 0, 0
    for last, at in enumerate(times):
        while at - times[first] >= timedelta(minutes=1):
            first += 1
        most = max(most, last - first + 1)
    return most
