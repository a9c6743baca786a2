from typing import Any, TypeVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

Row = TypeVar("Row", bound=Model)
Parent = TypeVar("Parent", bound=Model)


class ReadOnlyAdmin(admin.ModelAdmin[Row]):
    """To look at: what came in or went out is changed by acts, never by hand."""

    # A second count of the whole table for every search is not worth its wait.
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False


class KeptAdmin(admin.ModelAdmin[Row]):
    """What history hangs on stays: no delete while any of these relations holds a row, and no bulk delete."""

    # A second count of the whole table for every search is not worth its wait.
    show_full_result_count = False

    history: tuple[str, ...] = ()

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        if obj is not None and any(getattr(obj, name).exists() for name in self.history):
            return False
        return super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {name: act for name, act in super().get_actions(request).items() if name != "delete_selected"}


class ReadOnlyInline(admin.TabularInline[Row, Parent]):
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
