"""Which low scores a segment of the customers holds."""

import pytest

from recovery.insight.cohort import Slice, low_scores
from recovery.insight.segment import Segment, parse
from recovery.models import Ticket
from tests.make import MONDAY, Cast
from tests.recovery.insight.histories import low, unknown


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("tier:Gold", Segment("tier", "Gold")),
        ("channel:page", Segment("channel", "page")),
        ("language:zh-hans", Segment("language", "zh-hans")),
        ("attribute:region=East", Segment("attribute", "East", "region")),
        ("attribute:region = East = 2", Segment("attribute", "East = 2", "region")),
        (" tier:Gold: the best ", Segment("tier", "Gold: the best")),
    ],
)
def test_it_is_read_and_written_back(text: str, found: Segment) -> None:
    assert parse(text) == found
    assert parse(str(found)) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Gold",
        "tier:",
        "tier",
        "colour:red",
        "attribute:region",
        "attribute:=East",
        "tier:\0",
        "tier:" + "x" * 200,
    ],
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="attribute:region=East"):
        parse(text)


def numbers(segment: str) -> set[str]:
    which = Slice(segment=segment)
    return set(low_scores(Ticket.objects.all(), which).values_list("number", flat=True))


class TestWhoBelongs:
    def test_by_tier_and_by_any_attribute_of_the_customer(self, cast: Cast) -> None:
        gold = low(
            cast, customer=cast.customer(tier="Gold", attributes={"region": "East", "seats": 5, "vip": True})
        )
        low(cast, customer=cast.customer(attributes={"region": "West"}))
        unknown(cast, MONDAY)
        for text in ("tier:Gold", "attribute:region=East", "attribute:seats=5", "attribute:vip=true"):
            assert numbers(text) == {gold.number}, text
        assert numbers("attribute:region__icontains=East") == set()
        assert numbers("attribute:x' OR 1=1 --=1") == set()

    def test_by_channel_of_the_answer(self, cast: Cast) -> None:
        page = low(cast, channel="page")
        low(cast, channel="email")
        assert numbers("channel:page") == {page.number}

    def test_by_language_of_the_answer_else_of_the_customer(self, cast: Cast) -> None:
        said = low(cast, locale="zh-Hans")
        theirs = low(cast, customer=cast.customer(locale="zh-hans"))
        low(cast, locale="en", customer=cast.customer(locale="zh-hans"))
        assert numbers("language:zh-hans") == {said.number, theirs.number}
