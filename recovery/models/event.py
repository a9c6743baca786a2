from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from recovery.models.ticket import Ticket


class TicketEvent(models.Model):
    """One row per act: what changed, from what to what, when, by whom and why. Never changed afterwards."""

    KINDS = [
        ("opened", _("opened")),
        ("absorbed", _("another low score joined")),
        ("updated", _("answer changed")),
        ("assigned", _("assigned")),
        ("contacted", _("contact")),
        ("callback_booked", _("callback booked")),
        ("callback_moved", _("callback moved")),
        ("callback_cancelled", _("callback cancelled")),
        ("callback_due", _("callback due")),
        ("waiting", _("waiting")),
        ("resumed", _("resumed")),
        ("noted", _("note")),
        ("priority_changed", _("priority changed")),
        ("extended", _("deadline extended")),
        ("escalated", _("escalated")),
        ("breached", _("deadline passed")),
        ("resolved", _("resolved")),
        ("resurvey_planned", _("resurvey planned")),
        ("resurvey_held", _("resurvey held")),
        ("resurvey_asked", _("asked again")),
        ("outcome", _("outcome")),
        ("reopened", _("reopened")),
        ("closed", _("closed")),
        ("merged", _("merged")),
        ("cause_named", _("cause named")),
        ("reply_sent", _("reply to the customer")),
        ("reply_taken_back", _("reply taken back")),
        ("customer_wrote", _("the customer wrote")),
        ("unreachable", _("given up reaching them")),
        ("nudged", _("nudged")),
        ("request_sent", _("request to a department")),
        ("request_answered", _("request answered")),
        ("request_late", _("request late")),
        ("request_cancelled", _("request cancelled")),
        ("goodwill_proposed", _("goodwill proposed")),
        ("goodwill_given", _("goodwill given")),
        ("goodwill_refused", _("goodwill refused")),
        ("goodwill_withdrawn", _("goodwill withdrawn")),
        ("recomputed", _("deadlines recomputed")),
        ("held_out", _("followed up later, by lot")),
        ("held_out_asked", _("asked for the hold-out")),
        ("held_out_answer", _("answered for the hold-out")),
    ]

    ticket = models.ForeignKey(
        Ticket,
        on_delete=models.CASCADE,
        related_name="events",
        verbose_name=_("ticket"),
    )
    kind = models.CharField(_("kind"), max_length=20, choices=KINDS)
    cycle = models.PositiveSmallIntegerField(_("cycle"))
    at = models.DateTimeField(_("at"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="ticket_events",
        verbose_name=_("by"),
    )
    by_name = models.CharField(_("by"), max_length=200, blank=True)
    version = models.PositiveIntegerField(_("version"))
    data = models.JSONField(_("details"), default=dict)
    text = models.TextField(_("text"), blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [
            models.UniqueConstraint(fields=["ticket", "version"], name="one_event_per_version"),
        ]
        indexes = [models.Index(fields=["kind", "at"], name="event_by_kind_and_time")]

    def __str__(self) -> str:
        return f"{self.ticket_id} v{self.version} {self.kind}"
