from collections.abc import Callable
from typing import Any

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from surveys.models import Response


def bands_field(db_field: Any) -> forms.MultipleChoiceField:
    """Bands as boxes to tick; none ticked means any band."""
    return forms.MultipleChoiceField(
        label=db_field.verbose_name,
        choices=Response.BANDS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


class Suggested(forms.TextInput):
    """A line of text with what is usually written there offered; `choices` is asked when it is shown."""

    def __init__(self, choices: Callable[[], list[str]]) -> None:
        super().__init__(attrs={"autocomplete": "off", "spellcheck": "false"})
        self.choices = choices

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        list_id = f"{name}-known"
        line = super().render(name, value, {**(attrs or {}), "list": list_id}, renderer)
        options = format_html_join("", '<option value="{}"></option>', ((each,) for each in self.choices()))
        return format_html('{}<datalist id="{}">{}</datalist>', line, list_id, options)


def several_of(db_field: Any) -> forms.MultipleChoiceField:
    """The choices of a list as boxes to tick."""
    return forms.MultipleChoiceField(
        label=db_field.verbose_name,
        choices=db_field.base_field.choices,
        required=False,
        help_text=db_field.help_text,
        widget=forms.CheckboxSelectMultiple,
    )
