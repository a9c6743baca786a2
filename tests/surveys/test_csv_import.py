from __future__ import annotations

import csv
import json
import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings as site
from django.core.management import CommandError, call_command

from surveys.intake import csv_import
from surveys.intake.record import record
from surveys.models import Customer, Question, Response, Source, Survey
from tests.surveys.make import MONDAY, make_survey

pytestmark = pytest.mark.django_db

DATA = Path(os.environ.get("REDRESS_DATA", Path(site.BASE_DIR).parent / "shared" / "data"))
BOTANIC = DATA / "botanic" / "nps_first_300.csv"

PLAIN = "external_id,score,comment\na1,9,fine\na2,3,too late\na3,NA,\n"


@pytest.fixture(autouse=True)
def monday() -> Iterator[None]:
    with time_machine.travel(MONDAY, tick=False):
        yield


@pytest.fixture
def survey() -> Survey:
    return make_survey("delivery")


@pytest.fixture(autouse=True)
def source(survey: Survey) -> Source:
    return Source.objects.create(slug="shop", name="Shop", survey=survey)


class Run:
    """One call of the command: its exit code, totals and result rows."""

    def __init__(
        self,
        folder: Path,
        content: str | bytes | Path,
        mapping: dict[str, Any] | None = None,
        *,
        source: str = "shop",
        **options: Any,
    ) -> None:
        path = content if isinstance(content, Path) else folder / options.pop("name", "answers.csv")
        if not isinstance(content, Path):
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        if mapping is not None:
            options["mapping"] = folder / "mapping.json"
            options["mapping"].write_text(json.dumps(mapping))
        results, out, err = folder / "results.csv", StringIO(), StringIO()
        try:
            call_command(
                "import_responses", path, source=source, results=results, stdout=out, stderr=err, **options
            )
            self.code = 0
        except SystemExit as end:
            self.code = int(str(end.code))
        self.said, self.progress = out.getvalue(), err.getvalue()
        self.rows = list(csv.DictReader(StringIO(results.read_text(encoding="utf-8-sig"))))
        self.totals = Counter(each["outcome"] for each in self.rows)


def problem(folder: Path, content: str | bytes | Path, *given: Any, **options: Any) -> str:
    with pytest.raises(CommandError) as refused:
        Run(folder, content, *given, **options)
    assert refused.value.returncode == 2
    assert not Response.objects.exists()
    return str(refused.value)


# --- good files ---


def test_it_takes_every_row_in(tmp_path: Path) -> None:
    run = Run(tmp_path, PLAIN)
    assert (run.code, run.totals) == (0, {"new": 2, "unanswered": 1})
    assert "3 of 3 rows" in run.progress
    assert "       2  new" in run.said
    late = Response.objects.get(external_id="a2")
    assert (late.score, late.band, late.comment, late.triaged_at) == (3, "detractor", "too late", None)
    blank = Response.objects.get(external_id="a3")
    assert (blank.state, blank.score, blank.triaged_at) == ("unanswered", None, MONDAY)


def test_it_changes_nothing_the_second_time(tmp_path: Path) -> None:
    Run(tmp_path, PLAIN)
    before = list(Response.objects.order_by("id").values())
    run = Run(tmp_path, PLAIN)
    assert (run.code, run.totals) == (0, {"unchanged": 2, "unanswered": 1})
    assert list(Response.objects.order_by("id").values()) == before


def test_it_keeps_nothing_in_a_dry_run_and_counts_as_the_real_run(tmp_path: Path) -> None:
    content = PLAIN + "a2,3,too late\na2,4,other\na9,11,\n"
    dry = Run(tmp_path, content, source="new", survey="delivery", dry_run=True)
    assert not Response.objects.exists()
    assert not Source.objects.filter(slug="new").exists()
    real = Run(tmp_path, content, source="new", survey="delivery")
    assert dry.totals == real.totals == {"new": 2, "unanswered": 1, "duplicate": 1, "refused": 2}
    assert (dry.code, real.code) == (3, 3)
    assert Response.objects.count() == 3


