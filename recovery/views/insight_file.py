"""A file of figures: what all of them begin with."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence

from django.http import HttpResponse
from django.utils.translation import gettext, pgettext

from recovery.views.insight_slice import Asked


def dated(what: str, asked: Asked) -> str:
    """Named by what it is of, its days, and the past day it stood on."""
    stood = f"-as-of-{asked.as_of_day}" if asked.as_of else ""
    return f"{what}-{asked.first}-{asked.last}{stood}.csv"


def heads_of_shares() -> list[str]:
    """Of a file whose every row is a share of something, with its interval."""
    return [
        pgettext("figure", "number"),
        gettext("by"),
        gettext("of whom"),
        gettext("count"),
        gettext("of"),
        gettext("share"),
        pgettext("end of an interval", "low"),
        pgettext("end of an interval", "high"),
        gettext("definition"),
    ]


def as_file(name: str, heads: Sequence[object], rows: Iterable[Iterable[object]]) -> HttpResponse:
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.write("\ufeff")  # without it spreadsheets misread Chinese
    out = csv.writer(answer)
    out.writerow(heads)
    out.writerows([plain(value) for value in row] for row in rows)
    return answer


def plain(value: object) -> object:
    """Text that a spreadsheet would run as a formula is kept as text."""
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text[:1] in ("=", "+", "-", "@", "\t", "\r") else value
