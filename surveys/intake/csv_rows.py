"""A row of cells as an answer."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from surveys import scoring
from surveys.intake.answers import RATING, score_reason
from surveys.intake.csv_file import LARGEST_CELL, FileProblem, Row, normal
from surveys.intake.csv_mapping import COLUMNS, Profile, wrong
from surveys.intake.drafts import CustomerDraft, ResponseDraft
from surveys.intake.text import (
    EARLIEST,
    LONGEST_COMMENT,
    InputError,
    check_instant,
    clean_amount,
    clean_email,
    clean_line,
    clean_locale,
    clean_phone,
    clean_text,
)
from surveys.models import Question, Source, Survey

TELL_APART = ("submitted_at", "customer_external_id", "email", "phone")
# A file can answer these beside the score and the comment.
USABLE = (Question.RATING, Question.CHOICE, Question.WHY)
# Years that exports write for "no date".
NO_DATE_FROM_YEAR = 9000
SPREADSHEET_NUMBER = re.compile(r"[0-9](\.[0-9]+)?E\+[0-9]+", re.IGNORECASE)

Value = TypeVar("Value")


class RowReader:
    """Turns the rows of one file into drafts."""

    def __init__(self, profile: Profile, heading: list[str], source: Source, survey: Survey) -> None:
        """Raise FileProblem for a column that is missing, twice there, or needed and not named."""
        self.profile = profile
        self.heading = heading
        self.source = source
        self.survey = survey
        self.zone = ZoneInfo(profile.time_zone or source.time_zone)
        self.columns = self._places(profile.columns or {each: each for each in COLUMNS if each in heading})
        self.questions = self._questions()
        self.answers = self._places(profile.answers)
        self.occurrences: dict[str, int] = {}
        self._check_enough()

    def draft(self, row: Row, at: datetime) -> ResponseDraft:
        """Raise InputError, whose path is a key of the mapping's columns."""
        self._check_shape(row)
        read = Reading(self, row)
        locale = read.value("locale", clean_locale)
        submitted_at, updated_at = self._time(read, "submitted_at", at), self._time(read, "updated_at", at)
        customer = CustomerDraft(
            external_id=read.prefixed("customer_external_id", self.profile.customer_prefix),
            name=read.value("name", clean_line),
            email=read.value("email", clean_email),
            phone=read.value("phone", clean_phone),
            locale=locale,
            account=read.value("account", clean_line),
            annual_value=read.amount("annual_value", self.profile.decimal),
            tier=clean_line(read.cell("tier"), "tier", 40),
        )
        draft = ResponseDraft(
            survey=self.survey,
            source=self.source,
            external_id="",
            score=read.score("score", self.survey.scale_at(submitted_at or updated_at or at)),
            comment=clean_text(read.cell("comment"), "comment", LONGEST_COMMENT),
            answers=self._answers(read),
            customer=customer if customer.identities else None,
            touchpoint=clean_line(read.cell("touchpoint"), "touchpoint", 100),
            channel="file",
            locale=locale,
            submitted_at=submitted_at,
            updated_at=updated_at,
        )
        draft.external_id = self._external_id(read, draft)
        return draft

    def place(self, path: str) -> int | None:
        """The position of the column that an error speaks of."""
        name, _dot, key = path.partition(".")
        return self.answers.get(key) if name == "answers" else self.columns.get(name)

    def _places(self, columns: Mapping[str, str]) -> dict[str, int]:
        return {name: self._place(column) for name, column in columns.items()}

    def _place(self, column: str) -> int:
        wanted = normal(column)
        places = [place for place, heading in enumerate(self.heading) if heading == wanted]
        if len(places) > 1:
            raise FileProblem(
                _("The heading “%(column)s” stands over %(count)s columns. Rename all but one.")
                % {"column": column, "count": len(places)}
            )
        if not places:
            raise FileProblem(
                _("There is no column “%(column)s”. The file has: %(heading)s.")
                % {"column": column, "heading": ", ".join(self.heading)}
                + (" " + _("Is the “delimiter” right?") if len(self.heading) == 1 else "")
            )
        return places[0]

    def _questions(self) -> dict[str, Question]:
        known = {each.key: each for each in self.survey.questions.all() if each.kind in USABLE}
        for key in self.profile.answers.keys() - known.keys():
            raise wrong(
                f"columns.answers.{key}",
                _("the survey has no such question; it has %(keys)s") % {"keys": ", ".join(known) or "-"},
            )
        return known

    def _check_enough(self) -> None:
        if "score" not in self.columns:
            raise FileProblem(
                _("Say in the mapping which column is the score. The file has: %(heading)s.")
                % {"heading": ", ".join(self.heading)}
            )
        if self.profile.identity == "column" and "external_id" not in self.columns:
            raise FileProblem(
                _(
                    "Say in the mapping which column is the external_id of an answer, or, if there is none, "
                    "“identity”: “fingerprint”."
                )
            )
        told_apart = self.profile.equal_rows or any(each in self.columns for each in TELL_APART)
        if self.profile.identity == "fingerprint" and not told_apart:
            raise FileProblem(
                _(
                    "Rows without id, customer and time can be equal by chance. Say in the mapping whether "
                    "equal rows are one answer or several: “equal_rows”: “one” or “each”."
                )
            )

    def _check_shape(self, row: Row) -> None:
        if len(row.cells) != len(self.heading):
            raise InputError(
                "",
                _("This row has %(count)s cells, the heading has %(wanted)s.")
                % {"count": len(row.cells), "wanted": len(self.heading)},
            )
        for name in (*self.columns, *(f"answers.{key}" for key in self.answers)):
            place = self.place(name)
            if place is not None and len(row.cells[place].encode(errors="replace")) > LARGEST_CELL:
                raise InputError(name, _("A cell may hold at most 32 kB."))

    def _answers(self, read: "Reading") -> dict[str, Any]:
        given = {key: read.answer(self.questions[key]) for key in self.answers}
        return {key: value for key, value in given.items() if value is not None and value != ""}

    def _time(self, read: "Reading", name: str, at: datetime) -> datetime | None:
        text = clean_line(read.cell(name), name, 64)
        if not text:
            return None
        try:
            moment = self._moment(text)
        except ValueError:
            shown = self.profile.date_format or "2026-03-02 09:30"
            raise InputError(
                name, _("This is not a time written as %(format)s.") % {"format": shown}
            ) from None
        if moment.year >= NO_DATE_FROM_YEAR or moment < EARLIEST:
            return None
        return check_instant(moment, name, at)

    def _moment(self, text: str) -> datetime:
        """In the declared format, or ISO; where it does not name its zone it is in the declared one."""
        pattern = self.profile.date_format
        moment = datetime.strptime(text, pattern) if pattern else datetime.fromisoformat(text)  # noqa: DTZ007
        return moment if moment.tzinfo else moment.replace(tzinfo=self.zone)

    def _external_id(self, read: "Reading", draft: ResponseDraft) -> str:
        if self.profile.identity == "fingerprint":
            return self._fingerprint(draft)
        external_id = read.value("external_id", clean_line)
        if not external_id:
            raise InputError("external_id", _("This row has no id."))
        if SPREADSHEET_NUMBER.fullmatch(external_id):
            raise InputError(
                "external_id", _("A spreadsheet has shortened this id. Export the column as text.")
            )
        return external_id

    def _fingerprint(self, draft: ResponseDraft) -> str:
        second = draft.submitted_at.replace(microsecond=0).isoformat() if draft.submitted_at else ""
        customer = draft.customer.identities if draft.customer else []
        said = [self.survey.slug, customer, second, draft.score, draft.comment.split(), draft.answers]
        digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:40]
        if self.profile.equal_rows != "each":
            return f"row:{digest}"
        self.occurrences[digest] = self.occurrences.get(digest, 0) + 1
        return f"row:{digest}:{self.occurrences[digest]}"