def test_it_counts_a_dry_run_right_over_several_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_import, "CHUNK", 2)
    content = "external_id,score,updated_at\n" + "".join(
        f"a{number % 3},{number},2026-03-01T0{number}:00Z\n" for number in range(7)
    )
    dry = Run(tmp_path, content, dry_run=True)
    real = Run(tmp_path, content)
    assert dry.totals == real.totals == {"new": 3, "changed": 4}
    assert Run(tmp_path, content).totals == {"unchanged": 7}


def test_it_ends_the_same_after_a_crash_and_a_second_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_import, "CHUNK", 2)
    content = "external_id,score\n" + "".join(f"a{number},{number}\n" for number in range(7))
    calls = Counter[str]()

    def record_until_power_fails(*given: Any, **more: Any) -> Any:
        calls["record"] += 1
        if calls["record"] == 6:
            raise KeyboardInterrupt
        return record(*given, **more)

    monkeypatch.setattr(csv_import, "record", record_until_power_fails)
    with pytest.raises(KeyboardInterrupt):
        Run(tmp_path, content)
    assert Response.objects.count() == 4
    assert Run(tmp_path, content).totals == {"unchanged": 4, "new": 3}


def test_it_reads_what_the_mapping_says(tmp_path: Path, survey: Survey) -> None:
    survey.questions.create(key="speed", kind=Question.RATING, position=2, text="Speed")
    survey.questions.create(
        key="what",
        kind=Question.CHOICE,
        position=3,
        text="What?",
        options=[{"code": "late", "en": "Late", "zh": "晚了"}],
    )
    content = (
        "答题编号;打分;为什么;速度;问题;客户;邮箱;提交时间;年消费\n"
        '7;2分;"送货\r\n晚了";4;晚了;88;LI@Example.com ;02/03/2026 09:30;1.234,50\n'
        "8;未评分;-;-;;;;;\n"
    )
    run = Run(
        tmp_path,
        content.encode("gb18030"),
        {
            "columns": {
                "external_id": "答题编号",
                "score": "打分",
                "comment": "为什么",
                "customer_external_id": "客户",
                "email": "邮箱",
                "submitted_at": "提交时间",
                "annual_value": "年消费",
                "answers": {"speed": "速度", "what": "问题"},
            },
            "encoding": "gb18030",
            "delimiter": ";",
            "decimal": ",",
            "date_format": "%d/%m/%Y %H:%M",
            "time_zone": "Asia/Shanghai",
            "customer_prefix": "crm:",
            "blanks": ["8"],
            "opens_tickets": False,
        },
    )
    assert (run.code, run.totals) == (0, {"new": 1, "unanswered": 1})
    response = Response.objects.get(external_id="7")
    assert (response.score, response.comment) == (2, "送货\n晚了")
    assert {each.question.key: each.value for each in response.answers.all()} == {"speed": 4, "what": "late"}
    assert response.submitted_at == datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
    assert response.triage_note["why"] == "source_opens_no_tickets"
    customer = Customer.objects.get()
    assert (customer.external_id, customer.email) == ("crm:88", "li@example.com")
    assert str(customer.annual_value) == "1234.50"


def test_it_takes_blanks_of_the_mapping_for_no_answer(tmp_path: Path) -> None:
    mapping = {"blanks": ["8", "weiß nicht"]}
    content = "external_id,score,comment\na1,8,fine\na2,Weiß nicht,\na3,7,\n"
    run = Run(tmp_path, content, mapping)
    assert run.totals == {"unanswered": 2, "new": 1}


def test_it_keeps_the_mapping_with_the_source_for_the_next_file(tmp_path: Path) -> None:
    mapping = {"columns": {"external_id": "id", "score": "nps"}, "opens_tickets": False}
    Run(tmp_path, "id,nps\na1,2\n", mapping)
    assert Run(tmp_path, "id,nps\na2,2\n").totals == {"new": 1}
    assert set(Response.objects.values_list("triaged_at", flat=True)) == {MONDAY}


def test_it_leaves_low_scores_to_the_sweep(tmp_path: Path) -> None:
    Run(tmp_path, PLAIN)
    assert Response.objects.filter(triaged_at=None).count() == 2


