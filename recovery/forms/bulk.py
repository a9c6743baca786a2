"""What the board does with tickets, one or many at a time."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recovery.forms.acts import WORKING_TIMES, ColleagueField
from recovery.models.policy import DEADLINE_KINDS, PRIORITIES

DOES: Final = [
    ("assign", _("Hand over")),
    ("extend", _("Extend")),
    ("take-over", _("Take over")),
    ("nudge", _("Nudge")),
    ("priority", _("Change the priority")),
    ("note", _("Write a note")),
]

# What each cannot do without, and what to say where it is missing.
NEEDS: Final[dict[str, dict[str, Any]]] = {
    "assign": {"owner": _("Choose a colleague.")},
    "extend": dict.fromkeys(("kind", "minutes", "reason"), _("This is needed to extend a deadline.")),
    "take-over": {},
    "nudge": {"reason": _("Write what the owner is to read.")},
    "priority": {"priority": _("Choose a priority.")},
    "note": {"reason": _("Write the note first.")},
}


class BulkForm(forms.Form):
    """One act for one ticket or many. `reason` is why; of a nudge and of a note, it is what they say."""

    do = forms.ChoiceField(choices=DOES)
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
    priority = forms.TypedChoiceField(
        label=_("Priority"), choices=PRIORITIES, coerce=int, required=False, empty_value=None, initial=2
    )
    reason = forms.CharField(label=_("Why"), required=False, max_length=1000)

    def __init__(
        self, colleagues: QuerySet[User], data: QueryDict | dict[str, Any] | None = None, prefix: str = "bulk"
    ) -> None:
        super().__init__(data, auto_id=f"{prefix}-%s")
        owner = self.fields["owner"]
        assert isinstance(owner, forms.ModelChoiceField)
        owner.queryset = colleagues

    def needing(self, do: str) -> BulkForm:
        """The same form, to be shown with what this act cannot do without as required."""
        for name in NEEDS.get(do, {}):
            self.fields[name].required = True
        return self

    @classmethod
    def offering(cls, people: list[tuple[int, str]]) -> BulkForm:
        """An empty form that offers these colleagues without asking for them again."""
        form = cls(User.objects.none())
        form.fields["owner"].widget.choices = [("", _("Choose a colleague")), *people]
        return form

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        for name, words in NEEDS.get(values.get("do", ""), {}).items():
            if not values.get(name) and name not in self.errors:
                self.add_error(name, words)
        return values
