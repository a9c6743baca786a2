from django.contrib import admin

from recovery.models import Target


@admin.register(Target)
class TargetAdmin(admin.ModelAdmin[Target]):
    """Where a number should be by a day. The page of targets judges each with its interval."""

    list_display = ("metric", "value", "by_day", "team", "survey", "set_at")
    list_filter = ("metric", "team", "survey")
    list_select_related = ("team", "survey")
    readonly_fields = ("set_at",)
    date_hierarchy = "by_day"
