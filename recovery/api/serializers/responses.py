"""A response as it is sent and as it is answered."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from surveys.api.serializers import CustomerGiven
from surveys.api.strict import Instant, Strict
from surveys.models import Response


class ResponseGiven(Strict):
    """For the schema: surveys.intake reads it."""

    survey = serializers.SlugField(help_text="Slug of the survey.")
    external_id = serializers.CharField(
        required=False, max_length=200, help_text="Yours. The same again is the same response."
    )
    customer = CustomerGiven(required=False, allow_null=True, help_text="Left out: an anonymous answer.")
    score = serializers.IntegerField(help_text="On the survey's scale.")
    comment = serializers.CharField(required=False, max_length=32_000)
    answers = serializers.DictField(required=False, help_text="Further answers by question key.")
    touchpoint = serializers.CharField(required=False, max_length=100)
    channel = serializers.CharField(required=False, max_length=20)
    submitted_at = Instant(required=False)
    updated_at = Instant(required=False, help_text="A newer one lets another body replace what the id held.")
    contact_me = serializers.BooleanField(required=False)


class ResponseTaken(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    survey = serializers.SlugField()
    band = serializers.CharField()
    score = serializers.IntegerField(allow_null=True)
    state = serializers.ChoiceField(choices=Response.STATES)
    ticket = serializers.CharField(allow_null=True, help_text="Its number; null: none, or none yet.")


class ResponseShown(serializers.ModelSerializer[Response]):
    survey = serializers.SlugField(source="survey.slug", read_only=True)
    source = serializers.SlugField(source="source.slug", read_only=True)  # type: ignore[assignment]
    ticket = serializers.CharField(read_only=True, allow_null=True)

    class Meta:
        model = Response
        fields = [
            *("id", "survey", "source", "external_id", "customer", "score", "band", "state", "comment"),
            *("touchpoint", "channel", "contact_me", "answered_at", "received_at", "ticket"),
        ]
        read_only_fields = fields


class BatchRow(serializers.Serializer[Any]):
    """One result, in the order of what was sent."""

    status = serializers.IntegerField(help_text="201 new, 200 known or changed, 400 or 409 refused.")
    id = serializers.IntegerField(required=False)
    external_id = serializers.CharField(required=False)
    problem = serializers.DictField(required=False, help_text="The problem document of a refused one.")


class BatchTaken(serializers.Serializer[Any]):
    results = BatchRow(many=True)


class ComplaintGiven(Strict):
    """What a customer complained of by phone, by mail, at the counter or elsewhere."""

    survey = serializers.SlugField(help_text="Slug of the survey whose line it belongs to.")
    external_id = serializers.CharField(
        required=False, max_length=200, help_text="The same id again opens nothing new."
    )
    customer = CustomerGiven()
    comment = serializers.CharField(max_length=32_000, help_text="What they said.")
    channel = serializers.CharField(max_length=20, help_text="phone, mail, counter, social media ...")
    touchpoint = serializers.CharField(required=False, max_length=100)
    score = serializers.IntegerField(required=False, allow_null=True, help_text="If they gave one.")
    submitted_at = Instant(required=False, help_text="When they complained; now, if left out.")
