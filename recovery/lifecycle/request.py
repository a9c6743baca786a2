"""Work asked of another department: its own deadline, its own ladder, answered by a private link."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from recovery.business_hours import CalendarError, WorkingTimeError, add_working_time
from recovery.lifecycle import notices
from recovery.lifecycle.act import acting, name_of
from recovery.lifecycle.clock import iso
from recovery.lifecycle.concern import about_ticket
from recovery.lifecycle.table import Refused
from recovery.models import Department, EscalationStep, Request, Ticket
from surveys.messages import make_link, queue_message
from surveys.models import PublicLink

# How long the private link of a request can be used.
LINK_DAYS = timedelta(days=180)
# A mail about a request that could not be sent for so long is of no use any more.
MAIL_USEFUL = timedelta(days=3)

OWNER, SUPERVISOR, MANAGER = EscalationStep.OWNER, EscalationStep.SUPERVISOR, EscalationStep.MANAGER


@dataclass(frozen=True, slots=True)
class Rung:
    """After the due time, by this share of the department's usual time: who of ours is told."""

    level: int
    share: float
    told: str


LADDER = (Rung(1, 0.0, OWNER), Rung(2, 0.5, SUPERVISOR), Rung(3, 1.0, MANAGER))


def ask_department(
    ticket: Ticket,
    *,
    by: User | None,
    at: datetime,
    department: Department,
    title: str,
    text: str = "",
    owner_name: str = "",
    owner_email: str = "",
    due_at: datetime | None = None,
    holds_ticket: bool = False,
) -> Ticket:
    """Ask a department for something. Its deadline is the department's usual time, unless one is given.

    The clock of the ticket runs on: what we promised the customer does not wait for ourselves. With
    `holds_ticket` it cannot be resolved before the answer.
    """
    if not title.strip():
        raise Refused("title_missing", _("Say what is asked."), field="title")
    if not department.active:
        raise Refused("department_unknown", _("Choose another department."), field="department")
    email = checked_email(owner_email or department.email)
    due_at = due_at or usual_due(department, at)
    if due_at <= at:
        raise Refused("due_in_the_past", _("Choose a time that is still ahead."), field="due_at")
    with acting(ticket, "request", by=by, at=at) as change:
        row = Request.objects.create(
            ticket=change.ticket,
            cycle=change.ticket.cycle,
            department=department,
            owner_name=owner_name.strip()[:200],
            owner_email=email,
            title=title.strip()[:200],
            text=text.strip(),
            holds_ticket=holds_ticket,
            asked_at=at,
            asked_by=by,
            asked_by_name=name_of(by),
            due_at=due_at,
            next_step_at=due_at,
        )
        change.tell(
            "request_sent",
            row.title,
            department=department.name,
            request=row.pk,
            due_at=iso(due_at),
            holds=holds_ticket,
        )
        write_to(row, "request_asked", row.owner_email, row.owner_name, at, "asked")
    return change.ticket


def checked_email(address: str) -> str:
    try:
        validate_email(address)
    except ValidationError:
        raise Refused("email_malformed", _("Give an e-mail address."), field="owner_email") from None
    return address


def usual_due(department: Department, at: datetime) -> datetime:
    due_at = working_time_after(department, at, department.minutes)
    if due_at is None:
        raise Refused("too_far", _("This department opens too seldom: give a time yourself."), field="due_at")
    return due_at


def working_time_after(department: Department, at: datetime, minutes: float) -> datetime | None:
    """None where the department hardly ever opens, or never."""
    try:
        hours = department.calendar.as_working_calendar()
        return add_working_time(hours, at, timedelta(minutes=minutes))
    except (CalendarError, WorkingTimeError):
        return None


def answer_request(request_id: int, *, at: datetime, done: bool, answer: str, who: str = "") -> Ticket:
    """What the department says, by its link. Who asked is told. Raises Refused where it is over."""
    if not answer.strip():
        raise Refused("answer_missing", _("Say what was done, or why not."), field="answer")
    ticket = Ticket.objects.get(requests=request_id)
    with acting(ticket, "answer-request", by=None, at=at, any_version=True) as change:
        row = still_open(change.ticket, request_id)
        row.state = Request.DONE if done else Request.DECLINED
        row.answered_at, row.answer, row.next_step_at = at, answer.strip(), None
        row.owner_name = who.strip()[:200] or row.owner_name
        row.save(update_fields=["state", "answered_at", "answer", "next_step_at", "owner_name"])
        change.tell(
            "request_answered",
            row.answer,
            title=row.title,
            department=row.department.name,
            request=row.pk,
            done=done,
            late=row.due_at < at,
            who=row.owner_name,
        )
        owner, recipient = notices.minder_of(change.ticket, at)
        notices.tell(
            owner,
            "request_answered",
            change.ticket,
            at,
            f"request:{row.pk}",
            request=row,
            recipient=recipient,
        )
    return change.ticket


