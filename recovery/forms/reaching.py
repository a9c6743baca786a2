"""What is asked after an attempt that reached nobody: take the next one, or give up."""

from __future__ import annotations

from typing import Final

from django import forms
from django.utils.translation import gettext_lazy as _

from recovery.forms.acts import ActForm
from surveys.models.fields import CHANNELS


class NextAttemptForm(ActForm):
    """The attempt the cadence proposed, as the page showed it."""

    local_time = forms.CharField(widget=forms.HiddenInput)
    time_zone = forms.CharField(widget=forms.HiddenInput)
    channel = forms.ChoiceField(choices=CHANNELS, widget=forms.HiddenInput)


class UnreachableForm(ActForm):
    reason = forms.CharField(
        label=_("Why would more attempts be of no use?"),
        required=False,
        max_length=300,
        help_text=_("Not needed once the cadence has no more attempts to make."),
    )


REACHING_FORMS: Final[dict[str, type[ActForm]]] = {
    "next-attempt": NextAttemptForm,
    "unreachable": UnreachableForm,
}
