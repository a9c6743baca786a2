from __future__ import annotations

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recovery.models.calendar import Calendar
from recovery.models.named import Named
from recovery.models.ticket import Ticket


class Department(Named):
    """Who else must do something before a customer is put right; they need no seat here."""

    email = models.EmailField(_("e-mail"))
    lead_email = models.EmailField(
        _("e-mail of who leads it"), blank=True, help_text=_("Is told when a request is late.")
    )
    minutes = models.PositiveIntegerField(
        _("answers within (working minutes)"), default=480, validators=[MinValueValidator(1)]
    )
    calendar = models.ForeignKey(
        Calendar, on_delete=models.PROTECT, related_name="departments", verbose_name=_("calendar")
    )
    locale = models.CharField(_("language"), max_length=16, default="en")
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("department")
        verbose_name_plural = _("departments")
        constraints = [models.UniqueConstraint(fields=["name"], name="department_by_name")]


class Request(models.Model):
    """Work asked of another department, with its own owner and deadline, answered by a private link."""

    OPEN, DONE, DECLINED, CANCELLED = "open", "done", "declined", "cancelled"
    STATES = [
        (OPEN, _("open")),
        (DONE, _("done")),
        (DECLINED, _("declined")),
        (CANCELLED, _("cancelled")),
    ]

    ticket = models.ForeignKey(
        Ticket, on_delete=models.CASCADE, related_name="requests", verbose_name=_("ticket")
    )
    cycle = models.PositiveSmallIntegerField(_("cycle"))
    department = models.ForeignKey(
        Department, on_delete=models.PROTECT, related_name="requests", verbose_name=_("department")
    )
    owner_name = models.CharField(_("who does it"), max_length=200, blank=True)
    owner_email = models.EmailField(_("their e-mail"))
    title = models.CharField(_("what is asked"), max_length=200)
    text = models.TextField(_("details"), blank=True)
    state = models.CharField(_("state"), max_length=10, choices=STATES, default=OPEN)
    holds_ticket = models.BooleanField(
        _("the ticket waits for it"), default=False, help_text=_("It cannot be resolved before.")
    )
    asked_at = models.DateTimeField(pgettext_lazy("a request", "asked"))
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    asked_by_name = models.CharField(_("asked by"), max_length=200, blank=True)
    due_at = models.DateTimeField(_("due"))
    level = models.PositiveSmallIntegerField(_("level told"), default=0)
    next_step_at = models.DateTimeField(_("next step"), null=True, blank=True)
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    answer = models.TextField(pgettext_lazy("to a request", "answer"), blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("request")
        verbose_name_plural = _("requests")
        constraints = [
            models.CheckConstraint(
                condition=Q(state="open", answered_at__isnull=True) | ~Q(state="open"),
                name="open_request_has_no_answer",
            ),
        ]
        indexes = [
            models.Index(fields=["ticket", "state"], name="request_by_ticket"),
            models.Index(
                fields=["next_step_at"],
                condition=Q(state="open", next_step_at__isnull=False),
                name="request_next_step",
            ),
        ]

    def __str__(self) -> str:
        return self.title
