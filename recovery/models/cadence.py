from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from recovery.models.named import Named


class Cadence(Named):
    """When to try again after a call that reached nobody. The default serves where none is named."""

    is_default = models.BooleanField(_("default"), default=False)
    other_channel_after = models.PositiveSmallIntegerField(
        _("another channel after this many attempts"), default=3, validators=[MinValueValidator(1)]
    )
    unreachable_after = models.PositiveSmallIntegerField(
        _("unreachable after this many attempts"), default=6, validators=[MinValueValidator(1)]
    )

    class Meta:
        ordering = ["name"]
        verbose_name = _("cadence")
        verbose_name_plural = _("cadences")
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="one_default_cadence"
            ),
            models.CheckConstraint(
                condition=models.Q(other_channel_after__lt=models.F("unreachable_after")),
                name="other_channel_before_giving_up",
            ),
        ]


class CadenceStep(models.Model):
    """After the `attempt`-th attempt in a row that ended so, the next one is then."""

    MINUTES, AFTERNOON, MORNING, EVENING, NEXT_MONDAY = (
        "minutes",
        "afternoon",
        "morning",
        "evening",
        "monday",
    )
    WHENS = [
        (MINUTES, _("after so many minutes")),
        (AFTERNOON, _("this afternoon, or tomorrow’s")),
        (EVENING, _("this evening, or tomorrow’s")),
        (MORNING, _("tomorrow morning")),
        (NEXT_MONDAY, _("next Monday morning")),
    ]
    OUTCOMES = [
        ("no_answer", _("no answer")),
        ("voicemail", _("voicemail")),
        ("wrong_number", _("wrong number")),
        ("refused", _("refused")),
    ]

    cadence = models.ForeignKey(
        Cadence, on_delete=models.CASCADE, related_name="steps", verbose_name=_("cadence")
    )
    outcome = models.CharField(_("outcome"), max_length=14, choices=OUTCOMES)
    attempt = models.PositiveSmallIntegerField(
        _("attempt"),
        default=1,
        validators=[MinValueValidator(1)],
        help_text=_("The step with the highest attempt that is not above the count holds."),
    )
    when = models.CharField(_("next attempt"), max_length=10, choices=WHENS)
    minutes = models.PositiveIntegerField(
        _("minutes"),
        null=True,
        blank=True,
        validators=[MinValueValidator(5), MaxValueValidator(30 * 24 * 60)],
    )

    class Meta:
        ordering = ["cadence", "outcome", "attempt"]
        verbose_name = _("step of a cadence")
        verbose_name_plural = _("steps of cadences")
        constraints = [
            models.UniqueConstraint(fields=["cadence", "outcome", "attempt"], name="one_step_per_attempt"),
            models.CheckConstraint(
                condition=~models.Q(when="minutes") | models.Q(minutes__isnull=False),
                name="minutes_say_how_many",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} {self.attempt}"
