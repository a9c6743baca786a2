from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recovery.models.ticket import OUTCOMES, Ticket
from surveys.models import Customer, Invitation, Response


class Resurvey(models.Model):
    """How one cycle of a ticket ended: asked again or not, why, and what came back.

    One person has one pending resurvey; what would be a second is held until the first has ended.
    `due_at` is when to look next.
    """

    PLANNED, HELD, ASKED, ENDED = "planned", "held", "asked", "ended"
    STATES = [
        (PLANNED, _("planned")),
        (HELD, _("held")),
        (ASKED, _("asked")),
        (ENDED, _("ended")),
    ]

    ticket = models.ForeignKey(
        Ticket,
        on_delete=models.CASCADE,
        related_name="resurveys",
        verbose_name=_("ticket"),
    )
    cycle = models.PositiveSmallIntegerField(_("cycle"))
    customer = models.ForeignKey(
        Customer,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="resurveys",
        verbose_name=_("customer"),
    )
    invitation = models.OneToOneField(
        Invitation,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="resurvey",
    )
    state = models.CharField(_("state"), max_length=8, choices=STATES)
    due_at = models.DateTimeField(_("due"))
    reason = models.CharField(_("reason"), max_length=40, blank=True)
    earliest_at = models.DateTimeField(_("earliest"), null=True, blank=True)
    asked_at = models.DateTimeField(_("asked"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=OUTCOMES, blank=True)
    outcome_at = models.DateTimeField(_("outcome at"), null=True, blank=True)
    response = models.ForeignKey(
        Response,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="resurveys",
    )

    class Meta:
        ordering = ["ticket", "cycle"]
        verbose_name = _("resurvey")
        verbose_name_plural = _("resurveys")
        constraints = [
            models.UniqueConstraint(fields=["ticket", "cycle"], name="one_resurvey_per_cycle"),
            models.UniqueConstraint(
                fields=["customer"],
                condition=Q(state__in=["planned", "asked"], customer__isnull=False),
                name="one_pending_resurvey_per_person",
            ),
            models.CheckConstraint(
                condition=Q(state="ended") & ~Q(outcome="") | ~Q(state="ended") & Q(outcome=""),
                name="ended_resurvey_has_an_outcome",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(state__in=["planned", "held"]),
                name="resurvey_due",
            ),
            models.Index(fields=["id", "invitation"], condition=Q(state="asked"), name="resurvey_asked"),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id} cycle {self.cycle}: {self.state}"
