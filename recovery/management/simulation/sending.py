"""The demo writes at any hour: a loop that waited for the morning would not be seen to close."""

from datetime import time

from surveys.models import SendingRules

PER_MINUTE, PER_PERSON_PER_DAY = 600, 50


def ensure_sending() -> None:
    """No quiet hours and a quick pace, unless somebody has made rules already."""
    SendingRules.objects.get_or_create(
        pk=SendingRules.ONLY,
        defaults={
            "quiet_from": time(0),
            "quiet_until": time(0),
            "per_minute": PER_MINUTE,
            "per_person_per_day": PER_PERSON_PER_DAY,
        },
    )
