"""Where a value without spaces may go on in the next line."""

import pytest

from recovery.templatetags.lines import may_break


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Europe/London", "Europe/<wbr>London"),
        ("kim@mail.example", "kim<wbr>@mail.example"),
        ("+4477", "+4477"),
        ("<b>@x", "&lt;b&gt;<wbr>@x"),
    ],
)
def test_a_zone_breaks_after_its_stroke_and_an_address_before_its_sign(value: str, shown: str) -> None:
    assert may_break(value) == shown
