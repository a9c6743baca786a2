from typing import Any

from django import forms

from surveys.models import Response


def bands_field(db_field: Any) -> forms.MultipleChoiceField:
    """Bands as boxes to tick; none ticked means any band."""
    return forms.MultipleChoiceField(
        label=db_field.verbose_name,
        choices=Response.BANDS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
