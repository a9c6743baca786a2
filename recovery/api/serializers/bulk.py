from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from recovery.api.acts import ACTS
from surveys.api.strict import Whole

MOST_AT_ONCE = 1_000


class BulkGiven(serializers.Serializer[Any]):
    """Which act on which tickets; what the act takes stands beside these fields."""

    act = serializers.ChoiceField(choices=sorted(ACTS))
    numbers = serializers.ListField(
        child=serializers.CharField(max_length=20), required=False, min_length=1, max_length=MOST_AT_ONCE
    )
    filter = serializers.DictField(required=False, help_text="As the query of tickets/.")
    versions = serializers.DictField(
        child=Whole(), required=False, help_text="Version by number; a ticket without one is taken as it is."
    )

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if ("numbers" in given) == ("filter" in given):
            raise ValidationError({"numbers": _("Give either “numbers” or “filter”.")})
        return given


class BulkRow(serializers.Serializer[Any]):
    number = serializers.CharField()
    status = serializers.IntegerField(help_text="200 done; else why not, in `problem`.")
    version = serializers.IntegerField(required=False)
    problem = serializers.DictField(required=False)


class BulkDone(serializers.Serializer[Any]):
    done = serializers.IntegerField()
    refused = serializers.IntegerField()
    results = BulkRow(many=True)
