import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recovery.models import Leave, Membership, Ticket
from surveys.models import Account
from tests.make import DAY, MINUTE, MONDAY, Cast, join, make_user
from tests.recovery.views.conftest import SignIn


def given(cast: Cast, number: int = 2) -> None:
    for n in range(number):
        cast.ticket(at=MONDAY + n * MINUTE)
    Ticket.objects.update(owner=cast.lina)


def test_it_shows_what_would_become_of_each_and_then_does_it(cast: Cast, sign_in: SignIn) -> None:
    given(cast)
    chen = sign_in(cast.chen)
    url = f"/hand-over/?user={cast.lina.pk}"
    page = chen.get(url).content.decode()
    assert "Hand over from Li Na" in page
    assert "<dt>Open tickets</dt><dd>2</dd>" in page
    assert 'method="post" action="/hand-over/"' not in page
    page = chen.get(f"{url}&to=rules").content.decode()
    assert "Hand over 2 tickets and all else" in page
    assert page.count("Ma Jun</td>") == 2
    assert "had the fewest open tickets (1 of 20)" in page
    assert set(Ticket.objects.values_list("owner__username", flat=True)) == {"lina"}
    page = chen.post("/hand-over/", {"user": cast.lina.pk, "to": "rules"}).content.decode()
    assert "2 tickets were handed over." in page
    assert set(Ticket.objects.values_list("owner__username", flat=True)) == {"majun"}
    assert "You have nothing of theirs to hand over" in chen.get(url).content.decode()


def test_what_stays_comes_first_with_why(cast: Cast, sign_in: SignIn) -> None:
    given(cast)
    Membership.objects.filter(user=cast.majun).update(capacity=1)
    page = (
        sign_in(cast.chen).post("/hand-over/", {"user": cast.lina.pk, "to": cast.majun.pk}).content.decode()
    )
    assert "1 ticket was handed over." in page
    assert "1 was not." in page
    assert page.index("stays") < page.index("took over from Li Na, given by Chen Hao")
    assert "Ma Jun carries 1 of 1" in page
    assert "Show what would become of it" in page


def test_it_lists_whom_one_may_hand_over_from(cast: Cast, sign_in: SignIn) -> None:
    page = sign_in(cast.chen).get("/hand-over/").content.decode()
    assert "Li Na</option>" in page
    assert "Ann Smith</option>" not in page
    assert "Ann Smith</option>" in sign_in(cast.admin).get("/hand-over/").content.decode()


def test_it_leaves_those_alone_who_work_elsewhere_too(cast: Cast, sign_in: SignIn) -> None:
    given(cast)
    join(cast.west, cast.lina)
    data = {"user": str(cast.lina.pk), "to": "rules"}
    for method in ("get", "post"):
        assert getattr(sign_in(cast.chen), method)("/hand-over/", data).status_code == 403
    assert sign_in(cast.admin).get("/hand-over/", data).status_code == 200
    assert set(Ticket.objects.values_list("owner__username", flat=True)) == {"lina"}


@pytest.mark.parametrize("who", ["administrator", "superuser", "once"])
def test_it_refuses_administrators_and_who_is_no_longer_of_the_team(
    cast: Cast, sign_in: SignIn, who: str
) -> None:
    person = cast.admin if who == "administrator" else make_user("guest")
    User.objects.filter(pk=person.pk).update(is_superuser=who == "superuser")
    if who == "once":
        Ticket.objects.filter(pk=cast.ticket().pk).update(owner=person, status="closed", closed_at=MONDAY)
    else:
        join(cast.east, person)
    account = Account.objects.create(name="Acme", owner=person)
    data = {"user": str(person.pk), "to": "rules"}
    assert sign_in(cast.chen).post("/hand-over/", data).status_code == 403
    account.refresh_from_db()
    assert account.owner == person
    assert sign_in(cast.admin).get("/hand-over/", data).status_code == 200


def test_who_left_the_team_and_still_owns_open_tickets_is_listed(cast: Cast, sign_in: SignIn) -> None:
    given(cast)
    Membership.objects.filter(user=cast.lina).delete()
    assert "Li Na</option>" in sign_in(cast.chen).get("/hand-over/").content.decode()


@pytest.mark.parametrize(("by", "kept"), [("chen", ["West"]), ("admin", [])])
def test_accounts_go_on_where_they_have_to_do_with_ones_teams(
    cast: Cast, sign_in: SignIn, by: str, kept: list[str]
) -> None:
    east, west = (Account.objects.create(name=name, owner=cast.lina) for name in ("East", "West"))
    for _twice in range(2):
        cast.ticket(customer=cast.customer(account=east))
    cast.ticket(team=cast.west, customer=cast.customer(account=west))
    Ticket.objects.filter(team=cast.west).update(owner=cast.ann)
    client = sign_in(getattr(cast, by))
    page = client.get(f"/hand-over/?user={cast.lina.pk}").content.decode()
    assert f"<dd>{2 - len(kept)}</dd>" in page[page.index("Accounts") :][:60]
    client.post("/hand-over/", {"user": cast.lina.pk, "to": cast.majun.pk})
    assert list(Account.objects.filter(owner=cast.lina).values_list("name", flat=True)) == kept
    assert Account.objects.get(pk=east.pk).owner == cast.majun


