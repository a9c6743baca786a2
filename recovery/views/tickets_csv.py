"""A list of tickets as a file: the rows and columns of the view it was asked from."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, tzinfo
from itertools import islice
from typing import Any, Final

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from recovery.models import Ticket
from recovery.views import columns, door
from recovery.views.columns import Column
from recovery.views.insight_file import plain
from recovery.views.rows import row_of
from recovery.views.tickets import asked_by, ordered

BATCH: Final = 500


@door.staff_page()
@require_safe
def export_tickets(request: HttpRequest) -> HttpResponseBase:
    """Streamed, so that no list is too long for it."""
    asked = asked_by(request)
    tickets = ordered(asked.narrowed(door.seen_by(request)), asked)
    lines = written(
        tickets.iterator(chunk_size=BATCH),
        columns.chosen(request.GET),
        asked.at,
        translation.get_language() or "en",
        timezone.get_current_timezone(),
    )
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    name = f"tickets-{timezone.localtime(asked.at):%Y-%m-%d}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


class Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def written(
    tickets: Iterator[Ticket], shown: Sequence[Column], at: datetime, language: str, zone: tzinfo
) -> Iterator[str]:
    """Text in the reader's language and zone, which no longer stand once the answer is on its way."""
    out = csv.writer(Echo())
    with translation.override(language), timezone.override(zone):
        head = [gettext("Ticket"), gettext("Customer"), *(str(column.name) for column in shown)]
        yield "\ufeff" + str(out.writerow(head))  # without the mark spreadsheets misread Chinese
    while batch := list(islice(tickets, BATCH)):
        with translation.override(language), timezone.override(zone):
            text = "".join(str(out.writerow(cells)) for cells in lines_of(batch, shown, at))
        yield text


def lines_of(batch: Iterable[Ticket], shown: Sequence[Column], at: datetime) -> Iterator[list[Any]]:
    for ticket in batch:
        row = row_of(ticket, at)
        cells = [ticket.number, ticket.customer_name, *(column.text(row) for column in shown)]
        yield [plain(cell if isinstance(cell, int | str) else text_of(cell)) for cell in cells]


def text_of(value: object) -> str:
    return "" if value is None else str(value)
