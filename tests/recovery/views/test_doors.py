"""Who may open which page."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.make import Cast
from tests.recovery.views.conftest import SignIn

PAGES = ["/desk/counts/", "/tickets/", "/callbacks/", "/customers/"]
ROLES = ["lina", "chen", "vera", "admin"]


@pytest.mark.parametrize("name", ROLES)
@pytest.mark.parametrize("path", PAGES)
def test_it_opens_its_pages_to_every_role(cast: Cast, sign_in: SignIn, path: str, name: str) -> None:
    cast.ticket()
    assert sign_in(getattr(cast, name)).get(path).status_code == 200


@pytest.mark.parametrize("name", ROLES)
def test_it_opens_every_page_with_nothing_in_it(cast: Cast, sign_in: SignIn, name: str) -> None:
    client = sign_in(getattr(cast, name))
    assert [client.get(path).status_code for path in PAGES] == [200] * len(PAGES)


@pytest.mark.parametrize(
    ("name", "status"), [("lina", 403), ("chen", 200), ("wu", 200), ("vera", 200), ("admin", 200)]
)
def test_it_keeps_the_overdue_page_from_agents(cast: Cast, sign_in: SignIn, name: str, status: int) -> None:
    cast.ticket()
    assert sign_in(getattr(cast, name)).get("/overdue/").status_code == status


@pytest.mark.parametrize("path", [*PAGES, "/desk/", "/overdue/", "/tickets/R-1/", "/customers/1/"])
def test_it_sends_a_stranger_to_the_sign_in_page(cast: Cast, client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 302
    assert response["Location"].startswith("/login/")


@pytest.mark.parametrize("path", [*PAGES, "/desk/", "/overdue/", "/tickets/R-1/", "/customers/1/"])
def test_it_refuses_an_account_that_has_no_role(cast: Cast, sign_in: SignIn, path: str) -> None:
    nobody = User.objects.create(username="nobody")
    assert sign_in(nobody).get(path).status_code == 403


@pytest.mark.parametrize("name", ["lina", "chen", "admin"])
def test_it_opens_the_desk_to_who_owns_work(cast: Cast, sign_in: SignIn, name: str) -> None:
    cast.ticket()
    assert sign_in(getattr(cast, name)).get("/desk/").status_code == 200


def test_it_begins_at_the_desk(cast: Cast, sign_in: SignIn) -> None:
    assert sign_in(cast.lina).get("/")["Location"] == "/desk/"


@pytest.mark.parametrize(
    ("name", "status"), [("lina", 200), ("chen", 200), ("wu", 200), ("ann", 404), ("bob", 404)]
)
def test_it_hides_a_ticket_of_another_team(cast: Cast, sign_in: SignIn, name: str, status: int) -> None:
    ticket = cast.ticket()
    client = sign_in(getattr(cast, name))
    assert client.get(f"/tickets/{ticket.number}/").status_code == status
    assert client.get(f"/customers/{ticket.customer_id}/").status_code == status


def test_it_hides_an_act_on_a_ticket_of_another_team(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    response = sign_in(cast.ann).post(f"/tickets/{ticket.number}/note/", {"version": 1, "text": "Mine?"})
    assert response.status_code == 404
    assert not ticket.events.filter(kind="noted").exists()


@pytest.mark.parametrize(
    "path",
    ["/tickets/R-%00/", "/tickets/R-999999999999/", "/customers/99999999999999999999/", "/tickets/?page=x"],
)
def test_it_survives_an_address_made_up(cast: Cast, sign_in: SignIn, path: str) -> None:
    assert sign_in(cast.chen).get(path).status_code in (200, 404)


def test_it_survives_a_tick_made_up(cast: Cast, sign_in: SignIn) -> None:
    picked = ["R-\0:1", ":", "", "R-1:x"]
    response = sign_in(cast.chen).post(
        "/overdue/act/", {"ticket": picked, "do": "assign", "owner": cast.majun.pk}
    )
    results = response.context["run"].shown
    assert {result.why for result in results} == {"There is no such ticket among yours."}
