"""The field at the top of every page: what it finds as one types."""

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from recovery.models import SavedView
from tests.make import Cast
from tests.recovery.views.conftest import SignIn


def found(answer: Any) -> dict[str, list[str]]:
    return {group.code: [each.url for each in group.found] for group in answer.context["groups"]}


def test_it_offers_pages_and_views_before_anything_is_typed(cast: Cast, sign_in: SignIn) -> None:
    SavedView.objects.create(user=cast.lina, name="Gold", query="tier=gold")
    groups = found(sign_in(cast.lina).get("/jump/"))
    assert set(groups) == {"pages", "views"}
    assert {"/desk/", "/tickets/"} <= set(groups["pages"])
    assert "/admin/" not in groups["pages"]
    assert "/tickets/?tier=gold" in groups["views"]


def test_it_finds_a_ticket_and_its_customer_by_name(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket(customer=cast.customer("张伟"))
    cast.ticket(customer=cast.customer("Kim"))
    groups = found(sign_in(cast.lina).get("/jump/", {"q": "张伟"}))
    assert groups["tickets"] == [f"/tickets/{ticket.number}/"]
    assert groups["customers"] == [f"/customers/{ticket.customer_id}/"]
    assert groups["search"][0] == "/tickets/?q=%E5%BC%A0%E4%BC%9F"


@pytest.mark.parametrize("others", [3, 6])
def test_it_puts_the_number_that_was_typed_first(cast: Cast, sign_in: SignIn, others: int) -> None:
    first = cast.ticket()
    for _ in range(others):
        cast.ticket(comment=f"As I said in {first.number[2:]}")
    for words in (first.number, first.number[2:]):
        assert found(sign_in(cast.lina).get("/jump/", {"q": words}))["tickets"][0] == (
            f"/tickets/{first.number}/"
        )


def test_it_finds_a_page_by_part_of_its_name(cast: Cast, sign_in: SignIn) -> None:
    assert found(sign_in(cast.lina).get("/jump/", {"q": "CALLB"}))["pages"] == ["/callbacks/"]


def test_it_finds_nothing_of_other_teams(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket(team=cast.west, customer=cast.customer("Secret"))
    client = sign_in(cast.lina)
    for words in ("Secret", ticket.number):
        assert {"tickets", "customers"}.isdisjoint(found(client.get("/jump/", {"q": words})))


def test_it_is_closed_to_strangers(client: Any, db: None) -> None:
    assert client.get("/jump/")["Location"].startswith("/login/")


@pytest.mark.parametrize("name", ["lina", "chen", "admin"])
def test_it_asks_the_database_at_most_twelve_times(
    cast: Cast, sign_in: SignIn, django_assert_max_num_queries: DjangoAssertNumQueries, name: str
) -> None:
    for _ in range(8):
        cast.ticket(customer=cast.customer(""))
    client = sign_in(getattr(cast, name))
    with django_assert_max_num_queries(12):
        client.get("/jump/", {"q": "nobody"})