def cancel_request(
    ticket: Ticket, *, by: User | None, at: datetime, request: Request, reason: str = ""
) -> Ticket:
    """It is not needed any more; the department is told."""
    with acting(ticket, "request", by=by, at=at, any_version=True) as change:
        row = still_open(change.ticket, request.pk)
        row.state, row.next_step_at = Request.CANCELLED, None
        row.save(update_fields=["state", "next_step_at"])
        change.tell("request_cancelled", reason.strip(), title=row.title, request=row.pk)
        write_to(row, "request_cancelled", row.owner_email, row.owner_name, at, "cancelled")
    return change.ticket


def still_open(ticket: Ticket, request_id: int) -> Request:
    rows = Request.objects.select_related("department__calendar").filter(pk=request_id, ticket=ticket)
    row = rows.filter(state=Request.OPEN).first()
    if row is None:
        raise Refused("request_over", _("This request was answered or cancelled already."))
    row.ticket = ticket
    return row


def open_requests(ticket: Ticket) -> QuerySet[Request]:
    """Those that keep the ticket from being resolved."""
    return Request.objects.filter(ticket=ticket, state=Request.OPEN, holds_ticket=True)


def check_answered(ticket: Ticket) -> None:
    """Raises Refused while the ticket waits for a department."""
    row = open_requests(ticket).first()
    if row is not None:
        raise Refused(
            "request_open",
            _("“%(title)s” is not answered yet: wait for it, or cancel the request.") % {"title": row.title},
        )


# --- The ladder ---


def due_requests(at: datetime) -> QuerySet[Request]:
    return Request.objects.filter(state=Request.OPEN, next_step_at__lte=at).order_by("next_step_at")


@transaction.atomic
def climb_request(request_id: int, *, at: datetime) -> bool:
    """Tell the highest rung that is due, once; False where nothing is due (any more)."""
    ticket = Ticket.objects.filter(requests=request_id).first()
    if ticket is None:
        return False
    with acting(ticket, "late-request", by=None, at=at, any_version=True) as change:
        row = due_requests(at).select_related("department__calendar").filter(pk=request_id).first()
        if row is None:
            raise Refused("step_not_due", _("Nothing is due for this request."))
        row.ticket = change.ticket
        times = rung_times(row)
        rung = max((each for each in LADDER if times[each.level] <= at), key=lambda each: each.level)
        row.level = rung.level
        row.next_step_at = min((time for level, time in times.items() if level > rung.level), default=None)
        row.save(update_fields=["level", "next_step_at"])
        person, recipient = told_by(rung, change.ticket, at)
        change.tell(
            "request_late",
            title=row.title,
            department=row.department.name,
            request=row.pk,
            due_at=iso(row.due_at),
            level=rung.level,
            to=name_of(person),
        )
        occasion = f"request:{row.pk}:level:{rung.level}"
        notices.tell(
            person,
            "request_late",
            change.ticket,
            at,
            occasion,
            due_at=times[rung.level],
            facts={"title": row.title, "department": row.department.name},
            request=row,
            level=rung.level,
            recipient=recipient,
        )
        remind(row, rung, at)
    return True


def rung_times(row: Request) -> dict[int, datetime]:
    """When each rung is due, in the department's working time."""
    return {rung.level: after_due(row, row.department.minutes * rung.share) for rung in LADDER}


def after_due(row: Request, minutes: float) -> datetime:
    """So many working minutes after the due time; plain ones where the department hardly ever opens."""
    if not minutes:
        return row.due_at
    worked = working_time_after(row.department, row.due_at, minutes)
    return worked or row.due_at + timedelta(minutes=minutes)


def told_by(rung: Rung, ticket: Ticket, at: datetime) -> tuple[User, str]:
    if rung.told == OWNER:
        return notices.minder_of(ticket, at)
    above = rung.told == MANAGER
    return notices.supervisor_of(ticket, (above and ticket.team.parent) or ticket.team, at)


def remind(row: Request, rung: Rung, at: datetime) -> None:
    """Who does it, and from the second rung who leads the department."""
    write_to(row, "request_reminder", row.owner_email, row.owner_name, at, f"late:{rung.level}")
    lead = row.department.lead_email
    if lead and lead != row.owner_email and rung.level > 1:
        write_to(row, "request_reminder", lead, "", at, f"late:{rung.level}:lead")


def write_to(row: Request, kind: str, address: str, name: str, at: datetime, occasion: str) -> None:
    """One mail to the department, in its language and on its clock, with a private link of its own."""
    link = make_link(PublicLink.REQUEST, at=at, expires_at=at + LINK_DAYS, about=f"request:{row.pk}")
    with timezone.override(row.department.calendar.time_zone):
        queue_message(
            dedup_key=f"request:{row.pk}:{occasion}",
            kind=kind,
            to_address=address,
            to_name=name,
            inside=True,
            locale=row.department.locale,
            about=about_ticket(row.ticket.number),
            context={
                "request": row,
                "link": link,
                "department": row.department,
                "asked_by": row.asked_by_name,
                "number": row.ticket.number,
            },
            at=at,
            not_after=at + MAIL_USEFUL,
        )
