"""A file of 30 people who answered again and again, through the import to the page and the API.

All expectations are counted by hand from the rows below. Until 15 January the scale was 1 to 5.
"""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import datetime
from html import unescape
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db.models import F
from django.test import Client

from surveys.models import FormerScale, Response, Survey
from tests.make import SHANGHAI, Cast
from tests.recovery.api.client import Client as Script
from tests.surveys.make import make_survey

# The lines of the file: whose, which day, which score. The day alone is known, never the hour.
ROWS = """
p01 2026-03-02 9
p01 2026-01-20 3
p02 2026-01-20 0
p02 2026-02-20 6
p03 2026-01-21 5
p03 2026-02-10 7
p03 2026-03-10 4
p04 2026-01-21 6
p04 2026-02-11 10
p04 2026-03-11 8
p05 2026-01-22 2
p06 2026-01-22 1
p06 2026-02-22 NA
p07 2026-02-02 4
p07 2026-02-02 9
p08 2026-02-02 9
p08 2026-02-02 4
p09 2026-01-23 6
p09 2026-02-23 7
p10 2026-01-24 3
p10 2026-02-24
p10 2026-03-24 10
p11 2026-01-25 0
p11 2026-02-25 9
p11 2026-03-25 9
p12 2026-01-20 7
p12 2026-02-20 9
p13 2026-01-20 8
p13 2026-02-20 8
p14 2026-01-20 7
p14 2026-02-20 5
p15 2026-01-20 8
p16 2026-01-20 7
p16 2026-02-20 9
p16 2026-03-20 3
p17 2026-01-20 8
p17 2026-02-20 10
p18 2026-01-20 n/a
p18 2026-02-20 7
p18 2026-03-20 8
p19 2026-01-20 9
p19 2026-02-20 10
p20 2026-01-20 10
p20 2026-02-20 7
p21 2026-01-20 9
p21 2026-02-20 2
p21 2026-03-20 9
p22 2026-01-20 10
p23 2026-01-20 9
p24 2026-01-20 10
p24 2026-02-20 10
p25 2026-01-05 5
p25 2026-02-05 3
p26 2026-01-06 2
p26 2026-02-06 9
p26 2026-03-06 7
p27 2026-01-07 1
p28 2026-01-08 5
p28 2026-01-12 4
p29 2026-01-09 4
p29 2026-02-09 -
p30 2026-02-09 NA
""".strip().splitlines()

# First by latest answer: promoter, passive, detractor, no later answer.
MATRIX = {
    "promoter": (3, 2, 1, 2),
    "passive": (2, 2, 2, 1),
    "detractor": (4, 2, 2, 3),
}
MARGIN = (9, 6, 5, 6)
# Of those who began so: answered again, promoter now and ever, no detractor now and ever.
SHARES = {
    "promoter": (6, 3, 3, 5, 5),
    "passive": (6, 2, 3, 4, 5),
    "detractor": (8, 4, 5, 6, 7),
    "all": (20, 9, 11, 15, 17),
}
PERIOD = "from=2026-01-01&to=2026-03-31"


@pytest.fixture
def survey(cast: Cast, tmp_path: Path) -> Survey:
    survey = make_survey("shop")
    change = datetime(2026, 1, 15, tzinfo=ZoneInfo(SHANGHAI))
    FormerScale.objects.create(survey=survey, until=change, lowest=1, highest=5, low_cut=2, high_cut=4)
    bring_in(tmp_path)
    return survey


def bring_in(folder: Path) -> dict[str, int]:
    """The outcomes of the rows."""
    file, mapping, results = folder / "panel.csv", folder / "mapping.json", folder / "results.csv"
    with file.open("w", newline="", encoding="utf-8") as out:
        lines = csv.writer(out)
        lines.writerow(["id", "person", "day", "recommend"])
        for number, row in enumerate(ROWS, start=1):
            who, day, *score = row.split()
            lines.writerow([f"a{number}", who, day, *(score or [""])])
    columns = {
        "external_id": "id",
        "customer_external_id": "person",
        "submitted_at": "day",
        "score": "recommend",
    }
    mapping.write_text(
        json.dumps({"columns": columns, "time_zone": "Asia/Shanghai", "opens_tickets": False}),
        encoding="utf-8",
    )
    words = [
        "--source",
        "shop-file",
        "--survey",
        "shop",
        "--mapping",
        str(mapping),
        "--results",
        str(results),
    ]
    call_command("import_responses", str(file), *words, stdout=io.StringIO(), stderr=io.StringIO())
    outcomes = [row["outcome"] for row in csv.DictReader(results.open(newline="", encoding="utf-8-sig"))]
    return {outcome: outcomes.count(outcome) for outcome in set(outcomes)}


