"""Writing to the customer, and naming the cause early."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from recovery.forms.acts import ActForm, lines
from recovery.lifecycle.reply import LONGEST, reply_channels, usual_subject
from recovery.models import Cause, Ticket
from surveys.models.fields import CHANNELS


class ReplyForm(ActForm):
    channel = forms.ChoiceField(label=_("By"), choices=CHANNELS)
    subject = forms.CharField(label=_("Subject"), required=False, max_length=200)
    text = forms.CharField(label=_("What the customer reads"), widget=lines(6), max_length=LONGEST)

    def __init__(self, act: str, ticket: Ticket, data: QueryDict | None = None) -> None:
        super().__init__(act, ticket, data)
        self.ways = reply_channels(ticket)
        channel = self.fields["channel"]
        assert isinstance(channel, forms.ChoiceField)
        channel.choices = [(code, name) for code, name in CHANNELS if code in self.ways]

    def first_values(self, ticket: Ticket) -> dict[str, Any]:
        wanted = ticket.customer.preferred_channel if ticket.customer else ""
        ways = reply_channels(ticket)
        channel = wanted if wanted in ways else next(iter(ways), "")
        return {"channel": channel, "subject": usual_subject(ticket) if ways else ""}

    @property
    def way(self) -> str:
        """The channel as it is chosen now."""
        return str(self["channel"].value() or "")


class TakeBackForm(ActForm):
    reply = forms.IntegerField(widget=forms.HiddenInput)


class CauseForm(ActForm):
    cause = forms.ModelChoiceField(
        label=_("What does the customer say was wrong?"),
        queryset=Cause.objects.filter(active=True),
        empty_label=_("Choose the cause"),
    )

    def first_values(self, ticket: Ticket) -> dict[str, Any]:
        return {"cause": ticket.cause_said_id}


REPLY_FORMS: Final[dict[str, type[ActForm]]] = {
    "reply": ReplyForm,
    "take-back": TakeBackForm,
    "cause": CauseForm,
}
