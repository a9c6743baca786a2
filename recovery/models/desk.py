from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from recovery.models.team import Team
from recovery.models.ticket import Ticket


class SavedView(models.Model):
    """A list somebody wants to see again: the filters and columns of the address, under a name."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="saved_views",
        verbose_name=_("whose"),
    )
    team = models.ForeignKey(
        Team,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="saved_views",
        verbose_name=_("shared with the team"),
    )
    name = models.CharField(_("name"), max_length=60)
    query = models.CharField(_("filters"), max_length=1000, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        ordering = ["position", "name"]
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="saved_view_by_name")]

    def __str__(self) -> str:
        return self.name


class Looking(models.Model):
    """Who had this ticket open when. What is older than a minute says nothing."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="looking")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(_("at"))
    writing = models.BooleanField(_("writing"), default=False)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["ticket", "user"], name="looking_once")]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.user_id}"


class QualityCheck(models.Model):
    """A supervisor's look at how one closed ticket was handled, for coaching."""

    ticket = models.ForeignKey(
        Ticket, on_delete=models.CASCADE, related_name="quality_checks", verbose_name=_("ticket")
    )
    cycle = models.PositiveSmallIntegerField(_("cycle"))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="checked",
        verbose_name=_("owner"),
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(_("at"))
    mark = models.PositiveSmallIntegerField(
        _("mark"), validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    note = models.TextField(_("note"), blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("quality check")
        verbose_name_plural = _("quality checks")
        constraints = [models.UniqueConstraint(fields=["ticket", "cycle", "by"], name="checked_once")]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.mark}"
