from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from recovery.models import Cadence, CadenceStep


class CadenceStepInline(admin.TabularInline[CadenceStep, Cadence]):
    model = CadenceStep
    extra = 1
    verbose_name_plural = _("when to try again, by how the attempt ended")


@admin.register(Cadence)
class CadenceAdmin(admin.ModelAdmin[Cadence]):
    """When to try again after a call that reached nobody. A change holds from the next attempt on."""

    list_display = ("name", "name_zh", "is_default", "other_channel_after", "unreachable_after")
    search_fields = ("name", "name_zh")
    readonly_fields = ("is_default",)
    inlines = (CadenceStepInline,)
    actions = ("make_default",)

    @admin.action(description=_("Make it the default"), permissions=["change"])
    def make_default(self, request: HttpRequest, queryset: QuerySet[Cadence]) -> None:
        chosen = queryset.first()
        if chosen is None or queryset.count() > 1:
            self.message_user(request, _("Choose one cadence."), messages.WARNING)
            return
        with transaction.atomic():
            Cadence.objects.filter(is_default=True).update(is_default=False)
            Cadence.objects.filter(pk=chosen.pk).update(is_default=True)
        self.message_user(request, _("This is the default cadence now: %(name)s.") % {"name": chosen})
