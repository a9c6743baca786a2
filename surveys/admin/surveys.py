from collections import Counter
from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from surveys.admin.readonly import KeptAdmin
from surveys.admin.scales import FormerScaleInline, keep_former_scale
from surveys.models import Question, Survey


class QuestionFormSet(forms.BaseInlineFormSet[Question, Survey, forms.ModelForm[Question]]):
    def clean(self) -> None:
        """Exactly one active score question: without it nobody can answer; and drivers that fit together."""
        super().clean()
        kept = [each.cleaned_data for each in self.forms if getattr(each, "cleaned_data", None)]
        active = [each for each in kept if not each.get("DELETE") and each.get("active")]
        kinds = [each.get("kind") for each in active]
        if kinds.count(Question.SCORE) != 1:
            raise ValidationError(_("A survey needs exactly one active question of the kind “the score”."))
        if kinds.count(Question.CONTACT_ME) > 1:
            raise ValidationError(_("A survey asks “please contact me” once at most."))
        if errors := driver_errors(sort_of(each) for each in active if each.get("kind") == Question.RATING):
            raise ValidationError(errors)


Sort = tuple[str, str]


def sort_of(cleaned: dict[str, Any]) -> Sort:
    """The driver a rating belongs to, and what it asks about it."""
    return cleaned.get("driver") or cleaned.get("key") or "", cleaned.get("asks") or Question.PERCEIVED


def driver_errors(sorts: Iterable[Sort]) -> list[str]:
    """Of each driver one active question of each sort at most, and none beside the one how it was."""
    counts, names = Counter(sorts), dict(Question.ASKS)
    twice = [
        gettext("The driver “{driver}” has {n} active questions of the sort “{sort}”: keep one.").format(
            driver=driver, n=n, sort=names[asks]
        )
        for (driver, asks), n in counts.items()
        if n > 1
    ]
    alone = [
        gettext(
            "The driver “{driver}” has no active question how it was: there is nothing to compare with."
        ).format(driver=driver)
        for driver in dict.fromkeys(driver for driver, _asks in counts)
        if (driver, Question.PERCEIVED) not in counts
    ]
    return twice + alone


class QuestionInline(admin.StackedInline[Question, Survey]):
    model = Question
    formset = QuestionFormSet
    extra = 1
    fieldsets = (
        (None, {"fields": (("position", "key", "kind", "active"), ("text", "text_zh"))}),
        (
            _("driver, for ratings"),
            {
                "fields": (("driver", "asks"),),
                "description": _(
                    "Ask for one driver how it was, what was expected and how important it is, in three"
                    " questions that share its short name: the page “What drives it” then shows the gap."
                ),
            },
        ),
        (
            _("labels and options"),
            {
                "classes": ("collapse",),
                "fields": (("low_label", "low_label_zh"), ("high_label", "high_label_zh"), "options"),
            },
        ),
    )


@admin.register(Survey)
class SurveyAdmin(KeptAdmin[Survey]):
    history = ("responses", "invitations")
    list_display = ("name", "slug", "line", "kind", "lowest", "highest", "active")
    list_filter = ("active", "kind", "line")
    search_fields = ("name", "name_zh", "slug")
    inlines = (QuestionInline,)
    fieldsets = (
        (None, {"fields": (("name", "name_zh"), ("slug", "line"), "active")}),
        (
            _("Scale"),
            {
                "fields": ("kind", ("lowest", "highest", "best"), ("low_cut", "high_cut")),
                "description": _(
                    "Once there are answers, another scale begins a new era: what was answered before stays "
                    "on the former scale, below, and no figure mixes or compares the two."
                ),
            },
        ),
        (
            _("Asking"),
            {"fields": ("answer_days", "cooldown_days", "resurvey_after_minutes")},
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Survey | None = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        return ("slug", "kind") if obj.responses.exists() else ("slug",)

    def get_inlines(self, request: HttpRequest, obj: Survey | None = None) -> list[Any]:
        """A survey that is being made has no former scale."""
        return [*self.inlines, FormerScaleInline] if obj else [*self.inlines]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if change:
            keep_former_scale(request, form, formsets)

    def get_prepopulated_fields(self, request: HttpRequest, obj: Survey | None = None) -> dict[str, Any]:
        return {"slug": ("name",), "line": ("name",)} if obj is None else {}
