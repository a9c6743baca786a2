from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recovery.models.calendar import Calendar
from recovery.models.named import in_language
from recovery.models.policy import SlaPolicy


class Team(models.Model):
    """A node of the tree of teams. Its supervisor sees this team and all below it."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    name_zh = models.CharField(_("name in Chinese"), max_length=100, blank=True)
    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        verbose_name=_("part of"),
    )
    supervisor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="supervised_teams",
        verbose_name=_("supervisor"),
    )
    calendar = models.ForeignKey(
        Calendar,
        on_delete=models.PROTECT,
        related_name="teams",
        verbose_name=_("calendar"),
    )
    policy = models.ForeignKey(
        SlaPolicy,
        on_delete=models.PROTECT,
        related_name="teams",
        verbose_name=_("usual policy"),
    )
    LOAD, ROUND_ROBIN, SKILL = "load", "round_robin", "skill"
    STRATEGIES = [
        (LOAD, _("who carries least")),
        (ROUND_ROBIN, _("in turn")),
        (SKILL, _("who has the skill and the language, then who carries least")),
    ]
    strategy = models.CharField(
        _("how tickets are given out"), max_length=12, choices=STRATEGIES, default=LOAD
    )
    account_owner_first = models.BooleanField(
        _("the account’s owner first"),
        default=True,
        help_text=_("Where they are there and have room."),
    )
    is_fallback = models.BooleanField(
        _("fallback"),
        default=False,
        help_text=_("Gets what no rule claims. Exactly one team is the fallback."),
    )

    class Meta:
        ordering = ["name"]
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        constraints = [
            models.UniqueConstraint(
                fields=["is_fallback"],
                condition=Q(is_fallback=True),
                name="one_fallback_team",
            ),
        ]

    def __str__(self) -> str:
        return in_language(self.name, self.name_zh)

    def clean(self) -> None:
        above = self.parent
        while above is not None:
            if above.pk == self.pk:
                raise ValidationError({"parent": _("A team cannot be part of itself.")})
            above = above.parent

    @classmethod
    def ids_below(cls, roots: set[int], parents: Iterable[tuple[int, int | None]] | None = None) -> set[int]:
        """The ids of these teams and of every team below them; `parents` where they are known already."""
        if parents is None:
            parents = cls.objects.values_list("pk", "parent_id")
        children: dict[int | None, list[int]] = {}
        for pk, parent in parents:
            children.setdefault(parent, []).append(pk)
        found, todo = set(roots), list(roots)
        while todo:
            fresh = [pk for pk in children.get(todo.pop(), []) if pk not in found]
            found.update(fresh)
            todo.extend(fresh)
        return found
