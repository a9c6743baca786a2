from __future__ import annotations

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recovery.models.named import Named
from recovery.models.staff import StaffProfile
from recovery.models.team import Team
from recovery.models.ticket import Ticket


class GoodwillKind(Named):
    """Something that may be given: a refund, a voucher, flowers."""

    usual_cost = models.DecimalField(
        _("usual cost"), max_digits=10, decimal_places=2, default=0, validators=[MinValueValidator(0)]
    )
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("kind of goodwill")
        verbose_name_plural = _("kinds of goodwill")
        constraints = [models.UniqueConstraint(fields=["name"], name="goodwill_kind_by_name")]


class GoodwillLimit(models.Model):
    """Up to this cost a role gives by itself; what is above it somebody with a higher limit approves."""

    role = models.CharField(_("role"), max_length=14, choices=StaffProfile.ROLES, unique=True)
    cost = models.DecimalField(_("up to"), max_digits=10, decimal_places=2, validators=[MinValueValidator(0)])

    class Meta:
        ordering = ["cost"]
        verbose_name = _("limit of goodwill")
        verbose_name_plural = _("limits of goodwill")

    def __str__(self) -> str:
        return f"{self.get_role_display()}: {self.cost}"


class GoodwillBudget(models.Model):
    """What a team may give in a calendar month of its own zone. No row: no budget, so no bound."""

    team = models.OneToOneField(
        Team, on_delete=models.CASCADE, related_name="goodwill_budget", verbose_name=_("team")
    )
    monthly = models.DecimalField(
        _("a month"), max_digits=12, decimal_places=2, validators=[MinValueValidator(0)]
    )

    class Meta:
        ordering = ["team"]
        verbose_name = _("budget of goodwill")
        verbose_name_plural = _("budgets of goodwill")

    def __str__(self) -> str:
        return f"{self.team}: {self.monthly}"


class Goodwill(models.Model):
    """What was given to put it right, what it cost, and who approved."""

    PROPOSED, GIVEN, REFUSED, WITHDRAWN = "proposed", "given", "refused", "withdrawn"
    STATES = [
        (PROPOSED, _("waits for approval")),
        (GIVEN, _("given")),
        (REFUSED, pgettext_lazy("goodwill", "refused")),
        (WITHDRAWN, _("withdrawn")),
    ]

    ticket = models.ForeignKey(
        Ticket, on_delete=models.CASCADE, related_name="goodwill", verbose_name=_("ticket")
    )
    cycle = models.PositiveSmallIntegerField(_("cycle"))
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+", verbose_name=_("team"))
    kind = models.ForeignKey(
        GoodwillKind, on_delete=models.PROTECT, related_name="given", verbose_name=_("kind")
    )
    cost = models.DecimalField(_("cost"), max_digits=10, decimal_places=2, validators=[MinValueValidator(0)])
    note = models.CharField(_("note"), max_length=300, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=STATES)
    at = models.DateTimeField(_("at"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    by_name = models.CharField(_("by"), max_length=200, blank=True)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    decided_by_name = models.CharField(_("decided by"), max_length=200, blank=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("goodwill")
        verbose_name_plural = _("goodwill")
        indexes = [
            models.Index(fields=["ticket", "state"], name="goodwill_by_ticket"),
            models.Index(
                fields=["team", "decided_at"], condition=Q(state="given"), name="goodwill_given_by_team"
            ),
            models.Index(fields=["team", "id"], condition=Q(state="proposed"), name="goodwill_to_approve"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.cost}"
