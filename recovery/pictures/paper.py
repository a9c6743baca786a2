"""What every picture is written with: the frame, texts, and how long a text will be."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

WIDE: Final = 960
NARROW: Final = 328  # what a screen of 360 px leaves between its margins

FONT: Final = 12.0
LINE: Final = 15.0
SPACE: Final = 12.0
_LINK: Final = '<a class="part-link"'


@dataclass(frozen=True, slots=True)
class Labels:
    """What a picture is called and what it says in words, in the reader's language."""

    title: str
    description: str = ""


def is_narrow(width: float) -> bool:
    return width < 560


def svg(
    kind: str, width: float, height: float, labels: Labels, ident: str, parts: Sequence[str]
) -> SafeString:
    ident = escape(ident)
    kind = f"{kind} picture-{'narrow' if is_narrow(width) else 'wide'}"
    # An image has no parts for whoever does not see it; what holds links is a group of them.
    role = "group" if any(_LINK in part for part in parts) else "img"
    return as_markup(
        f'<svg class="{kind}" viewBox="0 0 {n(width)} {n(height)}" role="{role}"'
        f' aria-labelledby="{ident}-title" aria-describedby="{ident}-desc">'
        f'<title id="{ident}-title">{escape(labels.title)}</title>'
        f'<desc id="{ident}-desc">{escape(labels.description)}</desc>{"".join(parts)}</svg>'
    )


def as_markup(svg: str) -> SafeString:
    # Whatever came from outside was escaped where it was written: labels, titles, tones, idents.
    return mark_safe(svg)  # noqa: S308


def linked(href: str, told: str, content: str) -> str:
    """A part of a picture that opens what it counts; the part alone where there is nothing to open."""
    if not href:
        return content
    return f'{_LINK} href="{escape(href)}" aria-label="{escape(told)}">{content}</a>'


def text(kind: str, x: float, y: float, anchor: str, content: str) -> str:
    end = ' text-anchor="end"' if anchor == "end" else ""
    return f'<text class="{kind}" x="{n(x)}" y="{n(y)}" font-size="{n(FONT)}"{end}>{content}</text>'


def rect(kind: str, x: float, y: float, width: float, height: float) -> str:
    return f'<rect class="{kind}" x="{n(x)}" y="{n(y)}" width="{n(width)}" height="{n(height)}"/>'


def n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def grouped(number: int) -> str:
    return f"{number:,}"


def measured(text: str) -> float:
    """About how many pixels a text takes in a system font, on the safe side; there is no font here to ask."""
    return sum(FONT * _width_of(sign) for sign in text)


def measured_bold(text: str) -> float:
    return measured(str(text)) * 1.12


def _width_of(sign: str) -> float:
    if unicodedata.east_asian_width(sign) in "WF":
        return 1.0
    if sign in "iljtfrI.,:;'|!()[] ":
        return 0.38
    if sign in "%@mwMW":
        return 0.95
    return 0.7 if sign.isupper() else 0.63


def halves(text: str) -> list[str]:
    """The two lines of nearly equal length a text breaks into, between words or anywhere in Chinese."""
    breaks = [
        (text[:at].rstrip(), text[at:].lstrip())
        for at in range(1, len(text))
        if text[at] == " " or unicodedata.east_asian_width(text[at - 1]) in "WF"
    ]
    if not breaks:
        return [text]
    return list(min(breaks, key=lambda lines: max(map(measured, lines))))


def fitted(text: str, room: float) -> str:
    if measured(text) <= room:
        return text
    kept = text
    while kept and measured(kept) + FONT > room:
        kept = kept[:-1]
    return kept.rstrip() + "…"
