"""Writing to the customer: the draft, its canned texts, its preview, and ten seconds to take it back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from dispatch.clock import now
from recovery import lifecycle
from recovery.forms.reply import ReplyForm
from recovery.lifecycle import Refused
from recovery.lifecycle.canned import canned_for, filled
from recovery.lifecycle.reply import KIND, UNDO, address_of, check_text
from recovery.models import CannedText, Reply, Ticket
from recovery.views import door
from recovery.views.ticket import acts_of, facts_of, shown
from surveys.messages import rules
from surveys.messages.compose import brand, render_text
from surveys.messages.gate import zone_of
from surveys.messages.pace import room_expected
from surveys.messages.quiet import quiet_until

Values = dict[str, Any]


@dataclass(frozen=True)
class Preview:
    """What the customer would read; `why` it cannot be sent so, `waits` until when it would wait.

    `often`: it waits because they were written to often enough, not for their quiet hours alone.
    """

    to: str
    subject: str
    body: str
    why: str
    waits: datetime | None
    often: bool


def reply(ticket: Ticket, by: User, at: datetime, values: Values) -> Ticket:
    return lifecycle.reply(
        ticket, by=by, at=at, channel=values["channel"], subject=values["subject"], text=values["text"]
    )


def take_back(ticket: Ticket, by: User, at: datetime, values: Values) -> Ticket:
    row = Reply.objects.filter(ticket=ticket, pk=values["reply"], direction=Reply.OURS).first()
    if row is None:
        raise Refused("no_such_reply", _("There is no such reply to take back."))
    return lifecycle.take_back(ticket, row, by=by, at=at)


def name_cause(ticket: Ticket, by: User, at: datetime, values: Values) -> Ticket:
    return lifecycle.name_cause(ticket, by=by, at=at, cause=values["cause"])


def undo(request: HttpRequest, ticket: Ticket, at: datetime) -> SafeString:
    """What the page says after a reply was written, with the button that takes it back."""
    row = Reply.objects.filter(ticket=ticket, by=door.staff(request)).latest("pk")
    waits, often = goes_out(ticket, row.channel, at)
    context = {
        "ticket": ticket,
        "reply": row,
        "seconds": int(UNDO.total_seconds()),
        "waits": waits,
        "often": often,
        "now": at,
        "beside": request.headers.get("HX-Target") == "detail",
    }
    return render_to_string("recovery/parts/undo.html", context, request=request)


def goes_out(ticket: Ticket, channel: str, at: datetime) -> tuple[datetime | None, bool]:
    """Until when a reply written now waits, None where it does not; and whether because they were written to
    often enough for one day, not for their quiet hours alone."""
    kept, address = rules.current(), address_of(ticket.customer, channel)
    room = room_expected(address, channel, kept.per_person_per_day, at) if address else None
    sent = max(room, at + UNDO) if room else at + UNDO
    quiet = quiet_until(sent, zone_of(ticket.customer), kept.quiet_from, kept.quiet_until)
    return quiet or room, room is not None


@door.staff_page()
def draft_reply(request: HttpRequest, number: str) -> HttpResponse:
    """The reply as far as it is written, with a canned text put in, or as the customer would see it."""
    if request.method != "POST":
        return redirect("ticket", number)
    at = now()
    ticket = door.ticket_or_404(request, number, "reply")
    form = drafted(request, ticket, at)
    preview = preview_of(ticket, form, at) if "preview" in request.POST else None
    if "HX-Request" in request.headers:
        context = {"form": form, "ticket": ticket, "canned": canned_for(ticket, form.way), "now": at}
        context |= {"preview": preview, "drafted": True, "beside": "beside" in request.POST}
        return render(request, "recovery/parts/ticket_reply.html", context)
    facts = {**facts_of(request, ticket, at), **acts_of(request, ticket, at, failed=form)}
    return shown(request, {**facts, "preview": preview})


def drafted(request: HttpRequest, ticket: Ticket, at: datetime) -> ReplyForm:
    """Not judged yet: nothing is red before somebody sends it."""
    form = ReplyForm("reply", ticket)
    given = request.POST
    for name in ("version", "channel", "subject", "text"):
        if name in given:
            form.initial[name] = given[name]
    chosen = given.get("canned", "")
    canned = canned_for(ticket, form.way) if chosen.isdecimal() else []
    for row in canned:
        if row.pk == int(chosen):
            form.initial["text"] = with_canned(form.initial.get("text", ""), row, ticket, request, at)
    return form


def with_canned(text: str, row: CannedText, ticket: Ticket, request: HttpRequest, at: datetime) -> str:
    """After what was typed, which is never lost."""
    ready = filled(row, ticket, door.staff(request), at)
    return f"{text.rstrip()}\n\n{ready}" if text.strip() else ready


def preview_of(ticket: Ticket, form: ReplyForm, at: datetime) -> Preview:
    text, subject = str(form["text"].value() or ""), str(form["subject"].value() or "")
    customer = ticket.customer
    context = {"reply_subject": subject or brand(), "text": text.strip(), "brand": brand()}
    with translation.override(customer.locale if customer else "en"):
        title, body = render_text(KIND, context)
    waits, often = goes_out(ticket, form.way, at)
    return Preview(
        to=address_of(customer, form.way),
        subject=title if form.way == "email" else "",
        body=body.strip(),
        why=why_not(text),
        waits=waits,
        often=often,
    )


def why_not(text: str) -> str:
    try:
        check_text(text)
    except Refused as refused:
        return str(refused)
    return ""
