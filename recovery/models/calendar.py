from __future__ import annotations

from collections.abc import Collection
from datetime import time
from zoneinfo import ZoneInfo

import holidays
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recovery.business_hours import Holiday, Window, WorkingCalendar
from surveys.models.fields import check_time_zone

WEEKDAYS = [
    (0, _("Monday")),
    (1, _("Tuesday")),
    (2, _("Wednesday")),
    (3, _("Thursday")),
    (4, _("Friday")),
    (5, _("Saturday")),
    (6, _("Sunday")),
]


class Calendar(models.Model):
    """A working week with its holidays, in one zone. `version` rises with every change of its days."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[check_time_zone])
    country = models.CharField(
        _("country of its public holidays"),
        max_length=8,
        blank=True,
        help_text=_(
            "A code such as GB or CN. Its public holidays are filled in; days edited by hand are kept."
        ),
    )
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name = _("calendar")
        verbose_name_plural = _("calendars")

    def __str__(self) -> str:
        return self.name

    def as_working_calendar(self) -> WorkingCalendar:
        """The plain calendar the arithmetic works on; raises CalendarError where it has no open time."""
        return working_calendar(self.name, self.time_zone, list(self.hours.all()), list(self.days.all()))


def working_calendar(
    name: str, time_zone: str, hours: list[OpeningHours], days: list[CalendarDay]
) -> WorkingCalendar:
    return WorkingCalendar(
        zone=ZoneInfo(time_zone),
        windows=tuple(each.as_window() for each in hours),
        holidays=tuple(each.as_holiday() for each in days if each.kind != CalendarDay.WORKING),
        working_days=frozenset(each.date for each in days if each.kind == CalendarDay.WORKING),
        name=name,
    )


def minute_of(clock: time) -> int:
    return clock.hour * 60 + clock.minute


class OpeningHours(models.Model):
    calendar = models.ForeignKey(
        Calendar,
        on_delete=models.CASCADE,
        related_name="hours",
        verbose_name=_("calendar"),
    )
    days = ArrayField(models.SmallIntegerField(choices=WEEKDAYS), verbose_name=_("days"), size=7)
    opens = models.TimeField(_("opens"))
    closes = models.TimeField(
        _("closes"),
        help_text=_("00:00 is midnight at the end of the day; earlier than opening runs past it."),
    )

    class Meta:
        ordering = ["calendar", "id"]
        verbose_name = _("opening hours")
        verbose_name_plural = _("opening hours")

    def __str__(self) -> str:
        return f"{self.opens:%H:%M}-{self.closes:%H:%M}"

    def as_window(self) -> Window:
        closes = minute_of(self.closes) or 24 * 60
        return Window(days=frozenset(self.days), opens=minute_of(self.opens), closes=closes)

    def clean(self) -> None:
        if self.opens is not None and self.opens == self.closes and self.closes != time(0):
            raise ValidationError({"closes": _("Closing must differ from opening.")})
        if self.days is not None and not self.days:
            raise ValidationError({"days": _("Choose at least one day.")})


class CalendarDay(models.Model):
    """A local date that differs from its weekday: closed, with other hours, or worked although it is not."""

    CLOSED, HOURS, WORKING = "closed", "hours", "working"
    KINDS = [
        (CLOSED, pgettext_lazy("of a day", "closed")),
        (HOURS, _("other hours")),
        (WORKING, _("worked as a normal day")),
    ]

    calendar = models.ForeignKey(
        Calendar,
        on_delete=models.CASCADE,
        related_name="days",
        verbose_name=_("calendar"),
    )
    date = models.DateField(_("date"))
    name = models.CharField(_("name"), max_length=100, blank=True)
    kind = models.CharField(_("kind"), max_length=8, choices=KINDS, default=CLOSED)
    opens = models.TimeField(_("opens"), null=True, blank=True)
    closes = models.TimeField(_("closes"), null=True, blank=True)
    from_library = models.BooleanField(
        _("filled in"),
        default=False,
        help_text=_("Taken from the country's public holidays."),
    )

    class Meta:
        ordering = ["calendar", "date"]
        verbose_name = _("special day")
        verbose_name_plural = _("special days")
        constraints = [
            models.UniqueConstraint(fields=["calendar", "date"], name="one_special_day_per_date"),
            models.CheckConstraint(
                condition=Q(kind="hours", opens__isnull=False, closes__isnull=False)
                | (~Q(kind="hours") & Q(opens__isnull=True, closes__isnull=True)),
                name="special_day_hours_where_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.date} {self.name}".strip()

    def as_holiday(self) -> Holiday:
        if self.opens is None or self.closes is None:
            return Holiday(self.date, self.name)
        return Holiday(
            self.date,
            self.name,
            minute_of(self.opens),
            minute_of(self.closes) or 24 * 60,
        )

    def clean(self) -> None:
        has_hours = self.opens is not None and self.closes is not None
        if self.kind == self.HOURS and not has_hours:
            raise ValidationError({"opens": _("Give both hours, or choose “closed”.")})
        if self.kind != self.HOURS and (self.opens is not None or self.closes is not None):
            raise ValidationError({"kind": _("Choose “other hours” where hours are given.")})
        if has_hours and self.opens == self.closes and self.closes != time(0):
            raise ValidationError({"closes": _("Closing must differ from opening.")})


def fill_public_holidays(calendar: Calendar, years: Collection[int]) -> int:
    """Add the country's public holidays and the closed days worked in exchange; days already there stay.

    Returns how many were added.
    Raises NotImplementedError for a country the `holidays` package does not know.
    """
    country, _, region = calendar.country.upper().partition("-")
    table = holidays.country_holidays(country, subdiv=region or None, years=years)
    known = set(calendar.days.values_list("date", flat=True))
    usual = {day for hours in calendar.hours.all() for day in hours.days}
    found = [
        CalendarDay(calendar=calendar, date=day, name=name[:100], from_library=True)
        for day, name in sorted(table.items())
    ]
    found += [
        CalendarDay(calendar=calendar, date=day, kind=CalendarDay.WORKING, from_library=True)
        for day in sorted(getattr(table, "weekend_workdays", ()))
        if day.year in years and day.weekday() not in usual
    ]
    fresh = {day.date: day for day in reversed(found) if day.date not in known}
    CalendarDay.objects.bulk_create(fresh.values())
    return len(fresh)
