from collections.abc import Iterable

import polib
import pytest

from config import catalogues
from config.catalogues import Text, faults, in_python, in_template


def said(texts: Iterable[Text]) -> list[tuple[str | None, str, str | None]]:
    return [(text.context, text.one, text.many) for text in texts]


def test_it_finds_every_kind_of_call_in_python() -> None:
    source = """
a = _("plain")
b = translation.gettext_lazy("joined " "up")
c = ngettext("%(n)s day", "%(n)s days", n)
d = pgettext_lazy("month", "May")
e = npgettext("of a ticket", "event", "events", 3)
f = other("not said")
"""
    assert said(in_python(source)) == [
        (None, "plain", None),
        (None, "joined up", None),
        (None, "%(n)s day", "%(n)s days"),
        ("month", "May", None),
        ("of a ticket", "event", "events"),
    ]


def test_it_refuses_a_translated_f_string() -> None:
    with pytest.raises(catalogues.NotALiteral):
        list(in_python('_(f"{name} resolved")'))


def test_it_finds_every_kind_of_tag_in_a_template() -> None:
    source = """{% load i18n %}<p title="{% translate "It's (late)" %}">Not (this) _('or this')</p>
{% blocktranslate trimmed with who=ticket.owner %}
  Owned by
  {{ who }}
{% endblocktranslate %}
{% blocktranslate count n=days %}{{ n }} day{% plural %}{{ n }} days{% endblocktranslate %}
{% translate "May" context "month" %}{{ value|default:_("none yet") }}"""
    assert said(in_template(source)) == [
        (None, "It's (late)", None),
        (None, "Owned by %(who)s", None),
        (None, "%(n)s day", "%(n)s days"),
        ("month", "May", None),
        (None, "none yet", None),
    ]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (polib.POEntry(msgid="Due %(at)s", msgstr="截止 %(at)s"), []),
        (polib.POEntry(msgid="Due %(at)s", msgstr="截止"), ["placeholders differ"]),
        (polib.POEntry(msgid="Due %(at)s", msgstr=""), ["not translated"]),
        (polib.POEntry(msgid="Due %(at)s", msgstr="截止 %(at)s", flags=["fuzzy"]), ["unsure (fuzzy)"]),
    ],
)
def test_it_names_what_is_wrong_with_an_entry(entry: polib.POEntry, expected: list[str]) -> None:
    assert list(faults(entry, Text(None, "Due %(at)s"))) == expected


def test_it_reports_an_entry_no_source_uses() -> None:
    assert list(faults(polib.POEntry(msgid="Gone", msgstr="无"), None)) == ["no source uses this any more"]
