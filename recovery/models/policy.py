from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

PRIORITIES = [
    (1, _("P1 urgent")),
    (2, _("P2 high")),
    (3, _("P3 normal")),
    (4, _("P4 low")),
]

FIRST_CONTACT, RESOLUTION = "first_contact", "resolution"
DEADLINE_KINDS = [(FIRST_CONTACT, _("first contact")), (RESOLUTION, _("resolution"))]

TEN_YEARS = 10 * 366 * 24 * 60


class SlaPolicy(models.Model):
    """Which deadlines fall due when. `version` rises with each change and stays on the deadline."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name = _("SLA policy")
        verbose_name_plural = _("SLA policies")

    def __str__(self) -> str:
        return self.name


class PolicyTarget(models.Model):
    """Working minutes allowed for both deadlines of a ticket of one priority."""

    policy = models.ForeignKey(
        SlaPolicy,
        on_delete=models.CASCADE,
        related_name="targets",
        verbose_name=_("policy"),
    )
    priority = models.PositiveSmallIntegerField(_("priority"), choices=PRIORITIES)
    first_contact_minutes = models.PositiveIntegerField(
        _("first contact within (working minutes)"),
        validators=[MinValueValidator(1), MaxValueValidator(TEN_YEARS)],
    )
    resolution_minutes = models.PositiveIntegerField(
        _("resolution within (working minutes)"),
        validators=[MinValueValidator(1), MaxValueValidator(TEN_YEARS)],
    )

    class Meta:
        ordering = ["policy", "priority"]
        verbose_name = _("target")
        verbose_name_plural = _("targets")
        constraints = [
            models.UniqueConstraint(fields=["policy", "priority"], name="one_target_per_priority"),
        ]

    def __str__(self) -> str:
        return f"P{self.priority}"

    def minutes(self, kind: str) -> int:
        return self.first_contact_minutes if kind == FIRST_CONTACT else self.resolution_minutes


class EscalationStep(models.Model):
    """Who is told, and when, as a deadline nears or after it passed."""

    OWNER, SUPERVISOR, MANAGER = "owner", "supervisor", "manager"
    RECIPIENTS = [
        (OWNER, _("the owner")),
        (SUPERVISOR, _("the team's supervisor")),
        (MANAGER, _("the supervisor of the team above")),
    ]

    policy = models.ForeignKey(
        SlaPolicy,
        on_delete=models.CASCADE,
        related_name="steps",
        verbose_name=_("policy"),
    )
    kind = models.CharField(_("deadline"), max_length=14, choices=DEADLINE_KINDS)
    level = models.PositiveSmallIntegerField(
        _("level"),
        help_text=_("0 warns before the deadline; 1 and above tell that it passed."),
    )
    minutes_after = models.IntegerField(
        _("working minutes after the deadline"), help_text=_("Negative: before it.")
    )
    recipient = models.CharField(_("tells"), max_length=10, choices=RECIPIENTS)

    class Meta:
        ordering = ["policy", "kind", "level"]
        verbose_name = _("escalation step")
        verbose_name_plural = _("escalation steps")
        constraints = [
            models.UniqueConstraint(fields=["policy", "kind", "level"], name="one_step_per_level"),
            models.CheckConstraint(
                condition=models.Q(level=0, minutes_after__lt=0)
                | models.Q(level__gt=0, minutes_after__gte=0),
                name="level_0_warns_before",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.level}"
