from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from surveys.models.customer import Customer
from surveys.models.fields import CHANNELS
from surveys.models.survey import Survey


class Invitation(models.Model):
    """One ask of one person over one channel. It waits as a due row until it is sent, held or given up."""

    SURVEY, RESURVEY = "survey", "resurvey"
    PURPOSES = [(SURVEY, _("survey")), (RESURVEY, _("resurvey"))]

    PLANNED, HELD, SENT, ANSWERED = "planned", "held", "sent", "answered"
    EXPIRED, CANCELLED = "expired", "cancelled"
    STATES = [
        (PLANNED, _("planned")),
        (HELD, _("held")),
        (SENT, _("sent")),
        (ANSWERED, _("answered")),
        (EXPIRED, _("expired")),
        (CANCELLED, _("cancelled")),
    ]
    UNSENT = (PLANNED, HELD)
    PENDING = (PLANNED, HELD, SENT)

    survey = models.ForeignKey(
        Survey,
        on_delete=models.PROTECT,
        related_name="invitations",
        verbose_name=_("survey"),
    )
    customer = models.ForeignKey(
        Customer,
        on_delete=models.CASCADE,
        related_name="invitations",
        verbose_name=_("customer"),
    )
    purpose = models.CharField(_("purpose"), max_length=10, choices=PURPOSES, default=SURVEY)
    channel = models.CharField(_("channel"), max_length=10, choices=CHANNELS, default="email")
    touchpoint = models.CharField(_("touchpoint"), max_length=100, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=STATES, default=PLANNED)
    reason = models.CharField(_("reason"), max_length=40, blank=True)
    send_at = models.DateTimeField(_("send at"))
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        ordering = ["-id"]
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        indexes = [
            models.Index(
                fields=["send_at"],
                condition=Q(state__in=["planned", "held"]),
                name="invitation_due",
            ),
            models.Index(
                fields=["expires_at"],
                condition=Q(state="sent"),
                name="invitation_expiring",
            ),
            models.Index(fields=["customer", "-sent_at"], name="invitation_last_asked"),
            models.Index(
                fields=["survey", "sent_at"],
                include=["state", "touchpoint"],
                name="invitation_by_survey_and_day",
            ),
            models.Index(fields=["send_at", "id"], name="invitation_by_time"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["customer"],
                condition=Q(purpose="resurvey", state__in=["planned", "held", "sent"]),
                name="one_pending_resurvey_invitation",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.survey.slug} → {self.customer_id}"


class PublicLink(models.Model):
    """An unguessable link for somebody without a login: stored hashed, it expires and can be revoked.

    The token is 192 bits, random or derived from the site's secret (OWASP ASVS 5 asks for at least 128); only
    its SHA-256 is kept.
    """

    SURVEY, CUSTOMER, UNSUBSCRIBE, REQUEST = "survey", "customer", "unsubscribe", "request"
    PURPOSES = [
        (SURVEY, _("survey page")),
        (CUSTOMER, _("customer's own page")),
        (UNSUBSCRIBE, _("unsubscribe")),
        (REQUEST, _("request to a department")),
    ]

    token_hash = models.CharField(max_length=64, unique=True)
    purpose = models.CharField(_("purpose"), max_length=12, choices=PURPOSES)
    invitation = models.ForeignKey(
        Invitation,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="links",
    )
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, null=True, blank=True, related_name="links"
    )
    about = models.CharField(_("about"), max_length=60, blank=True)
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("expires"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("public link")
        verbose_name_plural = _("public links")

    def __str__(self) -> str:
        return f"{self.purpose} #{self.pk}"

    def is_live(self, at: datetime) -> bool:
        return self.revoked_at is None and at < self.expires_at
