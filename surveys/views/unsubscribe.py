from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from dispatch.clock import now
from surveys import messages
from surveys.messages import consent
from surveys.messages.compose import brand
from surveys.messages.suppression import UNSUBSCRIBED
from surveys.models import Message, PublicLink

# Where a word of the consent ledger was said.
SAID_HERE = "unsubscribe_page"


# The token in the address is the authority, and mail programs post here without a cookie (RFC 8058).
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET only shows: scanners follow every link in a mail. POST does, `keep=1` undoes."""
    at = now()
    link = messages.find_link(token, PublicLink.UNSUBSCRIBE, at)
    addresses = addresses_of(link) if link else []
    if not addresses:
        return page(request, link, {"gone": True}, status=404)
    keeps = "keep" in request.POST
    if request.method == "POST":
        with transaction.atomic():
            note(link, addresses, keeps, at)
    off = all(messages.is_suppressed(address) for address in addresses)
    return page(request, link, {"addresses": map(masked, addresses), "off": off, "kept": keeps and not off})


def note(link: PublicLink | None, addresses: list[str], keeps: bool, at: datetime) -> None:
    for address in addresses:
        if keeps:
            messages.unsuppress(address)
        else:
            messages.suppress(address, UNSUBSCRIBED, at)
    if link and link.customer:
        consent.record(link.customer, given=keeps, source=SAID_HERE, at=at)


def addresses_of(link: PublicLink) -> list[str]:
    """The address its message went to; if that row is gone, the customer's addresses."""
    _room, _colon, number = link.about.partition("message:")
    message = Message.objects.filter(pk=number).first() if number.isdigit() else None
    if message:
        return [message.to_address]
    customer = link.customer
    return list(customer.identities.filter(kind="email").values_list("value", flat=True)) if customer else []


def masked(address: str) -> str:
    """Enough for its owner to know it again."""
    name, _at, host = address.partition("@")
    return f"{name[:1]}•••@{host}"


def page(
    request: HttpRequest, link: PublicLink | None, context: dict[str, object], status: int = 200
) -> HttpResponse:
    language = link.customer.locale if link and link.customer else translation.get_language() or "en"
    with translation.override(language):
        response = render(
            request,
            "surveys/unsubscribe.html",
            {**context, "brand": brand(), "lang": translation.to_locale(language).replace("_", "-")},
            status=status,
        )
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response
