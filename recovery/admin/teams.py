from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError

from recovery.assignment.leave import check_leave
from recovery.models import Leave, Membership, Team


class MembershipInline(admin.TabularInline[Membership, Team]):
    model = Membership
    extra = 1
    autocomplete_fields = ("user",)


@admin.register(Team)
class TeamAdmin(admin.ModelAdmin[Team]):
    list_display = ("name", "parent", "supervisor", "strategy", "calendar", "policy", "is_fallback")
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


class LeaveForm(forms.ModelForm[Leave]):
    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if not self.errors:
            try:
                check_leave(self.instance)
            except ValidationError as refused:
                self.add_error(None, refused)


@admin.register(Leave)
class LeaveAdmin(admin.ModelAdmin[Leave]):
    form = LeaveForm
    list_display = ("user", "starts_at", "ends_at", "cover", "note")
    list_select_related = ("user", "cover")
    list_filter = ("starts_at",)
    search_fields = ("user__username", "user__first_name", "user__last_name")
    autocomplete_fields = ("user", "cover")
    date_hierarchy = "starts_at"
