"""Every act of the ticket page: done by its form, refused with everything typed kept, and stale."""

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.http import HttpResponse

from recovery import lifecycle
from recovery.models import Callback, Playbook, PlaybookStep, SlaPolicy, StepDone, Ticket
from tests.make import MINUTE, MONDAY, Cast, make_policy
from tests.recovery.views.conftest import SignIn

AT = MONDAY + 10 * MINUTE


def post(client: Any, ticket: Ticket, act: str, **values: object) -> HttpResponse:
    response: HttpResponse = client.post(
        f"/tickets/{ticket.number}/{act}/", {"version": ticket.version, **values}
    )
    return response


def fresh(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def gold() -> SlaPolicy:
    return SlaPolicy.objects.filter(name="Gold").first() or make_policy("Gold")


def values_for(cast: Cast, act: str) -> dict[str, object]:
    values: dict[str, dict[str, object]] = {
        "contact": {"outcome": "reached", "channel": "phone", "note": "谢谢"},
        "callback": {"slot": "2026-03-02T15:00", "slot_zone": "Asia/Shanghai", "channel": "phone"},
        "note": {"text": "Ask the warehouse"},
        "wait": {"reason": "A photo of the parcel", "until": "2026-03-03T10:00"},
        "priority": {"priority": "1", "reason": "Gold"},
        "policy": {"policy": gold().pk, "reason": "Gold"},
        "assign": {"owner": cast.majun.pk, "reason": "Speaks French"},
        "escalate": {"reason": "He wants a manager"},
        "extend": {"kind": "resolution", "minutes": "240", "reason": "Spare part"},
        "resolve": {"cause_found": cast.late.pk, "cause_said": cast.rude.pk, "what_was_done": "Paid back"},
    }
    return values[act]


@pytest.mark.parametrize(
    ("act", "event"),
    [
        ("contact", "contacted"),
        ("callback", "callback_booked"),
        ("note", "noted"),
        ("wait", "waiting"),
        ("priority", "priority_changed"),
        ("policy", "recomputed"),
        ("assign", "assigned"),
        ("escalate", "escalated"),
        ("extend", "extended"),
        ("resolve", "resolved"),
    ],
)
def test_it_does_the_act_and_goes_back_to_the_ticket(
    cast: Cast, sign_in: SignIn, act: str, event: str
) -> None:
    ticket, client = cast.ticket(), sign_in(cast.chen)
    response = post(client, ticket, act, **values_for(cast, act))
    assert response.status_code == 302
    assert response["Location"] == f"/tickets/{ticket.number}/"
    assert ticket.events.get(kind=event).by == cast.chen
    assert b"message-success" in client.get(response["Location"]).content


def test_it_reads_what_was_typed_as_it_was_typed(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    post(sign_in(cast.lina), ticket, "resolve", **values_for(cast, "resolve"))
    done = fresh(ticket)
    assert (done.status, done.cause_found, done.cause_said) == ("resolved", cast.late, cast.rude)
    assert done.what_was_done == "Paid back"


def test_it_takes_the_end_of_a_wait_on_the_readers_own_clock(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    post(sign_in(cast.lina), ticket, "wait", **values_for(cast, "wait"))
    wait = ticket.waits.get()
    assert wait.resume_at is not None
    assert wait.resume_at.isoformat() == "2026-03-03T02:00:00+00:00"


def test_it_resumes_a_wait(cast: Cast, sign_in: SignIn) -> None:
    ticket = lifecycle.start_waiting(cast.ticket(), by=cast.lina, at=AT, reason="A photo")
    assert post(sign_in(cast.lina), ticket, "resume", note="It came").status_code == 302
    assert fresh(ticket).status == "open"


def test_it_reopens_a_closed_ticket(cast: Cast, sign_in: SignIn) -> None:
    ticket = lifecycle.resolve(
        cast.ticket(), by=cast.lina, at=AT, cause_found=cast.late, what_was_done="Said sorry"
    )
    assert post(sign_in(cast.lina), ticket, "reopen", reason="No refund came").status_code == 302
    assert (fresh(ticket).status, fresh(ticket).cycle) == ("open", 2)


def test_it_merges_into_the_ticket_whose_number_was_typed(cast: Cast, sign_in: SignIn) -> None:
    into, ticket = cast.ticket(), cast.ticket()
    assert post(sign_in(cast.lina), ticket, "merge", into=f" {into.number.lower()} ").status_code == 302
    assert fresh(ticket).merged_into == into


def test_it_does_not_merge_into_a_ticket_of_another_team(cast: Cast, sign_in: SignIn) -> None:
    into, ticket = cast.ticket(team=cast.west), cast.ticket()
    response = post(sign_in(cast.lina), ticket, "merge", into=into.number, reason="The same parcel")
    assert response.status_code == 409
    assert "There is no such ticket among yours." in response.content.decode()
    assert "The same parcel" in response.content.decode()
    assert fresh(ticket).status == "new"


def test_it_books_a_time_on_the_clock_that_was_chosen(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket(customer=cast.customer(time_zone="Europe/Paris"))
    post(
        sign_in(cast.lina),
        ticket,
        "callback",
        local_time="2026-03-02T16:30",
        time_zone="Europe/Paris",
        channel="phone",
    )
    booked = Callback.objects.get(ticket=ticket)
    assert (booked.local_time, booked.time_zone) == ("2026-03-02T16:30", "Europe/Paris")
    assert booked.due_at.isoformat() == "2026-03-02T15:30:00+00:00"


def test_it_moves_the_callback_that_is_booked_and_cancels_it(cast: Cast, sign_in: SignIn) -> None:
    ticket, client = cast.ticket(), sign_in(cast.lina)
    post(client, ticket, "callback", **values_for(cast, "callback"))
    post(
        client, fresh(ticket), "callback", slot="2026-03-02T16:00", slot_zone="Asia/Shanghai", channel="phone"
    )
    assert Callback.objects.get(ticket=ticket).local_time == "2026-03-02T16:00"
    post(client, fresh(ticket), "cancel-callback", reason="They called us")
    assert Callback.objects.get(ticket=ticket).state == Callback.CANCELLED


def test_it_asks_for_a_time_when_none_was_chosen(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    response = post(sign_in(cast.lina), ticket, "callback", channel="phone", note="The invoice")
    assert response.status_code == 422
    assert "Choose a time." in response.content.decode()
    assert "The invoice" in response.content.decode()
    assert not Callback.objects.exists()


def test_it_says_when_the_callback_lies_after_the_deadline(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket(priority=1)
    response = post(sign_in(cast.lina), ticket, "callback", **values_for(cast, "callback"))
    said = [str(message) for message in get_messages(response.wsgi_request)]  # type: ignore[attr-defined]
    assert any("after the deadline, today 11:00" in text for text in said)


def test_it_shows_a_refusal_beside_what_was_typed(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    response = post(sign_in(cast.lina), ticket, "wait", reason="照片 of the parcel", until="2026-03-01T10:00")
    page = response.content.decode()
    assert response.status_code == 409
    assert "Choose a time that is still ahead." in page
    assert "照片 of the parcel" in page
    assert 'value="2026-03-01T10:00"' in page
    assert fresh(ticket).status == "new"


def test_it_shows_what_is_missing_beside_what_was_typed(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    response = post(sign_in(cast.lina), ticket, "resolve", what_was_done="Paid the delivery back")
    assert response.status_code == 422
    assert "Paid the delivery back" in response.content.decode()
    assert fresh(ticket).status == "new"


def test_it_tells_what_changed_meanwhile_and_keeps_the_text(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    lifecycle.change_priority(fresh(ticket), by=cast.chen, at=AT, priority=1, reason="He is a judge")
    values = values_for(cast, "resolve")
    response = post(sign_in(cast.lina), ticket, "resolve", **values)
    page = response.content.decode()
    assert response.status_code == 409
    assert "Somebody changed this ticket meanwhile" in page
    assert "Chen Hao changed the priority from P3 to P1" in page
    assert "Paid back" in page
    assert fresh(ticket).status == "new"


def test_it_does_the_act_once_the_change_was_seen(cast: Cast, sign_in: SignIn) -> None:
    ticket, client = cast.ticket(), sign_in(cast.lina)
    lifecycle.change_priority(fresh(ticket), by=cast.chen, at=AT, priority=1)
    page = post(client, ticket, "resolve", **values_for(cast, "resolve"))
    sent_next = page.context["failed"]["version"].value()  # type: ignore[attr-defined]
    response = client.post(
        f"/tickets/{ticket.number}/resolve/", {"version": sent_next, **values_for(cast, "resolve")}
    )
    assert response.status_code == 302
    assert fresh(ticket).status == "resolved"


def test_it_refuses_an_act_the_status_forbids(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    response = post(sign_in(cast.lina), ticket, "reopen", reason="Too early")
    assert response.status_code == 409
    assert "The ticket is new" in response.content.decode()


def test_it_lets_an_analyst_read_and_do_nothing(cast: Cast, sign_in: SignIn) -> None:
    ticket, client = cast.ticket(), sign_in(cast.vera)
    assert b"action-bar" not in client.get(f"/tickets/{ticket.number}/").content
    assert post(client, ticket, "note", text="I was here").status_code == 403
    assert not ticket.events.filter(kind="noted").exists()


def test_it_lets_only_a_supervisor_extend_a_deadline(cast: Cast, sign_in: SignIn) -> None:
    ticket, client = cast.ticket(), sign_in(cast.lina)
    assert (
        b"tickets/" + ticket.number.encode() + b"/extend/"
        not in client.get(f"/tickets/{ticket.number}/").content
    )
    assert post(client, ticket, "extend", **values_for(cast, "extend")).status_code == 403


def test_it_hands_over_only_within_the_team(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    response = post(sign_in(cast.lina), ticket, "assign", owner=cast.ann.pk, reason="Knows him")
    assert response.status_code == 422
    assert fresh(ticket).owner == cast.lina


def test_it_knows_no_other_act(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    assert post(sign_in(cast.lina), ticket, "forget").status_code == 404


def test_it_shows_the_ticket_where_an_act_was_only_looked_at(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    response = sign_in(cast.lina).get(f"/tickets/{ticket.number}/resolve/")
    assert response["Location"] == f"/tickets/{ticket.number}/"


# --- Where an act leads ---


def prefer(cast: Cast, after: str) -> None:
    cast.lina.staff.after_act = after
    cast.lina.staff.save()


def test_it_goes_on_to_the_next_ticket_and_says_what_was_done_to_which(cast: Cast, sign_in: SignIn) -> None:
    ticket, coming, client = cast.ticket(), cast.ticket(priority=1), sign_in(cast.lina)
    Ticket.objects.update(owner=cast.lina)
    prefer(cast, "next")
    response = post(client, ticket, "contact", outcome="reached", channel="phone")
    assert response["Location"] == f"/tickets/{coming.number}/"
    page = client.get(response["Location"]).content.decode()
    assert f"{ticket.number} Zhang Wei: The contact is logged." in page


def test_it_goes_back_to_my_work_for_who_likes_that_and_after_the_last_ticket(
    cast: Cast, sign_in: SignIn
) -> None:
    client = sign_in(cast.lina)
    for after in ("back", "next"):
        ticket = cast.ticket()
        Ticket.objects.filter(status="new").update(owner=cast.lina)
        prefer(cast, after)
        assert post(client, ticket, "resolve", **values_for(cast, "resolve"))["Location"] == "/desk/"


def test_it_stays_after_what_does_not_end_ones_turn(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    prefer(cast, "back")
    response = post(sign_in(cast.lina), ticket, "note", **values_for(cast, "note"))
    assert response["Location"] == f"/tickets/{ticket.number}/"


def test_it_stays_for_the_next_attempt_that_is_proposed(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    prefer(cast, "next")
    response = post(sign_in(cast.lina), ticket, "contact", outcome="no_answer", channel="phone")
    assert response["Location"] == f"/tickets/{ticket.number}/"


def test_beside_the_list_going_back_is_staying(cast: Cast, sign_in: SignIn) -> None:
    ticket, client = cast.ticket(), sign_in(cast.lina)
    prefer(cast, "back")
    response = client.post(
        f"/tickets/{ticket.number}/contact/",
        {"version": 1, "outcome": "reached", "channel": "phone"},
        headers={"hx-target": "detail"},
    )
    assert response["Location"] == f"/tickets/{ticket.number}/"


def test_it_is_chosen_on_the_page_and_kept(cast: Cast, sign_in: SignIn) -> None:
    ticket, client = cast.ticket(), sign_in(cast.lina)
    path = f"/tickets/{ticket.number}/"
    assert client.post("/me/after/", {"after": "next", "back": path})["Location"] == path
    cast.lina.staff.refresh_from_db()
    assert cast.lina.staff.after_act == "next"
    assert '<option value="next" selected>' in client.get(path).content.decode()


@pytest.mark.parametrize("values", [{"after": "away"}, {"after": "next", "back": "https://evil.example/"}])
def test_it_keeps_no_other_choice_and_leads_nowhere_else(
    cast: Cast, sign_in: SignIn, values: dict[str, str]
) -> None:
    assert sign_in(cast.lina).post("/me/after/", values)["Location"] == "/desk/"
    cast.lina.staff.refresh_from_db()
    assert cast.lina.staff.after_act in ("stay", "next")
    assert sign_in(cast.vera).post("/me/after/", values).status_code == 403


# --- The playbook ---


def test_naming_the_cause_shows_its_playbook_and_a_tick_is_kept(cast: Cast, sign_in: SignIn) -> None:
    book = Playbook.objects.create(name="Late delivery", guide="Say sorry first")
    step = PlaybookStep.objects.create(playbook=book, text="Ask what it broke")
    cast.late.playbook = book
    cast.late.save()
    ticket, client = cast.ticket(), sign_in(cast.lina)
    assert post(client, ticket, "cause", cause=cast.late.pk).status_code == 302
    path = f"/tickets/{ticket.number}/"
    assert "Say sorry first" in client.get(path).content.decode()
    ticked = client.post(f"{path}steps/{step.pk}/", {"done": "on"}, headers={"hx-request": "true"})
    assert ticked.content.decode().startswith('<div class="playbook"')
    assert "checked" in ticked.content.decode()
    assert fresh(ticket).version == 2
    assert client.post(f"{path}steps/{step.pk}/")["Location"] == path
    assert "checked" not in client.get(path).content.decode()


def test_a_step_is_ticked_only_by_who_may_act_on_the_ticket(cast: Cast, sign_in: SignIn) -> None:
    book = Playbook.objects.create(name="Late delivery")
    step = PlaybookStep.objects.create(playbook=book, text="Ask what it broke")
    ticket = cast.ticket()
    Ticket.objects.update(playbook=book)
    path = f"/tickets/{ticket.number}/steps/{step.pk}/"
    assert sign_in(cast.vera).post(path, {"done": "on"}).status_code == 403
    assert sign_in(cast.ann).post(path, {"done": "on"}).status_code == 404
    assert sign_in(cast.lina).post(f"/tickets/{ticket.number}/steps/0/").status_code == 404
    assert not StepDone.objects.exists()


def test_only_who_supervises_the_team_puts_a_ticket_under_another_policy(cast: Cast, sign_in: SignIn) -> None:
    ticket, values = cast.ticket(), values_for(cast, "policy")
    assert post(sign_in(cast.lina), ticket, "policy", **values).status_code == 403
    assert b"Change the policy" not in sign_in(cast.lina).get(f"/tickets/{ticket.number}/").content
    assert fresh(ticket).policy == cast.policy
    assert post(sign_in(cast.chen), ticket, "policy", **values).status_code == 302
    assert fresh(ticket).policy == gold()


def test_a_policy_change_without_a_reason_keeps_what_was_chosen(cast: Cast, sign_in: SignIn) -> None:
    ticket, client = cast.ticket(), sign_in(cast.chen)
    answer = post(client, ticket, "policy", policy=gold().pk, reason="")
    assert answer.status_code == 422
    assert f'<option value="{gold().pk}" selected>' in answer.content.decode()
    assert fresh(ticket).policy == cast.policy
