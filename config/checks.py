"""What `manage.py check --deploy` says is missing before this may serve real customers."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Info, Tags, Warning, register

from config.env import CHANNELS, given

WANTED = {
    "DATABASE_URL": "Without it the data lies in an embedded server meant for trying out.",
    "REDIS_URL": "Without it background work waits for an embedded server meant for trying out.",
    "SECRET_KEY": "Without it each machine makes a key of its own, and links signed by one fail on another.",
    "PUBLIC_URL": "Without it links in mails lead to localhost.",
    "EMAIL_URL": "Without it mail goes to a server on this machine, if there is one.",
    "DEFAULT_FROM_EMAIL": "Without it mails come from redress@localhost.",
}
OPTIONAL = {"sms": "SMS", "chat": "chat"}


@register(Tags.security, deploy=True)
def deployment_facts(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = [
        Warning(f"{name} is not set. {why}", id=f"redress.W{number:03}")
        for number, (name, why) in enumerate(WANTED.items(), start=1)
        if not given(name)
    ]
    if not settings.HTTPS:
        found.append(
            Warning(
                "PUBLIC_URL does not start with https://, so cookies travel in the open.", id="redress.W020"
            )
        )
    if settings.DEMO:
        found.append(Warning("DEMO is on: anybody may read the customers' mailbox.", id="redress.W021"))
    return found + carriers()


def carriers() -> list[CheckMessage]:
    """Who carries messages: nobody, or somebody whose token travels in the open."""
    in_the_open = [
        Warning(
            f"{CHANNELS[channel]} does not start with https://, so its messages travel in the open.",
            id="redress.W022",
        )
        for channel, facts in settings.PROVIDERS.items()
        if not facts["URL"].startswith("https://")
    ]
    unnamed = [
        Info(
            f"{CHANNELS[channel]} is not set: messages by {name} end as rejected.", id=f"redress.I{number:03}"
        )
        for number, (channel, name) in enumerate(OPTIONAL.items(), start=1)
        if channel not in settings.PROVIDERS
    ]
    return [*in_the_open, *unnamed]
