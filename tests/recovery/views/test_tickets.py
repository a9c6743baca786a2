"""The list of tickets: what the address of the page asks for."""

import csv
import io

import pytest
from django.test import Client
from django.utils import timezone, translation
from pytest_django import DjangoAssertNumQueries

from recovery import lifecycle
from recovery.models import Leave, SavedView, Ticket
from recovery.models.ticket import STATUSES
from recovery.views import tickets_csv
from recovery.views.columns import COLUMNS
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast, make_response
from tests.recovery.views.conftest import Clock, SignIn
from tests.surveys.make import make_survey


def numbers(client: Client, **query: str | int) -> set[str]:
    return {row.ticket.number for row in client.get("/tickets/", query).context["rows"]}


def resolved(cast: Cast, ticket: Ticket) -> Ticket:
    return lifecycle.resolve(ticket, by=cast.lina, at=MONDAY, cause_found=cast.late, what_was_done="Sorry")


def test_it_shows_what_is_in_work_by_what_falls_due(cast: Cast, sign_in: SignIn) -> None:
    normal, urgent, done = cast.ticket(priority=3), cast.ticket(priority=1), cast.ticket()
    resolved(cast, done)
    rows = sign_in(cast.lina).get("/tickets/").context["rows"]
    assert [row.ticket for row in rows] == [urgent, normal]


def test_it_filters_by_what_the_address_says(cast: Cast, sign_in: SignIn) -> None:
    other_survey = make_survey("service")
    a = cast.ticket(priority=1)
    b = cast.ticket(survey=other_survey)
    c = cast.ticket(team=cast.region)
    done = resolved(cast, cast.ticket())
    Ticket.objects.filter(pk=a.pk).update(owner=cast.majun)
    Ticket.objects.filter(pk=b.pk).update(owner=cast.wu)
    client = sign_in(cast.wu)
    assert numbers(client, priority=1) == {a.number}
    assert numbers(client, survey=other_survey.pk) == {b.number}
    assert numbers(client, team=cast.region.pk) == {c.number}
    assert numbers(client, owner=cast.majun.pk) == {a.number}
    assert numbers(client, owner="me") == {b.number, c.number}
    assert numbers(client, status="resolved") == {done.number}
    assert numbers(client, status="any") == {a.number, b.number, c.number, done.number}


@pytest.mark.parametrize(
    "query", [{"owner": "x"}, {"team": "-1"}, {"status": "lost"}, {"priority": "9" * 30}, {"survey": "\0"}]
)
def test_it_finds_nothing_for_a_filter_that_does_not_exist(
    cast: Cast, sign_in: SignIn, query: dict[str, str]
) -> None:
    cast.ticket()
    response = sign_in(cast.lina).get("/tickets/", query)
    assert response.status_code == 200
    assert len(response.context["rows"]) == (1 if query == {"survey": "\0"} else 0)


