from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from recovery.models.ticket import Ticket


class ToldTicket(models.Model):
    """What became of one low score, kept so that long histories need not be told anew for every page.

    Only `recovery.insight.telling` writes it, never an act. It is true unless an `UntoldChange` names its
    ticket or the ticket's customer. No foreign key in the database: writing it locks no ticket, so no act
    ever waits for it.
    """

    ticket = models.OneToOneField(
        Ticket, on_delete=models.CASCADE, primary_key=True, related_name="told", db_constraint=False
    )
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
    undelivered = models.CharField(max_length=200, null=True)
    cause_found = models.BigIntegerField(null=True)
    cause_said = models.BigIntegerField(null=True)
    to_contact = models.DurationField(null=True)
    # From this moment on the events tell the same story as the rows do now; empty where they do not.
    steady_since = models.DateTimeField(null=True)

    class Meta:
        ordering = ["ticket"]
        verbose_name = _("told ticket")
        verbose_name_plural = _("told tickets")
        indexes = [
            models.Index(fields=["given_at"], name="told_by_day"),
            models.Index(fields=["steady_since"], name="told_by_steadiness"),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.next}"


class UntoldChange(models.Model):
    """Something changed that the story of this ticket, or of every ticket of this customer, may turn on.

    Triggers add these rows in the transaction of whatever changed it, and change none: so a change that is
    not committed yet when a story is told leaves its row behind, and the story is told again.
    """

    ticket = models.BigIntegerField(null=True)
    customer = models.BigIntegerField(null=True)
    marked_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["id"]
        verbose_name = _("change to tell")
        verbose_name_plural = _("changes to tell")

    def __str__(self) -> str:
        return f"ticket {self.ticket}" if self.ticket else f"customer {self.customer}"
