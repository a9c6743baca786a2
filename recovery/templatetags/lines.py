"""Where a long value without spaces may go on in the next line."""

from __future__ import annotations

import re
from typing import Final

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

BEFORE: Final = re.compile(r"(?=@)")
AFTER: Final = re.compile(r"(?<=[/_])")


@register.filter
def may_break(value: object) -> SafeString:
    """Europe/London after its stroke, a mail address before its @."""
    parts = [part for half in BEFORE.split(str(value)) for part in AFTER.split(half)]
    return mark_safe("<wbr>".join(escape(part) for part in parts))  # noqa: S308 - each part is escaped
