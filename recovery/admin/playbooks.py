from __future__ import annotations

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from recovery.lifecycle.canned import PLACEHOLDERS, unknown_placeholders
from recovery.models import CannedText, NextIssue, Playbook, PlaybookStep

KNOWN = " ".join(f"{{{name}}}" for name in PLACEHOLDERS)


class PlaybookStepInline(admin.TabularInline[PlaybookStep, Playbook]):
    model = PlaybookStep
    extra = 1


@admin.register(Playbook)
class PlaybookAdmin(admin.ModelAdmin[Playbook]):
    """What to say and check; causes and rules point to it."""

    list_display = ("name", "name_zh", "active")
    list_filter = ("active",)
    search_fields = ("name", "name_zh", "guide", "guide_zh")
    inlines = (PlaybookStepInline,)


@admin.register(NextIssue)
class NextIssueAdmin(admin.ModelAdmin[NextIssue]):
    list_display = ("cause", "follows", "tip", "tip_zh")
    list_filter = ("cause",)
    list_select_related = ("cause", "follows")


class CannedTextForm(forms.ModelForm[CannedText]):
    """A blank nobody can fill in would reach a customer as it stands: it is refused here."""

    class Meta:
        model = CannedText
        fields = ("name", "name_zh", "text", "text_zh", "channel", "team", "cause", "active")

    def clean_text(self) -> str:
        return self.checked("text")

    def clean_text_zh(self) -> str:
        return self.checked("text_zh")

    def checked(self, field: str) -> str:
        text = str(self.cleaned_data[field])
        unknown = unknown_placeholders(text)
        if unknown:
            raise forms.ValidationError(
                _("“%(unknown)s” cannot be filled in. These can: %(known)s"),
                params={"unknown": unknown[0], "known": KNOWN},
                code="unknown_placeholder",
            )
        return text


@admin.register(CannedText)
class CannedTextAdmin(admin.ModelAdmin[CannedText]):
    form = CannedTextForm
    list_display = ("name", "channel", "team", "cause", "active")
    list_filter = ("active", "channel", "team", "cause")
    list_select_related = ("team", "cause")
    search_fields = ("name", "name_zh", "text", "text_zh")
