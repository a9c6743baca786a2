from datetime import datetime

from surveys.models import Suppression

UNSUBSCRIBED, BOUNCED = "unsubscribed", "bounced"


def normalise(address: str) -> str:
    """The form in which addresses are compared: trimmed, lower case."""
    return address.strip().lower()


def is_suppressed(address: str, channel: str = "email") -> bool:
    return Suppression.objects.filter(channel=channel, address=normalise(address)).exists()


def suppress(address: str, reason: str, at: datetime, channel: str = "email") -> None:
    """Never write to this address again. The first reason stands."""
    Suppression.objects.get_or_create(
        channel=channel, address=normalise(address), defaults={"reason": reason, "created_at": at}
    )


def unsuppress(address: str, channel: str = "email") -> None:
    """Undo the person's own unsubscribing; a bounce, a complaint or a colleague's block stays."""
    Suppression.objects.filter(channel=channel, address=normalise(address), reason=UNSUBSCRIBED).delete()
