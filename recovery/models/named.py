from __future__ import annotations

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class Named(models.Model):
    """Something an administrator names, in English and, where it is read in Chinese, in Chinese."""

    name = models.CharField(_("name"), max_length=120)
    name_zh = models.CharField(_("name in Chinese"), max_length=120, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return in_language(self.name, self.name_zh)


def in_language(text: str, text_zh: str, language: str | None = None) -> str:
    """The Chinese text for readers of Chinese, where there is one; `language` is the reader's by default."""
    return text_zh if text_zh and (language or get_language() or "").startswith("zh") else text
