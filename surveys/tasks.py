"""Pairs: a sweep picks the ids that are due, a step does one and may run twice."""

from celery import shared_task
from django.utils.timezone import now

from surveys import invitations, messages

# A step not taken soon is found by the next sweep; it need not pile up in the broker.
SOON = 30


@shared_task(ignore_result=True)
def sweep_messages() -> None:
    for message_id in messages.due_messages(now(), limit=500):
        send_message.apply_async((message_id,), expires=SOON)


@shared_task(ignore_result=True)
def send_message(message_id: int) -> None:
    messages.send(message_id, now())


@shared_task(ignore_result=True)
def sweep_invitations() -> None:
    for invitation_id in invitations.due_invitations(now()):
        send_invitation.apply_async((invitation_id,), expires=SOON)
    for invitation_id in invitations.due_expiries(now()):
        expire_invitation.apply_async((invitation_id,), expires=SOON)


@shared_task(ignore_result=True)
def send_invitation(invitation_id: int) -> None:
    invitations.send_invitation(invitation_id, now())


@shared_task(ignore_result=True)
def expire_invitation(invitation_id: int) -> None:
    invitations.expire_invitation(invitation_id, now())
