"""What is measured, each beside the least that could do the same: a bare statement, or a bare template."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, NamedTuple
from unittest.mock import patch

from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from benchmarks.history import make_history
from recovery.deadlines import reckon
from recovery.insight.causes import SIDES, pareto
from recovery.insight.cohort import Slice, Story, low_scores, stories
from recovery.insight.loop import loop
from recovery.insight.recovery import ranking, recovery
from recovery.insight.telling import rebuild
from recovery.insight.told import Told
from recovery.lifecycle import log_contact
from recovery.models import Ticket
from surveys.intake.record import CustomerDraft, ResponseDraft, record
from surveys.models import Response, Source
from tests.make import DAY, MONDAY, Cast

Act = Callable[[], object]
_serial = count(1)


class Pair(NamedTuple):
    name: str
    baseline: Act
    subject: Act


def pairs(cast: Cast, tickets: int = 200, history: int = 20_000) -> Iterator[Pair]:
    """On an empty database with the cast in it; `tickets` is how many lie on the agent's desk, `history`
    how many low scores the report of a year counts."""
    source = Source.objects.create(slug="bench", name="Benchmark", kind="api")
    yield recording(cast, source, "a response recorded / its bare INSERT", score=9, nudge=False)
    yield recording(cast, source, "a low score to its ticket / its bare INSERT", score=2, nudge=True)
    yield reckoning(cast)
    owned = [cast.ticket(at=timezone.now()) for _each in range(tickets)]
    Ticket.objects.filter(pk__in=[each.pk for each in owned]).update(owner=cast.lina)
    yield contact(cast, owned[0])
    client = Client(HTTP_HOST="localhost")
    client.force_login(cast.lina, backend="django.contrib.auth.backends.ModelBackend")
    yield desk(client, tickets)
    yield ticket_page(client, owned[0])
    make_history(cast, history, start=MONDAY - 365 * DAY, end=MONDAY)
    yield from reports(history)


def recording(cast: Cast, source: Source, name: str, *, score: int, nudge: bool) -> Pair:
    def bare() -> None:
        with transaction.atomic():
            Response.objects.create(
                survey=cast.survey,
                source=source,
                external_id=f"bare-{next(_serial)}",
                score=score,
                band=cast.survey.band(score),
                comment="Nobody called.",
                received_at=MONDAY,
                answered_at=MONDAY,
                triaged_at=MONDAY,
                payload_hash="",
            )

    def whole() -> None:
        serial = next(_serial)
        customer = CustomerDraft(name="Zhang Wei", email=f"bench{serial}@example.com")
        draft = ResponseDraft(
            cast.survey, source, f"whole-{serial}", score, comment="Nobody called.", customer=customer
        )
        record(draft, at=MONDAY, nudge=nudge)

    return Pair(name, bare, whole)


def reckoning(cast: Cast) -> Pair:
    """Three working days over a weekend and a wait, beside asking the database for nothing."""
    calendar = cast.calendar.as_working_calendar()
    waits = [(MONDAY + DAY, MONDAY + 2 * DAY)]
    return Pair(
        "a deadline reckoned / SELECT 1",
        lambda: run("SELECT 1"),
        lambda: reckon(calendar, MONDAY, 5 * 480, waits, at=MONDAY + 3 * DAY),
    )


def contact(cast: Cast, ticket: Ticket) -> Pair:
    def bare() -> None:
        with transaction.atomic():
            run("UPDATE recovery_ticket SET priority = priority WHERE id = %s", [ticket.pk])
            run(
                "INSERT INTO recovery_contact (ticket_id, cycle, at, by_name, channel, outcome, note)"
                " VALUES (%s, 1, %s, '', 'phone', 'no_answer', '')",
                [ticket.pk, MONDAY],
            )

    def whole() -> None:
        held = Ticket.objects.get(pk=ticket.pk)
        log_contact(held, by=cast.lina, at=timezone.now(), outcome="no_answer")

    return Pair("a contact logged / bare UPDATE and INSERT", bare, whole)


def desk(client: Client, tickets: int) -> Pair:
    with CaptureQueriesContext(connection) as captured:
        visit(client, "/desk/")
    lists = [query["sql"] for query in captured if 'FROM "recovery_ticket"' in query["sql"]]
    sql = max(lists, key=len)
    name = f"the desk of {tickets} tickets / its list in bare SQL"
    return Pair(name, lambda: run(sql), lambda: visit(client, "/desk/"))


def ticket_page(client: Client, ticket: Ticket) -> Pair:
    url, seen = f"/tickets/{ticket.number}/", list[tuple[HttpRequest, str, dict[str, Any]]]()

    def keep(request: HttpRequest, template: str, context: dict[str, Any], **how: Any) -> HttpResponse:
        seen.append((request, template, context))
        return render(request, template, context, **how)

    with patch("recovery.views.ticket.render", keep):
        visit(client, url)
    return Pair("a ticket's page / its bare template", lambda: render(*seen[0]), lambda: visit(client, url))


def reports(size: int) -> Iterator[Pair]:
    """From every ticket's own rows and from the stories kept; of a past day; and where a hundred changed."""
    seen, past = Ticket.objects.all(), Slice(as_of=MONDAY - 30 * DAY)

    def slowly(which: Slice = Slice()) -> None:  # noqa: B008
        told = stories(low_scores(seen, which), which.as_of)
        report(lambda _field: told)

    def from_kept(which: Slice = Slice()) -> None:  # noqa: B008
        report(Told(seen, which).counted)

    for _size in rebuild():
        pass
    yield Pair(f"the report of {size:,} low scores / told anew", slowly, from_kept)
    yield Pair("the same as of 30 days before / told anew", lambda: slowly(past), lambda: from_kept(past))
    yield Pair(
        f"the loop of {size:,} low scores / its rows counted",
        lambda: [run(f"SELECT count(*) FROM recovery_{rows}") for rows in ("contact", "ticketevent", "wait")],
        lambda: loop(Told(seen, Slice()), MONDAY),
    )
    changed = seen.order_by("-pk").values("pk")[:100]
    Ticket.objects.filter(pk__in=changed).update(touchpoint="Moved")
    yield Pair("the same where 100 changed / told anew", slowly, from_kept)


def report(counted: Callable[[str], list[Story]]) -> None:
    told = counted("team")
    recovery(told)
    ranking(told, lambda story: story.team)
    for side in SIDES:
        pareto(counted(f"cause_{side}"), side)


def visit(client: Client, url: str) -> None:
    page = client.get(url, secure=settings.SECURE_SSL_REDIRECT)
    assert page.status_code == 200, page.status_code


def run(sql: str, values: list[Any] | None = None) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []
