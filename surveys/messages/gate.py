from dataclasses import dataclass
from datetime import datetime

from surveys.messages.suppression import is_suppressed
from surveys.models import Invitation, Message


@dataclass(frozen=True, slots=True)
class Verdict:
    """May it go out? If not, the state it ends in and the reason's code."""

    ok: bool
    state: str = ""
    reason: str = ""


def verdict(message: Message, at: datetime) -> Verdict:
    if message.not_after and at > message.not_after:
        return Verdict(False, Message.EXPIRED, "not_after")
    if message.user and not message.user.is_active:
        return Verdict(False, Message.CANCELLED, "colleague_left")
    # What somebody asked for as a customer does not silence the notices of their work.
    if not message.user and is_suppressed(message.to_address, message.channel):
        return Verdict(False, Message.SUPPRESSED, "suppressed")
    if message.invitation and message.invitation.state not in Invitation.PENDING:
        return Verdict(False, Message.CANCELLED, f"invitation_{message.invitation.state}")
    return Verdict(True)
