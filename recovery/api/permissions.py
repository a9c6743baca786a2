from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from recovery.access import role_of
from recovery.models import StaffProfile


class Colleague(BasePermission):
    """Whoever works here may read; an analyst changes nothing. What of it they see is recovery.access."""

    def has_permission(self, request: Request, view: Any) -> bool:
        role = role_of(request.user)
        if role == StaffProfile.ANALYST:
            return request.method in SAFE_METHODS or getattr(view, "changes_nothing", False)
        return bool(role)
