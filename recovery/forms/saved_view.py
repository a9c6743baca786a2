"""Keeping a list of tickets under a name."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from recovery import access
from recovery.models import SavedView, Team

MOST: Final = 50
LONGEST: Final = 1000
TAKEN: Final = _("You have a view of this name already.")


class SavedViewForm(forms.Form):
    """A name, and the team it is for where it is not for oneself alone.

    Only who leads a team shares with it.
    """

    name = forms.CharField(label=_("Name"), max_length=60)
    team = forms.ModelChoiceField(
        label=_("For"), queryset=Team.objects.none(), required=False, empty_label=_("me alone")
    )
    query = forms.CharField(required=False, max_length=LONGEST, widget=forms.HiddenInput)

    def __init__(self, user: User, *args: Any, but: int = 0, **kwargs: Any) -> None:
        """`but` is the view that already has its name."""
        super().__init__(*args, **kwargs)
        self.user, self.but = user, but
        teams = self.fields["team"]
        assert isinstance(teams, forms.ModelChoiceField)
        teams.queryset = Team.objects.filter(pk__in=access.supervised_by(user))

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        others = SavedView.objects.filter(user=self.user).exclude(pk=self.but)
        if others.filter(name=name).exists():
            raise ValidationError(TAKEN, "taken")
        if not self.but and others.count() >= MOST:
            raise ValidationError(_("You have fifty views. Remove one you no longer use."), "too_many")
        return name

    def refuse_taken(self) -> None:
        """Somebody was faster with this name."""
        self.add_error("name", ValidationError(TAKEN, "taken"))
