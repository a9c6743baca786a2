"""A file of answers, row by row through the one entrance. Every row is accounted for."""

from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db import DataError, transaction
from django.utils.translation import gettext as _

from dispatch.failpoints import failpoint
from surveys.intake.csv_file import CsvFile, Row
from surveys.intake.csv_rows import RowReader
from surveys.intake.drafts import ResponseDraft
from surveys.intake.record import Conflict, payload_hash, record
from surveys.intake.text import InputError

NEW, CHANGED, UNCHANGED = "new", "changed", "unchanged"
UNANSWERED, DUPLICATE, REFUSED = "unanswered", "duplicate", "refused"
OUTCOMES = (NEW, CHANGED, UNCHANGED, UNANSWERED, DUPLICATE, REFUSED)
CHUNK = 200


@dataclass(frozen=True, slots=True)
class RowResult:
    row: int
    line: int
    external_id: str
    outcome: str
    column: str = ""
    value: str = ""
    reason: str = ""


Report = Callable[[RowResult], None]
Progress = Callable[[int, int], None]


def import_rows(
    file: CsvFile, reader: RowReader, *, at: datetime, dry_run: bool, report: Report, progress: Progress
) -> Counter[str]:
    """Count the outcomes. Rows are committed by the chunk, and reported once they are committed.

    A dry run does the very same in one transaction and takes it back, so that its counts are those of the
    real run. The same file again changes nothing, so a run that was broken off is simply started again.
    """
    totals: Counter[str] = Counter()
    run = Run(reader, at)
    with transaction.atomic() if dry_run else nullcontext():
        # A new source, or one whose way of reading has changed.
        reader.source.save()
        rows = iter(file)
        while chunk := list(islice(rows, CHUNK)):
            with transaction.atomic():
                results = [run.take(row) for row in chunk]
            for result in results:
                totals[result.outcome] += 1
                report(result)
            progress(totals.total(), file.rows)
        if dry_run:
            transaction.set_rollback(True)
    return totals


class Run:
    """One pass over a file; remembers which ids it has met."""

    def __init__(self, reader: RowReader, at: datetime) -> None:
        self.reader = reader
        self.at = at
        self.met: dict[str, tuple[str, datetime | None]] = {}

    def take(self, row: Row) -> RowResult:
        if not any(cell.strip() for cell in row.cells):
            return RowResult(row.number, row.line, "", UNANSWERED, reason=_("The row is empty."))
        try:
            draft = self.reader.draft(row, self.at)
        except InputError as error:
            return self._refused(row, "", error)
        version = (payload_hash(draft), draft.updated_at)
        if self.met.get(draft.external_id) == version:
            reason = _("The same answer stands further up in the file.")
            return RowResult(row.number, row.line, draft.external_id, DUPLICATE, reason=reason)
        self.met[draft.external_id] = version
        try:
            return self._record(row, draft)
        except InputError as error:
            return self._refused(row, draft.external_id, error)

    def _record(self, row: Row, draft: ResponseDraft) -> RowResult:
        outcome, reason = UNCHANGED, ""
        try:
            recorded = record(draft, at=self.at, nudge=False)
            failpoint("import_mid_batch")
        except Conflict as conflict:
            if not conflict.is_older:
                raise InputError("external_id", str(conflict)) from conflict
            reason = _("A newer version of this answer is here already.")
        except DataError as error:
            raise InputError("", _("The database cannot keep this row: %(why)s") % {"why": error}) from error
        else:
            if recorded.created or recorded.changed:
                outcome = NEW if recorded.created else CHANGED
        if draft.unanswered and outcome != CHANGED:
            outcome = UNANSWERED
        return RowResult(row.number, row.line, draft.external_id, outcome, reason=reason)

    def _refused(self, row: Row, external_id: str, error: InputError) -> RowResult:
        place = self.reader.place(error.path)
        column = "" if place is None else self.reader.heading[place]
        value = row.cells[place] if place is not None and place < len(row.cells) else ""
        return RowResult(row.number, row.line, external_id, REFUSED, column, value[:200], error.reason)
