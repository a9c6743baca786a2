"""A file of figures: what all of them begin with."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence

from django.http import HttpResponse

from recovery.views.insight_csv import plain
from recovery.views.insight_slice import Asked


def as_file(what: str, asked: Asked, heads: Sequence[str], rows: Iterable[Iterable[object]]) -> HttpResponse:
    """CSV, named by what it is of, its days, and the past day it stood on."""
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    stood = f"-as-of-{asked.as_of_day}" if asked.as_of else ""
    answer["Content-Disposition"] = f'attachment; filename="{what}-{asked.first}-{asked.last}{stood}.csv"'
    answer.write("\ufeff")  # without it spreadsheets misread Chinese
    out = csv.writer(answer)
    out.writerow(heads)
    out.writerows([plain(value) for value in row] for row in rows)
    return answer
