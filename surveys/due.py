"""What falls due in this room."""

from dispatch.kinds import Kind
from surveys import invitations, messages
from surveys.messages.deliver import MESSAGES, untaken_messages

KINDS = [
    Kind("invitations", invitations.due_invitations, invitations.send_invitation, "send_at", speaks=True),
    Kind("expiries", invitations.due_expiries, invitations.expire_invitation, "expires_at"),
    Kind(
        MESSAGES,
        messages.due_messages,
        messages.send,
        "send_at",
        speaks=True,
        claims_itself=True,
        untaken=untaken_messages,
    ),
]
