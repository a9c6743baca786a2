from typing import Any

from django.contrib import admin

from recovery.models import Leave, Membership, Team


class MembershipInline(admin.TabularInline[Membership, Team]):
    model = Membership
    extra = 1
    autocomplete_fields = ("user",)


@admin.register(Team)
class TeamAdmin(admin.ModelAdmin[Team]):
    list_display = ("name", "parent", "supervisor", "calendar", "policy", "is_fallback")
    list_select_related = ("parent", "supervisor", "calendar", "policy")
    list_filter = ("calendar", "policy")
    search_fields = ("name", "name_zh")
    autocomplete_fields = ("supervisor",)
    inlines = (MembershipInline,)

    def has_delete_permission(self, request: Any, obj: Team | None = None) -> bool:
        """A team with tickets stays: its history is theirs."""
        if obj is not None and obj.tickets.exists():
            return False
        return super().has_delete_permission(request, obj)


@admin.register(Leave)
class LeaveAdmin(admin.ModelAdmin[Leave]):
    list_display = ("user", "starts_at", "ends_at", "note")
    list_select_related = ("user",)
    list_filter = ("starts_at",)
    search_fields = ("user__username", "user__first_name", "user__last_name")
    autocomplete_fields = ("user",)
    date_hierarchy = "starts_at"
