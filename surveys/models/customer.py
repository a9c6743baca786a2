from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from surveys.models.fields import CALL_TIMES, CHANNELS, LANGUAGES, check_time_zone
from surveys.models.lookup import CharacterPairs


class Account(models.Model):
    """A firm or household that several customers belong to; its owner is asked first to put things right."""

    name = models.CharField(_("name"), max_length=200)
    external_id = models.CharField(_("external id"), max_length=200, unique=True, null=True, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="owned_accounts",
        verbose_name=_("account owner"),
    )

    class Meta:
        ordering = ["name"]
        verbose_name = _("account")
        verbose_name_plural = _("accounts")

    def __str__(self) -> str:
        return self.name


class Customer(models.Model):
    """One person. Who they are is said by their identities, any of which finds them again."""

    name = models.CharField(_("name"), max_length=200, blank=True)
    account = models.ForeignKey(
        Account,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="customers",
        verbose_name=_("account"),
    )
    annual_value = models.DecimalField(
        _("annual value"),
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    tier = models.CharField(_("tier"), max_length=40, blank=True)
    locale = models.CharField(_("language"), max_length=16, choices=LANGUAGES, default="en")
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, validators=[check_time_zone])
    preferred_channel = models.CharField(_("preferred channel"), max_length=10, choices=CHANNELS, blank=True)
    preferred_time = models.CharField(_("preferred time"), max_length=10, choices=CALL_TIMES, blank=True)
    attributes = models.JSONField(_("attributes"), default=dict, blank=True)
    lost_at = models.DateTimeField(_("lost"), null=True, blank=True)
    lost_reason = models.CharField(_("why lost"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        ordering = ["id"]
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        indexes = [
            # By capitals: that is how `icontains` compares.
            GinIndex(OpClass(Upper("name"), "gin_trgm_ops"), name="customer_name_parts"),
            GinIndex(CharacterPairs("name"), name="customer_name_pairs"),
            models.Index(fields=["lost_at"], condition=Q(lost_at__isnull=False), name="customer_lost"),
        ]

    def __str__(self) -> str:
        return self.name or self.email or self.phone or f"#{self.pk}"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone or settings.TIME_ZONE)

    def identity(self, kind: str) -> str:
        """The first identity of this kind, '' if none; uses prefetched identities."""
        return next((each.value for each in self.identities.all() if each.kind == kind), "")

    @property
    def email(self) -> str:
        return self.identity("email")

    @property
    def phone(self) -> str:
        return self.identity("phone")

    @property
    def external_id(self) -> str:
        return self.identity("external_id")

    def as_snapshot(self) -> dict[str, Any]:
        return {"id": self.pk, "name": str(self)}


class CustomerIdentity(models.Model):
    KINDS = [
        ("external_id", _("external id")),
        ("email", _("e-mail")),
        ("phone", _("phone")),
    ]

    customer = models.ForeignKey(
        Customer,
        on_delete=models.CASCADE,
        related_name="identities",
        verbose_name=_("customer"),
    )
    kind = models.CharField(_("kind"), max_length=12, choices=KINDS)
    value = models.CharField(_("value"), max_length=254)

    class Meta:
        ordering = ["id"]
        verbose_name = _("identity")
        verbose_name_plural = _("identities")
        constraints = [
            models.UniqueConstraint(fields=["kind", "value"], name="one_person_per_identity"),
        ]
        indexes = [GinIndex(OpClass(Upper("value"), "gin_trgm_ops"), name="identity_parts")]

    def __str__(self) -> str:
        return self.value
