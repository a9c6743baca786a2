"""That a customer has left: the day and the reason."""

from __future__ import annotations

from datetime import date, datetime

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dispatch.clock import midnight
from recovery.lifecycle.lost import LONGEST


class LostForm(forms.Form):
    day = forms.DateField(
        label=_("Left on"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    reason = forms.CharField(label=_("Why they left"), max_length=LONGEST)

    def lost_at(self, at: datetime) -> datetime:
        """The beginning of the day on the reader's clock; of today, now."""
        day: date = self.cleaned_data["day"]
        if day == timezone.localtime(at).date():
            return at
        return midnight(day)
