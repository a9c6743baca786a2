from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from dispatch import clock
from recovery.api.serializers.calendars import PreviewGiven, PreviewShown
from recovery.business_hours import WorkingTimeError
from recovery.deadlines import ledger_to_json, reckon

OVER_THE_WEEKEND = OpenApiExample(
    "From Friday over the weekend",
    {
        "calendar": {
            "time_zone": "Asia/Shanghai",
            "windows": [{"days": [0, 1, 2, 3, 4], "open": "09:00", "close": "17:00"}],
            "holidays": [{"date": "2026-03-09"}],
        },
        "start": "2026-03-06T16:00:00+08:00",
        "minutes": 120,
        "waiting": [{"from": "2026-03-06T16:15:00+08:00", "to": "2026-03-06T16:30:00+08:00"}],
    },
    request_only=True,
)
PLACES = {"wait_reversed": "waiting", "too_far": "minutes", "bad_minutes": "minutes", "negative": "minutes"}


class Preview(APIView):
    changes_nothing = True

    @extend_schema(
        summary="When a deadline would fall due, line by line",
        request=PreviewGiven,
        responses=PreviewShown,
        examples=[OVER_THE_WEEKEND],
    )
    def post(self, request: Request) -> Response:
        form = PreviewGiven(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(preview(form))


def preview(form: PreviewGiven) -> dict[str, Any]:
    given = form.validated_data
    try:
        result = reckon(given["calendar"], given["start"], given["minutes"], form.waits(), at=clock.now())
    except WorkingTimeError as error:
        raise ValidationError({PLACES.get(error.code, "start"): error.message}) from None
    due_at = result.due_at.isoformat() if result.due_at else None
    return {"due_at": due_at, "ledger": ledger_to_json(result.ledger)}
