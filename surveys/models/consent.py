from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from surveys.models.customer import Customer
from surveys.models.fields import CHANNELS


class Consent(models.Model):
    """A yes or a no to being written to over one channel; never changed, the newest counts."""

    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="consents", verbose_name=_("customer")
    )
    channel = models.CharField(_("channel"), max_length=10, choices=CHANNELS, default="email")
    given = models.BooleanField(_("consent given"))
    source = models.CharField(
        _("where it was said"), max_length=60, help_text=_("The form, the call, the import.")
    )
    wording = models.CharField(_("version of the wording agreed to"), max_length=60, blank=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        ordering = ["-id"]
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        indexes = [models.Index(fields=["customer", "channel", "-id"], name="consent_newest")]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.channel}: {self.given}"
