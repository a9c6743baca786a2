from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recovery.models.calendar import Calendar
from recovery.models.policy import DEADLINE_KINDS, SlaPolicy
from recovery.models.ticket import Ticket


class Deadline(models.Model):
    """A promise with a time: first contact or resolution, of one cycle.

    `due_at` is empty while the clock stands. `next_step_at` is when the escalation ladder next has something
    to say; the sweep looks there and nowhere else. `ledger` is the reckoning line by line, as it was made.
    """

    ticket = models.ForeignKey(
        Ticket,
        on_delete=models.CASCADE,
        related_name="deadlines",
        verbose_name=_("ticket"),
    )
    kind = models.CharField(_("kind"), max_length=14, choices=DEADLINE_KINDS)
    cycle = models.PositiveSmallIntegerField(_("cycle"))
    minutes = models.PositiveIntegerField(_("working minutes"))
    extra_minutes = models.PositiveIntegerField(_("extended by (working minutes)"), default=0)
    policy = models.ForeignKey(SlaPolicy, on_delete=models.PROTECT, related_name="+")
    policy_version = models.PositiveIntegerField(_("policy version"))
    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, related_name="+")
    calendar_version = models.PositiveIntegerField(_("calendar version"))
    starts_at = models.DateTimeField(_("starts"))
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    met_at = models.DateTimeField(_("met"), null=True, blank=True)
    breached_at = models.DateTimeField(_("breached"), null=True, blank=True)
    ended_at = models.DateTimeField(
        _("ended"),
        null=True,
        blank=True,
        help_text=_("When it stopped mattering without being met."),
    )
    ledger = models.JSONField(_("ledger"), default=list)
    round = models.PositiveSmallIntegerField(
        _("round"),
        default=1,
        help_text=_("Rises when the due time moves, so that each level may be told again."),
    )
    level = models.SmallIntegerField(_("last level told"), default=-1)
    next_step_at = models.DateTimeField(_("next step"), null=True, blank=True)

    class Meta:
        ordering = ["ticket", "cycle", "kind"]
        verbose_name = _("deadline")
        verbose_name_plural = _("deadlines")
        constraints = [
            models.UniqueConstraint(
                fields=["ticket", "kind", "cycle"],
                name="one_deadline_per_kind_and_cycle",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_step_at"],
                condition=Q(next_step_at__isnull=False),
                name="deadline_next_step",
            ),
            models.Index(
                fields=["due_at"],
                condition=Q(met_at__isnull=True, ended_at__isnull=True, due_at__isnull=False),
                name="deadline_running",
            ),
            models.Index(fields=["met_at"], condition=Q(met_at__isnull=False), name="deadline_met"),
            models.Index(fields=["ticket"], condition=Q(breached_at__isnull=False), name="deadline_breached"),
            models.Index(
                fields=["ticket", "cycle", "due_at"],
                condition=Q(met_at__isnull=True, ended_at__isnull=True),
                name="deadline_running_of_ticket",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.cycle}"

    @property
    def is_running(self) -> bool:
        return self.met_at is None and self.ended_at is None

    @property
    def is_paused(self) -> bool:
        return self.is_running and self.due_at is None


class Wait(models.Model):
    """A time in which the clock stands because the customer must do something first."""

    ticket = models.ForeignKey(
        Ticket, on_delete=models.CASCADE, related_name="waits", verbose_name=_("ticket")
    )
    cycle = models.PositiveSmallIntegerField(_("cycle"))
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    resume_at = models.DateTimeField(
        _("resumes by itself"), null=True, blank=True, help_text=_("Empty: somebody resumes it.")
    )
    reason = models.CharField(_("reason"), max_length=300)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )

    class Meta:
        ordering = ["id"]
        verbose_name = _("waiting time")
        verbose_name_plural = _("waiting times")
        constraints = [
            models.UniqueConstraint(
                fields=["ticket"],
                condition=Q(ends_at__isnull=True),
                name="one_running_wait",
            ),
        ]
        indexes = [
            models.Index(
                fields=["resume_at"],
                condition=Q(ends_at__isnull=True, resume_at__isnull=False),
                name="wait_to_resume",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.starts_at}"


class Escalation(models.Model):
    """One level of one deadline, told to one person once."""

    ticket = models.ForeignKey(
        Ticket,
        on_delete=models.CASCADE,
        related_name="escalations",
        verbose_name=_("ticket"),
    )
    deadline = models.ForeignKey(
        Deadline,
        on_delete=models.CASCADE,
        related_name="escalations",
        null=True,
        blank=True,
    )
    cycle = models.PositiveSmallIntegerField(_("cycle"))
    round = models.PositiveSmallIntegerField(_("round"), default=1)
    level = models.PositiveSmallIntegerField(_("level"))
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    recipient_name = models.CharField(_("told"), max_length=200)
    at = models.DateTimeField(_("at"))
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("escalation")
        verbose_name_plural = _("escalations")
        constraints = [
            models.UniqueConstraint(
                fields=["deadline", "round", "level", "recipient"],
                condition=Q(deadline__isnull=False),
                name="each_level_told_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.level}"
