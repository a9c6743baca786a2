from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from surveys import scoring
from surveys.models.customer import Customer
from surveys.models.fields import CALL_TIMES, CHANNELS, check_time_zone
from surveys.models.invitation import Invitation
from surveys.models.lookup import CharacterPairs
from surveys.models.scale import FormerScale
from surveys.models.survey import Question, Survey


class Source(models.Model):
    """Where responses come in from. Response ids are unique within one source."""

    KINDS = [
        ("page", _("survey page")),
        ("api", _("API")),
        ("file", _("file")),
        ("manual", _("by hand")),
    ]

    slug = models.SlugField(_("slug"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=10, choices=KINDS, default="file")
    survey = models.ForeignKey(
        Survey,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("survey"),
        help_text=_("The survey a file's rows answer."),
    )
    mapping = models.JSONField(
        _("mapping"),
        default=dict,
        blank=True,
        help_text=_("Which column means what; see the import guide."),
    )
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[check_time_zone])
    opens_tickets = models.BooleanField(_("opens tickets"), default=True)

    class Meta:
        ordering = ["slug"]
        verbose_name = _("source")
        verbose_name_plural = _("sources")

    def __str__(self) -> str:
        return self.name


class ResponseQuerySet(models.QuerySet["Response"]):
    def counted(self) -> ResponseQuerySet:
        """The valid answers: scored, and neither withdrawn nor a test."""
        return self.filter(state=Response.COMPLETE, score__isnull=False)

    def on_todays_scale(self) -> ResponseQuerySet:
        """Those given since the survey last had another scale."""
        former = FormerScale.objects.filter(survey=OuterRef("survey")).order_by("-until")
        last = Subquery(former.values("until")[:1])
        return self.alias(scale_since=last).filter(Q(scale_since=None) | Q(answered_at__gte=F("scale_since")))


class Response(models.Model):
    """What one person answered once. A changed answer is a new version of the same response."""

    COMPLETE, UNANSWERED, WITHDRAWN, TEST = (
        "complete",
        "unanswered",
        "withdrawn",
        "test",
    )
    STATES = [
        (COMPLETE, _("complete")),
        (UNANSWERED, _("unanswered")),
        (WITHDRAWN, _("withdrawn")),
        (TEST, _("test")),
    ]
    BANDS = [
        (scoring.DETRACTOR, _("detractor")),
        (scoring.PASSIVE, _("passive")),
        (scoring.PROMOTER, _("promoter")),
    ]

    survey = models.ForeignKey(
        Survey,
        on_delete=models.PROTECT,
        related_name="responses",
        verbose_name=_("survey"),
    )
    source = models.ForeignKey(
        Source,
        on_delete=models.PROTECT,
        related_name="responses",
        verbose_name=_("source"),
    )
    external_id = models.CharField(_("external id"), max_length=200)
    customer = models.ForeignKey(
        Customer,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="responses",
        verbose_name=_("customer"),
    )
    invitation = models.OneToOneField(
        Invitation,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="response",
        verbose_name=_("invitation"),
    )
    state = models.CharField(_("state"), max_length=12, choices=STATES, default=COMPLETE)
    score = models.SmallIntegerField(_("score"), null=True, blank=True)
    band = models.CharField(_("band"), max_length=10, choices=BANDS, blank=True)
    comment = models.TextField(_("comment"), blank=True)
    touchpoint = models.CharField(_("touchpoint"), max_length=100, blank=True)
    channel = models.CharField(_("channel"), max_length=20, blank=True)
    locale = models.CharField(_("language"), max_length=35, blank=True)
    contact_me = models.BooleanField(_("please contact me"), default=False)
    contact_channel = models.CharField(_("preferred channel"), max_length=10, choices=CHANNELS, blank=True)
    contact_time = models.CharField(_("preferred time"), max_length=10, choices=CALL_TIMES, blank=True)
    submitted_at = models.DateTimeField(_("submitted"), null=True, blank=True)
    source_updated_at = models.DateTimeField(_("changed at the source"), null=True, blank=True)
    received_at = models.DateTimeField(_("received"))
    answered_at = models.DateTimeField(_("answered"))
    payload_hash = models.CharField(max_length=64)
    triaged_at = models.DateTimeField(_("triaged"), null=True, blank=True)
    triage_note = models.JSONField(_("triage"), default=dict, blank=True)

    objects = ResponseQuerySet.as_manager()

    class Meta:
        ordering = ["-answered_at", "-id"]
        verbose_name = _("response")
        verbose_name_plural = _("responses")
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="one_response_per_source_and_id"),
            models.CheckConstraint(
                condition=Q(score__isnull=True, band="") | (Q(score__isnull=False) & ~Q(band="")),
                name="response_band_with_score",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                condition=Q(triaged_at__isnull=True),
                name="response_untriaged",
            ),
            # A survey's figures are counted from the index alone.
            models.Index(
                fields=["survey", "answered_at"],
                include=["state", "score", "touchpoint"],
                name="response_by_survey_and_day",
            ),
            GinIndex(OpClass(Upper("comment"), "gin_trgm_ops"), name="response_comment_parts"),
            GinIndex(CharacterPairs("comment"), name="response_comment_pairs"),
            models.Index(fields=["external_id"], name="response_by_external_id"),
            models.Index(fields=["customer", "answered_at"], name="response_by_customer"),
            models.Index(fields=["-answered_at", "-id"], name="response_newest_first"),
        ]

    def __str__(self) -> str:
        return f"{self.survey_id}: {self.score}"

    @property
    def is_low(self) -> bool:
        return self.state == self.COMPLETE and self.band == scoring.DETRACTOR


class Answer(models.Model):
    """An answer to one further question: a rating, a choice's code, or text."""

    response = models.ForeignKey(Response, on_delete=models.CASCADE, related_name="answers")
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="answers")
    value = models.JSONField(_("value"))

    class Meta:
        ordering = ["question__position", "id"]
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        constraints = [
            models.UniqueConstraint(fields=["response", "question"], name="one_answer_per_question"),
        ]

    def __str__(self) -> str:
        return f"{self.question_id}: {self.value}"


class ResponseVersion(models.Model):
    """What a response said before it was changed."""

    response = models.ForeignKey(Response, on_delete=models.CASCADE, related_name="versions")
    score = models.SmallIntegerField(null=True)
    band = models.CharField(max_length=10, blank=True)
    comment = models.TextField(blank=True)
    answers = models.JSONField(default=dict)
    source_updated_at = models.DateTimeField(null=True)
    replaced_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        verbose_name = _("earlier version")
        verbose_name_plural = _("earlier versions")

    def __str__(self) -> str:
        return f"{self.response_id}: {self.score}"
