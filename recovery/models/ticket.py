from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recovery.models.cause import Cause
from recovery.models.guide import Playbook
from recovery.models.policy import PRIORITIES, SlaPolicy
from recovery.models.rule import TriageRule
from recovery.models.team import Team
from surveys.models import Customer, Response

NEW, OPEN, WAITING, RESOLVED, CLOSED = "new", "open", "waiting", "resolved", "closed"
STATUSES = [
    (NEW, _("new")),
    (OPEN, _("open")),
    (WAITING, _("waiting")),
    (RESOLVED, _("resolved")),
    (CLOSED, _("closed")),
]
IN_WORK = (NEW, OPEN, WAITING)

OUTCOMES = [
    ("promoter", _("promoter")),
    ("passive", _("passive")),
    ("detractor", _("detractor")),
    ("no_answer", pgettext_lazy("how a ticket ended", "no answer")),
    ("not_asked", _("not asked")),
]


class TicketQuerySet(models.QuerySet["Ticket"]):
    def in_work(self) -> TicketQuerySet:
        """Somebody still owes the customer something."""
        return self.filter(status__in=IN_WORK)

    def for_lists(self) -> TicketQuerySet:
        """With everything a list row shows, in a fixed number of queries."""
        return self.select_related("customer__account", "owner", "team", "response__survey").prefetch_related(
            "deadlines", "callbacks", "customer__identities"
        )


class Ticket(models.Model):
    """A low score somebody owns until the customer was heard, put right, asked again and counted."""

    number = models.CharField(_("number"), max_length=20, unique=True, editable=False)
    customer = models.ForeignKey(
        Customer,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="tickets",
        verbose_name=_("customer"),
    )
    response = models.ForeignKey(
        Response,
        on_delete=models.PROTECT,
        related_name="opened_tickets",
        verbose_name=_("response"),
        help_text=_("The answer that opened it."),
    )
    line = models.CharField(_("survey line"), max_length=60)
    touchpoint = models.CharField(_("touchpoint"), max_length=100, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=STATUSES, default=NEW)
    cycle = models.PositiveSmallIntegerField(_("cycle"), default=1)
    priority = models.PositiveSmallIntegerField(_("priority"), choices=PRIORITIES, default=3)
    severity_reasons = models.JSONField(_("reasons for the priority"), default=list, blank=True)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="tickets", verbose_name=_("team"))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="tickets",
        verbose_name=_("owner"),
    )
    assigned_because = models.JSONField(_("why this owner"), default=dict, blank=True)
    awaits_room = models.BooleanField(
        _("waits for room"),
        default=False,
        help_text=_("Nobody of the team had room for it: it is given out, oldest first, once somebody has."),
    )
    skill = models.CharField(_("needs skill"), max_length=40, blank=True)
    playbook = models.ForeignKey(
        Playbook,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="tickets",
        verbose_name=_("playbook"),
    )
    unreachable_at = models.DateTimeField(_("given up reaching them"), null=True, blank=True)
    rule = models.ForeignKey(
        TriageRule,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("rule"),
    )
    policy = models.ForeignKey(
        SlaPolicy,
        on_delete=models.PROTECT,
        related_name="tickets",
        verbose_name=_("policy"),
    )
    escalation_level = models.PositiveSmallIntegerField(_("escalation level"), default=0)
    opened_at = models.DateTimeField(_("opened"))
    cycle_started_at = models.DateTimeField(_("cycle started"))
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=OUTCOMES, blank=True)
    cause_said = models.ForeignKey(
        Cause,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="tickets_said",
        verbose_name=_("cause the customer named"),
    )
    cause_found = models.ForeignKey(
        Cause,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="tickets_found",
        verbose_name=_("cause found"),
    )
    what_was_done = models.TextField(_("what was done"), blank=True)
    merged_into = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="merged",
        verbose_name=_("merged into"),
    )
    version = models.PositiveIntegerField(_("version"), default=1)

    objects = TicketQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "line"],
                condition=~Q(status="closed") & Q(customer__isnull=False),
                name="one_open_ticket_per_person_and_line",
            ),
            models.CheckConstraint(
                condition=Q(status="closed", closed_at__isnull=False)
                | (~Q(status="closed") & Q(closed_at__isnull=True)),
                name="closed_ticket_has_its_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["owner", "priority"],
                condition=Q(status__in=["new", "open", "waiting"]),
                name="ticket_in_work_by_owner",
            ),
            models.Index(
                fields=["team", "owner"],
                condition=Q(status__in=["new", "open", "waiting"]),
                name="ticket_in_work_by_team",
            ),
            models.Index(
                fields=["team", "opened_at", "id"], condition=Q(awaits_room=True), name="ticket_awaits_room"
            ),
            models.Index(fields=["customer", "-id"], name="ticket_by_customer"),
            models.Index(fields=["opened_at", "id"], name="ticket_by_day"),
            models.Index(fields=["priority", "id"], name="ticket_by_priority"),
            GinIndex(OpClass(Upper("number"), "gin_trgm_ops"), name="ticket_number_parts"),
            models.Index(fields=["owner", "-closed_at"], name="ticket_closed_by_owner"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_in_work(self) -> bool:
        return self.status in IN_WORK

    @property
    def customer_name(self) -> str:
        return str(self.customer) if self.customer else str(_("unknown customer"))


class TicketResponse(models.Model):
    """Which answers belong to which ticket, and as what. A response belongs to one ticket at most."""

    OPENED, ABSORBED, OUTCOME = "opened", "absorbed", "outcome"
    ROLES = [
        (OPENED, _("opened it")),
        (ABSORBED, _("joined it")),
        (OUTCOME, _("asked again")),
    ]

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="ticket_responses")
    response = models.OneToOneField(Response, on_delete=models.PROTECT, related_name="ticket_link")
    role = models.CharField(max_length=10, choices=ROLES)
    cycle = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["id"]
        verbose_name = _("ticket's response")
        verbose_name_plural = _("ticket's responses")

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.role}"
