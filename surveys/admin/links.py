from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from dispatch.clock import now
from surveys.admin.readonly import ReadOnlyAdmin
from surveys.models import PublicLink


@admin.register(PublicLink)
class PublicLinkAdmin(ReadOnlyAdmin[PublicLink]):
    """Links that were given out. The address itself is not kept: a link can be revoked, not read."""

    list_display = ("purpose", "about", "customer", "created_at", "expires_at", "revoked_at")
    list_filter = ("purpose",)
    list_select_related = ("customer",)
    search_fields = ("=about", "customer__name", "customer__identities__value")
    fields = ("purpose", "about", "customer", "created_at", "expires_at", "revoked_at")
    actions = ("revoke",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("customer__identities")

    @admin.action(description=_("Revoke now"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: Any) -> None:
        """Whoever has the address sees that the page is gone; a new mail brings a new one."""
        queryset.filter(revoked_at=None).update(revoked_at=now())

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("surveys.change_publiclink")
