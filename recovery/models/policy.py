from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from recovery.models.cadence import Cadence

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
    cadence = models.ForeignKey(
        Cadence,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="policies",
        verbose_name=_("cadence of attempts"),
        help_text=_("Empty: the default cadence."),
    )
    second_pair_of_eyes = models.BooleanField(
        _("second pair of eyes"),
        default=False,
        help_text=_("The owner of an account may not resolve the low score of that account."),
    )
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

    OWNER, COVER, SUPERVISOR, MANAGER, TEAM = "owner", "cover", "supervisor", "manager", "team"
    RECIPIENTS = [
        (OWNER, _("the owner")),
        (COVER, _("who covers for the owner")),
        (SUPERVISOR, _("the team's supervisor")),
        (MANAGER, _("the supervisor of the team above")),
        (TEAM, _("everybody in a team")),
    ]
    REASSIGN, RAISE = "reassign", "raise"
    ACTIONS = [
        (REASSIGN, _("hand it to whom it tells")),
        (RAISE, _("raise the priority by one")),
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
        help_text=_("Levels follow each other in time: 0 is the first."),
    )
    minutes_after = models.IntegerField(
        _("working minutes after the deadline"), default=0, help_text=_("Negative: before it.")
    )
    share = models.PositiveSmallIntegerField(
        _("or at this share of the time allowed (%)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
        help_text=_("75: when three quarters are used up; 100: at the deadline. Instead of minutes."),
    )
    recipient = models.CharField(_("tells"), max_length=10, choices=RECIPIENTS)
    team = models.ForeignKey(
        "recovery.Team",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("which team"),
        help_text=_("Only for “everybody in a team”. Empty: the ticket’s own."),
    )
    action = models.CharField(_("and"), max_length=10, choices=ACTIONS, blank=True)
    urgent = models.BooleanField(
        _("urgent"), default=False, help_text=_("Told at any hour, not only in the recipient’s working time.")
    )

    class Meta:
        ordering = ["policy", "kind", "level"]
        verbose_name = _("escalation step")
        verbose_name_plural = _("escalation steps")
        constraints = [
            models.UniqueConstraint(fields=["policy", "kind", "level"], name="one_step_per_level"),
            models.CheckConstraint(
                condition=models.Q(share__isnull=True) | models.Q(minutes_after=0),
                name="step_by_share_or_minutes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.level}"
