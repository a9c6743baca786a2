from __future__ import annotations

import pytest
from django.test import Client

from recovery.views import customers, lost
from surveys.models import Customer
from tests.make import DAY, MONDAY, Cast
from tests.recovery.views.conftest import SignIn

NOW = MONDAY + DAY


@pytest.fixture(autouse=True)
def _tuesday(monkeypatch: pytest.MonkeyPatch) -> None:
    for door in (customers, lost):
        monkeypatch.setattr(door, "now", lambda: NOW)


@pytest.fixture
def zhang(cast: Cast) -> Customer:
    customer = cast.ticket().customer
    assert customer is not None
    return customer


def now(customer: Customer) -> Customer:
    return Customer.objects.get(pk=customer.pk)


def test_a_supervisor_marks_and_takes_back(cast: Cast, zhang: Customer, sign_in: SignIn) -> None:
    chen = sign_in(cast.chen)
    address = f"/customers/{zhang.pk}/"
    assert "This customer has left" in chen.get(address).content.decode()
    answer = chen.post(f"{address}lost/", {"day": "2026-03-02", "reason": "Too dear"}, follow=True)
    assert answer.status_code == 200
    assert now(zhang).lost_at == MONDAY.replace(hour=16, day=1), "midnight in Shanghai"
    page = chen.get(address).content.decode()
    assert "Too dear" in page
    assert "Take it back" in page
    chen.post(f"{address}kept/")
    assert now(zhang).lost_at is None


def test_today_is_now(cast: Cast, zhang: Customer, sign_in: SignIn) -> None:
    sign_in(cast.admin).post(f"/customers/{zhang.pk}/lost/", {"day": "2026-03-03", "reason": "Moved"})
    assert now(zhang).lost_at == NOW


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"day": "2026-03-09", "reason": "Moved"}, "has not come yet"),
        ({"day": "", "reason": "Moved"}, "required"),
        ({"day": "2026-03-02", "reason": "  "}, "required"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    cast: Cast, zhang: Customer, sign_in: SignIn, fields: dict[str, str], said: str
) -> None:
    answer = sign_in(cast.chen).post(f"/customers/{zhang.pk}/lost/", fields)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert said in page
    assert f'value="{fields["day"]}"' in page or not fields["day"]
    assert now(zhang).lost_at is None


def test_others_are_refused(cast: Cast, zhang: Customer, sign_in: SignIn) -> None:
    for user, status in ((cast.lina, 403), (cast.vera, 403), (cast.bob, 404)):
        client = sign_in(user)
        for path in ("lost", "kept"):
            assert client.post(f"/customers/{zhang.pk}/{path}/").status_code == status
        page = client.get(f"/customers/{zhang.pk}/").content.decode()
        assert "This customer has left" not in page
    assert now(zhang).lost_at is None


def test_nobody_else_comes_in(zhang: Customer, client: Client) -> None:
    assert client.post(f"/customers/{zhang.pk}/lost/").status_code == 302
