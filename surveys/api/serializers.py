"""What the surveys room shows as JSON."""

from typing import Any

from rest_framework import serializers

from surveys.api.strict import BySlug, Instant, Strict
from surveys.models import Customer, Invitation, Question, Survey


class CustomerShown(serializers.ModelSerializer[Customer]):
    external_id = serializers.CharField(read_only=True)
    email = serializers.CharField(read_only=True)
    phone = serializers.CharField(read_only=True)
    account = serializers.CharField(source="account.name", default="", read_only=True)

    class Meta:
        model = Customer
        fields = [
            *("id", "external_id", "name", "email", "phone", "locale", "time_zone", "account"),
            *("annual_value", "tier", "attributes", "preferred_channel", "preferred_time", "created_at"),
        ]
        read_only_fields = fields


class CustomerGiven(Strict):
    """external_id, email or phone is needed, to find the person again. For the schema: intake reads it."""

    external_id = serializers.CharField(required=False, max_length=200)
    name = serializers.CharField(required=False, max_length=200)
    email = serializers.EmailField(required=False)
    phone = serializers.CharField(required=False, max_length=40, help_text="Best with its country: +44 …")
    locale = serializers.CharField(required=False, help_text="A language tag: en, zh-CN.")
    time_zone = serializers.CharField(required=False, help_text="Europe/London, Asia/Shanghai.")
    account = serializers.CharField(required=False, help_text="External id or name of the firm or household.")
    annual_value = serializers.DecimalField(required=False, max_digits=14, decimal_places=2, min_value=0)
    tier = serializers.CharField(required=False, max_length=40)
    attributes = serializers.DictField(required=False, help_text="At most 50 names with plain values.")


class QuestionShown(serializers.ModelSerializer[Question]):
    class Meta:
        model = Question
        fields = ["key", "kind", "position", "text", "text_zh", "options", "driver", "asks", "active"]
        read_only_fields = fields


class SurveyShown(serializers.ModelSerializer[Survey]):
    questions = QuestionShown(many=True, read_only=True)

    class Meta:
        model = Survey
        fields = [
            *("slug", "name", "name_zh", "line", "kind", "lowest", "highest", "best", "low_cut", "high_cut"),
            *("active", "answer_days", "cooldown_days", "questions"),
        ]
        read_only_fields = fields


class InvitationShown(serializers.ModelSerializer[Invitation]):
    survey = serializers.SlugRelatedField[Survey](slug_field="slug", read_only=True)

    class Meta:
        model = Invitation
        fields = [
            *("id", "survey", "customer", "purpose", "channel", "touchpoint", "state", "reason", "send_at"),
            *("sent_at", "expires_at", "answered_at", "created_at"),
        ]
        read_only_fields = fields


class InvitationGiven(Strict):
    """Asks one customer. Whether that is allowed is judged when it is due; `reason` then says why not."""

    survey = BySlug(slug_field="slug", queryset=Survey.objects.filter(active=True))
    customer = serializers.PrimaryKeyRelatedField(queryset=Customer.objects.all())
    send_at = Instant(required=False, help_text="Now, if left out.")
    touchpoint = serializers.CharField(required=False, max_length=100, default="")

    def get_fields(self) -> Any:
        """The door says whom this person may ask."""
        fields: Any = super().get_fields()
        fields["customer"].queryset = self.context.get("people", Customer.objects.all())
        return fields
