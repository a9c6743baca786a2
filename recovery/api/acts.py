"""Which act a path names, what it takes, and the function of the lifecycle that does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from recovery import lifecycle
from recovery.access import colleagues_for, ticket_for, visible_teams
from recovery.api.serializers import acts as forms
from recovery.api.serializers.acts import LARGEST_ID
from recovery.models import Goodwill, Reply, Team, Ticket
from surveys.api.strict import Strict


@dataclass(frozen=True)
class Act:
    name: str
    form: type[Strict]
    do: Callable[..., Ticket]
    summary: str
    example: dict[str, Any]

    def read(self, body: Any) -> dict[str, Any]:
        """Raises ValidationError."""
        form = self.form(data=body)
        form.is_valid(raise_exception=True)
        return dict(form.validated_data)


def assign(
    ticket: Ticket, *, by: User, at: datetime, owner: int | str, reason: str, team: int | str | None = None
) -> Ticket:
    """To a colleague of the ticket's team, or of another team this person sees."""
    new_team = None if team is None else team_named(by, team)
    if new_team is not None:
        ticket.team = new_team
    known = colleagues_for(ticket).filter(**by_id_or(owner, "username"))
    to = known.select_related("staff").first()
    if to is None:
        raise ValidationError({"owner": _("There is no such colleague in this team.")})
    return lifecycle.assign(ticket, by=by, at=at, to=to, reason=reason, team=new_team)


def team_named(by: User, wanted: int | str) -> Team:
    team = (
        visible_teams(by).select_related("calendar", "supervisor").filter(**by_id_or(wanted, "name")).first()
    )
    if team is None:
        raise ValidationError({"team": _("There is no such team, or you do not see it.")})
    return team


def by_id_or(wanted: int | str, name: str) -> dict[str, int | str]:
    """How to look up what was given as an id or as a name."""
    if isinstance(wanted, int):
        return {"pk": wanted if 0 < wanted <= LARGEST_ID else 0}
    storable = "\x00" not in wanted and wanted.encode(errors="ignore").decode() == wanted
    return {name: wanted if storable else ""}


def callback(ticket: Ticket, *, by: User, at: datetime, action: str, **given: Any) -> Ticket:
    if action == "cancel":
        return lifecycle.cancel_callback(ticket, by=by, at=at, reason=given["reason"])
    when = {"local_time": given["local_time"], "time_zone": given.get("time_zone") or zone_of(ticket)}
    if action == "move":
        return lifecycle.move_callback(ticket, by=by, at=at, reason=given["reason"], **when)
    return lifecycle.book_callback(ticket, by=by, at=at, channel=given["channel"], note=given["note"], **when)


def zone_of(ticket: Ticket) -> str:
    zone = ticket.customer.time_zone if ticket.customer else ""
    if not zone:
        raise ValidationError({"time_zone": _("The customer's time zone is not known: give it.")})
    return zone


def merge(ticket: Ticket, *, by: User, at: datetime, into: str, reason: str) -> Ticket:
    try:
        target = ticket_for(by, into, "merge")
    except (Ticket.DoesNotExist, ValueError):
        raise ValidationError({"into": _("There is no such ticket, or you do not see it.")}) from None
    return lifecycle.merge(ticket, by=by, at=at, into=target, reason=reason)


def take_back(ticket: Ticket, *, by: User, at: datetime, reply: int) -> Ticket:
    row = ticket.replies.filter(direction=Reply.OURS, pk=reply).first()
    if row is None:
        raise ValidationError({"reply": _("There is no such reply to take back.")})
    return lifecycle.take_back(ticket, row, by=by, at=at)


def goodwill_of(ticket: Ticket, pk: int) -> Goodwill:
    row = ticket.goodwill.filter(pk=pk).first()
    if row is None:
        raise ValidationError({"goodwill": _("There is no such proposal on this ticket.")})
    return row


def approve_goodwill(ticket: Ticket, *, by: User, at: datetime, goodwill: int) -> Ticket:
    row = goodwill_of(ticket, goodwill)
    return lifecycle.decide_goodwill(ticket, by=by, at=at, goodwill=row, approve=True)


def refuse_goodwill(ticket: Ticket, *, by: User, at: datetime, goodwill: int, reason: str) -> Ticket:
    row = goodwill_of(ticket, goodwill)
    return lifecycle.decide_goodwill(ticket, by=by, at=at, goodwill=row, approve=False, reason=reason)


def withdraw_goodwill(ticket: Ticket, *, by: User, at: datetime, goodwill: int) -> Ticket:
    return lifecycle.withdraw_goodwill(ticket, by=by, at=at, goodwill=goodwill_of(ticket, goodwill))


