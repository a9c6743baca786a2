from typing import Any

from django.contrib import admin

from recovery.admin.tickets import ReadOnly
from recovery.models import Department, Goodwill, GoodwillBudget, GoodwillKind, GoodwillLimit, Request


@admin.register(Department)
class DepartmentAdmin(admin.ModelAdmin[Department]):
    list_display = ("name", "name_zh", "email", "lead_email", "minutes", "calendar", "active")
    list_select_related = ("calendar",)
    list_filter = ("active",)
    search_fields = ("name", "name_zh", "email")

    def has_delete_permission(self, request: Any, obj: Department | None = None) -> bool:
        """One that was asked stays: switch it off instead."""
        if obj is not None and obj.requests.exists():
            return False
        return super().has_delete_permission(request, obj)


@admin.register(GoodwillKind)
class GoodwillKindAdmin(admin.ModelAdmin[GoodwillKind]):
    list_display = ("name", "name_zh", "usual_cost", "active")
    list_filter = ("active",)
    search_fields = ("name", "name_zh")


@admin.register(GoodwillLimit)
class GoodwillLimitAdmin(admin.ModelAdmin[GoodwillLimit]):
    list_display = ("role", "cost")


@admin.register(GoodwillBudget)
class GoodwillBudgetAdmin(admin.ModelAdmin[GoodwillBudget]):
    list_display = ("team", "monthly")
    list_select_related = ("team",)


@admin.register(Goodwill)
class GoodwillAdmin(ReadOnly):
    list_display = ("ticket", "kind", "cost", "state", "at", "by_name", "decided_by_name")
    list_select_related = ("ticket", "kind")
    list_filter = ("state", "kind", "team")
    search_fields = ("ticket__number", "by_name")
    show_full_result_count = False


@admin.register(Request)
class RequestAdmin(ReadOnly):
    list_display = ("ticket", "department", "title", "state", "due_at", "answered_at")
    list_select_related = ("ticket", "department")
    list_filter = ("state", "department")
    search_fields = ("ticket__number", "title")
    show_full_result_count = False
