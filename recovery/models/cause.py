from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from recovery.models.guide import Playbook
from recovery.models.named import Named


class Cause(Named):
    """Why a customer was let down: what they said, and what staff found, are chosen from one list."""

    code = models.SlugField(_("code"), max_length=60, unique=True)
    active = models.BooleanField(_("active"), default=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    playbook = models.ForeignKey(
        Playbook,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="causes",
        verbose_name=_("playbook"),
    )

    class Meta:
        ordering = ["position", "code"]
        verbose_name = _("cause")
        verbose_name_plural = _("causes")
