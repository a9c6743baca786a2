"""A calendar as the preview takes it: by id, or written out."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import Direction, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from recovery.api.serializers.tickets import Ledger
from recovery.business_hours import CalendarError, Holiday, Window, WorkingCalendar, parse_minutes
from recovery.deadlines import MOST_MINUTES
from recovery.models import Calendar
from surveys.api.strict import Instant, Strict, Whole
from surveys.models.fields import is_time_zone

MOST_WINDOWS, MOST_DAYS, MOST_WAITS = 100, 5_000, 1_000


@extend_schema_field({"type": "string", "pattern": "^[0-9]{1,2}:[0-5][0-9]$", "example": "09:00"})
class Clock(serializers.Field[int, Any, str, Any]):
    """Minutes after midnight of "HH:MM", up to 24:00."""

    def to_internal_value(self, data: Any) -> int:
        try:
            return parse_minutes(data if isinstance(data, str) else "")
        except CalendarError as error:
            raise ValidationError(error.message) from None


class ZoneName(serializers.CharField):
    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        if not is_time_zone(name):
            raise ValidationError(_("Give a time zone such as Europe/London or Asia/Shanghai."))
        return name


class WindowGiven(Strict):
    days = serializers.ListField(child=Whole(), max_length=7, help_text="Monday is 0.")
    open = Clock()
    close = Clock(help_text="24:00 is possible; earlier than `open` it runs past midnight.")


class HolidayGiven(Strict):
    date = serializers.DateField()
    open = Clock(required=False, allow_null=True)
    close = Clock(required=False, allow_null=True)
    name = serializers.CharField(required=False, max_length=100, default="")


class CalendarGiven(Strict):
    time_zone = ZoneName()
    windows = serializers.ListField(child=WindowGiven(), max_length=MOST_WINDOWS)
    holidays = serializers.ListField(child=HolidayGiven(), required=False, max_length=MOST_DAYS)
    working_days = serializers.ListField(child=serializers.DateField(), required=False, max_length=MOST_DAYS)

    def working_calendar(self) -> WorkingCalendar:
        """Raises CalendarError."""
        given = self.validated_data
        return WorkingCalendar(
            zone=ZoneInfo(given["time_zone"]),
            windows=tuple(Window(frozenset(w["days"]), w["open"], w["close"]) for w in given["windows"]),
            holidays=tuple(
                Holiday(day["date"], day["name"], day.get("open"), day.get("close"))
                for day in given.get("holidays", [])
            ),
            working_days=frozenset(given.get("working_days", [])),
        )


class AnyCalendar(serializers.Field[WorkingCalendar, Any, Any, Any]):
    """The id of a calendar that is kept, or a calendar written out. Errors name their place in it."""

    def to_internal_value(self, data: Any) -> WorkingCalendar:
        try:
            return written_out(data) if isinstance(data, dict) else kept(data)
        except CalendarError as error:
            raise ValidationError({error.where: [error.message]}) from None


class AnyCalendarDescribed(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """For the schema, which learns of the written-out form only here."""

    target_class = AnyCalendar

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        form = auto_schema.resolve_serializer(CalendarGiven, direction)
        return {"oneOf": [{"type": "integer"}, form.ref]}


def written_out(data: dict[str, Any]) -> WorkingCalendar:
    form = CalendarGiven(data=data)
    form.is_valid(raise_exception=True)
    return form.working_calendar()


def kept(pk: Any) -> WorkingCalendar:
    calendar = Calendar.objects.filter(pk=pk).first() if type(pk) is int else None
    if calendar is None:
        raise ValidationError(_("Give the id of a calendar, or a calendar written out."))
    return calendar.as_working_calendar()


@extend_schema_field(OpenApiTypes.NUMBER)
class Minutes(serializers.Field[float, Any, float, Any]):
    """A number of working minutes from 0 to ten years; parts of a minute are possible."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float) or not 0 <= data <= MOST_MINUTES:
            raise ValidationError(_("Give a number of minutes from 0 to %(most)s.") % {"most": MOST_MINUTES})
        return data


class WaitGiven(Strict):
    """A time in which the clock stands; without an end it stands from then on."""

    def get_fields(self) -> dict[str, Any]:
        return {"from": Instant(), "to": Instant(required=False, allow_null=True)}

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if given.get("to") and given["to"] < given["from"]:
            raise ValidationError({"to": _("This wait ends before it begins.")})
        return given


class PreviewGiven(Strict):
    calendar = AnyCalendar()
    start = Instant()
    minutes = Minutes()
    waiting = serializers.ListField(child=WaitGiven(), required=False, max_length=MOST_WAITS)

    def waits(self) -> list[tuple[dt.datetime, dt.datetime | None]]:
        return [(wait["from"], wait.get("to")) for wait in self.validated_data.get("waiting", [])]


class PreviewShown(serializers.Serializer[Any]):
    due_at = serializers.DateTimeField(allow_null=True, help_text="null while an open wait stops the clock.")
    ledger = Ledger()