def analyst(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.vera, backend="django.contrib.auth.backends.ModelBackend")
    return client


def numbers(cast: Cast, **query: str) -> Any:
    question = {"from": "2026-01-01", "to": "2026-03-31", "survey": "shop", **query}
    answer = Script.of(cast.vera).read("insight/panel/", **question)
    assert answer.status_code == 200, answer.content
    return answer.json()


def table(page: str, name: str) -> list[list[str]]:
    """The rows of the table in the region of this name, as text."""
    region = page[page.index(f'aria-label="{name}"') :]
    body = region[region.index("<tbody>") : region.index("</tbody>")]
    return [
        [" ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split()) for cell in re.split(r"<t[hd]\b", row)[1:]]
        for row in body.split("<tr>")[1:]
    ]


def test_every_row_is_in_and_the_blanks_are_no_answers(survey: Survey, tmp_path: Path) -> None:
    assert len(ROWS) == 62
    assert Response.objects.filter(survey=survey).count() == 62
    assert Response.objects.filter(survey=survey, score=None).count() == 5
    assert bring_in(tmp_path) == {"unchanged": 57, "unanswered": 5}


def test_the_api_has_the_matrix_counted_by_hand(cast: Cast, survey: Survey) -> None:
    found = numbers(cast)
    states = ("promoter", "passive", "detractor", "no_later")
    assert {
        first: tuple(cells[each] for each in states) for first, cells in found["matrix"].items()
    } == MATRIX
    assert tuple(found["all"][each] for each in states) == MARGIN
    assert (found["people"], found["answered_again"]) == (26, 20)
    assert found["other_scale"]["people_only"] == 3
    assert found["other_scale"]["people_too"] == 2
    assert (found["blank_answers"], found["answers_off_the_scale"], found["answers_of_nobody_known"]) == (
        5,
        0,
        0,
    )
    assert found["scale"] == {"lowest": 0, "highest": 10, "best": "max", "low": 6, "high": 9}


def test_now_and_ever_are_those_counted_by_hand(cast: Cast, survey: Survey) -> None:
    found = numbers(cast)
    for first, (again, promoter_now, promoter_ever, fine_now, fine_ever) in SHARES.items():
        now, ever = found["now"][first], found["ever"][first]
        assert (now["promoter"]["count"], now["promoter"]["of"]) == (promoter_now, again)
        assert (ever["promoter"]["count"], ever["promoter"]["of"]) == (promoter_ever, again)
        assert (now["no_detractor"]["count"], ever["no_detractor"]["count"]) == (fine_now, fine_ever)
    low = found["now"]["detractor"]["no_detractor"]
    assert low["share"] is None, "eight are too few for a share"
    assert (low["bounds"]["low"], low["bounds"]["high"]) == pytest.approx((6 / 11, 9 / 11))
    everybody = found["now"]["all"]["no_detractor"]
    assert everybody["share"] == 0.75
    # Wilson for 15 of 20, by hand.
    assert (everybody["low"], everybody["high"]) == pytest.approx((0.5313, 0.8881), abs=1e-4)
    assert (everybody["bounds"]["low"], everybody["bounds"]["high"]) == pytest.approx((15 / 26, 21 / 26))


def test_the_change_is_that_of_the_twenty_who_answered_again(cast: Cast, survey: Survey) -> None:
    change = numbers(cast)["change"]
    assert (change["earlier"]["promoters"], change["earlier"]["detractors"]) == (6, 8)
    assert (change["later"]["promoters"], change["later"]["detractors"]) == (9, 5)
    assert (change["earlier"]["value"], change["later"]["value"], change["difference"]) == (-10, 20, 30)
    # Each person's change: four up by 2, one down by 2, four up by 1, four down by 1, seven unchanged.
    # Sum 6, squares 28: 6 / 21 +/- 2.085963 x root of ((28 + 1) / 21 - (6 / 21)^2) / 21
    assert (change["low"], change["high"]) == pytest.approx((-23.315, 80.458), abs=1e-3)
    assert change["is_clear"] is False


def test_the_page_says_the_same(cast: Cast, survey: Survey) -> None:
    page = analyst(cast).get(f"/insight/panel/?{PERIOD}&survey={survey.pk}").content.decode()
    cells = [[cell.rpartition(">")[2].strip() for cell in row] for row in table(page, "The same in numbers")]
    margins = {"promoter": "8", "passive": "7", "detractor": "11"}
    expected = [
        [f"Began as {first}s", *map(str, MATRIX[first]), margins[first]]
        for first in ("promoter", "passive", "detractor")
    ]
    assert cells == [*expected, ["All", *map(str, MARGIN), "26"]]
    text = " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())
    assert "26 people answered on the scale 0–10; 20 of them answered again." in text
    assert "The same 20 people: NPS −10 at first, +20 by their latest answer" in text
    assert "Of 11 who began as detractors, 8 answered again; no longer detractors: 6 of 8." in text
    assert "3 people who answered on another scale only" in text
    assert "5 blank answers" in text


def test_every_cell_opens_the_people_it_counts(cast: Cast, survey: Survey) -> None:
    client = analyst(cast)
    states = ("promoter", "passive", "detractor", "no_later")
    for first, counts in MATRIX.items():
        for state, count in zip(states, counts, strict=True):
            address = f"/insight/panel/people/?{PERIOD}&survey={survey.pk}&first={first}&state={state}"
            page = client.get(address).content.decode()
            assert page.count("data-row") == count, (first, state)
    same_day = client.get(
        f"/insight/panel/people/?{PERIOD}&survey={survey.pk}&first=promoter&state=detractor"
    ).content.decode()
    assert customer_of(survey, "p08") in same_day
    other = client.get(f"/insight/panel/people/?{PERIOD}&survey={survey.pk}&elsewhere=only").content.decode()
    assert all(customer_of(survey, who) in other for who in ("p27", "p28", "p29"))


def customer_of(survey: Survey, who: str) -> str:
    answer = Response.objects.filter(survey=survey, customer__identities__value=who).first()
    assert answer is not None
    return f"/customers/{answer.customer_id}/"


def test_the_former_scale_is_looked_at_by_itself(cast: Cast, survey: Survey) -> None:
    found = numbers(cast, scale="1")
    assert found["people"] == 5
    # 5, 5 then 4, and 4 are high of five; 2 and 1 are low.
    assert found["matrix"]["promoter"] == {"promoter": 1, "passive": 0, "detractor": 0, "no_later": 2}
    assert found["matrix"]["detractor"] == {"promoter": 0, "passive": 0, "detractor": 0, "no_later": 2}
    assert found["other_scale"]["people_too"] == 2


def test_two_waves_pair_whoever_answered_in_both(cast: Cast, survey: Survey) -> None:
    """January from the 15th against March: p01, p03, p04, p10, p11, p16 and p21."""
    days = ("2026-01-15", "2026-01-31", "2026-03-01", "2026-03-31")
    names = ("first_from", "first_to", "second_from", "second_to")
    found = numbers(cast, **dict(zip(names, days, strict=True)))["waves"]
    assert found["people"] == 7
    assert (found["earlier"]["promoters"], found["earlier"]["detractors"]) == (1, 5)
    assert (found["later"]["promoters"], found["later"]["detractors"]) == (4, 2)
    # 21 gave a score from 15 January on; of March's nine answers, those of p18 and p26 are their only ones.
    assert (found["only_first"], found["only_second"]) == (14, 2)
    assert found["difference"] is None, "seven are too few"


def test_as_of_a_past_day_later_answers_are_not_known_yet(cast: Cast, survey: Survey) -> None:
    """By 10 February only p03, p07 and p08 had answered again; and the file was not there yet."""
    assert numbers(cast, as_of="2026-02-10")["people"] == 0
    Response.objects.update(received_at=F("answered_at"))
    found = numbers(cast, as_of="2026-02-10")
    assert found["matrix"]["detractor"]["passive"] == 1
    assert found["matrix"]["detractor"]["promoter"] == 1
    assert found["matrix"]["promoter"]["detractor"] == 1
    assert found["answered_again"] == 3
