"""Writing to the customer from the ticket page: the draft, the thread, and taking it back."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from recovery import lifecycle
from recovery.models import CannedText, Reply, Ticket
from surveys.messages import send, suppress
from surveys.models import Message, SendingRules
from tests.make import HOUR, MINUTE, MONDAY, Cast
from tests.recovery.views.conftest import Clock, SignIn
from tests.recovery.views.test_ticket import beside, page_of, text_of

NOW = MONDAY + 30 * MINUTE
TEXT = "Dear Zhang Wei, we are sorry."


def write(client: Client, ticket: Ticket, **values: Any) -> Any:
    known = Ticket.objects.get(pk=ticket.pk)
    given = {"version": known.version, "channel": "email", "subject": "Your parcel", "text": TEXT, **values}
    return client.post(f"/tickets/{ticket.number}/reply/", given, follow=True)


def draft(client: Client, ticket: Ticket, **values: Any) -> str:
    given = {"version": ticket.version, "channel": "email", "subject": "", "text": "", **values}
    response = client.post(f"/tickets/{ticket.number}/reply/draft/", given, headers={"hx-request": "true"})
    assert response.status_code == 200
    return response.content.decode()


def test_it_writes_and_offers_to_take_it_back_at_the_top_of_the_page(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    page = write(sign_in(cast.lina), ticket).content.decode()
    reply = Reply.objects.get()
    assert 'data-seconds="10"' in page
    assert f'<input type="hidden" name="reply" value="{reply.pk}">' in page
    top = text_of(page[: page.index('<main id="page"')])
    assert f"{ticket.number} Zhang Wei: your reply goes out in a moment. Take it back 10 s" in top


def test_it_takes_it_back_by_that_button(cast: Cast, sign_in: SignIn) -> None:
    ticket, client = cast.ticket(), sign_in(cast.lina)
    write(client, ticket)
    values = {"version": 1, "reply": Reply.objects.get().pk}
    done = client.post(f"/tickets/{ticket.number}/take-back/", values, follow=True)
    page = text_of(done.content.decode())
    assert "The reply is taken back: the customer never gets it." in page
    assert "Taken back: the customer never got it" in page
    message = Message.objects.get(kind="ticket_reply")
    assert message.state == Message.CANCELLED
    shown = text_of(client.get(f"/messages/{message.pk}/").content.decode())
    assert "taken back by a colleague before it was sent" in shown


def test_what_was_taken_back_stands_in_its_form_again(cast: Cast, sign_in: SignIn) -> None:
    ticket, client = cast.ticket(), sign_in(cast.lina)
    write(client, ticket, subject="Your parcel 4711", text="Dear Wei,\nwe call you.")
    values = {"version": 1, "reply": Reply.objects.get().pk}
    done = client.post(f"/tickets/{ticket.number}/take-back/", values, follow=True)
    page = done.content.decode()
    assert done.context["open"] == "reply"
    assert "Dear Wei,\nwe call you.</textarea>" in page
    assert 'value="Your parcel 4711"' in page
    assert f'name="version" value="{Ticket.objects.get(pk=ticket.pk).version}"' in page
    again = write(client, ticket, text="Dear Wei,\nwe call you at 3.").content.decode()
    assert "we call you.</textarea>" not in again


def test_only_what_was_taken_back_from_this_ticket_is_put_back(cast: Cast, sign_in: SignIn) -> None:
    ticket, other, client = cast.ticket(), cast.ticket(), sign_in(cast.lina)
    write(client, other, text="To somebody else")
    elsewhere = Reply.objects.get()
    lifecycle.take_back(other, elsewhere, by=cast.lina, at=NOW)
    write(client, ticket, text="On its way")
    sent = Reply.objects.latest("pk")
    for draft in (elsewhere.pk, sent.pk, "x", ""):
        page = client.get(f"/tickets/{ticket.number}/", {"draft": draft})
        assert page.context["open"] == ""
        assert "</textarea>" in page.content.decode()
        assert "somebody else</textarea>" not in page.content.decode()
        assert "On its way</textarea>" not in page.content.decode()


def test_who_only_reads_is_given_no_draft(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    lifecycle.reply(ticket, by=cast.lina, at=NOW, channel="email", text="Taken back")
    row = Reply.objects.get()
    lifecycle.take_back(ticket, row, by=cast.lina, at=NOW)
    page = sign_in(cast.vera).get(f"/tickets/{ticket.number}/", {"draft": row.pk})
    assert page.status_code == 200
    assert "reply-panel" not in page.content.decode()


# --- What became of it ---


def told(client: Client, ticket: Ticket, **query: Any) -> str:
    """What the notice at the top says once its ten seconds are over."""
    response = client.get(f"/tickets/{ticket.number}/reply/{Reply.objects.latest('pk').pk}/", query)
    assert response.status_code == 200
    return response.content.decode()


def test_it_says_what_became_of_it_once_it_cannot_be_taken_back(
    cast: Cast, sign_in: SignIn, clock: Clock
) -> None:
    ticket, client = cast.ticket(), sign_in(cast.lina)
    page = write(client, ticket).content.decode()
    address = f"/tickets/{ticket.number}/reply/{Reply.objects.get().pk}/"
    assert page.count(f'hx-get="{address}') == 2  # the notice, and the entry of the timeline
    assert "load delay:5s" in told(client, ticket)
    send(Message.objects.get(kind="ticket_reply").pk, NOW + timedelta(seconds=11))
    clock(NOW + timedelta(seconds=12))
    said = told(client, ticket)
    assert text_of(said).strip() == f"{ticket.number} Zhang Wei: Sent today 10:30"
    assert "hx-get" not in said
    entry = told(client, ticket, **{"as": "entry"})
    assert text_of(entry).strip() == "Sent today 10:30"
    assert "hx-get" not in entry
    assert f'hx-get="{address}' not in client.get(f"/tickets/{ticket.number}/").content.decode()


def test_it_stops_asking_and_says_that_it_waits_its_turn(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    ticket, client = cast.ticket(), sign_in(cast.lina)
    write(client, ticket)
    clock(NOW + MINUTE)
    said = told(client, ticket, asked=5)
    assert "Not sent yet: it waits its turn" in said
    assert "hx-get" not in said
    assert "Take it back" in told(client, ticket, asked=5, **{"as": "entry"})


def test_it_says_why_it_was_not_sent(cast: Cast, sign_in: SignIn) -> None:
    ticket, client = cast.ticket(), sign_in(cast.lina)
    write(client, ticket)
    Message.objects.filter(kind="ticket_reply").update(state="suppressed", reason="no_consent")
    assert "not sent: the customer has not agreed to be written to" in told(client, ticket)


def test_nobody_else_hears_what_became_of_it(cast: Cast, sign_in: SignIn) -> None:
    ticket, other = cast.ticket(), cast.ticket()
    lifecycle.reply(ticket, by=cast.lina, at=NOW, channel="email", text=TEXT)
    pk = Reply.objects.get().pk
    assert sign_in(cast.ann).get(f"/tickets/{ticket.number}/reply/{pk}/").status_code == 404
    assert sign_in(cast.lina).get(f"/tickets/{other.number}/reply/{pk}/").status_code == 404


def test_it_says_so_where_the_reply_is_gone_already(cast: Cast, sign_in: SignIn) -> None:
    ticket, client = cast.ticket(), sign_in(cast.lina)
    write(client, ticket)
    reply = Reply.objects.get()
    assert reply.message_id
    send(reply.message_id, NOW + MINUTE)
    done = client.post(f"/tickets/{ticket.number}/take-back/", {"version": 2, "reply": reply.pk})
    assert done.status_code == 409
    page = text_of(done.content.decode())
    assert "It is on its way already: it cannot be taken back any more." in page
    assert "Sent today 10:31" in page
    assert "Take it back" not in page


def test_it_takes_back_no_reply_of_another_ticket(cast: Cast, sign_in: SignIn) -> None:
    ticket, other, client = cast.ticket(), cast.ticket(team=cast.west), sign_in(cast.lina)
    lifecycle.reply(other, by=cast.ann, at=NOW, channel="email", text=TEXT)
    reply = Reply.objects.get()
    values = {"version": 1, "reply": reply.pk}
    assert client.post(f"/tickets/{ticket.number}/take-back/", values).status_code == 409
    assert client.post(f"/tickets/{other.number}/take-back/", values).status_code == 404
    reply.refresh_from_db()
    assert reply.state == Reply.WRITTEN


def test_it_keeps_what_was_typed_when_it_is_refused(cast: Cast, sign_in: SignIn) -> None:
    customer = cast.customer(email="no@example.com")
    ticket, client = cast.ticket(customer=customer), sign_in(cast.lina)
    suppress("no@example.com", reason="unsubscribed", at=MONDAY)
    refused = write(client, ticket, text="A long letter")
    page = refused.content.decode()
    assert refused.status_code == 409
    assert "They do not want to be written to there" in page
    assert "A long letter</textarea>" in page


def test_it_tells_what_changed_and_keeps_the_text_beside_the_list_too(cast: Cast, sign_in: SignIn) -> None:
    ticket, client = cast.ticket(), sign_in(cast.lina)
    lifecycle.reply(ticket, by=cast.majun, at=NOW, channel="email", text="Sorry from Ma Jun")
    values = {"version": 1, "channel": "email", "subject": "Ours", "text": "Sorry from Li Na"}
    refused = beside(client, f"/tickets/{ticket.number}/reply/", **values)
    page = refused.content.decode()
    assert refused.status_code == 409
    assert "Meanwhile:" in page
    assert "Ma Jun wrote to the customer · e-mail · “Sorry from Ma Jun”" in text_of(page)
    assert "Sorry from Li Na</textarea>" in page
    assert Reply.objects.count() == 1


def test_it_is_not_offered_where_nobody_can_be_written_to(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket(customer=cast.customer(email="", phone="+8613800138000"))
    assert "reply-panel" not in sign_in(cast.lina).get(f"/tickets/{ticket.number}/").content.decode()


def test_who_only_reads_writes_to_nobody(cast: Cast, sign_in: SignIn) -> None:
    ticket, client = cast.ticket(), sign_in(cast.vera)
    assert write(client, ticket).status_code == 403
    assert client.post(f"/tickets/{ticket.number}/reply/draft/", {}).status_code == 403
    assert not Reply.objects.exists()


# --- The draft ---


def test_it_puts_a_canned_text_in_with_its_blanks_filled(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    row = CannedText.objects.create(name="Sorry", text="Dear {customer}, {agent} ({number})")
    form = draft(sign_in(cast.lina), ticket, canned=row.pk)
    assert f"Dear Zhang Wei, Li Na ({ticket.number})</textarea>" in form
    assert not Reply.objects.exists()


def test_it_puts_a_canned_text_after_what_was_typed(cast: Cast, sign_in: SignIn) -> None:
    row = CannedText.objects.create(name="Sorry", text="We are sorry.")
    form = draft(sign_in(cast.lina), cast.ticket(), canned=row.pk, text="Dear Wei,\n")
    assert "Dear Wei,\n\nWe are sorry.</textarea>" in form


@pytest.mark.parametrize("chosen", ["99999", "x", ""])
def test_it_keeps_the_draft_where_the_text_is_gone(cast: Cast, sign_in: SignIn, chosen: str) -> None:
    assert "Dear Wei</textarea>" in draft(sign_in(cast.lina), cast.ticket(), canned=chosen, text="Dear Wei")


def test_it_shows_the_reply_as_the_customer_reads_it(cast: Cast, sign_in: SignIn) -> None:
    form = draft(sign_in(cast.lina), cast.ticket(), preview=1, text="We call you.", subject="Your parcel")
    preview = text_of(form[form.index('class="preview"') :])
    assert "Your parcel" in preview
    assert "We call you." in preview


def test_it_warns_in_the_preview_of_a_blank_and_of_the_customers_night(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket(customer=cast.customer(time_zone="America/New_York"))  # 21:30 there
    form = draft(sign_in(cast.lina), ticket, preview=1, text="By {due}")
    assert "Fill in {due} first" in form
    assert "It is late where they are: it goes out" in form


def test_it_drafts_without_script_too(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    row = CannedText.objects.create(name="Sorry", text="We are sorry.")
    values = {"version": 1, "channel": "email", "subject": "", "text": "Dear Wei", "canned": row.pk}
    response = sign_in(cast.lina).post(f"/tickets/{ticket.number}/reply/draft/", values)
    page = response.content.decode()
    assert response.status_code == 200
    assert "<html" in page
    assert "Dear Wei\n\nWe are sorry.</textarea>" in page
    assert "Nothing was changed" not in page


def test_a_stale_draft_stays_stale(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    lifecycle.note(ticket, by=cast.majun, at=NOW, text="Called already")
    assert 'name="version" value="1"' in draft(sign_in(cast.lina), ticket, text="Dear Wei")


# --- The thread ---


def test_it_shows_what_became_of_each_message(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    ticket, client = cast.ticket(), sign_in(cast.lina)
    write(client, ticket)
    assert "Goes out in a few seconds" in page_of(client, ticket)
    Message.objects.filter(kind="ticket_reply").update(reason="quiet_hours", send_at=NOW + 10 * HOUR)
    page = page_of(client, ticket)
    assert "Not sent yet: it waits until the customer&#x27;s quiet hours are over (today 20:30)" in page
    Message.objects.filter(kind="ticket_reply").update(state="suppressed", reason="no_consent")
    page = page_of(client, ticket)
    assert "not sent: the customer has not agreed to be written to" in page
    assert "Take it back" not in page


@pytest.mark.parametrize("enough", [True, False])
def test_it_says_when_a_reply_waits_because_they_were_written_to_enough(
    cast: Cast, sign_in: SignIn, enough: bool
) -> None:
    SendingRules.objects.update_or_create(pk=SendingRules.ONLY, defaults={"per_person_per_day": 2 - enough})
    ticket, client = cast.ticket(), sign_in(cast.lina)
    lifecycle.reply(ticket, by=cast.lina, at=MONDAY, channel="email", text="Earlier")
    send(Message.objects.get(kind="ticket_reply").pk, MONDAY + MINUTE)
    shown = draft(client, ticket, text=TEXT, preview="1")
    assert ("written to often enough for one day: it goes out tomorrow 10:01" in text_of(shown)) is enough
    page = text_of(write(client, ticket).content.decode())
    assert ("your reply goes out tomorrow 10:01, for they were written to often enough" in page) is enough
    assert ("your reply goes out in a moment" in page) is not enough


def test_a_reply_and_what_they_write_look_like_no_note(cast: Cast, sign_in: SignIn) -> None:
    ticket, client = cast.ticket(), sign_in(cast.lina)
    write(client, ticket)
    lifecycle.customer_wrote(ticket, at=NOW, text="<b>Thanks</b>", channel="email")
    lifecycle.note(ticket, by=cast.lina, at=NOW, text="Refund")
    page = client.get(f"/tickets/{ticket.number}/").content.decode()
    for look, label in (("ours", "To the customer"), ("theirs", "From the customer"), ("note", "Internal")):
        entry = page[page.index(f"entry-{look}") :]
        assert label in text_of(entry[: entry.index("</li>")])
    assert "&lt;b&gt;Thanks&lt;/b&gt;" in page


def test_the_undo_is_gone_with_the_next_page(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    ticket, client = cast.ticket(), sign_in(cast.lina)
    write(client, ticket)
    clock(NOW + timedelta(seconds=20))
    assert "data-seconds" not in client.get(f"/tickets/{ticket.number}/").content.decode()
