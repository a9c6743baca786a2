from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from recovery.models.cause import Cause
from recovery.models.team import Team
from surveys.models import Survey


class Initiative(models.Model):
    """Something done about a cause, from a day on: whether it helped is then counted before and after."""

    title = models.CharField(_("title"), max_length=200)
    cause = models.ForeignKey(
        Cause, on_delete=models.PROTECT, related_name="initiatives", verbose_name=_("cause")
    )
    since = models.DateField(
        _("took effect on"),
        help_text=_("The first day on which customers met the change, not the day it was decided."),
    )
    survey = models.ForeignKey(
        Survey,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="initiatives",
        verbose_name=_("survey"),
        help_text=_("Empty: all surveys."),
    )
    team = models.ForeignKey(
        Team,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="initiatives",
        verbose_name=_("team"),
        help_text=_("Empty: everybody. With a team, low scores are counted among its own tickets only."),
    )
    note = models.TextField(_("note"), blank=True, max_length=2000)
    made_at = models.DateTimeField(_("entered"), auto_now_add=True)

    class Meta:
        ordering = ["-since", "-id"]
        verbose_name = _("initiative")
        verbose_name_plural = _("initiatives")

    def __str__(self) -> str:
        return self.title

    def clean(self) -> None:
        if self.since is not None and not 2000 <= self.since.year <= 2199:
            raise ValidationError({"since": _("Give a day from 2000 on.")})
