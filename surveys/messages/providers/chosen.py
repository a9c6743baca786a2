"""Who carries the messages of a channel, as the deployment says."""

from django.conf import settings

from surveys.messages.compose import EMAIL
from surveys.messages.email import Mail
from surveys.messages.providers.base import Provider
from surveys.messages.providers.http import HttpProvider


def provider_of(channel: str) -> Provider | None:
    """None where nobody has been named for this channel."""
    facts = settings.PROVIDERS.get(channel)
    if facts:
        return HttpProvider.of(facts)
    return Mail() if channel == EMAIL else None
