from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from surveys.admin.readonly import KeptAdmin, ReadOnlyAdmin, ReadOnlyInline
from surveys.intake.csv_file import FileProblem
from surveys.intake.csv_mapping import profile_from_json
from surveys.models import Answer, Invitation, Response, ResponseVersion, Source


class SourceForm(forms.ModelForm[Source]):
    def clean_mapping(self) -> Any:
        mapping = self.cleaned_data["mapping"] or {}
        try:
            profile_from_json(mapping)
        except FileProblem as problem:
            raise ValidationError(str(problem)) from problem
        return mapping


@admin.register(Source)
class SourceAdmin(KeptAdmin[Source]):
    history = ("responses",)
    form = SourceForm
    list_display = ("name", "slug", "kind", "survey", "opens_tickets")
    list_select_related = ("survey",)
    list_filter = ("kind", "opens_tickets")
    search_fields = ("name", "slug")

    def get_readonly_fields(self, request: HttpRequest, obj: Source | None = None) -> tuple[str, ...]:
        return ("slug",) if obj else ()

    def get_prepopulated_fields(self, request: HttpRequest, obj: Source | None = None) -> dict[str, Any]:
        return {} if obj else {"slug": ("name",)}


class AnswerInline(ReadOnlyInline[Answer, Response]):
    model = Answer


class VersionInline(ReadOnlyInline[ResponseVersion, Response]):
    model = ResponseVersion


@admin.register(Response)
class ResponseAdmin(ReadOnlyAdmin[Response]):
    list_display = ("__str__", "band", "customer", "survey", "source", "state", "answered_at")
    list_select_related = ("customer", "survey", "source")
    list_filter = ("survey", "band", "state", "source")
    search_fields = ("external_id", "comment", "customer__name")
    date_hierarchy = "answered_at"
    inlines = (AnswerInline, VersionInline)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("customer__identities")


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin[Invitation]):
    list_display = ("customer", "survey", "purpose", "state", "reason", "send_at", "sent_at", "answered_at")
    list_select_related = ("customer", "survey")
    list_filter = ("state", "purpose", "survey", "reason")
    search_fields = ("customer__name", "customer__identities__value")
    date_hierarchy = "send_at"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("customer__identities")
