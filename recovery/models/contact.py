from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recovery.models.ticket import Ticket
from surveys.models.fields import CHANNELS, check_time_zone

REACHED, REPLIED = "reached", "replied"
CONTACT_OUTCOMES = [
    (REACHED, _("reached")),
    ("no_answer", _("no answer")),
    ("voicemail", _("voicemail")),
    ("wrong_number", _("wrong number")),
    ("refused", _("refused")),
    (REPLIED, _("replied")),
]
HEARD = (REACHED, REPLIED)


class Callback(models.Model):
    """A booked contact: local wall time and zone as promised, and the instant derived from them."""

    BOOKED, DONE, CANCELLED = "booked", "done", "cancelled"
    STATES = [(BOOKED, _("booked")), (DONE, _("done")), (CANCELLED, _("cancelled"))]

    ticket = models.ForeignKey(
        Ticket,
        on_delete=models.CASCADE,
        related_name="callbacks",
        verbose_name=_("ticket"),
    )
    cycle = models.PositiveSmallIntegerField(_("cycle"))
    local_time = models.CharField(_("local time"), max_length=16, help_text="YYYY-MM-DDTHH:MM")
    time_zone = models.CharField(_("time zone"), max_length=64, validators=[check_time_zone])
    due_at = models.DateTimeField(_("due"))
    channel = models.CharField(_("channel"), max_length=10, choices=CHANNELS, default="phone")
    state = models.CharField(_("state"), max_length=10, choices=STATES, default=BOOKED)
    announced_at = models.DateTimeField(_("announced"), null=True, blank=True)
    STAFF, CADENCE, CUSTOMER = "staff", "cadence", "customer"
    ORIGINS = [
        (STAFF, _("a colleague")),
        (CADENCE, _("the cadence")),
        (CUSTOMER, _("the customer")),
    ]
    origin = models.CharField(_("chosen by"), max_length=10, choices=ORIGINS, default=STAFF)
    note = models.CharField(_("note"), max_length=300, blank=True)

    class Meta:
        ordering = ["due_at", "id"]
        verbose_name = _("callback")
        verbose_name_plural = _("callbacks")
        constraints = [
            models.UniqueConstraint(
                fields=["ticket"],
                condition=Q(state="booked"),
                name="one_booked_callback_per_ticket",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(state="booked", announced_at__isnull=True),
                name="callback_to_announce",
            ),
            models.Index(
                fields=["due_at", "ticket"],
                condition=Q(state="booked"),
                name="callback_booked",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.local_time} {self.time_zone}"


class Contact(models.Model):
    """An attempt to hear the customer, and what came of it. Only reached and replied count as heard."""

    ticket = models.ForeignKey(
        Ticket,
        on_delete=models.CASCADE,
        related_name="contacts",
        verbose_name=_("ticket"),
    )
    cycle = models.PositiveSmallIntegerField(_("cycle"))
    at = models.DateTimeField(_("at"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    by_name = models.CharField(_("by"), max_length=200, blank=True)
    channel = models.CharField(_("channel"), max_length=10, choices=CHANNELS, default="phone")
    outcome = models.CharField(_("outcome"), max_length=14, choices=CONTACT_OUTCOMES)
    note = models.TextField(_("note"), blank=True)
    callback = models.OneToOneField(
        Callback,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="contact",
    )

    class Meta:
        ordering = ["id"]
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        indexes = [models.Index(fields=["ticket", "outcome"], name="contact_by_outcome")]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.outcome}"
