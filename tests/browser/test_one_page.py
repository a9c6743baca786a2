"""The board's page on paper: one sheet of A4 on which nothing is cut."""

from __future__ import annotations

import re
from datetime import date

import pytest
from django.utils.timezone import now
from playwright.sync_api import Page

from recovery.models import StaffProfile, Target
from tests.browser.test_loop import sign_in
from tests.make import DAY, Cast
from tests.recovery.insight.histories import ended_hold_out, loop

pytestmark = pytest.mark.django_db(transaction=True)

AIMS = (("recovered", 40), ("contacted_in_time", 90), ("reached", 60), ("converted", 30), ("responded", 50))
# What is left of 210 mm between margins of 12 mm, at 96 dots to the inch.
A4_WIDTH = 703
CUT = """() => [...document.querySelectorAll('article table, article .table-scroll, .verdict, .five > div')]
  .filter(each => {
    const box = each.closest('section, .five').getBoundingClientRect(), mine = each.getBoundingClientRect();
    return mine.right > box.right + 1 || each.scrollWidth > each.clientWidth + 1 && each.clientWidth;
  })
  .map(each => each.outerHTML.slice(0, 80))"""


def fill(firm: Cast) -> None:
    at = now() - 30 * DAY
    for _ in range(10):
        loop(firm, 9, at=at)
        loop(firm, 3, reached=False, at=at)
    ended_hold_out(firm, at=at, ended_at=at + DAY)
    whose = {"survey": firm.survey}
    day = date(now().year + 1, 12, 31)
    for metric, value in (*AIMS, ("nps", 40)):
        Target.objects.create(metric=metric, value=value, by_day=day, **(whose if metric == "nps" else {}))


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_it_is_printed_on_one_sheet_and_nothing_is_cut(firm: Cast, page: Page, language: str) -> None:
    fill(firm)
    StaffProfile.objects.update(locale=language)
    sign_in(page, "vera")
    page.goto("/insight/board/")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": A4_WIDTH, "height": 1030})
    assert page.locator("td .verdict").count() == 6
    assert page.evaluate(CUT) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= A4_WIDTH
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True))) == 1
