"""What a role may do beyond tickets, as Django's permissions, so that the rooms need not know each other."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.models import AnonymousUser, User

from recovery.access import role_of
from recovery.models import StaffProfile

CONFIGURED = ("dispatch", "surveys", "recovery", "auth", "axes")
OF_SUPERVISORS = frozenset({"surveys.change_message", "surveys.view_sendingrules", "dispatch.view_claim"})


class RolePermissions(BaseBackend):
    """Administrators configure everything; supervisors decide about messages that need a person, and see
    whether what is due is done."""

    def has_perm(self, user_obj: User | AnonymousUser, perm: str, obj: Any = None) -> bool:
        role = role_of(user_obj)
        if role == StaffProfile.ADMINISTRATOR:
            return perm.split(".")[0] in CONFIGURED
        return role == StaffProfile.SUPERVISOR and perm in OF_SUPERVISORS

    def has_module_perms(self, user_obj: User | AnonymousUser, app_label: str) -> bool:
        return role_of(user_obj) == StaffProfile.ADMINISTRATOR and app_label in CONFIGURED