def test_it_joins_the_people_of_the_file_with_those_we_know(tmp_path: Path) -> None:
    content = "external_id,score,email,name\na1,2,kim@example.com,Kim\na2,3, KIM@example.com,\na3,4,,\n"
    Run(tmp_path, content)
    assert Customer.objects.get().name == "Kim"
    assert Customer.objects.get().responses.count() == 2


def test_it_reads_a_file_with_a_byte_order_mark(tmp_path: Path) -> None:
    assert Run(tmp_path, b"\xef\xbb\xbf" + PLAIN.encode()).code == 0
    assert Run(tmp_path, PLAIN.encode("utf-16")).totals == {"unchanged": 2, "unanswered": 1}


def test_it_takes_a_line_break_in_quotes_for_text(tmp_path: Path) -> None:
    run = Run(tmp_path, 'external_id,score,comment\na1,2,"late\ntwice"\na2,11,\n')
    assert Response.objects.get().comment == "late\ntwice"
    assert [(each["row"], each["line"]) for each in run.rows] == [("1", "3"), ("2", "4")]


# --- equal rows ---


def test_it_knows_a_row_without_an_id_again(tmp_path: Path) -> None:
    content = "score,email,submitted_at\n2,kim@example.com,2026-03-01 09:00\n"
    mapping = {"identity": "fingerprint"}
    assert Run(tmp_path, content, mapping).totals == {"new": 1}
    assert Run(tmp_path, content, mapping).totals == {"unchanged": 1}


@pytest.mark.parametrize(
    ("equal_rows", "totals"), [("one", {"new": 1, "duplicate": 2}), ("each", {"new": 3})]
)
def test_it_keeps_equal_rows_as_one_answer_or_as_several(
    tmp_path: Path, equal_rows: str, totals: dict[str, int]
) -> None:
    mapping = {"identity": "fingerprint", "equal_rows": equal_rows}
    assert Run(tmp_path, "score\n9\n9\n9\n", mapping).totals == totals
    again = Run(tmp_path, "score\n9\n9\n9\n", mapping).totals
    assert again["new"] == again["changed"] == 0


def test_it_takes_an_older_version_for_known(tmp_path: Path) -> None:
    newer = "external_id,score,updated_at\na1,2,2026-03-01T10:00Z\n"
    older = "external_id,score,updated_at\na1,9,2026-03-01T09:00Z\n"
    Run(tmp_path, newer)
    assert (Run(tmp_path, older).totals, Response.objects.get().score) == ({"unchanged": 1}, 2)


def test_it_refuses_another_answer_under_a_known_id(tmp_path: Path) -> None:
    Run(tmp_path, "external_id,score\na1,9\n")
    run = Run(tmp_path, "external_id,score\na1,2\n")
    assert (run.code, run.totals, run.rows[0]["column"]) == (3, {"refused": 1}, "external_id")
    assert Response.objects.get().score == 9


# --- bad rows ---

BAD_ROWS = {
    "score above the scale": ("a1,11,,,", "score", "11"),
    "score below the scale": ("a1,-1,,,", "score", "-1"),
    "score with a fraction": ("a1,9.5,,,", "score", "9.5"),
    "score as a word": ("a1,abc,,,", "score", "abc"),
    "score true": ("a1,true,,,", "score", "true"),
    "no id": (",9,,,", "external_id", ""),
    "id shortened by a spreadsheet": ("1.23457E+17,9,,,", "external_id", "1.23457E+17"),
    "no time": ("a1,9,,yesterday,", "submitted_at", "yesterday"),
    "impossible day": ("a1,9,,2026-02-30,", "submitted_at", "2026-02-30"),
    "time to come": ("a1,9,,2026-04-01,", "submitted_at", "2026-04-01"),
    "no e-mail address": ("a1,9,,,kim", "email", "kim"),
    "NUL": ("a1,9,a\x00b,,", "comment", "a\x00b"),
    "cell of more than 32 kB": (f"a1,9,{'x' * 33_000},,", "comment", "x" * 200),
    "a cell too many": ("a1,9,,,,", "", ""),
    "a cell too few": ("a1,9,,", "", ""),
    "formula": ("a1,=1+1,,,", "score", "'=1+1"),
}


