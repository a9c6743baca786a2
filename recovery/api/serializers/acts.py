"""What each act takes. A form checks shape; whether the act may happen now is for the act itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from recovery.api.serializers.calendars import ZoneName
from recovery.lifecycle.reply import LONGEST, REACHED_BY
from recovery.models import Cause, Department, GoodwillKind, SlaPolicy
from recovery.models.contact import CONTACT_OUTCOMES
from recovery.models.policy import DEADLINE_KINDS, RESOLUTION, TEN_YEARS
from surveys.api.strict import BySlug, Instant, Strict, Whole
from surveys.models.fields import CHANNELS

LONGEST_TEXT = 10_000
LONGEST_REASON = 300
LARGEST_ID = 2**63 - 1


class Text(serializers.CharField):
    """Required text of several lines."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": LONGEST_TEXT, **options})


class OptionalText(Text):
    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, allow_blank=True, default="", **options)


class Name(serializers.Field[Any, Any, Any, Any]):
    """An id, or the name people use for it."""

    def to_internal_value(self, data: Any) -> int | str:
        if type(data) is int or (isinstance(data, str) and data.strip()):
            return data.strip() if isinstance(data, str) else data
        raise ValidationError(_("Give an id or a name."))


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "integer"}]})
class IdOrName(Name):
    pass


@extend_schema_field(OpenApiTypes.STR)
class LocalTime(serializers.CharField):
    """A wall time to the minute, without an offset: the zone stands beside it."""

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        try:
            wall = datetime.strptime(text, "%Y-%m-%dT%H:%M")  # noqa: DTZ007  # local on purpose
        except ValueError:
            wall = None
        if wall is None or not 2000 <= wall.year < 2200:
            raise ValidationError(_("Give date and time, such as 2026-03-02T18:00."))
        return wall.strftime("%Y-%m-%dT%H:%M")


def cause_field(**options: Any) -> BySlug:
    return BySlug(slug_field="code", queryset=Cause.objects.filter(active=True), **options)


class AssignForm(Strict):
    owner = IdOrName(help_text="Username or id of a colleague of the team.")
    team = IdOrName(required=False, help_text="Name or id, to hand it to another team.")
    reason = OptionalText(max_length=LONGEST_REASON)


class ContactForm(Strict):
    outcome = serializers.ChoiceField(choices=CONTACT_OUTCOMES)
    channel = serializers.ChoiceField(choices=CHANNELS, default="phone")
    note = OptionalText()
    book_next = serializers.BooleanField(
        default=False, help_text="Book what the cadence proposes next in the same act."
    )


class UnreachableForm(Strict):
    reason = OptionalText()


class CallbackForm(Strict):
    action = serializers.ChoiceField(choices=["book", "move", "cancel"], default="book")
    local_time = LocalTime(required=False, help_text="2026-03-02T18:00, by the customer's clock.")
    time_zone = ZoneName(required=False, help_text="The customer's, if left out and known.")
    channel = serializers.ChoiceField(choices=CHANNELS, default="phone")
    note = OptionalText(max_length=LONGEST_REASON)
    reason = OptionalText(max_length=LONGEST_REASON, help_text="Why it is moved or cancelled.")

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if given["action"] != "cancel" and "local_time" not in given:
            raise ValidationError({"local_time": _("This is required.")})
        return given


class NoteForm(Strict):
    text = Text()


class WaitForm(Strict):
    reason = Text(max_length=LONGEST_REASON, help_text="What the customer must do first.")
    until = Instant(required=False, allow_null=True, default=None, help_text="When it resumes by itself.")


class ResumeForm(Strict):
    note = OptionalText()


class PriorityForm(Strict):
    priority = Whole(min_value=1, max_value=4, help_text="1 is urgent, 4 low.")
    reason = OptionalText(max_length=LONGEST_REASON)


class PolicyForm(Strict):
    policy = serializers.SlugRelatedField(
        slug_field="name", queryset=SlaPolicy.objects.all(), help_text="Name of the SLA policy."
    )
    reason = Text(max_length=LONGEST_REASON)


class ExtendForm(Strict):
    minutes = Whole(min_value=1, max_value=TEN_YEARS // 10, help_text="Working minutes more.")
    reason = Text(max_length=LONGEST_REASON)
    kind = serializers.ChoiceField(choices=DEADLINE_KINDS, default=RESOLUTION)


class NudgeForm(Strict):
    text = Text(max_length=LONGEST_REASON, help_text="What the owner is to read.")


class TakeOverForm(Strict):
    reason = OptionalText(max_length=LONGEST_REASON)


class EscalateForm(Strict):
    reason = Text(max_length=LONGEST_REASON, help_text="What help you need.")


class ResolveForm(Strict):
    cause_found = cause_field(help_text="Code of the cause staff found.")
    cause_said = cause_field(
        required=False, allow_null=True, default=None, help_text="What the customer said."
    )
    what_was_done = Text()


class ReopenForm(Strict):
    reason = Text(max_length=LONGEST_REASON)


class MergeForm(Strict):
    into = serializers.CharField(max_length=20, help_text="Number of the ticket that goes on.")
    reason = OptionalText(max_length=LONGEST_REASON)


class GoodwillForm(Strict):
    kind = serializers.SlugRelatedField(
        slug_field="name", queryset=GoodwillKind.objects.filter(active=True), help_text="Its name."
    )
    cost = serializers.DecimalField(max_digits=10, decimal_places=2, min_value=0, help_text="Such as 25.00.")
    note = OptionalText(max_length=LONGEST_REASON)


class RequestForm(Strict):
    department = serializers.SlugRelatedField(
        slug_field="name", queryset=Department.objects.filter(active=True), help_text="Its name."
    )
    title = Text(max_length=200, help_text="What is asked.")
    text = OptionalText()
    owner_name = OptionalText(max_length=200)
    owner_email = OptionalText(max_length=254, help_text="The department's own, if left out.")
    due_at = Instant(required=False, allow_null=True, default=None, help_text="Its usual time, if left out.")
    holds_ticket = serializers.BooleanField(
        default=False, help_text="Whether the ticket cannot be resolved before the answer."
    )


class GoodwillRowForm(Strict):
    goodwill = Whole(min_value=1, max_value=LARGEST_ID, help_text="Its id, as `goodwill` of the ticket.")


class RefuseGoodwillForm(GoodwillRowForm):
    reason = Text(max_length=LONGEST_REASON, help_text="Why not; who proposed it reads it.")


class ReplyForm(Strict):
    channel = serializers.ChoiceField(choices=sorted(REACHED_BY), default="email")
    subject = OptionalText(max_length=200, help_text="Of a mail; that of the thread, if left out.")
    text = Text(max_length=LONGEST)


class TakeBackForm(Strict):
    reply = Whole(min_value=1, max_value=LARGEST_ID, help_text="Its id, as `replies` of the ticket.")


class CauseForm(Strict):
    cause = cause_field(help_text="Code of the cause the customer names.")
