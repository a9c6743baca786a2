from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recovery.models.ticket import Ticket
from surveys.models import Message


class DigestLine(models.Model):
    """A notice not worth a mail of its own, because it came late or outside working time: it waits for the
    person's one digest."""

    dedup_key = models.CharField(max_length=200, unique=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="digest_lines",
        verbose_name=_("colleague"),
    )
    ticket = models.ForeignKey(
        Ticket, on_delete=models.CASCADE, related_name="digest_lines", verbose_name=_("ticket")
    )
    kind = models.CharField(_("kind"), max_length=40)
    facts = models.JSONField(default=dict)
    due_at = models.DateTimeField(_("was due"))
    at = models.DateTimeField(_("noted"))
    send_at = models.DateTimeField(
        _("not told before"),
        null=True,
        blank=True,
        help_text=_("When the colleague’s working time begins. Empty: as soon as may be."),
    )
    message = models.ForeignKey(
        Message, on_delete=models.SET_NULL, null=True, blank=True, related_name="digest_lines"
    )
    told_at = models.DateTimeField(_("told"), null=True, blank=True)

    class Meta:
        ordering = ["due_at", "id"]
        verbose_name = _("line of a digest")
        verbose_name_plural = _("lines of digests")
        indexes = [
            models.Index(fields=["user", "at"], condition=Q(told_at__isnull=True), name="digest_line_untold")
        ]

    def __str__(self) -> str:
        return self.dedup_key
