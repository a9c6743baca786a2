"""Writes a message down: rendered in the reader's language and time, once per intent."""

import re
from contextlib import nullcontext
from datetime import datetime, timedelta
from email.utils import parseaddr
from functools import partial
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.template import Context, TemplateDoesNotExist
from django.template.loader import get_template
from django.utils import timezone, translation

from dispatch import epoch
from dispatch.nudge import nudge
from surveys.messages.links import new_link
from surveys.models import Customer, Invitation, Message, PublicLink

EMAIL = "email"
UNSUBSCRIBE_DAYS = 730
# Line breaks would end a header; bidirectional controls would let a name rewrite the rest of the line.
UNFIT_FOR_A_LINE = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+")


def queue_message(
    *,
    dedup_key: str,
    kind: str,
    to_address: str,
    locale: str,
    context: dict[str, Any],
    at: datetime,
    to_name: str = "",
    customer: Customer | None = None,
    user: User | None = None,
    inside: bool = False,
    invitation: Invitation | None = None,
    channel: str = EMAIL,
    about: str = "",
    send_at: datetime | None = None,
    not_after: datetime | None = None,
) -> Message:
    """The message of this intent, queued; the same `dedup_key` again is the row already there.

    Renders `messages/<kind>.txt` (subject, blank line, body) and, for mail, `messages/<kind>.html` where it
    exists, in `locale` and, for a customer, their time zone. The templates also see `brand`, `to_name`,
    `subject` and, for a customer, `unsubscribe_url`.
    """
    known = Message.objects.filter(dedup_key=dedup_key).first()
    if known:
        return known
    message = Message(
        dedup_key=dedup_key,
        key=provider_key(dedup_key),
        kind=kind,
        channel=channel,
        to_address=to_address.strip(),
        to_name=one_line(to_name)[:200],
        locale=locale,
        customer=customer,
        user=user,
        inside=inside,
        invitation=invitation,
        about=about,
        send_at=send_at or at,
        not_after=not_after,
        created_at=at,
    )
    try:
        with transaction.atomic():
            _write(message, context, at)
    except IntegrityError:
        # Somebody else said it between our look and our insert.
        return Message.objects.get(dedup_key=dedup_key)
    if message.send_at <= at:
        transaction.on_commit(partial(nudge, "messages", message.pk))
    return message


def provider_key(dedup_key: str, resent: int = 0) -> str:
    """What a provider tells a repetition by, 64 characters: the same for every try of one intent, and another
    each time a person had it sent again.

    The generation of the database goes in: after a restore the same intent may name something else.
    """
    return sha256(f"{epoch.generation()}/{resent}/{dedup_key}".encode()).hexdigest()


def _write(message: Message, context: dict[str, Any], at: datetime) -> None:
    link, context = None, {**context, "brand": brand(), "to_name": message.to_name}
    if message.customer and not message.user:
        link, url = new_link(
            PublicLink.UNSUBSCRIBE,
            at=at,
            expires_at=at + timedelta(days=UNSUBSCRIBE_DAYS),
            customer=message.customer,
        )
        context["unsubscribe_url"] = url
        if message.channel == EMAIL:
            message.headers = {
                "List-Unsubscribe": f"<{url}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            }
    zone = timezone.override(message.customer.zone) if message.customer else nullcontext()
    with translation.override(message.locale), zone:
        message.subject, message.text = render_text(message.kind, context)
        if message.channel == EMAIL:
            message.html = render_html(message.kind, {**context, "subject": message.subject})
    message.save(force_insert=True)
    if link:
        link.about = f"message:{message.pk}"
        link.save(update_fields=["about"])


def render_text(kind: str, context: dict[str, Any]) -> tuple[str, str]:
    """(subject, body). A customer's text always ends with the way out, whatever its template says."""
    whole = render(f"messages/{kind}.txt", context, autoescape=False).strip()
    subject, _blank, body = whole.partition("\n")
    if "unsubscribe_url" in context:
        foot = render("messages/foot.txt", context, autoescape=False).strip()
        body = f"{body.strip()}\n\n-- \n{foot}"
    return one_line(subject)[:300], f"{body.strip()}\n"


def render_html(kind: str, context: dict[str, Any]) -> str:
    try:
        return render(f"messages/{kind}.html", context, autoescape=True)
    except TemplateDoesNotExist as missing:
        if str(missing) != f"messages/{kind}.html":
            raise
        return ""


def render(name: str, context: dict[str, Any], *, autoescape: bool) -> str:
    template: Any = get_template(name)
    return str(template.template.render(Context(context, autoescape=autoescape)))


def brand() -> str:
    """Whom the mail is from: the name in the configured sender."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[0] or "Redress"


def one_line(text: str) -> str:
    return " ".join(UNFIT_FOR_A_LINE.sub(" ", text).split())
