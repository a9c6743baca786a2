import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.test import Client

from recovery.models import StaffProfile
from tests.make import Cast


@pytest.mark.parametrize(
    ("name", "perm", "allowed"),
    [
        ("admin", "recovery.change_triagerule", True),
        ("admin", "auth.add_user", True),
        ("admin", "sessions.delete_session", False),
        ("chen", "surveys.change_message", True),
        ("chen", "recovery.change_triagerule", False),
        ("lina", "surveys.change_message", False),
        ("vera", "surveys.change_message", False),
    ],
)
def test_a_role_is_a_set_of_permissions(cast: Cast, name: str, perm: str, allowed: bool) -> None:
    user: User = getattr(cast, name)
    assert user.has_perm(perm) == allowed


def test_nobody_signed_in_has_none() -> None:
    assert not AnonymousUser().has_perm("surveys.change_message")


@pytest.mark.parametrize(("name", "status"), [("admin", 200), ("chen", 302), ("lina", 302), ("vera", 302)])
def test_only_administrators_enter_the_admin_site(cast: Cast, client: Client, name: str, status: int) -> None:
    client.force_login(getattr(cast, name))
    assert client.get("/admin/").status_code == status


def test_a_role_taken_away_takes_the_admin_site_away(cast: Cast, client: Client) -> None:
    profile = cast.admin.staff
    profile.role = StaffProfile.AGENT
    profile.save()
    client.force_login(cast.admin)
    assert client.get("/admin/").status_code == 302
