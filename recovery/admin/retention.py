from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from recovery.models import ExpectedRetention


class RetentionForm(forms.ModelForm[ExpectedRetention]):
    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        low, high = given.get("low"), given.get("high")
        if low is not None and high is not None and low > high:
            raise ValidationError({"high": _("The upper end lies below the lower one.")})
        return given


@admin.register(ExpectedRetention)
class ExpectedRetentionAdmin(admin.ModelAdmin[ExpectedRetention]):
    """The assumption behind value at risk. A level without a row goes by the classic table:
    92-97, 80-85, 60-65, 15-20 and 0-5 percent."""

    form = RetentionForm
    list_display = ("level", "low", "high")
    ordering = ("-level",)
