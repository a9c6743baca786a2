from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from recovery.models.named import Named, in_language


class Playbook(Named):
    """How a call about one kind of trouble goes: a guide to read, and steps to tick off."""

    guide = models.TextField(_("call guide"), blank=True)
    guide_zh = models.TextField(_("call guide in Chinese"), blank=True)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("playbook")
        verbose_name_plural = _("playbooks")
        constraints = [models.UniqueConstraint(fields=["name"], name="playbook_by_name")]


class PlaybookStep(models.Model):
    """Something to say, ask or check on the call."""

    playbook = models.ForeignKey(
        Playbook, on_delete=models.CASCADE, related_name="steps", verbose_name=_("playbook")
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    text = models.CharField(_("text"), max_length=300)
    text_zh = models.CharField(_("text in Chinese"), max_length=300, blank=True)

    class Meta:
        ordering = ["playbook", "position", "id"]
        verbose_name = _("step of a playbook")
        verbose_name_plural = _("steps of playbooks")

    def __str__(self) -> str:
        return in_language(self.text, self.text_zh)
