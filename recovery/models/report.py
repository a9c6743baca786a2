from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class ReportMail(models.Model):
    """A one-page report somebody gets by mail, of the last whole week or month, with their filters."""

    WEEKLY, MONTHLY = "weekly", "monthly"
    RHYTHMS = [
        (WEEKLY, _("every Monday")),
        (MONTHLY, _("on the first of the month")),
    ]

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="report_mails",
        verbose_name=_("whose"),
    )
    rhythm = models.CharField(_("when"), max_length=8, choices=RHYTHMS, default=MONTHLY)
    query = models.CharField(_("filters"), max_length=1000, blank=True)
    created_at = models.DateTimeField(_("since"))
    next_at = models.DateTimeField(_("next"))

    class Meta:
        ordering = ["id"]
        verbose_name = _("report by mail")
        verbose_name_plural = _("reports by mail")
        constraints = [
            models.UniqueConstraint(fields=["user", "rhythm", "query"], name="each_report_mail_once"),
        ]
        indexes = [models.Index(fields=["next_at"], name="report_mail_next")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.rhythm}"
