from typing import Any, Final

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from dispatch import clock
from surveys.messages import rules
from surveys.models import Consent, SendingRules

HELD_BECAUSE: Final[dict[str, str | Promise]] = {
    rules.VOLUME: _("far more fell due at once than is usual"),
    rules.CLOCK: _("the clock of the database leapt"),
}


@admin.register(SendingRules)
class SendingRulesAdmin(admin.ModelAdmin[SendingRules]):
    """The one row. What stops and releases is done on the page of sending, where it says what it means."""

    fields = (
        ("quiet_from", "quiet_until"),
        "per_minute",
        "per_person_per_day",
        "consent_required",
        ("paused_at", "paused_by", "paused_why"),
        ("held_at", "held_because"),
        ("released_at", "released_by"),
    )
    readonly_fields = (
        "paused_at",
        "paused_by",
        "paused_why",
        "held_at",
        "held_because",
        "released_at",
        "released_by",
    )

    @admin.display(description=_("held because"), empty_value="-")
    def held_because(self, row: SendingRules) -> str | Promise | None:
        return HELD_BECAUSE.get(row.held_why, row.held_why) or None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: SendingRules | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Straight to the row."""
        if not self.has_view_or_change_permission(request):
            return super().changelist_view(request, extra_context)
        kept, _made = SendingRules.objects.get_or_create(pk=SendingRules.ONLY)
        return redirect("admin:surveys_sendingrules_change", kept.pk)

    def save_model(self, request: HttpRequest, obj: SendingRules, form: Any, change: bool) -> None:
        # Only what was edited: a stop or a release that came meanwhile stands.
        if form.changed_data:
            obj.save(update_fields=form.changed_data)


@admin.register(Consent)
class ConsentAdmin(admin.ModelAdmin[Consent]):
    """A ledger: what was said is added to, never changed."""

    list_display = ("customer", "channel", "given", "source", "wording", "at")
    list_filter = ("given", "channel")
    list_select_related = ("customer",)
    search_fields = ("customer__name", "customer__identities__value")
    autocomplete_fields = ("customer",)
    readonly_fields = ("at",)
    show_full_result_count = False

    def has_change_permission(self, request: HttpRequest, obj: Consent | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Consent | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("customer__identities")

    def save_model(self, request: HttpRequest, obj: Consent, form: Any, change: bool) -> None:
        obj.at = clock.now()
        super().save_model(request, obj, form, change)