@pytest.mark.parametrize(("bad", "column", "value"), BAD_ROWS.values(), ids=BAD_ROWS.keys())
def test_it_refuses_a_row_and_takes_the_others(tmp_path: Path, bad: str, column: str, value: str) -> None:
    run = Run(tmp_path, f"external_id,score,comment,submitted_at,email\nb1,9,,,\n{bad}\nb2,2,,,\n")
    assert (run.code, run.totals) == (3, {"new": 2, "refused": 1})
    refused = run.rows[1]
    assert (refused["outcome"], refused["column"], refused["value"]) == ("refused", column, value)
    assert refused["reason"]


def test_it_takes_zero_epoch_and_year_9999_for_no_date(tmp_path: Path) -> None:
    content = (
        "external_id,score,submitted_at\na1,9,1970-01-01 00:00\na2,9,9999-12-31 23:59\na3,9,2026-03-01\n"
    )
    assert Run(tmp_path, content).code == 0
    assert list(Response.objects.order_by("external_id").values_list("submitted_at", flat=True)) == [
        None,
        None,
        datetime(2026, 3, 1, tzinfo=UTC),
    ]


# --- files that cannot be read ---


def test_it_names_the_byte_the_line_and_the_encodings_that_fit(tmp_path: Path) -> None:
    content = "external_id,score,comment\na1,9,fine\na2,3,très peu\n".encode("latin-1")
    said = problem(tmp_path, content)
    assert "Byte 43, on line 3, is not utf-8" in said
    assert "windows-1252: a2,3,très peu" in said
    assert "latin-1" in said
    assert Run(tmp_path, content, {"encoding": "latin-1"}).code == 0


def test_it_finds_a_bad_byte_behind_a_mark_and_many_blocks(tmp_path: Path) -> None:
    start = b"\xef\xbb\xbfexternal_id,score,comment\n" + "a1,9,é\n".encode() * 30_000
    assert f"Byte {len(start)}, on line 30002," in problem(tmp_path, start + b"\xe9\n")


BAD_FILES: dict[str, tuple[str | bytes, dict[str, Any] | None, str]] = {
    "missing column": (PLAIN, {"columns": {"external_id": "id", "score": "score"}}, "no column “id”"),
    "wrong delimiter": (
        "external_id;score\na1;9\n",
        {"columns": {"score": "score"}},
        "Is the “delimiter” right?",
    ),
    "no score column": ("external_id,nps\na1,9\n", None, "which column is the score"),
    "no id column": ("id,score\na1,9\n", None, "fingerprint"),
    "rows nobody can tell apart": ("score\n9\n", {"identity": "fingerprint"}, "equal_rows"),
    "one heading twice": ("external_id,score,score\na1,9,9\n", None, "stands over 2 columns"),
    "empty file": ("", None, "is empty"),
    "no heading": (",,\na1,9,x\n", None, "no heading"),
    "open quotation mark": ('external_id,score\na1,"9\n', None, "quotation mark"),
    "too many columns": (",".join(f"c{each}" for each in range(201)) + "\n", None, "201 columns"),
    "too many rows": ("external_id,score\n" + "a,9\n" * 50_001, None, "50,000 rows"),
    "too large": (b"x" * (20 * 1024 * 1024 + 1), None, "20 MB"),
    "a workbook": (b"PK\x03\x04...", None, "is a workbook"),
    "unknown encoding": (PLAIN, {"encoding": "klingon"}, "no encoding “klingon”"),
    "no text encoding": (PLAIN, {"encoding": "base64"}, "no encoding “base64”"),
    "mapping with an unknown key": (PLAIN, {"colums": {}}, "“colums”"),
    "mapping with an unknown column": (PLAIN, {"columns": {"skore": "score"}}, "columns.skore"),
    "mapping with an unknown question": (
        PLAIN,
        {"columns": {"answers": {"taste": "score"}}},
        "answers.taste",
    ),
    "mapping with a strange delimiter": (PLAIN, {"delimiter": "x"}, "“delimiter”"),
    "mapping with a date without year": (PLAIN, {"date_format": "%d.%m."}, "lacks the year"),
    "mapping with an unknown zone": (PLAIN, {"time_zone": "Mars"}, "“Mars” is not a time zone"),
    "mapping with blanks that are no list": (PLAIN, {"blanks": "NA"}, "“blanks”"),
}


