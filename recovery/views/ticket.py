"""The ticket page: who, what happened, what we owe, and what may be done now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.db.models import Case, Q, Value, When
from django.forms import ModelChoiceField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery import access, forms, lifecycle
from recovery.assignment import is_away
from recovery.forms.reply import ReplyForm
from recovery.lifecycle.calling_hours import zone_of
from recovery.lifecycle.canned import canned_for
from recovery.lifecycle.reply import reply_channels
from recovery.models import CannedText, Cause, Escalation, Resurvey, StaffProfile, Ticket
from recovery.models.contact import CONTACT_OUTCOMES
from recovery.models.policy import FIRST_CONTACT
from recovery.models.ticket import WAITING
from recovery.pictures import sparkline_svg
from recovery.templatetags.moments import city, is_day, time_there
from recovery.views import door
from recovery.views.colleagues import say_who_is_away
from recovery.views.drafts import put_back
from recovery.views.given import asked_and_given
from recovery.views.ledger import Owed, owed
from recovery.views.playbook import playbook_facts
from recovery.views.reaching import next_attempt_of
from recovery.views.rows import nearest_first
from recovery.views.slots import slots_for
from recovery.views.timeline import entries_of
from recovery.views.words import because_words, reason_word, severity_words
from surveys import invitations
from surveys.models import Customer, Invitation, Question, Response


@door.staff_page()
def show_ticket(request: HttpRequest, number: str) -> HttpResponse:
    ticket = door.ticket_or_404(request, number)
    if ticket.number != number:
        return redirect("ticket", ticket.number, permanent=False)
    at = now()
    context = {**facts_of(request, ticket, at), **acts_of(request, ticket, at)}
    return shown(request, context)


def shown(request: HttpRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """As a page of its own, or beside the list it was picked from, which hears when an act was done."""
    if request.headers.get("HX-Target") != "detail":
        return render(request, "recovery/ticket.html", context, status=status)
    acted = len(get_messages(request)) > 0
    response = render(request, "recovery/beside.html", {**context, "beside": True}, status=status)
    response["HX-Push-Url"] = "false"
    if acted:
        response["HX-Trigger"] = "ticket-changed"
    return response


def show_again(
    request: HttpRequest, number: str, form: forms.ActForm, at: datetime, *, status: int
) -> HttpResponse:
    """The ticket as it is now, the form as it was filled in, why it was refused, and what changed since."""
    ticket = door.ticket_or_404(request, number)
    known = form.cleaned_data.get("version", ticket.version)
    form.show_version(ticket.version)
    context = {
        **facts_of(request, ticket, at),
        **acts_of(request, ticket, at, failed=form),
        "failed": form,
        "changed": entries_of(ticket, at, since=known),
    }
    return shown(request, context, status)


def facts_of(request: HttpRequest, ticket: Ticket, at: datetime) -> dict[str, Any]:
    customer = ticket.customer
    deadlines = deadlines_of(ticket, at)
    entries = entries_of(ticket, at)
    booked = next((each for each in ticket.callbacks.all() if each.state == each.BOOKED), None)
    return {
        "ticket": ticket,
        "now": at,
        "owed": deadlines,
        "heads": [each for each in deadlines if each.row.is_running],
        "past": past_deadlines(ticket, at),
        "entries": entries,
        "answers": answers_of(ticket),
        "booked": booked,
        "booked_there": time_there(booked.local_time, booked.time_zone) if booked else "",
        "wait": ticket.waits.filter(ends_at=None).first() if ticket.status == WAITING else None,
        "because": because_words(ticket.assigned_because),
        "reasons": severity_words(ticket.severity_reasons),
        "resurvey": None if ticket.is_in_work else resurvey_of(ticket),
        "escalations": escalations_of(ticket) if any(each.kind == "escalated" for each in entries) else [],
        "owner_away": is_away(ticket.owner, at),
        **playbook_facts(request, ticket),
        **related_of(request, ticket),
        **who_of(request, customer, ticket, at),
        **asked_and_given(door.staff(request), ticket, at),
    }


def escalations_of(ticket: Ticket) -> Iterable[Escalation]:
    return ticket.escalations.filter(cycle=ticket.cycle).select_related("deadline")


def related_of(request: HttpRequest, ticket: Ticket) -> dict[str, list[Ticket]]:
    """The newest other tickets of this person, and those that became part of this one."""
    same = Q(merged_into=ticket)
    if ticket.customer_id:
        same |= Q(customer=ticket.customer_id)
    found = list(door.seen_by(request).filter(same).exclude(pk=ticket.pk).select_related("response")[:20])
    merged = [each for each in found if each.merged_into_id == ticket.pk]
    return {"merged": merged, "others": [each for each in found if each not in merged][:10]}


def deadlines_of(ticket: Ticket, at: datetime) -> list[Owed]:
    """First contact before resolution."""
    rows = [row for row in ticket.deadlines.all() if row.cycle == ticket.cycle]
    return [owed(row, at) for row in sorted(rows, key=lambda row: row.kind != FIRST_CONTACT)]


def past_deadlines(ticket: Ticket, at: datetime) -> list[Owed]:
    rows = [row for row in ticket.deadlines.all() if row.cycle < ticket.cycle]
    return [owed(row, at) for row in sorted(rows, key=lambda row: (row.cycle, row.kind))]


def answers_of(ticket: Ticket) -> list[dict[str, Any]]:
    """Every answer the ticket holds, newest first, with what was ticked and rated."""
    links = ticket.ticket_responses.select_related("response__survey").prefetch_related(
        "response__answers__question"
    )
    return [
        {"link": link, "response": link.response, "facts": answer_facts(link.response)}
        for link in links.order_by("-response__answered_at", "-id")
    ]


def answer_facts(response: Response) -> list[tuple[str, str]]:
    language = get_language() or "en"
    shown = []
    for answer in response.answers.all():
        question = answer.question
        if question.kind in (Question.RATING, Question.CHOICE):
            names = dict(question.choices_in(language)) if question.kind == Question.CHOICE else {}
            shown.append((str(question), chosen(answer.value, names)))
    return shown


def chosen(value: object, names: dict[str, str]) -> str:
    values: Iterable[object] = value if isinstance(value, list) else [value]
    return ", ".join(names.get(str(each), str(each)) for each in values)


def resurvey_of(ticket: Ticket) -> dict[str, Any] | None:
    """Where asking again stands in this cycle."""
    row = Resurvey.objects.filter(ticket=ticket, cycle=ticket.cycle).select_related("response").first()
    return {"row": row, "why": reason_word(row.reason)} if row else None


def who_of(request: HttpRequest, customer: Customer | None, ticket: Ticket, at: datetime) -> dict[str, Any]:
    zone = zone_of(ticket)
    there = at.astimezone(zone)
    facts: dict[str, Any] = {
        "there": f"{there:%H:%M}",
        "there_day": is_day(there),
        "there_zone": zone.key,
        "assumed": "" if customer and customer.time_zone else city(zone),
    }
    if customer is None:
        return facts
    scores = scores_of(customer, ticket)
    return {
        **facts,
        "customer": customer,
        "scores": scores,
        "spark": sparkline_svg(scores, ticket.response.survey.scale),
        "account": account_of(request, customer),
    }


def scores_of(customer: Customer, ticket: Ticket) -> list[int]:
    """The scores this person gave in the same survey, on its scale of today, oldest first."""
    counted = Response.objects.counted().filter(customer=customer, survey=ticket.response.survey)
    newest = counted.on_todays_scale().order_by("-answered_at", "-id").values_list("score", flat=True)[:12]
    return [score for score in reversed(newest) if score is not None]


def account_of(request: HttpRequest, customer: Customer) -> dict[str, Any] | None:
    account = customer.account
    if account is None:
        return None
    open_there = door.seen_by(request).in_work().filter(customer__account=account).count()
    return {"account": account, "people": account.customers.count(), "open": open_there}


def acts_of(
    request: HttpRequest, ticket: Ticket, at: datetime, failed: forms.ActForm | None = None
) -> dict[str, Any]:
    """The forms of what this person may do now; none for somebody who only reads."""
    user = door.staff(request)
    shown = {name.replace("-", "_"): form for name, form in forms_for(user, ticket, failed)}
    if not shown:
        return {"acts": {}}
    share_causes(shown)
    say_who_is_away(shown.get("assign"), at)
    missing = leave_out_unset(shown, failed.act if failed else "")
    written_on = failed is None and put_back(request, ticket, shown.get("reply"))
    return {
        "acts": shown,
        "open": failed.act if failed else "reply" if written_on else "",
        "slots": slots_for(ticket, at) if "callback" in shown else [],
        "next_attempt": next_attempt_of(request, ticket, at),
        "outcomes": CONTACT_OUTCOMES,
        "next_ticket": next_of(request, user, ticket, at),
        "afters": StaffProfile.AFTER,
        "after": after_of(user),
        "canned": canned_in(shown, ticket),
        "to_set_up": missing if access.role_of(user) == door.ADMINISTRATOR else set(),
        "more": [
            shown[name] for name in ("priority", "policy", "escalate", "extend", "merge") if name in shown
        ],
    }


def share_causes(shown: dict[str, forms.ActForm]) -> None:
    """Three fields choose from the one list of causes: it is read once."""
    fields = [
        field
        for form in shown.values()
        for field in form.fields.values()
        if isinstance(field, ModelChoiceField) and getattr(field.queryset, "model", None) is Cause
    ]
    causes = [(cause.pk, str(cause)) for cause in Cause.objects.filter(active=True)] if fields else []
    for field in fields:
        field.widget.choices = [("", field.empty_label or ""), *causes]


# Acts that need something an administrator sets up, and the field that chooses from it.
CHOOSES: Final = {"request": "department", "goodwill": "kind"}


def leave_out_unset(shown: dict[str, forms.ActForm], failed: str) -> set[str]:
    """Take away the acts for which there is nothing to choose from, but for one refused; which they are."""
    missing = set()
    for name, chosen in CHOOSES.items():
        field = shown[name].fields[chosen] if name in shown else None
        if not isinstance(field, ModelChoiceField) or field.queryset is None:
            continue
        choices = [(row.pk, str(row)) for row in field.queryset]
        field.widget.choices = [("", field.empty_label or ""), *choices]
        if not choices and name != failed:
            del shown[name]
            missing.add(name)
    return missing


def forms_for(
    user: User, ticket: Ticket, failed: forms.ActForm | None
) -> Iterable[tuple[str, forms.ActForm]]:
    for name, form in forms.ACT_FORMS.items():
        act = forms.in_table(name)
        if failed is not None and failed.act == name:
            yield name, failed
        elif (
            access.may(user, act, ticket)
            and lifecycle.is_allowed(act, ticket.status)
            and makes_sense(name, ticket)
        ):
            yield name, form(name, ticket)


def makes_sense(name: str, ticket: Ticket) -> bool:
    """Whether there is anything to cancel, anybody to write to, and whether a merged ticket can come back."""
    if name == "cancel-callback":
        return any(each.state == each.BOOKED for each in ticket.callbacks.all())
    if name == "reply":
        return ticket.merged_into_id is None and bool(reply_channels(ticket))
    return name not in ("reopen", "take-back") or (name == "reopen" and ticket.merged_into_id is None)


def canned_in(shown: dict[str, forms.ActForm], ticket: Ticket) -> list[CannedText]:
    form = shown.get("reply")
    return canned_for(ticket, form.way) if isinstance(form, ReplyForm) else []


def after_of(user: User) -> str:
    """Where this person wants to be after an act."""
    profile: StaffProfile | None = getattr(user, "staff", None)
    return profile.after_act if profile else StaffProfile.STAY


@door.staff_page()
@require_safe
def show_asking_again(request: HttpRequest, number: str) -> HttpResponse:
    """What resolving now would lead to: looked up when somebody is about to resolve."""
    at = now()
    ticket = door.ticket_or_404(request, number)
    booked = any(each.state == each.BOOKED for each in ticket.callbacks.all())
    context = {"asked_again": asking_again(ticket, at), "booked": booked, "now": at}
    return render(request, "recovery/parts/asking_again.html", context)


def asking_again(ticket: Ticket, at: datetime) -> dict[str, Any]:
    """When the person would be asked again after resolving now; or why not."""
    survey = ticket.response.survey
    due_at = lifecycle.next_ask(ticket, at)
    if ticket.customer is None:
        return {"at": None, "why": reason_word("unknown_customer")}
    verdict = invitations.may_ask(ticket.customer, survey, at=due_at, purpose=Invitation.RESURVEY)
    if verdict.allowed:
        return {"at": due_at, "why": ""}
    return {"at": verdict.earliest, "why": reason_word(verdict.reason)}


def next_of(request: HttpRequest, user: User, ticket: Ticket, at: datetime) -> Ticket | None:
    """The next of one's own tickets by what falls due; one whose call is promised for later comes last."""
    mine = door.seen_by(request).in_work().filter(owner=user).exclude(pk=ticket.pk)
    ranked = nearest_first(mine)
    promised = Case(When(call_due__gt=at, then=Value(1)), default=Value(0))
    return ranked.order_by(promised, *ranked.query.order_by).only("number").first()
