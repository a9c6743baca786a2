from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from dispatch import clock
from surveys.admin.readonly import KeptAdmin
from surveys.intake.text import InputError, clean_email, clean_line, clean_phone
from surveys.messages.suppression import normalise
from surveys.models import Account, Customer, CustomerIdentity, Suppression

CLEANERS = {"email": clean_email, "phone": clean_phone, "external_id": clean_line}


class IdentityForm(forms.ModelForm[CustomerIdentity]):
    """Writes an identity as intake does, so that answers find it."""

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        clean = CLEANERS.get(given.get("kind", ""))
        if clean and given.get("value"):
            try:
                given["value"] = clean(given["value"], "value")
            except InputError as error:
                raise ValidationError({"value": error.reason}) from error
        return given


class IdentityInline(admin.TabularInline[CustomerIdentity, Customer]):
    model = CustomerIdentity
    form = IdentityForm
    extra = 1


@admin.register(Account)
class AccountAdmin(admin.ModelAdmin[Account]):
    list_display = ("name", "external_id", "owner")
    list_select_related = ("owner",)
    search_fields = ("name", "external_id")
    autocomplete_fields = ("owner",)


@admin.register(Customer)
class CustomerAdmin(KeptAdmin[Customer]):
    history = ("responses", "invitations")
    list_display = ("__str__", "account", "tier", "annual_value", "locale", "created_at")
    list_select_related = ("account",)
    list_filter = ("tier", "locale", "preferred_channel")
    search_fields = ("name", "identities__value", "account__name")
    autocomplete_fields = ("account",)
    readonly_fields = ("created_at",)
    inlines = (IdentityInline,)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("identities")

    def save_model(self, request: HttpRequest, obj: Customer, form: Any, change: bool) -> None:
        if not change:
            obj.created_at = clock.now()
        super().save_model(request, obj, form, change)


class SuppressionForm(forms.ModelForm[Suppression]):
    """Writes an address as the gate compares it."""

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("address"):
            given["address"] = normalise(given["address"])
        return given


@admin.register(Suppression)
class SuppressionAdmin(admin.ModelAdmin[Suppression]):
    form = SuppressionForm
    list_display = ("address", "channel", "reason", "created_at")
    list_filter = ("reason", "channel")
    search_fields = ("address",)
    readonly_fields = ("created_at",)

    def save_model(self, request: HttpRequest, obj: Suppression, form: Any, change: bool) -> None:
        if not change:
            obj.created_at = clock.now()
        super().save_model(request, obj, form, change)
