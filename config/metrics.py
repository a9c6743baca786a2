"""What a scrape of /metrics learns from the database, besides what each process counts on its own.

Every figure is asked for at the scrape and in bounded time: at most 10,000 rows of a kind are counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db import Error
from django.db.models import Count, QuerySet
from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from config.database import server
from dispatch import claims, epoch, watch
from dispatch.clock import now
from dispatch.models import Claim
from surveys.models import Message, SendingRules

MOST = watch.MOST_COUNTED
NOT_SENT = (Message.SUPPRESSED, Message.EXPIRED, Message.CANCELLED)


class Dispatching(Collector):
    def describe(self) -> Iterable[Metric]:
        """Nothing: to be registered must not ask the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        try:
            found = list(figures(now())) if server.answers() else []
        except Error:
            found = []
        yield gauge("database_up", "Whether the database answered this scrape", int(bool(found)))
        yield from found


def register() -> None:
    REGISTRY.register(Dispatching())


def gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(f"redress_{name}", about, value=value)


def figures(at: datetime) -> Iterator[Metric]:
    yield from what_waits(at)
    yield from what_ended()
    yield from what_stands_still(at)


def what_waits(at: datetime) -> Iterator[Metric]:
    due = GaugeMetricFamily("redress_due_rows", "Due and taken by nobody, by kind", labels=["kind"])
    late = GaugeMetricFamily(
        "redress_lateness_seconds",
        "Since when the oldest due and untaken row waits, by kind",
        labels=["kind"],
    )
    for each in watch.waiting(at):
        due.add_metric([each.kind], each.number)
        late.add_metric([each.kind], each.lateness(at).total_seconds())
    yield due
    yield late


def what_ended() -> Iterator[Metric]:
    def messages(state: str) -> float:
        return at_most(Message.objects.filter(state__in=Message.NEEDS_A_PERSON, state=state))

    yield gauge("messages_uncertain", "Messages that may have gone out or not", messages(Message.UNCERTAIN))
    yield gauge("messages_dead", "Messages given up", messages(Message.DEAD))
    yield gauge("messages_rejected", "Messages the provider refused", messages(Message.REJECTED))
    yield gauge("rows_dead", "Due rows given up", at_most(claims.dead()))
    yield gauge("rows_retried", "Due rows whose attempt failed or lost its worker", at_most(begun_before()))
    yield not_sent()


def begun_before() -> QuerySet[Claim]:
    return Claim.objects.filter(attempts__gt=0, dead_at=None)


def not_sent() -> Metric:
    """Of the latest messages: older ones would have to be counted one by one."""
    latest = Message.objects.order_by("-pk").values("pk")[:MOST]
    rows = Message.objects.filter(pk__in=latest, state__in=NOT_SENT).order_by()
    family = GaugeMetricFamily(
        "redress_messages_not_sent",
        f"Of the latest {MOST} messages, those the gate kept back, by state and reason",
        labels=["state", "reason"],
    )
    for state, reason, number in rows.values_list("state", "reason").annotate(number=Count("pk")):
        family.add_metric([state, reason], number)
    return family


def what_stands_still(at: datetime) -> Iterator[Metric]:
    silence = watch.silence(at)
    if silence is not None:
        yield gauge("canary_age_seconds", "Since the last sign of life", silence.total_seconds())
    yield gauge("restore_fence", "Whether sending waits for a reconciliation", int(epoch.is_behind()))
    rules = SendingRules.objects.only("paused_at", "held_at").first()
    yield gauge(
        "sending_stopped", "Whether sending was stopped by hand", int(bool(rules and rules.paused_at))
    )
    yield gauge("sending_held", "Whether a breaker holds sending", int(bool(rules and rules.held_at)))


def at_most(rows: QuerySet[Any]) -> int:
    return rows.order_by().values("pk")[:MOST].count()
