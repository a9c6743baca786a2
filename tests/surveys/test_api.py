"""Customers, invitations and surveys over the API, as an administrator sees them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.utils.dateparse import parse_datetime

from surveys.models import Customer, CustomerIdentity, Invitation
from tests.make import DAY, MONDAY, Cast
from tests.recovery.api.client import Client, places, reason_at

WEI = {
    "external_id": "C-1",
    "name": "Zhang Wei",
    "email": "Wei@Example.com ",
    "phone": "+86 138 0013 8000",
    "locale": "zh-CN",
    "time_zone": "Asia/Shanghai",
    "account": "Acme",
    "annual_value": "1200.50",
    "tier": "gold",
    "attributes": {"since": 2019},
}


@pytest.fixture(autouse=True)
def on_monday() -> Iterator[None]:
    with time_machine.travel(MONDAY, tick=False):
        yield


@pytest.fixture
def admin(cast: Cast) -> Client:
    return Client.of(cast.admin)


class TestCustomers:
    def test_it_makes_one_once(self, admin: Client) -> None:
        first = admin.send("customers/", WEI)
        again = admin.send("customers/", {"email": "wei@example.com"})
        assert (first.status_code, again.status_code) == (201, 200)
        assert again.json() == first.json()
        shown = first.json()
        assert (shown["email"], shown["phone"]) == ("wei@example.com", "+8613800138000")
        assert (shown["locale"], shown["account"]) == ("zh-hans", "Acme")
        assert (shown["annual_value"], shown["attributes"]) == ("1200.50", {"since": 2019})

    @pytest.mark.parametrize(
        ("body", "path"),
        [
            ({"name": "Nobody"}, ""),
            ({**WEI, "email": "nobody"}, "email"),
            ({**WEI, "shoe": 42}, "shoe"),
            ({**WEI, "annual_value": -1}, "annual_value"),
            ({**WEI, "time_zone": "Mars/Base"}, "time_zone"),
            ({**WEI, "name": "a\x00b"}, "name"),
            ([], ""),
            (None, ""),
        ],
    )
    def test_it_refuses_with_the_place(self, admin: Client, body: Any, path: str) -> None:
        answer = admin.send("customers/", body)
        assert (answer.status_code, places(answer)) == (400, {path})
        assert reason_at(answer, path)
        assert not Customer.objects.exists()

    def test_it_changes_what_is_given_and_nothing_else(self, admin: Client) -> None:
        before = admin.send("customers/", WEI).json()
        changed = admin.change(f"customers/{before['id']}/", {"email": "new@example.com", "tier": ""}).json()
        assert changed == {**before, "email": "new@example.com", "tier": ""}
        assert list(CustomerIdentity.objects.filter(kind="email").values_list("value", flat=True)) == [
            "new@example.com"
        ]

    def test_it_refuses_a_change_and_keeps_what_was(self, admin: Client) -> None:
        wei = admin.send("customers/", WEI).json()
        admin.send("customers/", {"email": "amy@example.com"})
        for change, path in (
            ({"name": "New", "email": "amy@example.com"}, "email"),
            ({"external_id": "", "email": "", "phone": ""}, ""),
            ({"shoe": 42}, "shoe"),
            ({"locale": "!"}, "locale"),
        ):
            answer = admin.change(f"customers/{wei['id']}/", change)
            assert (answer.status_code, places(answer)) == (400, {path})
        assert admin.read(f"customers/{wei['id']}/").json() == wei

    def test_it_finds_by_name_or_address(self, admin: Client) -> None:
        wei = admin.send("customers/", WEI).json()
        admin.send("customers/", {"email": "amy@example.com"})
        for text, found in (("zhang", 1), ("wei@example.com", 1), ("C-1", 1), ("nobody", 0), ("%", 0)):
            assert len(admin.read("customers/", q=text).json()["results"]) == found
        assert admin.read("customers/", colour="red").status_code == 400
        assert admin.read(f"customers/{wei['id']}/").status_code == 200
        assert admin.read("customers/999999/").status_code == 404
        assert admin.read(f"customers/{10**30}/").status_code == 404

    def test_it_takes_the_same_queries_for_any_length(
        self, cast: Cast, admin: Client, django_assert_max_num_queries: Any
    ) -> None:
        for number in range(20):
            cast.customer(f"Customer {number}")
        with django_assert_max_num_queries(12):
            assert len(admin.read("customers/").json()["results"]) == 20


class TestInvitations:
    def test_it_asks_now_or_later(self, cast: Cast, admin: Client) -> None:
        customer = cast.customer()
        now = admin.send("invitations/", {"survey": "delivery", "customer": customer.pk})
        assert (now.status_code, now.json()["state"]) == (201, "planned")
        assert parse_datetime(now.json()["send_at"]) == MONDAY
        tomorrow = (MONDAY + DAY).isoformat()
        body = {"survey": "delivery", "customer": customer.pk, "send_at": tomorrow, "touchpoint": "Shop"}
        later = admin.send("invitations/", body).json()
        assert (parse_datetime(later["send_at"]), later["touchpoint"]) == (MONDAY + DAY, "Shop")
        assert admin.read(f"invitations/{later['id']}/").json() == later
        rows = admin.read("invitations/", customer=customer.pk, ordering="send_at").json()["results"]
        assert [row["id"] for row in rows] == [now.json()["id"], later["id"]]
        assert admin.read("invitations/", state="sent").json()["results"] == []

    @pytest.mark.parametrize(
        ("changes", "path"),
        [
            ({"survey": "nobody"}, "survey"),
            ({"survey": "a\x00"}, "survey"),
            ({"survey": None}, "survey"),
            ({"customer": 999_999}, "customer"),
            ({"customer": 10**40}, "customer"),
            ({"customer": "Zhang"}, "customer"),
            ({"customer": True}, "customer"),
            ({"send_at": "2026-03-03T09:00:00"}, "send_at"),
            ({"send_at": "soon"}, "send_at"),
            ({"colour": "red"}, "colour"),
        ],
    )
    def test_it_refuses_with_the_place(self, cast: Cast, admin: Client, changes: Any, path: str) -> None:
        body = {"survey": "delivery", "customer": cast.customer().pk, **changes}
        answer = admin.send("invitations/", body)
        assert (answer.status_code, places(answer)) == (400, {path})
        assert not Invitation.objects.exists()

    def test_it_refuses_a_survey_no_longer_asked(self, cast: Cast, admin: Client) -> None:
        type(cast.survey).objects.update(active=False)
        answer = admin.send("invitations/", {"survey": "delivery", "customer": cast.customer().pk})
        assert places(answer) == {"survey"}


def test_a_survey_shows_its_scale_and_questions(cast: Cast, admin: Client) -> None:
    row = admin.read("surveys/").json()["results"][0]
    assert (row["slug"], row["lowest"], row["highest"], row["low_cut"], row["high_cut"]) == (
        *("delivery", 0, 10),
        *(6, 9),
    )
    assert [question["key"] for question in row["questions"]] == ["score", "why"]