class Reading:
    """The cells of one row by the names of the mapping. A word for "no answer" reads as ''."""

    # What the source's own codes for "no answer" may stand in; "8" is a good id.
    ANSWERS = ("score", "comment", "answers")

    def __init__(self, reader: RowReader, row: Row) -> None:
        self.reader = reader
        self.cells = row.cells

    def cell(self, name: str) -> str:
        place = self.reader.place(name)
        text = "" if place is None else self.cells[place]
        coded = name.partition(".")[0] in self.ANSWERS
        blanks = self.reader.profile.blanks if coded else scoring.DEFAULT_BLANKS
        return "" if text.strip().casefold() in blanks else text

    def value(self, name: str, clean: Callable[[Any, str], Value]) -> Value:
        return clean(self.cell(name), name)

    def prefixed(self, name: str, prefix: str) -> str:
        text = clean_line(self.cell(name), name)
        return prefix + text if text else ""

    def amount(self, name: str, decimal: str) -> Any:
        thousands = "." if decimal == "," else ","
        return clean_amount(self.cell(name).replace(thousands, "").replace(decimal, "."), name)

    def score(self, name: str, scale: scoring.Scale) -> int | None:
        try:
            return scoring.read_score(self.cell(name), scale, self.reader.profile.blanks)
        except scoring.ScoreError as error:
            raise InputError(name, score_reason(error, scale)) from None

    def answer(self, question: Question) -> Any:
        name = f"answers.{question.key}"
        if question.kind == Question.RATING:
            return self.score(name, RATING)
        text = clean_text(self.cell(name), name, LONGEST_COMMENT)
        if not text or question.kind == Question.WHY:
            return text
        return self._choice(question, text, name)

    def _choice(self, question: Question, text: str, name: str) -> str:
        """By code or by its label in either language."""
        for language in ("en", "zh-hans"):
            for code, label in question.choices_in(language):
                if text.casefold() in (code.casefold(), label.casefold()):
                    return code
        raise InputError(name, _("This is none of the choices."))
