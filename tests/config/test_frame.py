"""The frame: what every page stands in. Read as files and rendered as pages; no database is needed."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django import forms
from django.contrib.auth.models import AnonymousUser
from django.template.loader import render_to_string
from django.test import RequestFactory

CONFIG = Path(__file__).parents[2] / "config"
STYLES = CONFIG / "static" / "site"
TEMPLATES = sorted((CONFIG / "templates").rglob("*.html"))
MONDAY = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)

WORDS_ON_GROUND = ["ink", "ink-2", "ink-3", "accent"]
MEANINGS = ["late", "soon", "met", "paused", "detractor", "passive", "promoter"]


def values(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", block))


def token_sets() -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    light, wished, chosen = re.split(
        r"@media[^{]+{|:root\[data-theme=\"dark\"\]", (STYLES / "tokens.css").read_text()
    )
    return values(light), values(wished), values(chosen)


def luminance(colour: str) -> float:
    def linear(channel: int) -> float:
        share = channel / 255
        return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)

    red, green, blue = (linear(int(colour[i : i + 2], 16)) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The WCAG 2.2 contrast ratio, 1 to 21."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_it_measures_contrast_as_the_standard_does() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("which", [0, 1], ids=["light", "dark"])
def test_it_can_be_read_in_both_sets_of_values(which: int) -> None:
    colour = token_sets()[which]
    pairs = [(word, ground) for word in [*WORDS_ON_GROUND, *MEANINGS] for ground in ("ground", "ground-2")]
    pairs += [(meaning, f"{meaning}-soft") for meaning in MEANINGS]
    pairs += [("ink", "accent-soft"), ("ink-2", "accent-soft"), ("ink-2", "ground-3"), ("ink", "ground-3")]
    pairs += [("accent-ink", "accent"), ("inverse-ink", "inverse")]
    faint = {pair: round(contrast(colour[pair[0]], colour[pair[1]]), 2) for pair in pairs}
    assert {pair: ratio for pair, ratio in faint.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("which", [0, 1], ids=["light", "dark"])
def test_it_draws_fields_and_silent_shares_so_that_they_are_seen(which: int) -> None:
    colour = token_sets()[which]
    assert contrast(colour["control"], colour["ground"]) >= 3
    assert contrast(colour["silent"], colour["ground"]) >= 3


def test_it_is_one_dark_whether_the_device_wished_it_or_the_person_chose_it() -> None:
    light, wished, chosen = token_sets()
    assert wished == chosen
    assert wished.keys() == light.keys()


def test_a_table_wider_than_its_place_bears_a_shadow_where_more_lies_beyond() -> None:
    """Covers that go along with the table lie on shadows that stay, at either edge and in both colours."""
    styles = (STYLES / "lists.css").read_text()
    rule = re.search(r"\.table-scroll {\s+overflow-x: auto;\s+background:([^;]+);", styles)
    assert rule is not None
    layers = [line.strip() for line in rule[1].strip().splitlines()]
    told = [re.search(r"(--[a-z-]+).*\) (left|right) .* (local|scroll)", line) for line in layers]
    assert [each.groups() for each in told if each] == [
        ("--ground", "left", "local"),
        ("--ground", "right", "local"),
        ("--line-strong", "left", "scroll"),
        ("--line-strong", "right", "scroll"),
    ]


def test_it_uses_only_tokens_that_exist() -> None:
    known = set(re.findall(r"(--[a-z0-9-]+):", (STYLES / "tokens.css").read_text())) | {"--tone"}
    used = {
        (path.name, token)
        for path in STYLES.glob("*.css")
        for token in re.findall(r"var\((--[a-z0-9-]+)", path.read_text())
    }
    assert {pair for pair in used if pair[1] not in known} == set()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_it_keeps_to_the_content_security_policy(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|hx-on", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert not re.search(r"(src|href)=.https?:", text)


def test_it_has_every_icon_its_templates_name() -> None:
    drawn = set(re.findall(r'symbol id="([a-z]+)"', (STYLES / "icons.svg").read_text()))
    named = {
        name
        for path in TEMPLATES
        for name in re.findall(r'parts/icon.html" with name="([a-z]+)"', path.read_text())
    }
    menu = {"inbox", "phone", "clock", "ticket", "people", "chart", "form", "mail", "gear", "pulse"}
    assert named
    assert (named | menu) - drawn == set()


@pytest.mark.parametrize("name", ["400", "500", "503"])
def test_it_renders_without_any_context_when_little_is_left_standing(name: str) -> None:
    page = render_to_string(f"{name}.html")
    assert "<h1>" in page


@pytest.mark.parametrize("name", ["500", "503"])
def test_it_says_in_both_languages_that_it_broke(name: str) -> None:
    text = (CONFIG / "templates" / f"{name}.html").read_text()
    assert "{%" not in text
    assert 'lang="zh-Hans"' in text


def test_it_tells_somebody_locked_out_how_long() -> None:
    page = render_to_string("axes_lockout.html", {"cooloff_timedelta": timedelta(minutes=15)})
    assert "Try again in 15 minutes" in page
    assert "an administrator" in render_to_string("axes_lockout.html", {})


def test_it_says_a_band_and_a_time_in_words_beside_the_colour() -> None:
    score = render_to_string("parts/score_chip.html", {"score": 2, "band": "detractor"})
    assert "Score 2, detractor" in score
    chip = {"at": MONDAY, "state": "late", "text": "late 35 min", "title": "due Mon 2 Mar 15:00 Shanghai"}
    late = render_to_string("parts/time_chip.html", chip)
    assert "late 35 min" in late
    assert "data-tick" in late
    assert "#alert" in late


def test_it_shows_a_score_of_nought_and_an_absent_one_differently() -> None:
    assert ">0<" in render_to_string("parts/score_chip.html", {"score": 0, "band": "detractor"})
    assert "No answer" in render_to_string("parts/score_chip.html", {"score": None, "band": ""})


def test_it_does_not_let_a_paused_clock_tick() -> None:
    paused = render_to_string(
        "parts/time_chip.html", {"at": MONDAY, "state": "paused", "text": "paused, 3 h left"}
    )
    assert "data-tick" not in paused


class Found(forms.Form):
    found = forms.CharField(label="What we found", help_text="In your own words.")


def test_it_puts_the_error_beside_its_field_and_ties_them_for_readers() -> None:
    page = render_to_string("parts/field.html", {"field": Found({"found": ""})["found"]})
    described = re.search(r'aria-describedby="([^"]+)"', page)
    assert described
    assert all(f'id="{name}"' in page for name in described.group(1).split())
    assert "This field is required." in page
    assert 'aria-invalid="true"' in page


def test_it_escapes_what_a_customer_wrote() -> None:
    page = render_to_string("parts/person.html", {"name": "<b>Zhang</b>"})
    assert "<b>" not in page


def test_it_gives_the_skip_link_somewhere_to_go() -> None:
    request = RequestFactory().get("/tickets/?q=R-1042")
    request.user = AnonymousUser()
    page = render_to_string("base.html", {"request": request})
    assert 'href="#page"' in page
    assert 'id="page"' in page
    assert 'value="R-1042"' in page
