from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class ExpectedRetention(models.Model):
    """How many customers of a level of satisfaction are expected to be customers a year on: an assumption."""

    LEVELS = [
        (5, _("very satisfied")),
        (4, _("satisfied")),
        (3, _("neutral")),
        (2, _("dissatisfied")),
        (1, _("very dissatisfied")),
    ]

    level = models.PositiveSmallIntegerField(_("level"), choices=LEVELS, unique=True)
    low = models.PositiveSmallIntegerField(_("from (%)"), validators=[MaxValueValidator(100)])
    high = models.PositiveSmallIntegerField(
        _("to (%)"), validators=[MinValueValidator(0), MaxValueValidator(100)]
    )

    class Meta:
        ordering = ["-level"]
        verbose_name = _("expected retention")
        verbose_name_plural = _("expected retention")
        constraints = [
            models.CheckConstraint(
                condition=Q(low__lte=F("high"), high__lte=100), name="retention_is_a_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_level_display()}: {self.low}–{self.high} %"

    @property
    def share(self) -> float:
        """The middle of the range, as a fraction of 1."""
        return (self.low + self.high) / 200
