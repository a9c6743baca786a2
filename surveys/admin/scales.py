"""The scales a survey had before: kept when its scale changes, to be seen and to be put right."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from dispatch import clock
from surveys.intake.banding import band_again
from surveys.models import FormerScale, Survey

SCALE = ("lowest", "highest", "best", "low_cut", "high_cut")


class FormerScaleForm(forms.ModelForm[FormerScale]):
    def clean_until(self) -> Any:
        until = self.cleaned_data["until"]
        if until and until > clock.now():
            raise forms.ValidationError(_("A former scale has ended: this lies in the future."))
        return until


class FormerScaleInline(admin.TabularInline[FormerScale, Survey]):
    model = FormerScale
    form = FormerScaleForm
    extra = 0
    verbose_name_plural = _(
        "former scales (if the figures ask whether the scale changed and it did not, add today’s scale until"
        " that day)"
    )


def keep_former_scale(request: HttpRequest, form: Any, formsets: Iterable[Any]) -> None:
    """After a save: the scale it had until now, unless declared in the same go; and every band anew."""
    survey = Survey.objects.get(pk=form.instance.pk)
    rows = [each for each in formsets if each.model is FormerScale]
    has_changed = any(name in form.changed_data for name in SCALE)
    if has_changed and survey.responses.exists() and not any(each.new_objects for each in rows):
        former = {name: form.initial[name] for name in SCALE}
        kept = FormerScale.objects.create(survey=survey, until=clock.now(), **former)
        messages.info(
            request,
            gettext(
                "Answers given until now stay on the former scale, {scale}. No figure mixes or compares them"
                " with those that come from now on. If the scale changed earlier, correct the time below."
            ).format(scale=kept),
        )
    if has_changed or any(each.has_changed() for each in rows):
        tell_bands(request, band_again(survey))


def tell_bands(request: HttpRequest, changed: int) -> None:
    if not changed:
        return
    words = ngettext(
        "{n} answer has another band on the scale it was given on. Tickets stay as they are.",
        "{n} answers have another band on the scale they were given on. Tickets stay as they are.",
        changed,
    )
    messages.info(request, words.format(n=f"{changed:,}"))