def test_it_shows_only_what_is_overdue(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    late, _early = cast.ticket(priority=1), cast.ticket(priority=3)
    clock(MONDAY + 2 * HOUR)
    assert numbers(sign_in(cast.lina), overdue=1) == {late.number}


def test_it_means_both_of_two_values(cast: Cast, sign_in: SignIn) -> None:
    new, heard, paused = cast.ticket(priority=1), cast.ticket(priority=2), cast.ticket(priority=3)
    lifecycle.log_contact(heard, by=cast.lina, at=MONDAY, outcome="reached")
    lifecycle.start_waiting(paused, by=cast.lina, at=MONDAY, reason="A photo")
    client = sign_in(cast.lina)
    both = client.get("/tickets/?status=new&status=open")
    assert {row.ticket.number for row in both.context["rows"]} == {new.number, heard.number}
    assert both.content.decode().count('<option value="new" selected>') == 1
    assert both.content.decode().count('<option value="open" selected>') == 1
    kept = client.get("/tickets/?priority=1&priority=3").context["rows"]
    assert {row.ticket.number for row in kept} == {new.number, paused.number}


def test_it_narrows_by_every_filter(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    gold = cast.customer("Gold", tier="gold")
    plain = cast.ticket()
    tickets = {
        "touchpoint": cast.ticket(touchpoint="Pudong"),
        "tier": cast.ticket(customer=gold),
        "cause": cast.ticket(),
        "callback": cast.ticket(),
        "room": cast.ticket(),
        "heard": cast.ticket(),
        "old": cast.ticket(at=MONDAY - 3 * DAY),
    }
    Ticket.objects.filter(pk=tickets["cause"].pk).update(cause_said=cast.rude)
    Ticket.objects.filter(pk=tickets["room"].pk).update(awaits_room=True)
    lifecycle.log_contact(tickets["heard"], by=cast.lina, at=MONDAY, outcome="reached")
    lifecycle.book_callback(
        tickets["callback"], by=cast.lina, at=MONDAY, local_time="2026-03-02T10:10", time_zone="Asia/Shanghai"
    )
    everything = {plain.number, *(each.number for each in tickets.values())}
    client = sign_in(cast.lina)
    for query, name in (
        ({"touchpoint": "Pudong"}, "touchpoint"),
        ({"tier": "gold"}, "tier"),
        ({"customer": gold.pk}, "tier"),
        ({"cause": cast.rude.pk}, "cause"),
        ({"callback": "booked"}, "callback"),
        ({"callback": "due"}, "callback"),
        ({"room": "1"}, "room"),
        ({"contacted": "yes"}, "heard"),
        ({"opened_to": "2026-03-01"}, "old"),
        ({"due_before": "2026-03-01"}, "old"),
    ):
        assert numbers(client, **query) == {tickets[name].number}, query
    for query, name in (
        ({"callback": "none"}, "callback"),
        ({"contacted": "no"}, "heard"),
        ({"opened_from": "2026-03-02"}, "old"),
    ):
        assert numbers(client, **query) == everything - {tickets[name].number}, query


@pytest.mark.parametrize("name", ["due_before", "opened_from", "opened_to"])
def test_it_says_beside_the_field_what_is_no_day(cast: Cast, sign_in: SignIn, name: str) -> None:
    cast.ticket()
    response = sign_in(cast.lina).get("/tickets/", {name: "2026-02-31"})
    assert response.context["rows"] == []
    page = response.content.decode()
    assert "Give a day such as 2026-03-02." in page
    assert 'value="2026-02-31"' in page


def test_it_shows_the_columns_the_address_names(cast: Cast, sign_in: SignIn) -> None:
    cast.ticket(touchpoint="Pudong")
    client = sign_in(cast.lina)
    usual = ["due", "score", "words", "priority", "owner", "status", "opened"]
    for query, codes in (
        ("", usual),
        ("?cols=touchpoint,due", ["due", "touchpoint"]),
        ("?cols=touchpoint&cols=due", ["due", "touchpoint"]),
        ("?cols=nothing", usual),
    ):
        response = client.get(f"/tickets/{query}")
        assert [column.code for column in response.context["columns"]] == codes
        table = response.content.decode().partition("<tbody>")[2].partition("</tbody>")[0]
        assert table.count("<td") == len(codes) + 1


def test_it_shows_every_column_there_is(cast: Cast, sign_in: SignIn) -> None:
    cast.ticket()
    Ticket.objects.update(customer=None)
    everything = ",".join(column.code for column in COLUMNS)
    response = sign_in(cast.lina).get(f"/tickets/?cols={everything}")
    table = response.content.decode().partition("<tbody>")[2].partition("</tbody>")[0]
    assert table.count("<td") == len(COLUMNS) + 1


def rows_of_file(client: Client, query: str) -> list[list[str]]:
    response = client.get(f"/tickets/csv/{query}")
    with translation.override("en"), timezone.override("UTC"):  # as the server stands once it has answered
        text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:])))


def test_it_writes_the_view_as_a_file(cast: Cast, sign_in: SignIn) -> None:
    customer = cast.customer("张伟", phone="+8613800138000")
    mine = cast.ticket(customer=customer, priority=1, comment="=HYPERLINK(1)")
    cast.ticket(team=cast.west, priority=1)
    cast.ticket(priority=3)
    lines = rows_of_file(sign_in(cast.lina), "?priority=1&cols=words,phone,due,score")
    assert lines == [
        ["Ticket", "Customer", "Due", "Score", "Their words", "Phone"],
        [mine.number, "张伟", "2026-03-02 11:00", "2", "'=HYPERLINK(1)", "'+8613800138000"],
    ]


def test_it_writes_the_file_in_the_readers_language(cast: Cast, sign_in: SignIn) -> None:
    cast.lina.staff.locale = "zh-hans"
    cast.lina.staff.save()
    cast.ticket()
    with translation.override("zh-hans"):
        status = str(dict(STATUSES)["new"])
    (_head, line) = rows_of_file(sign_in(cast.lina), "?cols=status")
    assert status != "new"
    assert line[2] == status


def test_it_writes_a_long_list_in_parts(cast: Cast, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tickets_csv, "BATCH", 2)
    known = [cast.ticket().number for _ in range(5)]
    assert [line[0] for line in rows_of_file(sign_in(cast.lina), "?order=newest")[1:]] == known[::-1]


def test_it_looks_for_too_short_a_word_in_open_work_only(cast: Cast, sign_in: SignIn) -> None:
    open_one, done = cast.ticket(comment="ok"), resolved(cast, cast.ticket(comment="ok"))
    client = sign_in(cast.lina)
    response = client.get("/tickets/?q=ok")
    assert {row.ticket.number for row in response.context["rows"]} == {open_one.number}
    assert "looked for in open work only" in response.content.decode()
    assert done.number not in numbers(client, q="ok", status="any")


