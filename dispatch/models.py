"""What is kept about the work itself: who has taken which due row, and that the whole is alive."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Claim(models.Model):
    """A due row that somebody has taken: until when, under which fence, and how often it was begun.

    It is made when a row is taken and deleted in the transaction that does the row's work. Who lost the lease
    lost the fence with it: no claim matches any more, and the work is left alone.
    """

    kind = models.CharField(_("kind"), max_length=20)
    subject = models.BigIntegerField(_("row"))
    fence = models.BigIntegerField()
    holder = models.CharField(_("taken by"), max_length=80, blank=True)
    lease_until = models.DateTimeField(_("taken until"))
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    started_at = models.DateTimeField(_("begun"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=500, blank=True)
    dead_at = models.DateTimeField(_("given up"), null=True, blank=True)
    alarmed_at = models.DateTimeField(_("alarm sent"), null=True, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("taken row")
        verbose_name_plural = _("taken rows")
        constraints = [models.UniqueConstraint(fields=["kind", "subject"], name="one_claim_per_row")]
        indexes = [
            models.Index(fields=["id"], condition=Q(dead_at__isnull=False), name="claim_dead"),
            models.Index(fields=["lease_until"], name="claim_lease"),
            models.Index(fields=["holder"], name="claim_holder"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class Pulse(models.Model):
    """One row: when this database last dispatched anything, and which of its lives it is in.

    `number` rises while something is dispatched and is remembered outside the database too; a database that
    is behind what is remembered was restored: `behind` then says so to every host, until it is reconciled.
    `generation` rises with each reconciliation. `mute` says which host can remember nothing outside the
    database, since when and why: it sends nothing.
    """

    ONLY = 1

    id = models.SmallIntegerField(primary_key=True, default=ONLY, editable=False)
    database_id = models.UUIDField(default=uuid.uuid4, editable=False)
    number = models.BigIntegerField(default=0)
    generation = models.PositiveIntegerField(default=1)
    server = models.CharField(max_length=60, blank=True)
    ticked_at = models.DateTimeField(null=True, blank=True)
    behind = models.JSONField(null=True, blank=True, editable=False)
    mute = models.JSONField(null=True, blank=True, editable=False)
    canary_due_at = models.DateTimeField(null=True, blank=True)
    canary_at = models.DateTimeField(_("last sign of life"), null=True, blank=True)

    class Meta:
        verbose_name = _("sign of life")
        verbose_name_plural = _("signs of life")
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="one_pulse")]

    def __str__(self) -> str:
        return f"{self.database_id} {self.generation}.{self.number}"
