"""Views: those everybody has, those people save and share, and counts that are the lists."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from recovery import lifecycle
from recovery.forms.saved_view import SavedViewForm
from recovery.models import Leave, SavedView, Ticket
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast
from tests.recovery.views.conftest import Clock, SignIn


def views(client: Client, query: str = "") -> dict[str, Any]:
    return {str(view.name): view for view in client.get(f"/tickets/{query}").context["views"]}


def owned(cast: Cast, owner: User, **fields: Any) -> Ticket:
    ticket = cast.ticket(**fields)
    Ticket.objects.filter(pk=ticket.pk).update(owner=owner)
    return Ticket.objects.get(pk=ticket.pk)


def a_mix(cast: Cast) -> None:
    """Something for every view everybody has."""
    answered, called = owned(cast, cast.lina), owned(cast, cast.lina)
    lifecycle.note(answered, by=None, at=MONDAY, text="Hello?")
    lifecycle.book_callback(
        called, by=cast.lina, at=MONDAY, local_time="2026-03-02T10:20", time_zone="Asia/Shanghai"
    )
    owned(cast, cast.lina, priority=1)
    heard = owned(cast, cast.lina)
    lifecycle.log_contact(heard, by=cast.lina, at=MONDAY, outcome="reached")
    owned(cast, cast.majun)
    owned(cast, cast.majun, priority=1, at=MONDAY - 7 * DAY)
    Ticket.objects.filter(pk=owned(cast, cast.chen).pk).update(awaits_room=True)
    Leave.objects.create(user=cast.majun, cover=cast.lina, starts_at=MONDAY, ends_at=MONDAY + DAY)


@pytest.mark.parametrize("name", ["lina", "chen", "admin"])
def test_it_counts_what_each_view_lists(cast: Cast, sign_in: SignIn, clock: Clock, name: str) -> None:
    a_mix(cast)
    person = getattr(cast, name)
    SavedView.objects.create(user=person, name="Urgent", query="priority=1&status=any")
    SavedView.objects.create(user=person, name="Words", query="q=nobody")
    clock(MONDAY + 90 * MINUTE)
    client = sign_in(person)
    shown = views(client)
    assert len(shown) >= 6
    for view in shown.values():
        page = client.get(view.url)
        assert page.context["page_obj"].paginator.count == len(page.context["rows"]) == view.count, view.name
    counts = {name: view.count for name, view in shown.items()}
    if name == "lina":
        assert counts == {
            "My work": 4,
            "My callbacks due": 1,
            "My overdue": 1,
            "Unseen": 2,
            "Waiting answered": 1,
            "Covering for Ma Jun": 2,
            "Urgent": 2,
            "Words": 7,
        }
    else:
        assert (counts["Overdue"], counts["Breached twice"], counts["Nobody has room"]) == (2, 1, 1)
        assert counts["Not heard yet"] == 6


def test_it_offers_who_only_reads_no_work_of_their_own(cast: Cast, sign_in: SignIn) -> None:
    assert views(sign_in(cast.vera)) == {}


def test_it_follows_a_chain_of_covers(cast: Cast, sign_in: SignIn) -> None:
    for away, cover in ((cast.majun, cast.chen), (cast.chen, cast.lina)):
        Leave.objects.create(user=away, cover=cover, starts_at=MONDAY, ends_at=MONDAY + DAY)
    assert {"Covering for Ma Jun", "Covering for Chen Hao"} <= set(views(sign_in(cast.lina)))
    assert "Covering for Ma Jun" not in views(sign_in(cast.chen))


def test_it_marks_the_view_one_is_in(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.lina)
    for query in ("?owner=me&overdue=1", "?overdue=1&owner=me&status=open_work&cols=due&page=1&team="):
        assert [name for name, view in views(client, query).items() if view.current] == ["My overdue"]


def save(client: Client, **fields: Any) -> Any:
    return client.post("/tickets/views/", {"name": "Gold", "query": "tier=gold", **fields})


def test_it_keeps_a_list_under_a_name(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.lina)
    response = save(client, query="tier=gold&page=3&owner=&status=new&status=open&evil=1&cols=due,words")
    view = SavedView.objects.get()
    assert (view.user, view.team, view.name) == (cast.lina, None, "Gold")
    assert view.query == "status=new&status=open&tier=gold&cols=due,words"
    assert response["Location"] == f"/tickets/?{view.query}"
    assert "The view “Gold” is saved." in client.get(response["Location"]).content.decode()


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "x" * 61}, "at most 60 characters"),
        ({"name": "Mine"}, "You have a view of this name already."),
        ({"query": "q=" + "x" * 1200}, "at most 1000 characters"),
    ],
)
def test_it_says_beside_the_field_why_a_view_is_not_saved(
    cast: Cast, sign_in: SignIn, fields: dict[str, str], why: str
) -> None:
    SavedView.objects.create(user=cast.lina, name="Mine")
    response = save(sign_in(cast.lina), **fields)
    assert response.status_code == 422
    assert why in response.content.decode()
    assert 'value="tier=gold"' in response.content.decode() or "query" in fields
    assert SavedView.objects.count() == 1


def test_it_keeps_fifty_views_and_no_more(cast: Cast, sign_in: SignIn) -> None:
    for place in range(50):
        SavedView.objects.create(user=cast.lina, name=f"{place}")
    response = save(sign_in(cast.lina))
    assert response.status_code == 422
    assert "You have fifty views" in response.content.decode()


def test_it_shares_a_view_with_a_team_one_leads(cast: Cast, sign_in: SignIn) -> None:
    save(sign_in(cast.chen), team=cast.east.pk)
    assert SavedView.objects.get().team == cast.east
    assert "Gold" in views(sign_in(cast.lina))
    assert "Gold" not in views(sign_in(cast.ann))


@pytest.mark.parametrize(("name", "team"), [("lina", "east"), ("chen", "west"), ("vera", "east")])
def test_it_shares_with_no_team_one_does_not_lead(cast: Cast, sign_in: SignIn, name: str, team: str) -> None:
    response = save(sign_in(getattr(cast, name)), team=getattr(cast, team).pk)
    assert response.status_code == 422
    assert not SavedView.objects.exists()


def test_it_lets_an_administrator_share_with_any_team(cast: Cast, sign_in: SignIn) -> None:
    save(sign_in(cast.admin), team=cast.west.pk)
    assert SavedView.objects.get().team == cast.west


def change(client: Client, view: SavedView, do: str, **fields: str) -> Any:
    return client.post(f"/tickets/views/{view.pk}/", {"do": do, **fields})


def test_it_renames_removes_and_moves_ones_own(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.lina)
    one, two, three = (
        SavedView.objects.create(user=cast.lina, name=name, position=place)
        for place, name in enumerate(("one", "two", "three"))
    )
    change(client, three, "up")
    assert list(SavedView.objects.values_list("name", flat=True)) == ["one", "three", "two"]
    change(client, one, "up")
    change(client, one, "down")
    assert list(SavedView.objects.values_list("name", flat=True)) == ["three", "one", "two"]
    change(client, two, "rename", name="zwei")
    change(client, one, "remove")
    assert list(SavedView.objects.values_list("name", flat=True)) == ["three", "zwei"]
    clash = change(client, two, "rename", name="three")
    assert clash.status_code == 422
    assert "You have a view of this name already." in clash.content.decode()


def test_it_says_that_a_name_is_taken_by_a_post_that_came_at_once(
    cast: Cast, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both were looked at before either was kept: the database decides."""
    SavedView.objects.create(user=cast.lina, name="Gold")
    other = SavedView.objects.create(user=cast.lina, name="Silver")
    monkeypatch.setattr(SavedViewForm, "clean_name", lambda form: form.cleaned_data["name"])
    client = sign_in(cast.lina)
    for clash in (save(client), change(client, other, "rename", name="Gold")):
        assert clash.status_code == 422
        assert "You have a view of this name already." in clash.content.decode()
    assert list(SavedView.objects.values_list("name", flat=True)) == ["Gold", "Silver"]


