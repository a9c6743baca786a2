"""The demo's mailbox: what anybody was sent, and one click to be somebody else. Not there but in the demo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from itertools import islice

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_POST, require_safe

from dispatch.clock import now
from recovery.demo import facts, mailbox, visitor
from recovery.demo.mailbox import Mail
from recovery.models import StaffProfile
from recovery.views import door

View = Callable[..., HttpResponse]

SHOWN, LOOKED_THROUGH = 60, 400
BACKEND = "django.contrib.auth.backends.ModelBackend"
# A mail is somebody else's page: it may show its own styles and open links in a new tab, nothing else.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
FIRST_PAGES = {
    StaffProfile.AGENT: "desk",
    StaffProfile.SUPERVISOR: "overdue",
    StaffProfile.ANALYST: "insight",
    StaffProfile.ADMINISTRATOR: "admin:index",
}
STAFF_DOMAIN = "@staff.example"
YOU, STAFF, ALL = "you", "staff", "all"


@dataclass(frozen=True, slots=True)
class Face:
    """Somebody one can be."""

    username: str
    name: str
    role: str


def demo_only(view: View) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not settings.DEMO:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


@demo_only
@require_safe
def inbox(request: HttpRequest, mail_id: str = "") -> HttpResponse:
    opened = mailbox.open_mail(mail_id) if mail_id else None
    if mail_id and opened is None:
        raise Http404
    whose = door.asked(request, "whose") or YOU
    address = door.asked(request, "to").lower()
    context = {
        "mails": shown(whose, address),
        "opened": opened,
        "whose": whose,
        "address": address,
        "tabs": [(YOU, _("You, the customer")), (STAFF, _("Colleagues")), (ALL, _("Everybody"))],
        "faces": faces(),
        "query": f"?{request.GET.urlencode()}" if request.GET else "",
    }
    return render(request, "recovery/demo/inbox.html", context)


def shown(whose: str, address: str) -> list[Mail]:
    """The newest mails of a tab, or of whoever is searched for."""
    latest = islice(mailbox.mails(), LOOKED_THROUGH)
    if address:
        found = (mail for mail in latest if address in f"{mail.name} {mail.address}".lower())
    else:
        found = (mail for mail in latest if belongs(mail, whose))
    return list(islice(found, SHOWN))


def belongs(mail: Mail, whose: str) -> bool:
    if whose == YOU:
        return visitor.is_visitor(mail.address)
    return whose == ALL or mail.address.endswith(STAFF_DOMAIN)


def faces() -> list[Face]:
    known = facts.read()
    names = [role.name for role in known.users] if known else []
    people = {user.username: user for user in User.objects.filter(username__in=names).select_related("staff")}
    found = [people[name] for name in names if name in people and hasattr(people[name], "staff")]
    return [Face(user.username, user.get_full_name(), user.staff.get_role_display()) for user in found]


@demo_only
@xframe_options_exempt
@require_safe
def mail_body(request: HttpRequest, mail_id: str) -> HttpResponse:
    """The mail as its reader sees it, walled in."""
    opened = mailbox.open_mail(mail_id)
    if opened is None or not opened.html:
        raise Http404
    response = HttpResponse(with_new_tabs(opened.html))
    response["Content-Security-Policy"] = MAIL_POLICY
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response


def with_new_tabs(html: str) -> str:
    """Links leave the frame: the survey page itself may not be framed."""
    head, found, rest = html.partition("<head>")
    base = '<base target="_blank">'
    return f"{head}{found}{base}{rest}" if found else f"{base}{html}"


@demo_only
@require_POST
def ask_me(request: HttpRequest) -> HttpResponseRedirect:
    """Another invitation for the customer that the visitor plays."""
    visitor.ask(now())
    messages.success(request, _("Asked. The mail is here in a moment."))
    return redirect("demo-inbox")


@demo_only
@require_POST
def become(request: HttpRequest) -> HttpResponseRedirect:
    """Signed in as one of the demo's people, and of nobody else."""
    wanted = request.POST.get("user", "")
    if wanted not in [face.username for face in faces()]:
        raise Http404
    user = get_object_or_404(User.objects.select_related("staff"), username=wanted, is_active=True)
    login(request, user, backend=BACKEND)
    return HttpResponseRedirect(reverse(FIRST_PAGES[user.staff.role]))
