from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from recovery.models.calendar import Calendar
from recovery.models.team import Team
from surveys.models.fields import LANGUAGES, check_time_zone


class StaffProfile(models.Model):
    """What a colleague may do, and how the product speaks to them."""

    AGENT, SUPERVISOR, ANALYST, ADMINISTRATOR = (
        "agent",
        "supervisor",
        "analyst",
        "administrator",
    )
    ROLES = [
        (AGENT, _("agent")),
        (SUPERVISOR, _("supervisor")),
        (ANALYST, _("analyst")),
        (ADMINISTRATOR, _("administrator")),
    ]

    STAY, NEXT, BACK = "stay", "next", "back"
    AFTER = [
        (STAY, _("stay on the ticket")),
        (NEXT, _("go to the next ticket")),
        (BACK, _("go back to the list")),
    ]

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="staff",
        verbose_name=_("user"),
    )
    role = models.CharField(_("role"), max_length=14, choices=ROLES, default=AGENT)
    locale = models.CharField(_("language"), max_length=16, choices=LANGUAGES, default="en")
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[check_time_zone])
    calendar = models.ForeignKey(
        Calendar,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="colleagues",
        verbose_name=_("working hours"),
        help_text=_("Empty: those of their team."),
    )
    languages = ArrayField(
        models.CharField(max_length=16, choices=LANGUAGES),
        verbose_name=_("speaks"),
        default=list,
        blank=True,
        help_text=_("Besides the language of their screens."),
    )
    skills = ArrayField(models.CharField(max_length=40), verbose_name=_("skills"), default=list, blank=True)
    after_act = models.CharField(
        _("after logging a contact or resolving"), max_length=5, choices=AFTER, default=STAY
    )

    class Meta:
        ordering = ["user__username"]
        verbose_name = _("colleague")
        verbose_name_plural = _("colleagues")

    def __str__(self) -> str:
        return self.user.get_full_name() or self.user.get_username()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Administrators may open the admin site; nobody else may, unless they are a superuser."""
        super().save(*args, **kwargs)
        self.user.is_staff = self.role == self.ADMINISTRATOR or self.user.is_superuser
        self.user.save(update_fields=["is_staff"])

    @property
    def zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo("UTC")  # a zone that new data no longer knows silences nobody


# Whoever administers, as their role or as a superuser.
ADMINISTRATORS = Q(staff__role=StaffProfile.ADMINISTRATOR) | Q(is_superuser=True)


def role_of(user: User | AnonymousUser) -> str:
    """The person's role; '' for somebody who does not work here. A superuser is an administrator."""
    if not user.is_authenticated or not user.is_active:
        return ""
    if user.is_superuser:
        return StaffProfile.ADMINISTRATOR
    profile: StaffProfile | None = getattr(user, "staff", None)  # read once per user in hand
    return profile.role if profile else ""


class Membership(models.Model):
    """A colleague's place in a team, with how many open tickets they can carry there."""

    team = models.ForeignKey(
        Team,
        on_delete=models.CASCADE,
        related_name="memberships",
        verbose_name=_("team"),
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="memberships",
        verbose_name=_("colleague"),
    )
    capacity = models.PositiveSmallIntegerField(
        _("capacity"),
        default=20,
        validators=[MinValueValidator(1)],
        help_text=_("Open tickets at once."),
    )
    takes_new = models.BooleanField(_("takes new tickets"), default=True)
    # Rises with each ticket the rules give them here: who has the lowest was given one longest ago.
    turn = models.PositiveBigIntegerField(default=0, editable=False)

    class Meta:
        ordering = ["team", "user__username"]
        verbose_name = _("team member")
        verbose_name_plural = _("team members")
        constraints = [
            models.UniqueConstraint(fields=["team", "user"], name="once_in_each_team"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.team}"


class Leave(models.Model):
    """A time when a colleague is away and gets no new tickets."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="leaves",
        verbose_name=_("colleague"),
    )
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    cover = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="covers",
        verbose_name=_("covered by"),
        help_text=_("Empty: the supervisor."),
    )
    note = models.CharField(_("note"), max_length=120, blank=True)

    class Meta:
        ordering = ["-starts_at"]
        verbose_name = _("leave")
        verbose_name_plural = _("leaves")
        constraints = [
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="leave_ends_after_start"),
            models.CheckConstraint(
                condition=Q(cover__isnull=True) | ~Q(cover=F("user")), name="nobody_covers_for_themselves"
            ),
        ]
        indexes = [models.Index(fields=["user", "starts_at", "ends_at"], name="leave_by_user")]

    def __str__(self) -> str:
        return f"{self.user}: {self.starts_at:%Y-%m-%d} - {self.ends_at:%Y-%m-%d}"

    def clean(self) -> None:
        if self.starts_at and self.ends_at and self.starts_at >= self.ends_at:
            raise ValidationError({"ends_at": _("Leave must end after it begins.")})
        if self.cover_id is not None and self.cover_id == self.user_id:
            raise ValidationError({"cover": _("Nobody covers for themselves.")})


class ApiToken(models.Model):
    """A bearer token of one user, kept as its SHA-256. It may do what the user may do."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="api_tokens",
        verbose_name=_("user"),
    )
    name = models.CharField(_("name"), max_length=100)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def hash_of(token: str) -> str:
        return hashlib.sha256(token.encode()).hexdigest()

    @classmethod
    def issue(cls, user_id: int, name: str, expires_at: datetime | None = None) -> tuple[ApiToken, str]:
        """A new token and its text, which is shown this once."""
        text = secrets.token_urlsafe(32)
        row = cls.objects.create(
            user_id=user_id,
            name=name,
            token_hash=cls.hash_of(text),
            expires_at=expires_at,
        )
        return row, text
