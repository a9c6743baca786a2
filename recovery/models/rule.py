from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from recovery.models.guide import Playbook
from recovery.models.policy import PRIORITIES, SlaPolicy
from recovery.models.team import Team
from surveys.models import Response, Survey


class TriageRule(models.Model):
    """One line of the ordered list: where every condition that is set holds, this is what happens.

    The first rule that matches decides. A rule with no condition matches everything.
    """

    position = models.PositiveSmallIntegerField(_("position"), unique=True)
    name = models.CharField(_("name"), max_length=120)
    name_zh = models.CharField(_("name in Chinese"), max_length=120, blank=True)
    active = models.BooleanField(_("active"), default=True)

    bands = ArrayField(
        models.CharField(max_length=10, choices=Response.BANDS),
        verbose_name=_("bands"),
        default=list,
        blank=True,
    )
    surveys = models.ManyToManyField(Survey, blank=True, verbose_name=_("surveys"))
    touchpoint = models.CharField(_("touchpoint"), max_length=100, blank=True)
    tier = models.CharField(_("customer tier"), max_length=40, blank=True)
    keywords = models.CharField(
        _("words in the comment"),
        max_length=500,
        blank=True,
        help_text=_("Any of these, separated by commas: lawyer, refund, 投诉, 退款."),
    )
    contact_me = models.BooleanField(_("asks to be contacted"), null=True, blank=True)
    dropped_from_promoter = models.BooleanField(_("was a promoter before"), null=True, blank=True)
    account_known = models.BooleanField(_("belongs to an account"), null=True, blank=True)

    opens_ticket = models.BooleanField(_("opens a ticket"), default=True)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("team"))
    policy = models.ForeignKey(
        SlaPolicy,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("policy"),
        help_text=_("Empty: the team's usual policy."),
    )
    priority = models.PositiveSmallIntegerField(_("priority"), choices=PRIORITIES, default=3)
    playbook = models.ForeignKey(
        Playbook,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="rules",
        verbose_name=_("playbook"),
        help_text=_("Empty: that of the cause."),
    )
    skill = models.CharField(
        _("needs skill"), max_length=40, blank=True, help_text=_("As it is written at the colleagues.")
    )

    class Meta:
        ordering = ["position"]
        verbose_name = _("triage rule")
        verbose_name_plural = _("triage rules")

    def __str__(self) -> str:
        return f"{self.position}. {self.name}"

    def keyword_list(self) -> list[str]:
        return [word.strip() for word in self.keywords.replace("，", ",").split(",") if word.strip()]


class RuleCondition(models.Model):
    """One more thing that must hold: any field of the answer, the customer or their account."""

    IS, IS_NOT, CONTAINS, ABOVE, BELOW, EMPTY, FILLED = (
        "is",
        "is_not",
        "contains",
        "above",
        "below",
        "empty",
        "filled",
    )
    OPERATORS = [
        (IS, _("is")),
        (IS_NOT, _("is not")),
        (CONTAINS, _("contains")),
        (ABOVE, _("is above")),
        (BELOW, _("is below")),
        (EMPTY, _("is empty")),
        (FILLED, _("is not empty")),
    ]

    rule = models.ForeignKey(
        TriageRule, on_delete=models.CASCADE, related_name="conditions", verbose_name=_("rule")
    )
    field = models.CharField(_("field"), max_length=100)
    operator = models.CharField(_("operator"), max_length=10, choices=OPERATORS, default=IS)
    value = models.CharField(
        _("value"), max_length=200, blank=True, help_text=_("Several, separated by commas: any of them.")
    )

    class Meta:
        ordering = ["rule", "id"]
        verbose_name = _("further condition")
        verbose_name_plural = _("further conditions")

    def __str__(self) -> str:
        return f"{self.field} {self.operator} {self.value}"
