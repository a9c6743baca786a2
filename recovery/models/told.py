from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from recovery.models.ticket import Ticket


class ToldTicket(models.Model):
    """What became of one low score, kept so that long histories need not be told anew for every page.

    Rebuilt from the ticket's own rows, never written by an act. `stale` rows, and tickets without a row, are
    told the slow way until somebody has rebuilt them.
    """

    ticket = models.OneToOneField(Ticket, on_delete=models.CASCADE, primary_key=True, related_name="told")
    given_at = models.DateTimeField(_("low score given"))
    survey = models.BigIntegerField()
    team = models.BigIntegerField()
    touchpoint = models.CharField(max_length=100, blank=True)
    tier = models.CharField(max_length=40, blank=True)
    reached = models.BooleanField()
    reached_later = models.BooleanField()
    stage = models.CharField(max_length=12)
    next = models.CharField(max_length=12)
    now = models.CharField(max_length=12)
    ever = models.CharField(max_length=12)
    lasting = models.CharField(max_length=12, blank=True)
    why = models.CharField(max_length=40, blank=True)
    cause_found = models.BigIntegerField(null=True)
    cause_said = models.BigIntegerField(null=True)
    seconds_to_contact = models.BigIntegerField(null=True)
    stale = models.BooleanField(default=False)

    class Meta:
        ordering = ["ticket"]
        verbose_name = _("told ticket")
        verbose_name_plural = _("told tickets")
        indexes = [
            models.Index(fields=["given_at"], name="told_by_day"),
            models.Index(fields=["ticket"], condition=models.Q(stale=True), name="told_stale"),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.next}"
