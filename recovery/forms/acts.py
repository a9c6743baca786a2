"""The forms of the ticket page, one for each act."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib.auth.models import User
from django.http import QueryDict
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recovery import access
from recovery.lifecycle.act import name_of
from recovery.lifecycle.calling_hours import zone_of
from recovery.models import Cause, SlaPolicy, Ticket
from recovery.models.contact import CONTACT_OUTCOMES
from recovery.models.policy import DEADLINE_KINDS, PRIORITIES
from surveys.models.fields import CHANNELS

WORKING_TIMES = [
    (60, _("1 working hour")),
    (120, _("2 working hours")),
    (240, _("4 working hours")),
    (480, _("8 working hours")),
    (960, _("16 working hours")),
    (2400, _("40 working hours")),
]


class LocalMinutes(forms.DateTimeInput):
    """The browser's own picker of a date and a time."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


def lines(rows: int = 3) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})


class ActForm(forms.Form):
    """`version` is the ticket as the page showed it."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1)

    def __init__(self, act: str, ticket: Ticket, data: QueryDict | None = None) -> None:
        initial = {"version": ticket.version, **self.first_values(ticket)}
        super().__init__(data, initial=initial, auto_id=f"{act}-%s")
        self.act = act
        self.ticket = ticket

    def first_values(self, ticket: Ticket) -> dict[str, Any]:
        return {}

    def show_version(self, version: int) -> None:
        """What is sent next was written in sight of this version."""
        self.data = {**self.data.dict(), "version": str(version)}  # type: ignore[attr-defined]


def usual_channel(ticket: Ticket) -> str:
    wanted = ticket.response.contact_channel or (ticket.customer.preferred_channel if ticket.customer else "")
    return wanted or "phone"


class ContactForm(ActForm):
    outcome = forms.ChoiceField(label=_("Outcome"), choices=CONTACT_OUTCOMES)
    channel = forms.ChoiceField(label=_("By"), choices=CHANNELS)
    note = forms.CharField(label=_("What was said"), required=False, widget=lines(), max_length=5000)

    def first_values(self, ticket: Ticket) -> dict[str, Any]:
        return {"channel": usual_channel(ticket)}


def clocks(ticket: Ticket) -> list[tuple[str, Any]]:
    """The zones a time may be given in: the one the customer is taken to live by, and the reader's."""
    mine, theirs = timezone.get_current_timezone_name(), zone_of(ticket).key
    known = ticket.customer is not None and bool(ticket.customer.time_zone)
    whose = _("the customer’s · {city}") if known else _("the team’s · {city}")
    if theirs == mine:
        return [(mine, city(mine))]
    return [
        (theirs, format_lazy(whose, city=city(theirs))),
        (mine, format_lazy(_("mine · {city}"), city=city(mine))),
    ]


def city(zone: str) -> str:
    return zone.rsplit("/", 1)[-1].replace("_", " ")


class CallbackForm(ActForm):
    """A slot offered, or a time picked in one of the zones offered."""

    slot = forms.CharField(required=False)
    slot_zone = forms.CharField(required=False)
    local_time = forms.CharField(
        label=_("Another time"),
        required=False,
        widget=forms.TextInput(attrs={"type": "datetime-local"}),
    )
    time_zone = forms.ChoiceField(label=_("On whose clock"), required=False)
    channel = forms.ChoiceField(label=_("By"), choices=CHANNELS)
    note = forms.CharField(label=_("For whom, about what"), required=False, max_length=300)

    def __init__(self, act: str, ticket: Ticket, data: QueryDict | None = None) -> None:
        super().__init__(act, ticket, data)
        zone = self.fields["time_zone"]
        assert isinstance(zone, forms.ChoiceField)
        zone.choices = clocks(ticket)

    def first_values(self, ticket: Ticket) -> dict[str, Any]:
        return {"channel": usual_channel(ticket)}

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("slot"):
            values["local_time"], values["time_zone"] = values["slot"], values.get("slot_zone", "")
        elif not values.get("local_time"):
            self.add_error("local_time", _("Choose a time."))
        return values


class CancelCallbackForm(ActForm):
    reason = forms.CharField(label=_("Why"), required=False, max_length=300)


class NoteForm(ActForm):
    text = forms.CharField(label=_("Note"), widget=lines(), max_length=5000)


