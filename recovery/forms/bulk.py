"""One act for many tickets."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recovery.forms.acts import WORKING_TIMES, ColleagueField
from recovery.models.policy import DEADLINE_KINDS


class BulkForm(forms.Form):
    """One act for many tickets: hand them over, or extend their deadline."""

    do = forms.ChoiceField(choices=[("assign", _("Hand over")), ("extend", _("Extend"))])
    owner = ColleagueField(
        label=_("To"), queryset=User.objects.none(), required=False, empty_label=_("Choose a colleague")
    )
    kind = forms.ChoiceField(
        label=_("Deadline"), choices=DEADLINE_KINDS, required=False, initial="resolution"
    )
    minutes = forms.TypedChoiceField(
        label=pgettext_lazy("more time", "By"),
        choices=WORKING_TIMES,
        coerce=int,
        required=False,
        empty_value=None,
    )
    reason = forms.CharField(label=_("Why"), required=False, max_length=300)

    def __init__(self, colleagues: QuerySet[User], data: QueryDict | None = None) -> None:
        super().__init__(data, auto_id="bulk-%s")
        owner = self.fields["owner"]
        assert isinstance(owner, forms.ModelChoiceField)
        owner.queryset = colleagues

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("do") == "assign" and not values.get("owner") and "owner" not in self.errors:
            self.add_error("owner", _("Choose a colleague."))
        if values.get("do") == "extend":
            for name in ("kind", "minutes", "reason"):
                if not values.get(name) and name not in self.errors:
                    self.add_error(name, _("This is needed to extend a deadline."))
        return values