ACTS = {
    act.name: act
    for act in (
        Act(
            "assign",
            forms.AssignForm,
            assign,
            "Hand it to a colleague",
            {"owner": "lina", "reason": "Knows the customer"},
        ),
        Act(
            "contact",
            forms.ContactForm,
            lifecycle.log_contact,
            "Log an attempt and what came of it",
            {"outcome": "reached", "channel": "phone", "note": "She wants the parcel by Friday."},
        ),
        Act(
            "unreachable",
            forms.UnreachableForm,
            lifecycle.give_up_reaching,
            "Give up reaching the customer; needs a reason while the cadence has attempts to make",
            {"reason": "The line is dead"},
        ),
        Act(
            "callback",
            forms.CallbackForm,
            callback,
            "Book, move or cancel the callback",
            {"action": "book", "local_time": "2026-03-02T18:00", "time_zone": "Asia/Shanghai"},
        ),
        Act(
            "note",
            forms.NoteForm,
            lifecycle.note,
            "A word for colleagues",
            {"text": "The depot is looking for it."},
        ),
        Act(
            "wait",
            forms.WaitForm,
            lifecycle.start_waiting,
            "Stop the clock: the customer must do something first",
            {"reason": "Sends a photo", "until": "2026-03-04T09:00:00+08:00"},
        ),
        Act(
            "resume",
            forms.ResumeForm,
            lifecycle.resume,
            "Let the clock run again",
            {"note": "The photo is here."},
        ),
        Act(
            "priority",
            forms.PriorityForm,
            lifecycle.change_priority,
            "Change the priority",
            {"priority": 1, "reason": "The second time this month"},
        ),
        Act(
            "policy",
            forms.PolicyForm,
            lifecycle.change_policy,
            "Put it under another SLA policy (supervisors)",
            {"policy": "Gold", "reason": "They are a gold customer"},
        ),
        Act(
            "extend",
            forms.ExtendForm,
            lifecycle.extend,
            "Allow a deadline more working time (supervisors)",
            {"minutes": 120, "reason": "The part arrives tomorrow", "kind": "resolution"},
        ),
        Act(
            "nudge",
            forms.NudgeForm,
            lifecycle.nudge,
            "Tell the owner to look at it (supervisors; once an hour)",
            {"text": "She called me twice."},
        ),
        Act(
            "take-over",
            forms.TakeOverForm,
            lifecycle.take_over,
            "Make it one's own",
            {"reason": "I know the customer"},
        ),
        Act(
            "escalate",
            forms.EscalateForm,
            lifecycle.escalate,
            "Ask the supervisor for help",
            {"reason": "She asks for more than I may give"},
        ),
        Act(
            "resolve",
            forms.ResolveForm,
            lifecycle.resolve,
            "It was put right: the cause, and what was done",
            {"cause_found": "late", "cause_said": "late", "what_was_done": "Delivered, and apologised."},
        ),
        Act(
            "reopen", forms.ReopenForm, lifecycle.reopen, "Begin the next cycle", {"reason": "It broke again"}
        ),
        Act(
            "goodwill",
            forms.GoodwillForm,
            lifecycle.give_goodwill,
            "Give something to put it right, or propose it where that is above your limit",
            {"kind": "Voucher", "cost": "25.00", "note": "For the wait"},
        ),
        Act(
            "approve-goodwill",
            forms.GoodwillRowForm,
            approve_goodwill,
            "Approve what a colleague proposed, within your own limit",
            {"goodwill": 12},
        ),
        Act(
            "refuse-goodwill",
            forms.RefuseGoodwillForm,
            refuse_goodwill,
            "Do not approve what a colleague proposed, and say why not",
            {"goodwill": 12, "reason": "A refund is on its way already"},
        ),
        Act(
            "withdraw-goodwill",
            forms.GoodwillRowForm,
            withdraw_goodwill,
            "Take back what you proposed, before anybody decided",
            {"goodwill": 12},
        ),
        Act(
            "reply",
            forms.ReplyForm,
            lifecycle.reply,
            "Write to the customer; it goes out ten seconds later, until when it can be taken back",
            {"channel": "email", "subject": "Your parcel", "text": "We are sorry. It arrives tomorrow."},
        ),
        Act(
            "take-back",
            forms.TakeBackForm,
            take_back,
            "Stop a reply that has not gone out yet",
            {"reply": 31},
        ),
        Act(
            "cause",
            forms.CauseForm,
            lifecycle.name_cause,
            "Note what the customer says was wrong, as soon as it is known",
            {"cause": "late"},
        ),
        Act(
            "request",
            forms.RequestForm,
            lifecycle.ask_department,
            "Ask another department for something",
            {"department": "Warehouse", "title": "Find parcel 4711", "holds_ticket": True},
        ),
        Act("merge", forms.MergeForm, merge, "It is one matter with another ticket", {"into": "R-1002"}),
    )
}
