from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from surveys import scoring
from surveys.models.survey import Survey, check_scale, scale_of


class FormerScale(models.Model):
    """A scale a survey had until `until`. What was answered on it is compared with nothing on another."""

    survey = models.ForeignKey(
        Survey, on_delete=models.CASCADE, related_name="former_scales", verbose_name=_("survey")
    )
    until = models.DateTimeField(_("in force until"))
    lowest = models.SmallIntegerField(_("lowest score"))
    highest = models.SmallIntegerField(_("highest score"))
    best = models.CharField(_("best score is"), max_length=3, choices=Survey.BEST, default="max")
    low_cut = models.SmallIntegerField(_("mildest low score"))
    high_cut = models.SmallIntegerField(_("mildest high score"))

    class Meta:
        ordering = ["survey", "until"]
        verbose_name = _("former scale")
        verbose_name_plural = _("former scales")
        constraints = [
            models.UniqueConstraint(fields=["survey", "until"], name="one_scale_at_a_time"),
            models.CheckConstraint(condition=Q(lowest__lt=F("highest")), name="former_scale_has_two_ends"),
        ]

    def __str__(self) -> str:
        return f"{self.lowest}–{self.highest}"

    @property
    def scale(self) -> scoring.Scale:
        return scale_of(self)

    def clean(self) -> None:
        check_scale(self)