class WaitForm(ActForm):
    reason = forms.CharField(label=_("What must the customer do first?"), max_length=300)
    until = forms.DateTimeField(label=_("Resume by itself"), required=False, widget=LocalMinutes())


class ResumeForm(ActForm):
    note = forms.CharField(label=_("What came"), required=False, widget=lines(2), max_length=5000)


class PriorityForm(ActForm):
    priority = forms.TypedChoiceField(label=_("Priority"), choices=PRIORITIES, coerce=int)
    reason = forms.CharField(label=_("Why"), required=False, max_length=300)

    def first_values(self, ticket: Ticket) -> dict[str, Any]:
        return {"priority": ticket.priority}


class PolicyForm(ActForm):
    policy = forms.ModelChoiceField(
        label=_("SLA policy"), queryset=SlaPolicy.objects.all(), empty_label=_("Choose a policy")
    )
    reason = forms.CharField(label=_("Why"), max_length=300)


class ColleagueField(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: User) -> str:
        return name_of(obj)


class AssignForm(ActForm):
    owner = ColleagueField(label=_("To"), queryset=User.objects.none(), empty_label=_("Choose a colleague"))
    reason = forms.CharField(label=_("Why"), required=False, max_length=300)

    def __init__(self, act: str, ticket: Ticket, data: QueryDict | None = None) -> None:
        super().__init__(act, ticket, data)
        owner = self.fields["owner"]
        assert isinstance(owner, forms.ModelChoiceField)
        owner.queryset = access.colleagues_for(ticket)


class EscalateForm(ActForm):
    reason = forms.CharField(label=_("What help do you need?"), widget=lines(2), max_length=300)


class ExtendForm(ActForm):
    kind = forms.ChoiceField(label=_("Deadline"), choices=DEADLINE_KINDS, initial="resolution")
    minutes = forms.TypedChoiceField(
        label=pgettext_lazy("more time", "By"), choices=WORKING_TIMES, coerce=int
    )
    reason = forms.CharField(label=_("Why is more time needed?"), max_length=300)


class ResolveForm(ActForm):
    cause_said = forms.ModelChoiceField(
        label=_("What did the customer say was wrong?"),
        queryset=Cause.objects.filter(active=True),
        required=False,
        empty_label=_("not said"),
    )
    cause_found = forms.ModelChoiceField(
        label=_("What did we find?"),
        queryset=Cause.objects.filter(active=True),
        empty_label=_("Choose the cause"),
    )
    what_was_done = forms.CharField(label=_("What was done?"), widget=lines(), max_length=5000)

    def first_values(self, ticket: Ticket) -> dict[str, Any]:
        return {
            "cause_said": ticket.cause_said_id,
            "cause_found": ticket.cause_found_id,
            "what_was_done": ticket.what_was_done,
        }


class ReopenForm(ActForm):
    reason = forms.CharField(label=_("Why is it opened again?"), widget=lines(2), max_length=300)


class MergeForm(ActForm):
    into = forms.CharField(
        label=_("Into ticket"), max_length=20, widget=forms.TextInput(attrs={"placeholder": "R-1042"})
    )
    reason = forms.CharField(label=_("Why"), required=False, max_length=300)


# The acts of the ticket page, in the order they are shown.
ACT_FORMS: Final[dict[str, type[ActForm]]] = {
    "contact": ContactForm,
    "callback": CallbackForm,
    "cancel-callback": CancelCallbackForm,
    "note": NoteForm,
    "wait": WaitForm,
    "resume": ResumeForm,
    "resolve": ResolveForm,
    "reopen": ReopenForm,
    "assign": AssignForm,
    "priority": PriorityForm,
    "policy": PolicyForm,
    "escalate": EscalateForm,
    "extend": ExtendForm,
    "merge": MergeForm,
}


TABLE_ACTS: Final = {
    "cancel-callback": "callback",
    "next-attempt": "callback",
    "approve-goodwill": "decide-goodwill",
    "refuse-goodwill": "decide-goodwill",
    "withdraw-goodwill": "decide-goodwill",
    "cancel-request": "request",
}


def in_table(act: str) -> str:
    """The act as the table of statuses and roles knows it."""
    return TABLE_ACTS.get(act, act)
