import csv
import json
import re
import sys
from argparse import ArgumentParser
from collections import Counter
from contextlib import closing
from dataclasses import astuple, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from dispatch import clock
from surveys.intake.csv_file import CsvFile, FileProblem, open_csv
from surveys.intake.csv_import import OUTCOMES, REFUSED, RowResult, import_rows
from surveys.intake.csv_mapping import Profile, profile_from_json
from surveys.intake.csv_rows import RowReader
from surveys.models import Source, Survey

SOME_REFUSED, BAD_USAGE = 3, 2
# A spreadsheet would run a cell that begins like this.
FORMULA_SIGNS = tuple("=+-@\t\r＝＋－＠")


class Command(BaseCommand):
    help = (
        "Imports responses from a CSV file. Exit code 0: every row is in; 3: some rows were refused, see the "
        "results file; 2: nothing was read. The mapping is described in docs/imports.md."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--source", required=True, help="slug of the source the ids belong to")
        parser.add_argument("--survey", help="slug of the survey; makes the source if there is none yet")
        parser.add_argument("--mapping", type=Path, help="JSON file; kept with the source for the next file")
        parser.add_argument("--dry-run", action="store_true", help="count and check everything, keep nothing")
        parser.add_argument("--results", type=Path, help="where the result of each row goes")

    def handle(self, *args: Any, **options: Any) -> None:
        at = clock.now()
        path: Path = options["file"]
        try:
            source, survey = source_and_survey(options["source"], options["survey"])
            profile = self.profile(source, options["mapping"])
            file = open_csv(path, encoding=profile.encoding, delimiter=profile.delimiter)
            reader = RowReader(profile, file.heading, source, survey)
        except FileProblem as problem:
            raise CommandError(str(problem), returncode=BAD_USAGE) from problem
        results = options["results"] or default_results(path, at)
        totals = self.run(file, reader, results, at, options["dry_run"])
        self.summarise(totals, path, survey, results, options["dry_run"])
        if totals[REFUSED]:
            sys.exit(SOME_REFUSED)

    def profile(self, source: Source, mapping: Path | None) -> Profile:
        if mapping:
            source.mapping = read_json(mapping)
        profile = profile_from_json(source.mapping)
        if profile.opens_tickets is not None:
            source.opens_tickets = profile.opens_tickets
        return profile

    def run(
        self, file: CsvFile, reader: RowReader, results: Path, at: datetime, dry_run: bool
    ) -> Counter[str]:
        try:
            results.parent.mkdir(parents=True, exist_ok=True)
            out = results.open("w", encoding="utf-8-sig", newline="")
        except OSError as error:
            raise CommandError(f"{results}: {error.strerror}", returncode=BAD_USAGE) from error
        with closing(out):
            writer = csv.writer(out)
            writer.writerow(each.name for each in fields(RowResult))

            def report(result: RowResult) -> None:
                writer.writerow(harmless(each) for each in astuple(result))

            return import_rows(file, reader, at=at, dry_run=dry_run, report=report, progress=self.progress)

    def progress(self, done: int, rows: int) -> None:
        self.stderr.write(f"{done:,} of {rows:,} rows")

    def summarise(
        self, totals: Counter[str], path: Path, survey: Survey, results: Path, dry_run: bool
    ) -> None:
        if dry_run:
            self.stdout.write("Dry run: nothing was kept. The real run would end as follows.")
        self.stdout.write(f"{path.name}, survey {survey.slug}: {totals.total():,} rows")
        for outcome in OUTCOMES:
            self.stdout.write(f"{totals[outcome]:>8,}  {outcome}")
        self.stdout.write(f"Result of each row: {results}")


def source_and_survey(slug: str, survey_slug: str | None) -> tuple[Source, Survey]:
    """The source, unsaved if it is new. Raise FileProblem saying what there is."""
    survey = known_survey(survey_slug) if survey_slug else None
    source = Source.objects.select_related("survey").filter(slug=slug).first()
    if source is None and survey is None:
        there = ", ".join(Source.objects.values_list("slug", flat=True)) or "none"
        raise FileProblem(
            f"There is no source “{slug}”. There are: {there}. "
            "To make it, add --survey with the survey it answers."
        )
    if source is None:
        source = Source(slug=slug, name=slug, kind="file", survey=survey)
    if source.survey is None:
        source.survey = survey
    if source.survey is None:
        raise FileProblem(f"The source “{slug}” does not say which survey it answers. Add --survey.")
    if survey and source.survey != survey:
        raise FileProblem(
            f"The source “{slug}” answers the survey “{source.survey.slug}”, not “{survey.slug}”."
        )
    return source, source.survey


def known_survey(slug: str) -> Survey:
    survey = Survey.objects.filter(slug=slug).first()
    if survey is None:
        there = ", ".join(Survey.objects.values_list("slug", flat=True)) or "none"
        raise FileProblem(f"There is no survey “{slug}”. There are: {there}.")
    return survey


def read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise FileProblem(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise FileProblem(f"{path} is not JSON: {error}") from error


def default_results(path: Path, at: datetime) -> Path:
    return Path(settings.BASE_DIR, "var", "imports", f"{path.stem}-{at:%Y%m%dT%H%M%S}.results.csv")


def harmless(value: Any) -> str:
    """As text that no spreadsheet takes for a formula. A number is none."""
    text = str(value)
    is_formula = text.lstrip().startswith(FORMULA_SIGNS) and not re.fullmatch(
        r"[+-]?[0-9]+([.,][0-9]+)?", text
    )
    return f"'{text}" if is_formula else text