def test_nobody_is_asked_for_who_does_not_exist(cast: Cast, sign_in: SignIn) -> None:
    for user in ("0", "x", "999999"):
        assert sign_in(cast.admin).get(f"/hand-over/?user={user}").status_code == 403
    page = sign_in(cast.chen).post("/hand-over/", {"user": cast.lina.pk, "to": cast.ann.pk})
    assert "handed over" not in page.content.decode()


@pytest.mark.parametrize(("name", "status"), [("lina", 403), ("vera", 403), ("chen", 200), ("admin", 200)])
def test_it_is_for_supervisors(cast: Cast, sign_in: SignIn, name: str, status: int) -> None:
    assert sign_in(getattr(cast, name)).get("/hand-over/").status_code == status


@pytest.mark.parametrize("number", [1, 60])
def test_it_asks_the_same_for_many(cast: Cast, sign_in: SignIn, number: int) -> None:
    Membership.objects.update(capacity=100)
    given(cast, number)
    chen = sign_in(cast.chen)
    url = f"/hand-over/?user={cast.lina.pk}&to=rules"
    chen.get(url)
    with CaptureQueriesContext(connection) as queries:
        assert chen.get(url).status_code == 200
    assert len(queries) <= 20, [each["sql"][:90] for each in queries]


class TestDeactivating:
    def post(self, cast: Cast, sign_in: SignIn) -> str:
        page = sign_in(cast.admin).get(f"/admin/auth/user/{cast.lina.pk}/change/")
        form = page.context["adminform"].form
        data = {name: form.get_initial_for_field(field, name) or "" for name, field in form.fields.items()}
        data |= {
            "date_joined_0": "2026-01-01",
            "date_joined_1": "10:00:00",
            "last_login_0": "",
            "last_login_1": "",
        }
        for formset in page.context["inline_admin_formsets"]:
            manage = formset.formset.management_form
            data |= {manage.add_prefix(name): value for name, value in manage.initial.items()}
            for each in formset.formset.forms:
                found = {name: each.get_initial_for_field(field, name) for name, field in each.fields.items()}
                data |= {each.add_prefix(name): value for name, value in found.items() if value}
        for name in ("is_active", "groups", "user_permissions"):
            data.pop(name)
        answer = sign_in(cast.admin).post(f"/admin/auth/user/{cast.lina.pk}/change/", data)
        form = answer.context["adminform"].form if answer.context else None
        assert form is None or set(form.errors) == {"is_active"}, answer.context["errors"]
        return answer.content.decode()

    def test_who_owns_open_tickets_hands_them_over_first(self, cast: Cast, sign_in: SignIn) -> None:
        given(cast)
        page = self.post(cast, sign_in)
        assert "2 open tickets are theirs:" in page
        assert f'<a href="/hand-over/?user={cast.lina.pk}">hand everything over</a>' in page
        assert User.objects.get(pk=cast.lina.pk).is_active

    def test_who_owns_none_may_leave(self, cast: Cast, sign_in: SignIn) -> None:
        assert self.post(cast, sign_in) == ""
        assert not User.objects.get(pk=cast.lina.pk).is_active


def test_it_says_who_is_away(cast: Cast, sign_in: SignIn) -> None:
    Leave.objects.create(user=cast.majun, starts_at=MONDAY, ends_at=MONDAY + DAY)
    Leave.objects.create(user=cast.majun, starts_at=MONDAY + 5 * DAY, ends_at=MONDAY + 6 * DAY)
    given(cast)
    chen = sign_in(cast.chen)
    away = "Ma Jun (away until tomorrow 10:00)</option>"
    page = chen.get("/hand-over/").content.decode()
    assert away in page
    assert "Li Na</option>" in page
    assert away in chen.get(f"/hand-over/?user={cast.lina.pk}").content.decode()


def test_every_other_list_says_so_too(cast: Cast, sign_in: SignIn) -> None:
    Leave.objects.create(user=cast.majun, starts_at=MONDAY, ends_at=MONDAY + DAY)
    given(cast, 1)
    chen, number = sign_in(cast.chen), Ticket.objects.get().number
    for url in (f"/tickets/{number}/", f"/overdue/one/{number}/", "/overdue/?all=1"):
        page = chen.get(url).content.decode()
        assert "Ma Jun (away until tomorrow 10:00)</option>" in page, url
        assert "Li Na</option>" in page, url
