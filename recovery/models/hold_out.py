from __future__ import annotations

from datetime import timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recovery.models.ticket import Ticket
from surveys.models import Survey


class HoldOut(models.Model):
    """A small share of the low scores of one survey is followed up later instead of now, by lot.

    How many it takes is fixed when it starts, from the difference worth seeing; there it ends. The plan is
    never changed while it runs.
    """

    DRAFT, RUNNING, ENDED = "draft", "running", "ended"
    STATES = [
        (DRAFT, _("draft")),
        (RUNNING, _("running")),
        (ENDED, _("ended")),
    ]

    name = models.CharField(_("name"), max_length=120)
    survey = models.ForeignKey(
        Survey, on_delete=models.PROTECT, related_name="hold_outs", verbose_name=_("survey")
    )
    state = models.CharField(_("state"), max_length=8, choices=STATES, default=DRAFT)
    share = models.PositiveSmallIntegerField(
        _("share followed up later (%)"),
        default=20,
        validators=[MinValueValidator(1), MaxValueValidator(50)],
    )
    days = models.PositiveSmallIntegerField(
        _("days until everybody is asked again"),
        default=14,
        validators=[MinValueValidator(1), MaxValueValidator(90)],
        help_text=_("Both sides are asked so many days after their low score."),
    )
    difference = models.PositiveSmallIntegerField(
        _("difference worth seeing (points)"),
        default=10,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
    )
    power = models.PositiveSmallIntegerField(
        _("chance of seeing it (%)"), default=80, validators=[MinValueValidator(50), MaxValueValidator(99)]
    )
    expected_recovered = models.PositiveSmallIntegerField(
        _("recovered by themselves, expected (%)"),
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(98)],
    )
    expected_response = models.PositiveSmallIntegerField(
        _("answers when asked again, expected (%)"),
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    spared_value = models.DecimalField(
        _("never with an annual value from"),
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Empty: no customer is spared for their value."),
    )
    spared_tiers = models.JSONField(
        _("never in these tiers"), default=list, blank=True, help_text=_('A list such as ["Gold"].')
    )
    spared_priority = models.PositiveSmallIntegerField(
        _("never from this priority up"),
        default=2,
        validators=[MinValueValidator(1), MaxValueValidator(4)],
        help_text=_("1 is the most urgent. 2: tickets of priority 1 and 2 are always followed up at once."),
    )
    key = models.CharField(_("key of the draw"), max_length=64, blank=True, editable=False)
    planned_later = models.PositiveIntegerField(_("to be followed up later"), null=True, editable=False)
    planned_now = models.PositiveIntegerField(_("to be followed up now"), null=True, editable=False)
    answer_days = models.PositiveSmallIntegerField(
        _("days in which an answer counts"),
        null=True,
        editable=False,
        help_text=_("What the survey gave when it started; a later change of the survey changes nothing."),
    )
    started_at = models.DateTimeField(_("started"), null=True, editable=False)
    started_by = models.CharField(_("started by"), max_length=200, blank=True, editable=False)
    ended_at = models.DateTimeField(_("ended"), null=True, editable=False)
    ended_why = models.CharField(_("why it ended"), max_length=300, blank=True, editable=False)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("hold-out")
        verbose_name_plural = _("hold-outs")
        constraints = [
            models.UniqueConstraint(
                fields=["survey"], condition=Q(state="running"), name="one_running_hold_out_per_survey"
            ),
            models.CheckConstraint(
                condition=Q(state="draft")
                | (
                    ~Q(key="")
                    & Q(started_at__isnull=False, planned_later__isnull=False, planned_now__isnull=False)
                    & Q(answer_days__isnull=False)
                ),
                name="started_hold_out_has_its_plan",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def answer_window(self) -> timedelta:
        """For how long after `ask_at` an answer counts, once it has started."""
        assert self.answer_days is not None
        return timedelta(days=self.answer_days)


class HoldOutDraw(models.Model):
    """What the lot said for one ticket, or why it was spared. Never changed, whatever is done later."""

    NOW, LATER, SPARED = "now", "later", "spared"
    SIDES = [
        (NOW, _("followed up now")),
        (LATER, _("followed up later")),
        (SPARED, _("spared")),
    ]

    hold_out = models.ForeignKey(
        HoldOut, on_delete=models.PROTECT, related_name="draws", verbose_name=_("hold-out")
    )
    ticket = models.OneToOneField(
        Ticket, on_delete=models.CASCADE, related_name="hold_out_draw", verbose_name=_("ticket")
    )
    side = models.CharField(_("side"), max_length=6, choices=SIDES)
    why = models.CharField(_("why spared"), max_length=40, blank=True)
    at = models.DateTimeField(_("drawn"))
    ask_at = models.DateTimeField(_("asked again from"), null=True, blank=True)
    released_at = models.DateTimeField(_("followed up early"), null=True, blank=True)
    released_why = models.CharField(_("why early"), max_length=40, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("draw of a hold-out")
        verbose_name_plural = _("draws of a hold-out")
        constraints = [
            models.CheckConstraint(
                condition=Q(side="spared", ask_at__isnull=True) & ~Q(why="")
                | ~Q(side="spared") & Q(ask_at__isnull=False, why=""),
                name="draw_is_asked_or_spared",
            ),
        ]
        indexes = [models.Index(fields=["hold_out", "side"], name="draw_by_side")]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.side}"
