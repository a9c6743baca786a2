from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]

CHANNELS = [
    ("phone", _("phone")),
    ("email", _("e-mail")),
    ("sms", _("SMS")),
    ("chat", _("chat")),
    ("visit", _("visit")),
    ("other", _("other")),
]

CALL_TIMES = [
    ("", _("any time")),
    ("morning", _("in the morning")),
    ("afternoon", _("in the afternoon")),
    ("evening", _("in the evening")),
]


# Names of files beside the zones: the first is whatever this machine is set to.
NO_ZONES = {"localtime", "Factory"}


def is_time_zone(name: str) -> bool:
    """Whether the name means the same zone on every machine."""
    return name in known_zones() and name not in NO_ZONES


@cache
def known_zones() -> frozenset[str]:
    """Reads a few hundred files: once per process is enough."""
    return frozenset(available_timezones())


def check_time_zone(name: str) -> None:
    """Refuse a name the tz database does not hold."""
    if not is_time_zone(name):
        raise ValidationError(
            _("“%(name)s” is not a time zone. Use a name such as Europe/London or Asia/Shanghai."),
            params={"name": name},
            code="time_zone",
        )


def zone_or(name: str, fallback: str) -> ZoneInfo:
    return ZoneInfo(name or fallback)


def closest_language(tag: str | None) -> str:
    """The language we write for a BCP 47 tag: Chinese for any zh, English for the rest."""
    return "zh-hans" if (tag or "").lower().replace("_", "-").split("-")[0] == "zh" else "en"