@pytest.mark.parametrize("words", ["晚了", "两天", "张伟", "退款"])
def test_it_finds_a_chinese_word_of_two_characters(cast: Cast, sign_in: SignIn, words: str) -> None:
    ticket = resolved(cast, cast.ticket(customer=cast.customer("张伟"), comment="送货晚了两天，我要退款ok"))
    cast.ticket(comment="晚点再说，了不起。两周天")
    response = sign_in(cast.lina).get("/tickets/", {"q": words})
    assert [row.ticket for row in response.context["rows"]] == [ticket]
    assert response.context["everywhere"]


def test_it_finds_by_what_somebody_on_the_phone_would_say(cast: Cast, sign_in: SignIn) -> None:
    customer = cast.customer("张伟", email="wei@example.com", phone="+8613800138000")
    ticket = cast.ticket(customer=customer, comment="送货晚了两天。Nobody called.")
    cast.ticket(customer=cast.customer("Kim"), comment="")
    client = sign_in(cast.lina)
    for words in (
        "张伟",
        "wei@ex",
        "138 0013 8000",
        "(0138) 0013-8000",
        "晚了两天",
        "nobody CALLED",
        ticket.number[2:] + " ",
    ):
        assert numbers(client, q=words, status="any") == {ticket.number}, words
    assert numbers(client, q="nothing like it") == set()


def test_it_finds_the_words_of_a_later_answer_and_of_a_closed_ticket(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    again = make_response(cast.survey, 1, customer=ticket.customer, comment="Where is my refund")
    plan = lifecycle.Plan(team=cast.east, policy=cast.policy, priority=2)
    ticket = resolved(cast, lifecycle.absorb(ticket, again, plan, at=MONDAY))
    assert numbers(sign_in(cast.lina), q="my refund") == {ticket.number}


@pytest.mark.parametrize("shape", ["R-{}", "r{}", "{}", " r-{} "])
def test_it_jumps_to_a_number(cast: Cast, sign_in: SignIn, shape: str) -> None:
    ticket = cast.ticket()
    response = sign_in(cast.lina).get("/tickets/", {"q": shape.format(ticket.number[2:])})
    assert response["Location"] == f"/tickets/{ticket.number}/"


def test_it_does_not_jump_to_a_ticket_of_another_team(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket(team=cast.west)
    response = sign_in(cast.lina).get("/tickets/", {"q": ticket.number})
    assert response.status_code == 200
    assert response.context["rows"] == []


def test_it_turns_pages_and_keeps_the_filters(cast: Cast, sign_in: SignIn) -> None:
    for _ in range(51):
        cast.ticket()
    client = sign_in(cast.lina)
    first, second = numbers(client, team=cast.east.pk), numbers(client, team=cast.east.pk, page=2)
    assert (len(first), len(second)) == (50, 1)
    assert not first & second
    assert (
        f"team={cast.east.pk}&amp;page=2" in client.get("/tickets/", {"team": cast.east.pk}).content.decode()
    )


@pytest.mark.parametrize("number", [1, 60])
@pytest.mark.parametrize("name", ["lina", "chen", "admin", "vera"])
def test_it_asks_the_database_at_most_twelve_times(
    cast: Cast,
    sign_in: SignIn,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    name: str,
    number: int,
) -> None:
    for index in range(number):
        ticket = cast.ticket(customer=cast.customer(""), touchpoint=f"Store {index}")
        SavedView.objects.create(user=getattr(cast, name), name=f"{index}", query="status=any&q=nobody")
        if index % 2:
            lifecycle.book_callback(
                ticket, by=cast.lina, at=MONDAY, local_time="2026-03-02T15:00", time_zone="Asia/Shanghai"
            )
    Leave.objects.create(user=cast.majun, cover=cast.lina, starts_at=MONDAY, ends_at=MONDAY + DAY)
    client = sign_in(getattr(cast, name))
    for query in ("", "?q=nobody", "?status=any&cols=email,phone,cause,account&answered=1&breached=2"):
        with django_assert_max_num_queries(12):
            assert client.get(f"/tickets/{query}").status_code == 200


def test_it_shows_a_callback_before_its_time_as_a_time_of_day(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    lifecycle.book_callback(
        ticket, by=cast.lina, at=MONDAY, local_time="2026-03-02T13:00", time_zone="Asia/Shanghai"
    )
    (row,) = sign_in(cast.lina).get("/tickets/").context["rows"]
    assert (row.calls, row.chip.text, row.chip.at) == (True, "today 13:00", None)


def test_it_counts_the_minutes_of_a_row(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    cast.ticket(priority=1)
    client = sign_in(cast.lina)
    clock(MONDAY + 25 * MINUTE)
    (row,) = client.get("/tickets/").context["rows"]
    assert (row.chip.state, row.chip.text) == ("soon", "in 35 min")
    clock(MONDAY + 95 * MINUTE)
    (row,) = client.get("/tickets/").context["rows"]
    assert (row.chip.state, row.chip.text) == ("late", "late 35 min")
