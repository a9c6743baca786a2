"""Being away: entered once for a time, with who covers; it may be ended early."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from recovery.models import Leave, StaffProfile, Team


def who_may_cover(people: QuerySet[User] | list[User]) -> QuerySet[User]:
    """Who shares a team with any of them, or supervises one: they see the tickets they would mind."""
    teams = Team.objects.filter(Q(memberships__user__in=people) | Q(supervisor__in=people)).values("pk")
    return (
        User.objects.filter(is_active=True, staff__isnull=False)
        .exclude(staff__role=StaffProfile.ANALYST)
        .filter(
            Q(memberships__team__in=teams)
            | Q(supervised_teams__in=teams)
            | Q(supervised_teams__children__in=teams)
        )
        .distinct()
        .order_by("first_name", "username")
    )


def check_leave(leave: Leave) -> None:
    """Raises ValidationError, by field, where they are away at that time already, or the cover cannot be."""
    leave.clean()
    others = Leave.objects.filter(user=leave.user, starts_at__lt=leave.ends_at, ends_at__gt=leave.starts_at)
    if others.exclude(pk=leave.pk).exists():
        raise ValidationError(
            {"starts_at": _("There is leave at this time already. Change or end that one.")}
        )
    if leave.cover is None:
        return
    if not who_may_cover([leave.user]).filter(pk=leave.cover.pk).exists():
        words = _("Choose somebody who works in the same team, or supervises it: others see none of it.")
        raise ValidationError({"cover": words})


@transaction.atomic
def keep_leave(leave: Leave) -> Leave:
    """Two that overlap are never both kept, however close they come. Raises ValidationError."""
    StaffProfile.objects.select_for_update(no_key=True).get(user=leave.user)
    check_leave(leave)
    leave.save()
    return leave


def end_leave(leave: Leave, at: datetime) -> None:
    """Back early: what lies ahead is no leave any more, and what has not begun never was."""
    running = Leave.objects.filter(pk=leave.pk, starts_at__lt=at, ends_at__gt=at)
    if not running.update(ends_at=at):
        Leave.objects.filter(pk=leave.pk, starts_at__gte=at).delete()
