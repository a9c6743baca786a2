from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from dispatch.clock import now
from recovery.business_hours import CalendarError
from recovery.models import Calendar, CalendarDay, OpeningHours
from recovery.models.calendar import WEEKDAYS, fill_public_holidays, working_calendar


class OpeningHoursForm(forms.ModelForm[OpeningHours]):
    days = forms.TypedMultipleChoiceField(
        label=_("days"), choices=WEEKDAYS, coerce=int, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = OpeningHours
        fields = ("days", "opens", "closes")


class SomeOpenTime(BaseInlineFormSet[OpeningHours, Calendar, forms.ModelForm[OpeningHours]]):
    """A calendar in which nothing is ever open would leave every deadline without a due time."""

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        stated = [form for form in self.forms if form.has_changed() or form.instance.pk]
        kept = [form.instance for form in stated if form not in self.deleted_forms]
        try:
            working_calendar(self.instance.name, "UTC", kept, [])
        except CalendarError as error:
            raise forms.ValidationError(
                _("This calendar has no open time: add opening hours with at least one day. (%(why)s)"),
                params={"why": error},
                code="no_open_time",
            ) from error


class OpeningHoursInline(admin.TabularInline[OpeningHours, Calendar]):
    model = OpeningHours
    form = OpeningHoursForm
    formset = SomeOpenTime
    extra = 1


class CalendarDayInline(admin.TabularInline[CalendarDay, Calendar]):
    model = CalendarDay
    fields = ("date", "name", "kind", "opens", "closes", "from_library")
    readonly_fields = ("from_library",)
    extra = 1

    def get_queryset(self, request: HttpRequest) -> QuerySet[CalendarDay]:
        return super().get_queryset(request).filter(date__year__gte=now().year)


@admin.register(Calendar)
class CalendarAdmin(admin.ModelAdmin[Calendar]):
    list_display = ("name", "time_zone", "country", "version")
    search_fields = ("name", "time_zone")
    readonly_fields = ("version",)
    inlines = (OpeningHoursInline, CalendarDayInline)
    actions = ("fill_holidays",)

    def save_related(self, request: Any, form: Any, formsets: Any, change: bool) -> None:
        """A changed calendar is a new version: running deadlines are reckoned anew within seconds."""
        super().save_related(request, form, formsets, change)
        calendar = form.instance
        if change and (form.has_changed() or any(formset.has_changed() for formset in formsets)):
            Calendar.objects.filter(pk=calendar.pk).update(version=F("version") + 1)
        if "country" in form.changed_data and calendar.country:
            self.fill(request, calendar)

    @admin.action(description=_("Fill in public holidays of this year and the next"))
    def fill_holidays(self, request: HttpRequest, queryset: QuerySet[Calendar]) -> None:
        for calendar in queryset.exclude(country=""):
            self.fill(request, calendar)

    def fill(self, request: HttpRequest, calendar: Calendar) -> None:
        year = now().year
        try:
            count = fill_public_holidays(calendar, [year, year + 1])
        except NotImplementedError:
            text = _("No public holidays are known for “%(country)s”. Use a code such as GB, GB-ENG or CN.")
            self.message_user(request, text % {"country": calendar.country}, messages.WARNING)
            return
        if count:
            Calendar.objects.filter(pk=calendar.pk).update(version=F("version") + 1)
        told = ngettext(
            "%(count)d day was filled in for %(name)s.", "%(count)d days were filled in for %(name)s.", count
        )
        self.message_user(request, told % {"count": count, "name": calendar.name})
