"""A file of real answers: each row accounted for, low scores become tickets, a second run changes nothing."""

from __future__ import annotations

import csv
import json
import os
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils.timezone import now

from recovery.models import Deadline, Ticket
from surveys.models import Message, Response
from tests.due import kind, take_step
from tests.make import Cast
from tests.surveys.make import make_survey

DATA = Path(os.environ.get("REDRESS_DATA", settings.BASE_DIR.parent / "shared" / "data"))
FILE = DATA / "botanic" / "nps_first_300.csv"
pytestmark = pytest.mark.skipif(not FILE.exists(), reason=f"no real answers to try at {FILE}")

MAPPING = {
    "encoding": "latin-1",
    "columns": {"external_id": "id", "score": "nps", "comment": "explication", "customer_external_id": "id"},
}


@pytest.fixture
def imported(cast: Cast, tmp_path: Path) -> tuple[str, list[dict[str, str]]]:
    make_survey("garden", lowest=1)
    return run(tmp_path)


def run(folder: Path, *options: str) -> tuple[str, list[dict[str, str]]]:
    mapping, results, out = folder / "mapping.json", folder / "results.csv", StringIO()
    mapping.write_text(json.dumps(MAPPING))
    words = ["--source", "garden", "--survey", "garden", "--mapping", str(mapping), "--results", str(results)]
    call_command("import_responses", str(FILE), *words, *options, stdout=out, stderr=StringIO())
    return out.getvalue(), list(csv.DictReader(results.open(newline="", encoding="utf-8-sig")))


def scores() -> list[str]:
    with FILE.open(encoding="latin-1", newline="") as file:
        return [row["nps"] for row in csv.DictReader(file)]


def test_every_row_is_accounted_for(imported: tuple[str, list[dict[str, str]]]) -> None:
    given = scores()
    _out, results = imported
    assert len(results) == len(given) == 300
    outcomes = [row["outcome"] for row in results]
    assert outcomes.count("unanswered") == given.count("NA")
    assert outcomes.count("new") == 300 - given.count("NA")
    assert Response.objects.filter(score=0).count() == 0
    assert Response.objects.filter(comment__contains="délai").exists()


def test_low_scores_become_tickets_with_deadlines(imported: tuple[str, list[dict[str, str]]]) -> None:
    at = now()
    for pk in kind("triage").ids(at):
        take_step("triage", pk, at)
    low = sum(1 for score in scores() if score != "NA" and int(score) <= 6)
    assert low > 0
    assert Ticket.objects.count() == low
    assert Deadline.objects.count() == 2 * low
    assert not Message.objects.exclude(customer=None).exists()


def test_a_second_run_changes_nothing(imported: tuple[str, list[dict[str, str]]], tmp_path: Path) -> None:
    before = list(Response.objects.order_by("pk").values())
    _out, results = run(tmp_path)
    assert {row["outcome"] for row in results} <= {"unchanged", "unanswered"}
    assert list(Response.objects.order_by("pk").values()) == before


def test_a_dry_run_counts_the_same_and_stores_nothing(cast: Cast, tmp_path: Path) -> None:
    make_survey("garden", lowest=1)
    _out, dry = run(tmp_path, "--dry-run")
    assert not Response.objects.exists()
    _out, real = run(tmp_path)
    assert [row["outcome"] for row in dry] == [row["outcome"] for row in real]
