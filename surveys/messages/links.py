"""Links for people without a login. The token is in the link only; the row keeps its SHA-256."""

import re
import secrets
from base64 import urlsafe_b64encode
from datetime import datetime
from hashlib import sha256

from django.conf import settings
from django.utils.crypto import salted_hmac

from surveys.models import Customer, Invitation, PublicLink

PATHS = {
    PublicLink.SURVEY: "s",
    PublicLink.CUSTOMER: "c",
    PublicLink.UNSUBSCRIBE: "u",
    PublicLink.REQUEST: "r",
}
TOKEN_BYTES = 24
TOKEN_IN_PATH = re.compile(r"(/[scur]/)[\w-]{32}(?=/)")


def make_link(
    purpose: str,
    *,
    at: datetime,
    expires_at: datetime,
    invitation: Invitation | None = None,
    customer: Customer | None = None,
    about: str = "",
) -> str:
    """The absolute URL of a new link."""
    return new_link(
        purpose, at=at, expires_at=expires_at, invitation=invitation, customer=customer, about=about
    )[1]


def new_link(
    purpose: str,
    *,
    at: datetime,
    expires_at: datetime,
    invitation: Invitation | None = None,
    customer: Customer | None = None,
    about: str = "",
) -> tuple[PublicLink, str]:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    link = PublicLink.objects.create(
        token_hash=hashed(token),
        purpose=purpose,
        invitation=invitation,
        customer=customer,
        about=about,
        created_at=at,
        expires_at=expires_at,
    )
    return link, f"{settings.PUBLIC_URL}/{PATHS[purpose]}/{token}/"


def find_link(token: str, purpose: str, at: datetime) -> PublicLink | None:
    """The live link of this token. Unknown, expired and revoked cost the same work and say the same."""
    link = (
        PublicLink.objects.select_related("customer", "invitation__survey")
        .filter(token_hash=hashed(token), purpose=purpose)
        .first()
    )
    return link if link and link.is_live(at) else None


def derived_token(salt: str, value: str) -> str:
    """A token of 192 bits that is the same whenever it is asked for, and worth nothing without a row."""
    digest = salted_hmac(salt, value, algorithm="sha256").digest()
    return urlsafe_b64encode(digest[:TOKEN_BYTES]).decode()


def hashed(token: str) -> str:
    return sha256(token.encode(errors="replace")).hexdigest()


def hide_tokens(text: str) -> str:
    """For colleagues' eyes: who has the token can act as the customer."""
    return TOKEN_IN_PATH.sub(r"\1…", text)
