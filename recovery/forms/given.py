"""What is asked of other departments, and what is given as goodwill."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from recovery.forms.acts import ActForm, LocalMinutes, lines
from recovery.models import Department, GoodwillKind, Ticket


class RequestForm(ActForm):
    department = forms.ModelChoiceField(
        label=_("Department"),
        queryset=Department.objects.filter(active=True),
        empty_label=_("Choose a department"),
    )
    title = forms.CharField(label=_("What is asked?"), max_length=200)
    text = forms.CharField(label=_("Details"), required=False, widget=lines(), max_length=5000)
    owner_name = forms.CharField(label=_("Who does it"), required=False, max_length=200)
    owner_email = forms.EmailField(
        label=_("Their e-mail"), required=False, help_text=_("Empty: the department’s own.")
    )
    due_at = forms.DateTimeField(
        label=_("Needed by"),
        required=False,
        widget=LocalMinutes(),
        help_text=_("Empty: the department’s usual time."),
    )
    holds_ticket = forms.BooleanField(label=_("The ticket is not resolved before the answer"), required=False)


class GoodwillForm(ActForm):
    kind = forms.ModelChoiceField(
        label=_("What is given?"),
        queryset=GoodwillKind.objects.filter(active=True),
        empty_label=_("Choose"),
    )
    cost = forms.DecimalField(
        label=_("Cost"),
        min_value=0,
        max_digits=10,
        decimal_places=2,
        required=False,
        help_text=_("Empty: the usual cost of this kind."),
    )
    note = forms.CharField(label=_("Note"), required=False, max_length=300)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("cost") is None and values.get("kind") and "cost" not in self.errors:
            values["cost"] = values["kind"].usual_cost
        return values


class RowForm(ActForm):
    """About one row of the ticket."""

    row = forms.IntegerField(widget=forms.HiddenInput, min_value=1)

    def __init__(
        self, act: str, ticket: Ticket, data: QueryDict | None = None, row: int | None = None
    ) -> None:
        super().__init__(act, ticket, data)
        self.fields["row"].initial = row
        self.auto_id = f"{act}-{row or ''}-%s"


class RefuseGoodwillForm(RowForm):
    reason = forms.CharField(label=_("Why not?"), max_length=300)


class CancelRequestForm(RowForm):
    reason = forms.CharField(label=_("Why is it not needed any more?"), required=False, max_length=300)


GIVEN_FORMS: dict[str, type[ActForm]] = {
    "request": RequestForm,
    "goodwill": GoodwillForm,
    "approve-goodwill": RowForm,
    "refuse-goodwill": RefuseGoodwillForm,
    "withdraw-goodwill": RowForm,
    "cancel-request": CancelRequestForm,
}
