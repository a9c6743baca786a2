from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from recovery.models import Escalation, Resurvey, Ticket, TicketEvent


class ReadOnly(admin.ModelAdmin[Any]):
    """History is looked at here and made on the desk, where every act leaves its event."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Ticket)
class TicketAdmin(ReadOnly):
    list_display = (
        "number",
        "customer",
        "status",
        "cycle",
        "priority",
        "team",
        "owner",
        "opened_at",
        "on_desk",
    )
    list_select_related = ("customer", "team", "owner")
    list_filter = ("status", "priority", "team", "outcome")
    search_fields = ("number", "customer__name")
    date_hierarchy = "opened_at"
    show_full_result_count = False

    @admin.display(description=_("on the desk"))
    def on_desk(self, ticket: Ticket) -> str:
        return format_html('<a href="{}">{}</a>', reverse("ticket", args=[ticket.number]), ticket.number)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("customer__identities")


@admin.register(TicketEvent)
class TicketEventAdmin(ReadOnly):
    list_display = ("ticket", "kind", "cycle", "at", "by_name", "text")
    list_select_related = ("ticket",)
    list_filter = ("kind",)
    search_fields = ("ticket__number", "text")
    show_full_result_count = False


@admin.register(Escalation)
class EscalationAdmin(ReadOnly):
    list_display = ("ticket", "level", "recipient_name", "at", "reason")
    list_select_related = ("ticket",)
    list_filter = ("level",)
    search_fields = ("ticket__number", "recipient_name")


@admin.register(Resurvey)
class ResurveyAdmin(ReadOnly):
    list_display = ("ticket", "cycle", "state", "due_at", "reason", "outcome")
    list_select_related = ("ticket",)
    list_filter = ("state", "outcome", "reason")
    search_fields = ("ticket__number",)
