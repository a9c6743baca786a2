from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from recovery.models.ticket import Ticket
from surveys.models import Message
from surveys.models.fields import CHANNELS


class Reply(models.Model):
    """One message of the conversation with the customer: ours to them, or theirs to us.

    What we write can be taken back until it is handed to the outbox's provider.
    """

    OURS, THEIRS = "ours", "theirs"
    DIRECTIONS = [(OURS, _("from us")), (THEIRS, _("from the customer"))]
    WRITTEN, TAKEN_BACK = "written", "taken_back"
    STATES = [(WRITTEN, _("written")), (TAKEN_BACK, _("taken back"))]

    ticket = models.ForeignKey(
        Ticket, on_delete=models.CASCADE, related_name="replies", verbose_name=_("ticket")
    )
    cycle = models.PositiveSmallIntegerField(_("cycle"))
    direction = models.CharField(_("direction"), max_length=6, choices=DIRECTIONS)
    channel = models.CharField(_("channel"), max_length=10, choices=CHANNELS)
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    text = models.TextField(_("text"))
    state = models.CharField(_("state"), max_length=10, choices=STATES, default=WRITTEN)
    at = models.DateTimeField(_("at"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    by_name = models.CharField(_("by"), max_length=200, blank=True)
    message = models.OneToOneField(
        Message, on_delete=models.SET_NULL, null=True, blank=True, related_name="reply"
    )

    class Meta:
        ordering = ["id"]
        verbose_name = _("reply")
        verbose_name_plural = _("replies")
        indexes = [models.Index(fields=["ticket", "id"], name="reply_by_ticket")]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.direction}"