@pytest.mark.parametrize(("content", "mapping", "words"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_it_refuses_a_file_it_cannot_read_and_says_what_to_do(
    tmp_path: Path, content: str | bytes, mapping: dict[str, Any] | None, words: str
) -> None:
    assert words in problem(tmp_path, content, mapping)


def test_it_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "cannot be read" in problem(tmp_path, tmp_path / "none.csv")


@pytest.mark.parametrize(("content", "words"), [("{", "is not JSON"), ("[]", "is a JSON object")])
def test_it_refuses_a_mapping_that_is_no_object(tmp_path: Path, content: str, words: str) -> None:
    given, mapping = tmp_path / "answers.csv", tmp_path / "mapping.json"
    given.write_text(PLAIN)
    mapping.write_text(content)
    with pytest.raises(CommandError, match=words) as refused:
        call_command("import_responses", given, source="shop", mapping=mapping)
    assert refused.value.returncode == 2


def test_it_refuses_a_mapping_that_is_not_there(tmp_path: Path) -> None:
    given = tmp_path / "answers.csv"
    given.write_text(PLAIN)
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_responses", given, source="shop", mapping=tmp_path / "none.json")


def test_it_names_the_sources_there_are(tmp_path: Path) -> None:
    said = problem(tmp_path, PLAIN, source="shpo")
    assert "There are: shop" in said
    assert "--survey" in said


def test_it_makes_a_source_for_the_survey_it_is_told(tmp_path: Path) -> None:
    Run(tmp_path, PLAIN, source="branch", survey="delivery")
    assert Source.objects.get(slug="branch").survey == Survey.objects.get()


def test_it_refuses_a_survey_the_source_does_not_answer(tmp_path: Path) -> None:
    make_survey("returns")
    assert "answers the survey “delivery”" in problem(tmp_path, PLAIN, survey="returns")
    assert "There are: delivery, returns" in problem(tmp_path, PLAIN, survey="nobody-asks")


# --- a real file ---


@pytest.mark.skipif(not BOTANIC.exists(), reason="needs the public data set, see REDRESS_DATA")
def test_it_reads_the_garden_centre_survey(tmp_path: Path) -> None:
    make_survey("shop-nps-1-10", lowest=1)
    columns = {"external_id": "id", "score": "nps", "comment": "explication"}
    assert "windows-1252" in problem(
        tmp_path, BOTANIC, {"columns": columns}, source="botanic", survey="shop-nps-1-10"
    )
    mapping = {"columns": columns, "encoding": "latin-1"}
    dry = Run(tmp_path, BOTANIC, mapping, source="botanic", survey="shop-nps-1-10", dry_run=True)
    real = Run(tmp_path, BOTANIC, mapping, source="botanic", survey="shop-nps-1-10")
    assert dry.totals == real.totals
    assert (real.code, real.totals.total()) == (0, 300)
    assert real.totals["unanswered"] == Response.objects.filter(state="unanswered").count() > 0
    assert Run(tmp_path, BOTANIC, source="botanic").totals["new"] == 0


def test_it_writes_the_results_beside_other_imports(tmp_path: Path, settings: Any) -> None:
    settings.BASE_DIR = tmp_path
    given = tmp_path / "answers.csv"
    given.write_text(PLAIN)
    out = StringIO()
    call_command("import_responses", given, source="shop", stdout=out, stderr=StringIO())
    kept = tmp_path / "var" / "imports" / "answers-20260302T090000.results.csv"
    assert f"Result of each row: {kept}" in out.getvalue()
    assert len(kept.read_text(encoding="utf-8-sig").splitlines()) == 4
