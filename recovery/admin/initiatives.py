from django.contrib import admin

from recovery.models import Initiative


@admin.register(Initiative)
class InitiativeAdmin(admin.ModelAdmin[Initiative]):
    """What was done about a cause. The page “Did the fix work?” counts before and after its day."""

    list_display = ("title", "cause", "since", "survey", "team")
    list_filter = ("cause", "survey", "team")
    list_select_related = ("cause", "survey", "team")
    search_fields = ("title", "note")
    date_hierarchy = "since"
    readonly_fields = ("made_at",)
    fields = ("title", "cause", "since", ("survey", "team"), "note", "made_at")
