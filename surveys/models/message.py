from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import BooleanField, Case, F, Q, Value, When
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from surveys.models.customer import Customer
from surveys.models.fields import LANGUAGES
from surveys.models.invitation import Invitation

# Who is written to: colleagues and departments, or customers.
TO_US = Q(user__isnull=False) | Q(inside=True)
TO_CUSTOMERS = Q(user=None, inside=False)
# As an expression, so that a list may begin with these and find them by an index.
NEEDY = Case(
    When(state__in=["uncertain", "dead", "rejected"], then=Value(True)),
    default=Value(False),
    output_field=BooleanField(),
)


class Message(models.Model):
    """Anything we say to anyone, written down before it is sent: the outbox.

    `dedup_key` names the intent, so that the same thing is never said twice. A worker takes a due row by a
    lease and a fence, commits a DeliveryAttempt, calls the provider, and finishes only if it still holds the
    fence. A message whose sender died between the attempt and its result ends as *uncertain*: it may have
    gone out, and a person decides.
    """

    QUEUED, SENDING, ACCEPTED = "queued", "sending", "accepted"
    REJECTED, SUPPRESSED, CANCELLED = "rejected", "suppressed", "cancelled"
    EXPIRED, UNCERTAIN, DEAD = "expired", "uncertain", "dead"
    STATES = [
        (QUEUED, _("queued")),
        (SENDING, _("sending")),
        (ACCEPTED, _("sent")),
        (REJECTED, _("rejected")),
        (SUPPRESSED, _("not sent")),
        (CANCELLED, _("cancelled")),
        (EXPIRED, _("too late")),
        (UNCERTAIN, _("uncertain")),
        (DEAD, _("given up")),
    ]
    NEEDS_A_PERSON = (UNCERTAIN, DEAD, REJECTED)

    dedup_key = models.CharField(max_length=200, unique=True)
    key = models.CharField(
        max_length=64,
        blank=True,
        editable=False,
        help_text=_("What the provider tells a repetition by: the same for every try."),
    )
    kind = models.CharField(_("kind"), max_length=40)
    about = models.CharField(_("about"), max_length=60, blank=True, db_index=True)
    channel = models.CharField(_("channel"), max_length=10, default="email")
    to_address = models.CharField(_("to"), max_length=254)
    to_name = models.CharField(_("name"), max_length=200, blank=True)
    customer = models.ForeignKey(
        Customer,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="messages",
        verbose_name=_("customer"),
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="notices",
        verbose_name=_("colleague"),
    )
    inside = models.BooleanField(
        _("inside"),
        default=False,
        help_text=_("To somebody who works with us and has no seat here: no rule for customers holds."),
    )
    invitation = models.ForeignKey(
        Invitation,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="messages",
    )
    locale = models.CharField(_("language"), max_length=16, choices=LANGUAGES, default="en")
    subject = models.CharField(_("subject"), max_length=300)
    text = models.TextField(_("text"))
    html = models.TextField(_("HTML"), blank=True)
    headers = models.JSONField(_("headers"), default=dict, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=STATES, default=QUEUED)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    send_at = models.DateTimeField(_("send at"))
    slot_at = models.DateTimeField(
        null=True, blank=True, help_text=_("Its turn under the sending rate, once it was given one.")
    )
    not_after = models.DateTimeField(_("not after"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(_("created"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    alarmed_at = models.DateTimeField(_("alarm sent"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        indexes = [
            models.Index(
                fields=["send_at", "id"],
                condition=Q(state__in=["queued", "sending"]),
                name="message_due_in_turn",
            ),
            models.Index(
                fields=["-id"],
                condition=Q(state__in=["uncertain", "dead", "rejected"]),
                name="message_needs_a_person",
            ),
            models.Index(
                fields=["finished_at"],
                condition=Q(state__in=["uncertain", "dead"], alarmed_at__isnull=True),
                name="message_to_alarm",
            ),
            models.Index(fields=["to_address", "-id"], name="message_by_address"),
            models.Index(
                fields=["created_at"],
                condition=Q(user__isnull=True),
                name="message_to_customer_by_time",
            ),
            GinIndex(OpClass(Upper("to_address"), "gin_trgm_ops"), name="message_address_parts"),
            models.Index(NEEDY.desc(), F("id").desc(), name="message_needy_first"),
            models.Index(F("kind"), NEEDY.desc(), F("id").desc(), name="message_needy_first_by_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} → {self.to_address}"

    @property
    def is_ours(self) -> bool:
        """To a colleague or a department: the rules for customers do not hold."""
        return self.user_id is not None or self.inside


class DeliveryAttempt(models.Model):
    """One try to hand a message to its provider. Written before the call; append-only but for its end."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="deliveries")
    fence = models.PositiveIntegerField()
    provider = models.CharField(_("provider"), max_length=40)
    provider_class = models.CharField(_("class of the provider"), max_length=1, default="C")
    key = models.CharField(max_length=64, blank=True)
    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    result = models.CharField(_("result"), max_length=20, blank=True)
    detail = models.CharField(_("detail"), max_length=300, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("delivery attempt")
        verbose_name_plural = _("delivery attempts")
        constraints = [
            models.UniqueConstraint(fields=["message", "fence"], name="one_attempt_per_fence"),
        ]

    def __str__(self) -> str:
        return f"{self.message_id}/{self.fence}: {self.result}"


class Refusal(models.Model):
    """That who carries a channel refuses what it is given; gone once it has taken something again."""

    channel = models.CharField(max_length=10, primary_key=True)
    provider = models.CharField(max_length=40)
    words = models.CharField(max_length=300, blank=True)
    since = models.DateTimeField()
    tried_at = models.DateTimeField()
    in_a_row = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return f"{self.channel}: {self.words}"


class Suppression(models.Model):
    """An address that must not be written to, whichever customer carries it."""

    REASONS = [
        ("unsubscribed", _("unsubscribed")),
        ("bounced", _("bounced")),
        ("complained", _("complained")),
        ("by_hand", _("by hand")),
    ]

    channel = models.CharField(_("channel"), max_length=10, default="email")
    address = models.CharField(_("address"), max_length=254)
    reason = models.CharField(_("reason"), max_length=12, choices=REASONS)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        ordering = ["-id"]
        verbose_name = _("suppressed address")
        verbose_name_plural = _("suppressed addresses")
        constraints = [
            models.UniqueConstraint(fields=["channel", "address"], name="one_suppression_per_address"),
        ]

    def __str__(self) -> str:
        return self.address
