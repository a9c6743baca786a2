from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recovery.models.team import Team
from surveys.models import Survey


class Target(models.Model):
    """Where a number should be by a day, for everybody, one team or one survey."""

    METRICS = [
        ("nps", _("NPS")),
        ("csat", _("satisfied")),
        ("ces", _("made it easy")),
        ("reached", _("reached")),
        ("contacted_in_time", _("contacted in time")),
        ("resolved_in_time", _("resolved in time")),
        ("responded", _("answers when asked again")),
        ("recovered", _("recovered")),
        ("converted", _("converted")),
        ("repeat_contact", _("repeat contact")),
        ("first_contact_half", _("half of the customers heard")),
        ("resolution_half", _("half of the tickets resolved")),
    ]
    # Within so many hours of working time.
    IN_HOURS = ("first_contact_half", "resolution_half")
    # The less of these the better.
    FALLING = ("repeat_contact", *IN_HOURS)
    OF_A_SURVEY = ("nps", "csat", "ces")

    metric = models.CharField(_("number"), max_length=20, choices=METRICS)
    value = models.DecimalField(
        _("value"),
        max_digits=5,
        decimal_places=1,
        help_text=_(
            "NPS in points from -100 to 100, times in hours of working time up to 100, everything else in"
            " percent from 0 to 100."
        ),
    )
    by_day = models.DateField(_("by"))
    team = models.ForeignKey(
        Team,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="targets",
        verbose_name=_("team"),
        help_text=_("Empty: everybody."),
    )
    survey = models.ForeignKey(
        Survey,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="targets",
        verbose_name=_("survey"),
        help_text=_("Empty: all surveys; NPS, CSAT and CES need one."),
    )
    set_at = models.DateTimeField(_("set"), auto_now_add=True)

    class Meta:
        ordering = ["by_day", "metric", "id"]
        verbose_name = _("target")
        verbose_name_plural = _("targets")
        constraints = [
            models.CheckConstraint(
                condition=Q(metric="nps", value__gte=-100, value__lte=100)
                | ~Q(metric="nps") & Q(value__gte=0, value__lte=100),
                name="target_within_its_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_metric_display()}: {self.value:g}"

    @property
    def falls(self) -> bool:
        return self.metric in self.FALLING

    def clean(self) -> None:
        of_survey = self.metric in self.OF_A_SURVEY
        if of_survey and (self.survey is None or self.survey.kind != self.metric):
            raise ValidationError({"survey": _("Choose a survey of this kind.")})
        if of_survey and self.team is not None:
            raise ValidationError({"team": _("An answer belongs to no team: leave the team out.")})
        if self.value is not None and self.metric != "nps" and self.value < 0:
            raise ValidationError({"value": _("A share lies between 0 and 100 %, a time is not below 0.")})
