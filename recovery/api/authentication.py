from django.contrib.auth.models import User
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from dispatch import clock
from recovery.models import ApiToken


class BearerToken(BaseAuthentication):
    """`Authorization: Bearer <token>`. Unknown, expired, revoked, of somebody who left: one error."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _space, text = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        token = valid_token(text.decode("latin-1").strip())
        if token is None:
            raise AuthenticationFailed(_("This token is not valid. Ask an administrator for a new one."))
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


def valid_token(text: str) -> ApiToken | None:
    now = clock.now()
    running = Q(expires_at=None) | Q(expires_at__gt=now)
    valid = ApiToken.objects.filter(running, revoked_at=None, user__is_active=True)
    return valid.select_related("user__staff").filter(token_hash=ApiToken.hash_of(text)).first()


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = BearerToken
    name = "bearer"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}


def caller(request: Request) -> User:
    """Who asks; behind Colleague it is never nobody."""
    assert isinstance(request.user, User)
    return request.user
