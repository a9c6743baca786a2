"""The page of a request's private link, and requests and goodwill on the ticket page."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from recovery import lifecycle
from recovery.models import Department, Goodwill, GoodwillKind, GoodwillLimit, Request, Ticket
from recovery.views import request_page
from surveys.models import Message, PublicLink
from tests.make import HOUR, MINUTE, MONDAY, Cast
from tests.recovery.views.conftest import SignIn

AT = MONDAY + 30 * MINUTE


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_page, "now", lambda: AT + HOUR)


@pytest.fixture
def asked(cast: Cast) -> Ticket:
    warehouse = Department.objects.create(
        name="Warehouse", email="warehouse@dept.example", minutes=120, calendar=cast.calendar
    )
    return lifecycle.ask_department(
        cast.ticket(), by=cast.lina, at=AT, department=warehouse, title="Find parcel 4711"
    )


def path_in_mail() -> str:
    found = re.search(r"(/r/[\w-]+/)", Message.objects.get(kind="request_asked").text)
    assert found
    return found[1]


def test_it_shows_what_is_asked_and_changes_nothing_when_a_scanner_looks(
    client: Client, asked: Ticket
) -> None:
    page = client.get(path_in_mail())
    assert "Find parcel 4711" in page.content.decode()
    assert page["Cache-Control"].count("no-store") == 1
    assert Request.objects.get().state == "open"


def test_it_names_neither_the_customer_nor_their_words(client: Client, asked: Ticket) -> None:
    text = client.get(path_in_mail()).content.decode()
    assert "Zhang Wei" not in text
    assert "Nobody called" not in text


def test_it_takes_an_answer_without_signing_in(client: Client, asked: Ticket) -> None:
    page = client.post(path_in_mail(), {"who": "Mr Gao", "answer": "In bay 3", "done": "yes"}, follow=True)
    assert "your answer is here" in page.content.decode()
    row = Request.objects.get()
    assert (row.state, row.answer, row.owner_name) == ("done", "In bay 3", "Mr Gao")


def test_it_keeps_what_was_typed_and_says_what_is_missing(client: Client, asked: Ticket) -> None:
    page = client.post(path_in_mail(), {"who": "Mr Gao", "answer": "In bay 3"})
    assert page.status_code == 422
    assert "In bay 3" in page.content.decode()
    assert Request.objects.get().state == "open"


def test_it_says_so_when_it_was_cancelled_meanwhile(client: Client, cast: Cast, asked: Ticket) -> None:
    lifecycle.cancel_request(asked, by=cast.lina, at=AT, request=Request.objects.get())
    page = client.post(path_in_mail(), {"who": "Mr Gao", "answer": "In bay 3", "done": "yes"})
    assert "not needed any more" in page.content.decode()
    assert Request.objects.get().state == "cancelled"


@pytest.mark.parametrize("change", ["unknown", "expired", "revoked", "of another kind"])
def test_it_says_the_same_of_every_link_that_does_not_work(
    client: Client, asked: Ticket, change: str
) -> None:
    path = path_in_mail() if change != "unknown" else f"/r/{'x' * 32}/"
    changes: dict[str, dict[str, Any]] = {
        "expired": {"expires_at": AT},
        "revoked": {"revoked_at": AT},
        "of another kind": {"purpose": "customer"},
    }
    if change in changes:
        PublicLink.objects.update(**changes[change])
    page = client.get(path)
    assert page.status_code == 404
    assert "no longer works" in page.content.decode()


def test_it_speaks_the_departments_language(client: Client, asked: Ticket) -> None:
    Department.objects.update(locale="zh-hans")
    assert 'lang="zh-Hans"' in client.get(path_in_mail()).content.decode().replace("zh_Hans", "zh-Hans")


# --- On the ticket page ---


@pytest.fixture
def voucher(db: None) -> GoodwillKind:
    GoodwillLimit.objects.create(role="agent", cost=Decimal("30"))
    GoodwillLimit.objects.create(role="supervisor", cost=Decimal("200"))
    return GoodwillKind.objects.create(name="Voucher", usual_cost=Decimal("20"))


def post(client: Client, ticket: Ticket, act: str, **facts: object) -> int:
    ticket.refresh_from_db()
    path = f"/tickets/{ticket.number}/{act}/"
    return client.post(path, {"version": ticket.version, **facts}).status_code


def test_an_agent_asks_a_department_from_the_ticket(cast: Cast, sign_in: SignIn, asked: Ticket) -> None:
    facts = {"department": Department.objects.get().pk, "title": "Send a new one", "holds_ticket": "on"}
    assert post(sign_in(cast.lina), asked, "request", **facts) == 302
    assert Request.objects.get(title="Send a new one").holds_ticket


def test_an_agent_cancels_a_request_of_this_ticket_and_of_no_other(
    cast: Cast, sign_in: SignIn, asked: Ticket
) -> None:
    row, client = Request.objects.get(), sign_in(cast.lina)
    assert post(client, cast.ticket(), "cancel-request", row=row.pk) == 409
    assert post(client, asked, "cancel-request", row=row.pk) == 302
    row.refresh_from_db()
    assert row.state == "cancelled"


def test_goodwill_left_without_a_cost_has_the_usual_one(
    cast: Cast, sign_in: SignIn, voucher: GoodwillKind
) -> None:
    assert post(sign_in(cast.lina), cast.ticket(), "goodwill", kind=voucher.pk) == 302
    assert Goodwill.objects.get().cost == Decimal("20")


def test_a_supervisor_approves_on_the_ticket_what_an_agent_cannot(
    cast: Cast, sign_in: SignIn, voucher: GoodwillKind
) -> None:
    ticket = cast.ticket()
    assert post(sign_in(cast.lina), ticket, "goodwill", kind=voucher.pk, cost="120") == 302
    row = Goodwill.objects.get()
    assert post(sign_in(cast.majun), ticket, "approve-goodwill", row=row.pk) == 409
    assert post(sign_in(cast.chen), ticket, "approve-goodwill", row=row.pk) == 302
    row.refresh_from_db()
    assert row.state == "given"


def test_somebody_of_another_team_finds_no_such_ticket(
    cast: Cast, sign_in: SignIn, voucher: GoodwillKind
) -> None:
    assert post(sign_in(cast.ann), cast.ticket(), "goodwill", kind=voucher.pk) == 404
    assert not Goodwill.objects.exists()


def test_an_analyst_may_look_and_give_nothing(cast: Cast, sign_in: SignIn, voucher: GoodwillKind) -> None:
    ticket, client = cast.ticket(), sign_in(cast.vera)
    assert post(client, ticket, "goodwill", kind=voucher.pk) == 403
    assert client.get(f"/tickets/{ticket.number}/").status_code == 200


def test_what_nobody_has_set_up_is_offered_to_nobody(cast: Cast, sign_in: SignIn) -> None:
    url = f"/tickets/{cast.ticket().number}/"
    page = sign_in(cast.lina).get(url)
    assert not {"goodwill", "request"} & set(page.context["acts"])
    shown = page.content.decode()
    assert "Goodwill</h2>" not in shown
    assert "Requests</h2>" not in shown
    assert "You may give up to" not in shown


def test_an_administrator_is_told_what_to_set_up(cast: Cast, sign_in: SignIn) -> None:
    url, client = f"/tickets/{cast.ticket().number}/", sign_in(cast.admin)
    page = client.get(url).content.decode()
    for address in ("/admin/recovery/department/add/", "/admin/recovery/goodwillkind/add/"):
        assert f'href="{address}"' in page
        assert client.get(address).status_code == 200
    GoodwillKind.objects.create(name="Voucher")
    page = client.get(url).content.decode()
    assert "/admin/recovery/goodwillkind/add/" not in page
    assert "Voucher</option>" in page


def test_a_role_without_a_limit_proposes(cast: Cast, sign_in: SignIn) -> None:
    GoodwillKind.objects.create(name="Voucher")
    page = sign_in(cast.lina).get(f"/tickets/{cast.ticket().number}/").content.decode()
    assert "What you propose waits for approval" in page
    assert "You may give up to" not in page
