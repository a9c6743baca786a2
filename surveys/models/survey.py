from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from surveys import scoring
from surveys.eras import Era, era_at, eras_of

if TYPE_CHECKING:
    from surveys.models.scale import FormerScale


def scale_of(row: Survey | FormerScale) -> scoring.Scale:
    """The scale a row declares. Raises ScaleError."""
    return scoring.Scale(
        row.lowest, row.highest, "min" if row.best == "min" else "max", row.low_cut, row.high_cut
    )


def check_scale(row: Survey | FormerScale) -> None:
    """Raises ValidationError, with why, where the row declares none that could be."""
    try:
        scale_of(row)
    except scoring.ScaleError as error:
        raise ValidationError(str(error)) from error


class Survey(models.Model):
    """What is asked: one scored question first, then the rest. Its scale is declared, never guessed."""

    KINDS = [("nps", "NPS"), ("csat", "CSAT"), ("ces", "CES")]
    BEST = [("max", _("the highest number")), ("min", _("the lowest number"))]

    slug = models.SlugField(_("slug"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=200)
    name_zh = models.CharField(_("name in Chinese"), max_length=200, blank=True)
    line = models.SlugField(
        _("line"),
        max_length=60,
        help_text=_("Surveys of one line share tickets: a person has at most one open ticket per line."),
    )
    kind = models.CharField(_("kind"), max_length=4, choices=KINDS, default="nps")
    lowest = models.SmallIntegerField(_("lowest score"), default=0)
    highest = models.SmallIntegerField(_("highest score"), default=10)
    best = models.CharField(_("best score is"), max_length=3, choices=BEST, default="max")
    low_cut = models.SmallIntegerField(
        _("mildest low score"),
        default=6,
        help_text=_("This score and worse ones count as low (detractor)."),
    )
    high_cut = models.SmallIntegerField(
        _("mildest high score"),
        default=9,
        help_text=_("This score and better ones count as high (promoter)."),
    )
    active = models.BooleanField(_("active"), default=True)
    answer_days = models.PositiveSmallIntegerField(
        _("days to answer"),
        default=14,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text=_("An answer may be given, and changed, for this many days after the invitation."),
    )
    cooldown_days = models.PositiveSmallIntegerField(
        _("days between two invitations of one person"),
        default=30,
        validators=[MaxValueValidator(730)],
        help_text=_("A resurvey after a resolved ticket is asked in spite of this, once."),
    )
    resurvey_after_minutes = models.PositiveIntegerField(
        _("minutes from resolution to resurvey"), default=3 * 24 * 60
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        ordering = ["slug"]
        verbose_name = _("survey")
        verbose_name_plural = _("surveys")
        constraints = [
            models.CheckConstraint(condition=Q(lowest__lt=F("highest")), name="survey_scale_has_two_ends"),
            models.CheckConstraint(
                condition=Q(low_cut__gte=F("lowest"))
                & Q(low_cut__lte=F("highest"))
                & Q(high_cut__gte=F("lowest"))
                & Q(high_cut__lte=F("highest")),
                name="survey_cuts_on_the_scale",
            ),
            models.CheckConstraint(
                condition=(Q(best="max") & Q(low_cut__lt=F("high_cut")))
                | (Q(best="min") & Q(low_cut__gt=F("high_cut"))),
                name="survey_cuts_follow_the_direction",
            ),
        ]

    def __str__(self) -> str:
        return self.title(get_language() or "en")

    def title(self, language: str) -> str:
        return self.name_zh if language == "zh-hans" and self.name_zh else self.name

    @property
    def scale(self) -> scoring.Scale:
        return scale_of(self)

    @property
    def eras(self) -> list[Era]:
        """The scales it had, the earliest first. Reads the former ones once."""
        models.prefetch_related_objects([self], "former_scales")
        return eras_of(self.scale, [(each.until, each.scale) for each in self.former_scales.all()])

    def scale_at(self, moment: datetime) -> scoring.Scale:
        """The scale that was in force at a moment."""
        return era_at(self.eras, moment).scale

    @property
    def is_nps(self) -> bool:
        return self.kind == "nps"

    def clean(self) -> None:
        check_scale(self)

    def band(self, score: int | None, at: datetime | None = None) -> str:
        """The band of a score given at a moment, by default now; '' for an unanswered one."""
        if score is None:
            return ""
        return scoring.band(score, self.scale_at(at) if at else self.scale)


class Question(models.Model):
    """One question of a survey. The `score` question comes first and there is exactly one."""

    SCORE, WHY, RATING, CHOICE, CONTACT_ME = (
        "score",
        "why",
        "rating",
        "choice",
        "contact_me",
    )
    KINDS = [
        (SCORE, _("the score")),
        (WHY, _("why, in their words")),
        (RATING, _("driver rating, 1 to 5")),
        (CHOICE, _("choice")),
        (CONTACT_ME, _("please contact me")),
    ]
    PERCEIVED, EXPECTED, IMPORTANCE = "perceived", "expected", "importance"
    ASKS = [
        (PERCEIVED, _("how it was")),
        (EXPECTED, _("what was expected")),
        (IMPORTANCE, _("how important it is")),
    ]

    survey = models.ForeignKey(
        Survey,
        on_delete=models.CASCADE,
        related_name="questions",
        verbose_name=_("survey"),
    )
    key = models.SlugField(_("key"), max_length=40)
    kind = models.CharField(_("kind"), max_length=12, choices=KINDS)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    text = models.CharField(_("text"), max_length=300)
    text_zh = models.CharField(_("text in Chinese"), max_length=300, blank=True)
    low_label = models.CharField(_("label of the lowest score"), max_length=80, blank=True)
    low_label_zh = models.CharField(_("label of the lowest score in Chinese"), max_length=80, blank=True)
    high_label = models.CharField(_("label of the highest score"), max_length=80, blank=True)
    high_label_zh = models.CharField(_("label of the highest score in Chinese"), max_length=80, blank=True)
    options = models.JSONField(
        _("options"),
        default=list,
        blank=True,
        help_text=_('For a choice: a list such as [{"code": "late", "en": "Late", "zh": "晚了"}].'),
    )
    driver = models.SlugField(
        _("driver"),
        max_length=40,
        blank=True,
        db_index=False,
        help_text=_(
            "The short name that ratings of one matter share, such as speed. Empty, a rating of how it was"
            " is a driver by its key."
        ),
    )
    asks = models.CharField(
        _("asks"),
        max_length=10,
        choices=ASKS,
        default=PERCEIVED,
        help_text=_(
            "For ratings: how it was, what was expected, or how important it is. All are from 1 to 5, so that"
            " what was and what was expected can be compared."
        ),
    )
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ["survey", "position", "id"]
        verbose_name = _("question")
        verbose_name_plural = _("questions")
        constraints = [
            models.UniqueConstraint(fields=["survey", "key"], name="one_question_per_key"),
            models.UniqueConstraint(
                fields=["survey"],
                condition=Q(kind="score"),
                name="one_score_question_per_survey",
            ),
            models.CheckConstraint(
                condition=Q(kind="rating") | Q(driver="", asks="perceived"),
                name="only_a_rating_is_of_a_driver",
            ),
            models.CheckConstraint(
                condition=Q(asks="perceived") | ~Q(driver=""), name="what_is_asked_beside_has_a_driver"
            ),
        ]

    def __str__(self) -> str:
        """As staff read it: what was expected is not to be taken for what was."""
        text = self.wording("text", get_language() or "en")
        if self.asks == self.EXPECTED:
            return gettext("{question} (expected)").format(question=text)
        if self.asks == self.IMPORTANCE:
            return gettext("{question} (importance)").format(question=text)
        return text

    @property
    def driver_key(self) -> str:
        """What ratings of one matter share; '' for what is no rating."""
        return (self.driver or self.key) if self.kind == self.RATING else ""

    def wording(self, field: str, language: str) -> str:
        """`text`, `low_label` or `high_label` in a language, English where it has no Chinese."""
        chinese = getattr(self, f"{field}_zh") if language == "zh-hans" else ""
        return str(chinese or getattr(self, field))

    def choices_in(self, language: str) -> list[tuple[str, str]]:
        short = "zh" if language == "zh-hans" else "en"
        return [(each["code"], each.get(short) or each.get("en") or each["code"]) for each in self.options]

    def clean(self) -> None:
        if self.kind == self.CHOICE:
            check_options(self.options)
        check_driver(self)


def check_driver(question: Question) -> None:
    """What a question alone can have wrong; that a driver's questions fit together, its survey says."""
    is_beside = question.asks != Question.PERCEIVED
    errors = {}
    if question.kind == Question.RATING:
        if is_beside and not question.driver:
            errors["driver"] = _(
                "Say of which driver: its short name, or the key of the question how it was."
            )
    else:
        if question.driver:
            errors["driver"] = _("Only a rating from 1 to 5 belongs to a driver: leave this empty.")
        if is_beside:
            errors["asks"] = _("This is asked as a rating from 1 to 5, on the scale of how it was.")
    if errors:
        raise ValidationError(errors)


def check_options(options: Any) -> None:
    well_formed = isinstance(options, list) and all(
        isinstance(each, dict) and isinstance(each.get("code"), str) and each["code"] for each in options
    )
    if not well_formed or not options:
        raise ValidationError(
            {"options": _('A choice needs a list such as [{"code": "late", "en": "Late", "zh": "晚了"}].')}
        )
    codes = [each["code"] for each in options]
    if len(codes) != len(set(codes)):
        raise ValidationError({"options": _("Each code may stand once.")})