def test_it_leaves_the_views_of_others_alone(cast: Cast, sign_in: SignIn) -> None:
    theirs = SavedView.objects.create(user=cast.majun, name="Ma Jun’s")
    teams = SavedView.objects.create(user=cast.chen, name="Team’s", team=cast.east)
    client = sign_in(cast.lina)
    assert change(client, theirs, "remove").status_code == 404
    assert change(client, teams, "remove").status_code == 403
    assert change(sign_in(cast.ann), teams, "remove").status_code == 404
    assert SavedView.objects.count() == 2
    change(sign_in(cast.wu), teams, "remove")  # leads the region above
    assert not SavedView.objects.filter(pk=teams.pk).exists()


def test_it_lists_them_to_be_arranged(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.lina)
    assert "No view is saved yet" in client.get("/tickets/views/").content.decode()
    SavedView.objects.create(user=cast.lina, name="Gold", query="tier=gold")
    SavedView.objects.create(user=cast.chen, name="Team’s", team=cast.east)
    page = client.get("/tickets/views/").content.decode()
    assert 'href="/tickets/?tier=gold"' in page
    assert "Team’s" in page
    assert page.count('value="remove"') == 1


def test_it_says_the_counts_again_to_an_open_page(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    owned(cast, cast.lina, priority=1)
    client = sign_in(cast.lina)
    assert client.get("/tickets/views/menu/").context["views"][2].count == 0
    clock(MONDAY + 2 * HOUR)
    answer = client.get("/tickets/views/menu/?owner=me&overdue=1")
    assert answer.context["views"][2].count == 1
    assert answer.context["views"][2].current
    in_menu = client.get("/tickets/views/menu/?as=menu").content.decode()
    assert "/tickets/?owner=me" in in_menu
    assert "<nav" not in in_menu
