from __future__ import annotations

from datetime import time

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class SendingRules(models.Model):
    """One row: when customers may be written to, how fast, and whether at all just now.

    Notices to colleagues keep to none of these.
    """

    ONLY = 1

    id = models.SmallIntegerField(primary_key=True, default=ONLY, editable=False)
    quiet_from = models.TimeField(
        _("quiet hours from"),
        default=time(21),
        help_text=_("By the customer's clock. The same as the end: no quiet hours."),
    )
    quiet_until = models.TimeField(_("quiet hours until"), default=time(8))
    per_minute = models.PositiveIntegerField(
        _("messages to customers per minute"),
        default=60,
        validators=[MinValueValidator(1)],
        help_text=_("What is due beyond this waits its turn."),
    )
    per_person_per_day = models.PositiveSmallIntegerField(
        _("messages to one address in 24 hours"),
        default=3,
        validators=[MinValueValidator(1)],
    )
    consent_required = models.BooleanField(
        _("only with consent"),
        default=False,
        help_text=_("Write only to customers who have said yes. Who has said no is never written to."),
    )
    paused_at = models.DateTimeField(_("stopped by hand since"), null=True, blank=True)
    paused_by = models.CharField(_("stopped by"), max_length=200, blank=True)
    paused_why = models.CharField(_("why"), max_length=300, blank=True)
    held_at = models.DateTimeField(_("held since"), null=True, blank=True)
    held_why = models.CharField(_("held because"), max_length=20, blank=True)
    held_facts = models.JSONField(default=dict, blank=True)
    released_at = models.DateTimeField(_("released"), null=True, blank=True)
    released_by = models.CharField(_("released by"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("sending rules")
        verbose_name_plural = _("sending rules")
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="one_row_of_sending_rules")]

    def __str__(self) -> str:
        return str(_("sending rules"))


class Pace(models.Model):
    """One row: the next free slot for a message to a customer, so that the rate holds among all workers."""

    ONLY = 1

    id = models.SmallIntegerField(primary_key=True, default=ONLY, editable=False)
    next_slot_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="one_pace")]
