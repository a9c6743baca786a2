from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from dispatch.clock import now
from recovery.admin.widgets import several_of
from recovery.models import ApiToken, Membership, StaffProfile, Ticket


class StaffProfileInline(admin.StackedInline[StaffProfile, User]):
    model = StaffProfile
    can_delete = False

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "languages":
            return several_of(db_field)
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class UserMembershipInline(admin.TabularInline[Membership, User]):
    model = Membership
    extra = 0


class ColleagueForm(UserChangeForm[User]):
    def clean_is_active(self) -> bool:
        """Who leaves hands their open tickets over first: none of them may be forgotten."""
        stays = bool(self.cleaned_data["is_active"])
        number = Ticket.objects.in_work().filter(owner=self.instance).count()
        if stays or not number:
            return stays
        words = ngettext(
            "{number} open ticket is theirs: {link} first.",
            "{number} open tickets are theirs: {link} first.",
            number,
        )
        url = f"{reverse('hand-over')}?user={self.instance.pk}"
        link = format_html('<a href="{}">{}</a>', url, _("hand everything over"))
        raise ValidationError(format_html(words, number=number, link=link))


class ColleagueAdmin(UserAdmin[User]):
    """Users as Django keeps them, with their role, language, zone and teams."""

    form = ColleagueForm
    inlines = (StaffProfileInline, UserMembershipInline)
    list_display = ("username", "first_name", "last_name", "email", "role", "is_active")
    list_select_related = ("staff",)
    list_filter = ("is_active", "staff__role", "memberships__team")

    @admin.display(description=_("role"))
    def role(self, user: User) -> str:
        return user.staff.get_role_display() if hasattr(user, "staff") else ""

    def get_inlines(self, request: Any, obj: Any = None) -> Any:
        return self.inlines if obj else ()


admin.site.unregister(User)
admin.site.register(User, ColleagueAdmin)


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin[ApiToken]):
    """The text of a token is shown once, when it is made; only its hash is kept."""

    list_display = ("name", "user", "created_at", "expires_at", "revoked_at")
    list_select_related = ("user",)
    search_fields = ("name", "user__username")
    autocomplete_fields = ("user",)
    actions = ("revoke",)

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> tuple[str, ...]:
        return ("name", "user", "expires_at", "revoked_at") if obj else ("name", "user", "expires_at")

    def get_readonly_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> tuple[str, ...]:
        return ("user",) if obj else ()

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        row, text = ApiToken.issue(obj.user_id, obj.name, obj.expires_at)
        obj.pk, obj.token_hash, obj.created_at = row.pk, row.token_hash, row.created_at
        notice = _("The token is %(text)s. Copy it now: it is not shown again.") % {"text": text}
        self.message_user(request, notice, messages.WARNING)

    @admin.action(description=_("Revoke now"))
    def revoke(self, request: HttpRequest, queryset: Any) -> None:
        queryset.filter(revoked_at=None).update(revoked_at=now())
