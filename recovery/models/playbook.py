from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recovery.models.cause import Cause
from recovery.models.guide import PlaybookStep
from recovery.models.named import Named, in_language
from recovery.models.team import Team
from recovery.models.ticket import Ticket
from surveys.models.fields import CHANNELS


class StepDone(models.Model):
    """A step of the playbook that was ticked off for a ticket, in this cycle."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="steps_done")
    cycle = models.PositiveSmallIntegerField(_("cycle"))
    step = models.ForeignKey(PlaybookStep, on_delete=models.CASCADE, related_name="done")
    at = models.DateTimeField(_("at"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["ticket", "cycle", "step"], name="step_done_once_a_cycle")
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.step_id}"


class NextIssue(models.Model):
    """What usually follows this kind of trouble, so that one call settles both."""

    cause = models.ForeignKey(
        Cause, on_delete=models.CASCADE, related_name="next_issues", verbose_name=_("cause")
    )
    follows = models.ForeignKey(Cause, on_delete=models.CASCADE, related_name="+", verbose_name=_("brings"))
    tip = models.CharField(_("what to settle on the same call"), max_length=300, blank=True)
    tip_zh = models.CharField(_("the same in Chinese"), max_length=300, blank=True)

    class Meta:
        ordering = ["cause", "id"]
        verbose_name = _("next issue")
        verbose_name_plural = _("next issues")
        constraints = [
            models.UniqueConstraint(fields=["cause", "follows"], name="one_line_per_next_issue"),
            models.CheckConstraint(condition=~Q(cause=models.F("follows")), name="next_issue_is_another"),
        ]

    def __str__(self) -> str:
        return in_language(self.tip, self.tip_zh) or str(self.follows)


class CannedText(Named):
    """A reply that is written often; {customer}, {agent}, {number}, {due} and {team} are filled in."""

    channel = models.CharField(
        _("channel"), max_length=10, choices=CHANNELS, blank=True, help_text=_("Empty: any.")
    )
    team = models.ForeignKey(
        Team,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="canned_texts",
        verbose_name=_("team"),
        help_text=_("Empty: every team."),
    )
    cause = models.ForeignKey(
        Cause,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="canned_texts",
        verbose_name=_("cause"),
        help_text=_("Offered first where the ticket has this cause."),
    )
    text = models.TextField(_("text"))
    text_zh = models.TextField(_("text in Chinese"), blank=True)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("canned text")
        verbose_name_plural = _("canned texts")
