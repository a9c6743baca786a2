"""Acts of the board: one at a time beside the row, and many at once with a result for each."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from recovery import lifecycle
from recovery.models import Membership, Ticket
from recovery.views import bulk
from tests.make import HOUR, MINUTE, MONDAY, Cast
from tests.recovery.views.conftest import Clock, SignIn


def fresh(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def owned(cast: Cast, owner: Any, **fields: Any) -> Ticket:
    ticket = cast.ticket(**fields)
    Ticket.objects.filter(pk=ticket.pk).update(owner=owner)
    return fresh(ticket)


def act(client: Client, tickets: list[Ticket], **values: object) -> Any:
    picked = [f"{ticket.number}:{ticket.version}" for ticket in tickets]
    return client.post("/overdue/act/", {"ticket": picked, "back": "tab=late", **values})


def run_to_the_end(client: Client, response: Any) -> Any:
    """As the page goes on by itself, or somebody presses its button."""
    while response.context["run"].left:
        response = client.post("/overdue/run/", {"run": run_of(response)})
    return response


def run_of(response: Any) -> str:
    """What the page would go on with, or make a table of."""
    return str(re.findall(r'name="run" value="([^"]+)"', response.content.decode())[-1])


def try_again(client: Client, response: Any) -> Any:
    """As by the button for the refused."""
    form = re.search(r'<form[^>]*action="/overdue/run/".*?</form>', response.content.decode())
    assert form
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form[0]))
    return run_to_the_end(client, client.post("/overdue/run/", fields))


def whys(response: Any) -> dict[str, str]:
    """What became of each: '' where it was done."""
    return {each.number: each.why for each in response.context["run"].shown}


# --- many ---------------------------------------------------------------------------------------------------


def test_two_hundred_of_which_six_are_refused(cast: Cast, sign_in: SignIn) -> None:
    """Three forbidden, two that are not there or over, one changed meanwhile: 194 done, 6 with reasons."""
    Membership.objects.filter(user=cast.majun).update(capacity=250)
    tickets = [owned(cast, cast.lina) for _each in range(196)]
    hidden = [owned(cast, cast.ann, team=cast.west) for _each in range(3)]
    closed, changed = tickets[:2]
    Ticket.objects.filter(pk=closed.pk).update(status="closed", closed_at=MONDAY)
    lifecycle.note(changed, by=cast.lina, at=MONDAY, text="Nearly done")
    client = sign_in(cast.chen)
    ticked = [f"{each.number}:{each.version}" for each in (*tickets, *hidden)] + ["R-999999:1"]
    assert len(ticked) == 200
    values = {"do": "assign", "owner": cast.majun.pk, "reason": "Sick leave", "back": "tab=late"}
    sure = client.post("/overdue/act/", {"ticket": ticked, **values})
    assert "Do it with 200 tickets" in sure.content.decode()
    assert Ticket.objects.filter(owner=cast.majun).count() == 0
    running = client.post("/overdue/run/", {"run": run_of(sure)})
    assert "50 of 200 tickets" in running.content.decode()
    response = run_to_the_end(client, running)
    refused = {number: why for number, why in whys(response).items() if why}
    nowhere = "There is no such ticket among yours."
    assert refused == {
        **{each.number: nowhere for each in hidden},
        "R-999999": nowhere,
        closed.number: "The ticket is closed: reopen it first.",
        changed.number: "Somebody changed this ticket meanwhile. Look at what changed, then try again.",
    }
    page = response.content.decode()
    assert "194 tickets were changed." in page
    assert "6 were not." in page
    assert Ticket.objects.filter(owner=cast.majun).count() == 194
    one = fresh(tickets[5]).events.get(kind="assigned")
    assert (one.by, one.text, one.data["to"]) == (cast.chen, "Sick leave", "Ma Jun")


def test_a_role_that_may_not_is_refused_ticket_by_ticket(cast: Cast, sign_in: SignIn) -> None:
    """Chen works in the West team, and supervises the East."""
    Membership.objects.create(team=cast.west, user=cast.chen)
    mine, theirs = owned(cast, cast.lina), owned(cast, cast.ann, team=cast.west)
    values = {"do": "extend", "kind": "resolution", "minutes": 60, "reason": "Flood"}
    said = whys(act(sign_in(cast.chen), [mine, theirs], **values))
    assert said == {mine.number: "", theirs.number: "Your role does not allow this. Ask your supervisor."}


@pytest.mark.parametrize(
    ("do", "values", "event"),
    [
        ("assign", {"reason": "Ill"}, "assigned"),
        ("extend", {"kind": "resolution", "minutes": 60, "reason": "Strike"}, "extended"),
        ("take-over", {}, "assigned"),
        ("nudge", {"reason": "Please call"}, "nudged"),
        ("priority", {"priority": 1}, "priority_changed"),
        ("note", {"reason": "Flood"}, "noted"),
    ],
)
def test_every_act_writes_each_tickets_own_history(
    cast: Cast, sign_in: SignIn, do: str, values: dict[str, Any], event: str
) -> None:
    first, second = owned(cast, cast.lina), owned(cast, cast.lina)
    if do == "assign":
        values = {**values, "owner": cast.majun.pk}
    response = act(sign_in(cast.chen), [first, second], do=do, **values)
    assert whys(response) == {first.number: "", second.number: ""}
    for ticket in (first, second):
        assert ticket.events.get(kind=event).by == cast.chen
        assert fresh(ticket).version == ticket.version + 1


@pytest.mark.parametrize("do", ["nudge", "note", "priority", "take-over"])
def test_it_leaves_alone_what_changed_since_it_was_ticked(cast: Cast, sign_in: SignIn, do: str) -> None:
    ticket = owned(cast, cast.lina)
    lifecycle.note(ticket, by=cast.lina, at=MONDAY, text="Nearly done")
    response = act(sign_in(cast.chen), [ticket], do=do, reason="Please call", priority=1)
    assert "Somebody changed this ticket meanwhile" in whys(response)[ticket.number]


def test_it_does_not_hand_over_into_another_team(cast: Cast, sign_in: SignIn) -> None:
    cast.wu.supervised_teams.add(cast.west)
    ticket = owned(cast, cast.lina)
    response = act(sign_in(cast.wu), [ticket], do="assign", owner=cast.ann.pk)
    assert whys(response)[ticket.number] == "This colleague does not work in the ticket’s team."


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"do": "extend", "kind": "resolution", "minutes": 60}, "This is needed to extend a deadline."),
        ({"do": "assign"}, "Choose a colleague."),
        ({"do": "nudge"}, "Write what the owner is to read."),
        ({"do": "priority"}, "Choose a priority."),
        ({"do": "dance"}, ""),
    ],
)
def test_it_changes_nothing_without_what_the_act_needs(
    cast: Cast, sign_in: SignIn, values: dict[str, Any], said: str
) -> None:
    ticket = owned(cast, cast.lina)
    response = act(sign_in(cast.chen), [ticket], **values)
    assert response.status_code == 422
    assert said in response.content.decode()
    assert f"{ticket.number}:{ticket.version}" in response.content.decode()
    assert fresh(ticket).version == ticket.version


def test_it_changes_nothing_without_a_tick(cast: Cast, sign_in: SignIn) -> None:
    response = act(sign_in(cast.chen), [], do="take-over")
    assert response.status_code == 422
    assert "No ticket was ticked." in response.content.decode()


def test_it_keeps_many_tickets_from_an_agent(cast: Cast, sign_in: SignIn) -> None:
    ticket = owned(cast, cast.lina)
    client = sign_in(cast.lina)
    assert act(client, [ticket], do="take-over").status_code == 403
    assert client.post("/overdue/run/", {"run": "x"}).status_code == 403
    assert client.post("/overdue/results/", {"run": "x"}).status_code == 403
    assert client.get(f"/overdue/one/{ticket.number}/").status_code == 403


# --- all of a list ------------------------------------------------------------------------------------------


def late_tickets(cast: Cast, clock: Clock, number: int) -> list[Ticket]:
    tickets = [owned(cast, cast.lina, priority=1) for _each in range(number)]
    clock(MONDAY + 2 * HOUR)
    return tickets


def every(client: Client, **query: int) -> str:
    return str(client.get("/overdue/", query).context["every"])


def test_all_of_a_list_are_counted_before_anything_happens(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    tickets = late_tickets(cast, clock, 3)
    calm = owned(cast, cast.lina)
    client = sign_in(cast.chen)
    sure = act(client, [], do="nudge", reason="Please call", every=every(client))
    assert "Do it with 3 tickets" in sure.content.decode()
    assert not tickets[0].events.filter(kind="nudged").exists()
    response = run_to_the_end(client, sure)
    assert whys(response) == {each.number: "" for each in tickets}
    assert not calm.events.filter(kind="nudged").exists()


def test_what_changed_or_left_the_list_since_the_question_is_left_alone(
    cast: Cast, sign_in: SignIn, clock: Clock
) -> None:
    changed, left, good = late_tickets(cast, clock, 3)
    client = sign_in(cast.chen)
    sure = act(client, [], do="take-over", every=every(client))
    lifecycle.note(changed, by=cast.lina, at=MONDAY + 2 * HOUR, text="Nearly done")
    lifecycle.resolve(left, by=cast.lina, at=MONDAY + 2 * HOUR, cause_found=cast.late, what_was_done="Sent")
    newcomer = owned(cast, cast.lina, priority=1)
    said = whys(run_to_the_end(client, sure))
    assert said[good.number] == ""
    assert said[left.number] == "It stands in this list no longer."
    assert "Somebody changed this ticket meanwhile" in said[changed.number]
    assert newcomer.number not in said


def test_a_list_follows_who_was_picked(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    late_tickets(cast, clock, 1)
    theirs = owned(cast, cast.majun, priority=1)
    client = sign_in(cast.chen)
    sure = act(client, [], do="take-over", every=every(client, owner=cast.majun.pk))
    assert set(whys(run_to_the_end(client, sure))) == {theirs.number}


def test_nobody_uses_the_list_or_the_run_of_somebody_else(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    tickets = late_tickets(cast, clock, 1)
    client = sign_in(cast.chen)
    described = every(client)
    run = run_of(act(client, [], do="take-over", every=described))
    client = sign_in(cast.wu)
    assert act(client, [], do="take-over", every=described).status_code == 400
    assert client.post("/overdue/run/", {"run": run}).status_code == 400
    assert client.post("/overdue/run/", {"run": run[:-2]}).status_code == 400
    assert fresh(tickets[0]).owner == cast.lina


def test_more_than_a_thousand_are_refused(
    cast: Cast, sign_in: SignIn, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    tickets = late_tickets(cast, clock, 3)
    monkeypatch.setattr(bulk, "MOST", 2)
    client = sign_in(cast.chen)
    response = act(client, [], do="take-over", every=every(client))
    assert response.status_code == 422
    assert "more than 2 tickets" in response.content.decode()
    assert act(client, tickets, do="take-over").status_code == 422


# --- a run --------------------------------------------------------------------------------------------------


def test_a_run_is_stopped_and_what_is_done_stays_done(
    cast: Cast, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "AT_ONCE", 1)
    tickets = [owned(cast, cast.lina) for _each in range(3)]
    client = sign_in(cast.chen)
    running = client.post("/overdue/run/", {"run": run_of(act(client, tickets, do="take-over"))})
    response = client.post("/overdue/run/", {"run": run_of(running), "stop": "1"})
    assert list(whys(response).values()) == [""] + 2 * ["Not tried: the run was stopped."]
    assert Ticket.objects.filter(owner=cast.chen).count() == 1


def test_the_same_part_of_a_run_again_changes_nothing(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    tickets = late_tickets(cast, clock, 2)
    client = sign_in(cast.chen)
    run = run_of(act(client, [], do="note", reason="Flood", every=every(client)))
    client.post("/overdue/run/", {"run": run})
    again = client.post("/overdue/run/", {"run": run})
    assert all("Somebody changed" in why for why in whys(again).values())
    assert tickets[0].events.filter(kind="noted").count() == 1


def test_the_results_are_a_table(cast: Cast, sign_in: SignIn) -> None:
    good = owned(cast, cast.lina, customer=cast.customer("=1+1"))
    client = sign_in(cast.chen)
    response = client.post(
        "/overdue/act/", {"ticket": [f"{good.number}:{good.version}", "R-999999:1"], "do": "take-over"}
    )
    table = client.post("/overdue/results/", {"run": run_of(response)})
    assert table["Content-Type"] == "text/csv; charset=utf-8"
    assert table.content.decode("utf-8-sig").splitlines() == [
        "Ticket,Customer,Result,Why",
        f"{good.number},'=1+1,done,",
        "R-999999,,refused,There is no such ticket among yours.",
    ]


def nudged(cast: Cast) -> Ticket:
    """Nobody nudges it again within the hour."""
    return fresh(lifecycle.nudge(owned(cast, cast.lina), by=cast.chen, at=MONDAY + 30 * MINUTE, text="Call"))


def test_the_refused_are_tried_again_but_what_changed_is_to_be_seen_first(
    cast: Cast, sign_in: SignIn, clock: Clock
) -> None:
    refused, changed = nudged(cast), owned(cast, cast.lina)
    lifecycle.note(changed, by=cast.lina, at=MONDAY, text="Nearly done")
    client = sign_in(cast.chen)
    response = act(client, [refused, changed], do="nudge", reason="Please call")
    assert "1 ticket changed meanwhile and is not tried again" in response.content.decode()
    clock(MONDAY + 2 * HOUR)
    assert whys(try_again(client, response)) == {refused.number: ""}
    assert not changed.events.filter(kind="nudged").exists()


def test_what_changed_since_it_was_refused_is_not_done_unseen(
    cast: Cast, sign_in: SignIn, clock: Clock
) -> None:
    ticket, client = nudged(cast), sign_in(cast.chen)
    response = act(client, [ticket], do="nudge", reason="Please call")
    lifecycle.note(ticket, by=cast.lina, at=MONDAY + HOUR, text="Nearly done")
    clock(MONDAY + 2 * HOUR)
    again = try_again(client, response)
    assert "Somebody changed this ticket meanwhile" in whys(again)[ticket.number]
    assert "Try the refused again" not in again.content.decode()


def test_however_many_were_refused_they_are_one_field(cast: Cast, sign_in: SignIn) -> None:
    """A form of a thousand fields is refused as a whole."""
    client = sign_in(cast.chen)
    ticked = [f"R-{number}:1" for number in range(9000, 9049)]
    response = client.post("/overdue/act/", {"ticket": ticked, "do": "nudge", "reason": "Please call"})
    page = response.content.decode()
    assert len(whys(response)) == 49
    assert page.count("<input") < 20
    assert len(whys(try_again(client, response))) == 49


# --- one ----------------------------------------------------------------------------------------------------


def one(client: Client, ticket: Ticket, **values: object) -> Any:
    return client.post(
        f"/overdue/one/{ticket.number}/", {"version": ticket.version, "back": "tab=risk", **values}
    )


def test_one_is_handed_over_from_its_row_or_by_a_drop(cast: Cast, sign_in: SignIn) -> None:
    ticket = owned(cast, cast.lina)
    response = one(sign_in(cast.chen), ticket, do="assign", owner=cast.majun.pk)
    assert response.status_code == 302
    assert response["Location"] == "/overdue/?tab=risk"
    assert fresh(ticket).owner == cast.majun


def test_beside_the_row_the_list_comes_again(cast: Cast, sign_in: SignIn) -> None:
    ticket = owned(cast, cast.lina)
    response = sign_in(cast.chen).post(
        f"/overdue/one/{ticket.number}/",
        {"version": ticket.version, "do": "nudge", "reason": "Please call"},
        headers={"HX-Request": "true"},
    )
    assert (response.status_code, response["HX-Redirect"]) == (204, "/overdue/?")
    assert ticket.events.get(kind="nudged").text == "Please call"


def test_one_refused_says_why_beside_the_field_and_keeps_what_was_typed(cast: Cast, sign_in: SignIn) -> None:
    ticket = owned(cast, cast.lina)
    client = sign_in(cast.chen)
    response = one(client, ticket, do="assign", owner=cast.lina.pk, reason="Keep these words")
    assert response.status_code == 409
    page = response.content.decode()
    assert "This colleague owns the ticket already." in page
    assert "Keep these words" in page
    assert one(client, ticket, do="extend", reason="Because").status_code == 422
    one(client, ticket, do="nudge", reason="Call")
    again = one(client, fresh(ticket), do="nudge", reason="Call again")
    assert again.status_code == 409
    assert "You nudged the owner less than an hour ago." in again.content.decode()
    assert one(client, ticket, do="take-over").status_code == 409  # somebody nudged meanwhile


def test_one_that_is_not_seen_does_not_exist(cast: Cast, sign_in: SignIn) -> None:
    hidden = owned(cast, cast.ann, team=cast.west)
    client = sign_in(cast.chen)
    assert client.get(f"/overdue/one/{hidden.number}/").status_code == 404
    assert one(client, hidden, do="take-over").status_code == 404


def test_one_without_a_script_has_a_page_of_its_own(cast: Cast, sign_in: SignIn) -> None:
    ticket = owned(cast, cast.lina)
    client = sign_in(cast.chen)
    whole = client.get(f"/overdue/one/{ticket.number}/").content.decode()
    part = client.get(f"/overdue/one/{ticket.number}/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" in whole
    assert "<html" not in part
    for each in (whole, part):
        assert all(f'value="{do}"' in each for do in ("assign", "extend", "nudge", "take-over"))
