"""The page that shows whether what is due is done, and the banners above every page of those in charge."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dispatch import epoch, views
from dispatch.models import Claim, Pulse
from recovery.models import Wait
from recovery.views import door, frame
from surveys import invitations
from surveys.models import Invitation, Message, Refusal, SendingRules
from tests.make import MINUTE, MONDAY, Cast
from tests.recovery.views.conftest import SignIn

# Two of them ask for the permissions of who looks, two for what is due by rules that no query holds.
MOST_QUERIES = 14
NOW = MONDAY + 30 * MINUTE


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "now", lambda: NOW)


def dead(kind: str = "waits", subject: int = 1, **fields: object) -> Claim:
    values = {"fence": 1, "lease_until": MONDAY, "dead_at": MONDAY, "attempts": 5, **fields}
    return Claim.objects.create(kind=kind, subject=subject, **values)


def page(client: Client, query: str = "") -> str:
    answer = client.get(f"/dispatch/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


class TestThePage:
    @pytest.mark.parametrize(
        ("name", "reads", "acts"),
        [("lina", 403, 403), ("vera", 403, 403), ("chen", 200, 403), ("admin", 200, 302)],
    )
    def test_it_is_read_by_supervisors_and_acted_on_by_administrators(
        self, cast: Cast, sign_in: SignIn, name: str, reads: int, acts: int
    ) -> None:
        claim, client = dead(), sign_in(getattr(cast, name))
        assert client.get("/dispatch/").status_code == reads
        assert client.post(f"/dispatch/{claim.pk}/try-again/").status_code == acts
        assert Claim.objects.exists() == (acts != 302)

    def test_it_asks_a_stranger_who_they_are(self, client: Client, db: None) -> None:
        assert client.get("/dispatch/").status_code == 302
        assert client.post("/dispatch/1/try-again/")["Location"].startswith("/login/")

    def test_it_frees_nothing_by_a_link(self, cast: Cast, sign_in: SignIn) -> None:
        claim = dead()
        assert sign_in(cast.admin).get(f"/dispatch/{claim.pk}/try-again/").status_code == 405
        assert Claim.objects.exists()

    def test_it_says_that_somebody_was_quicker(self, cast: Cast, sign_in: SignIn) -> None:
        client = sign_in(cast.admin)
        assert "somebody has freed it" in client.post("/dispatch/7/try-again/", follow=True).content.decode()

    def test_it_frees_no_row_that_somebody_is_working_on(self, cast: Cast, sign_in: SignIn) -> None:
        claim = dead(dead_at=None)
        sign_in(cast.admin).post(f"/dispatch/{claim.pk}/try-again/")
        assert Claim.objects.filter(pk=claim.pk).exists()

    def test_it_frees_all_of_a_kind_and_no_other(self, cast: Cast, sign_in: SignIn) -> None:
        for subject in range(3):
            dead("waits", subject)
        other, busy = dead("callbacks"), dead("waits", 9, dead_at=None)
        client = sign_in(cast.admin)
        text = page(client)
        assert "Yes, try all 3 rows again" in text
        assert text.count('name="kind"') == 1
        answer = client.post("/dispatch/try-all-again/", {"kind": "waits"}, follow=True)
        assert "3 rows are free again" in answer.content.decode()
        assert set(Claim.objects.values_list("pk", flat=True)) == {other.pk, busy.pk}

    @pytest.mark.parametrize("kind", ["waits", "", "nobody\0"])
    def test_it_says_that_nothing_of_a_kind_was_given_up(
        self, cast: Cast, sign_in: SignIn, kind: str
    ) -> None:
        claim = dead("callbacks")
        answer = sign_in(cast.admin).post("/dispatch/try-all-again/", {"kind": kind}, follow=True)
        assert "somebody has freed it" in answer.content.decode()
        assert Claim.objects.filter(pk=claim.pk).exists()

    @pytest.mark.parametrize("name", ["lina", "vera", "chen"])
    def test_it_lets_only_administrators_free_all(self, cast: Cast, sign_in: SignIn, name: str) -> None:
        dead(subject=1)
        dead(subject=2)
        client = sign_in(getattr(cast, name))
        assert client.post("/dispatch/try-all-again/", {"kind": "waits"}).status_code == 403
        assert Claim.objects.count() == 2
        if name == "chen":
            assert "try-all-again" not in page(client)

    def test_it_frees_all_neither_by_a_link_nor_for_a_stranger(
        self, cast: Cast, client: Client, sign_in: SignIn
    ) -> None:
        dead()
        assert client.post("/dispatch/try-all-again/", {"kind": "waits"})["Location"].startswith("/login/")
        assert sign_in(cast.admin).get("/dispatch/try-all-again/?kind=waits").status_code == 405
        assert Claim.objects.exists()

    def test_it_says_that_all_is_well(self, cast: Cast, sign_in: SignIn) -> None:
        Pulse.objects.create(canary_at=NOW)
        text = page(sign_in(cast.chen))
        assert "Nothing was given up" in text
        assert "Nothing is dispatched" not in text
        assert "To customers" not in text

    def test_it_says_that_nothing_is_dispatched_and_nothing_sent(self, cast: Cast, sign_in: SignIn) -> None:
        Pulse.objects.create(behind={"why": epoch.RESTORED})
        text = page(sign_in(cast.chen))
        assert "Nothing is dispatched" in text
        assert "restored to an earlier state" in text

    @pytest.mark.parametrize(
        ("why", "advice"), [(epoch.UNREADABLE, "manage.py reconcile"), (epoch.UNWRITABLE, "nor in Redis")]
    )
    def test_it_says_what_to_do_where_nothing_can_be_remembered(
        self, cast: Cast, sign_in: SignIn, why: str, advice: str
    ) -> None:
        Pulse.objects.create(mute={"why": why, "host": "post-1", "words": "/data/epoch.json"})
        text = page(sign_in(cast.chen))
        for words in ("On post-1", "/data/epoch.json", "no message is sent", advice):
            assert words in text
        assert "To customers" not in text

    def test_it_leads_to_what_a_dead_row_is_about(self, cast: Cast, sign_in: SignIn) -> None:
        ticket = cast.ticket()
        wait = Wait.objects.create(ticket=ticket, cycle=1, reason="x", starts_at=MONDAY, resume_at=MONDAY)
        asked = invitations.ask(cast.customer(), cast.survey, at=MONDAY, purpose=Invitation.SURVEY)
        assert isinstance(asked, Invitation)
        dead("waits", wait.pk, error="KeyError: 'x'")
        dead("triage", ticket.response_id)
        dead("invitations", asked.pk)
        dead("nobody", 12)
        text = page(sign_in(cast.chen))
        assert f'href="/tickets/{ticket.number}/"' in text
        assert f'href="/responses/{ticket.response_id}/"' in text
        assert f'href="/customers/{asked.customer_id}/"' in text
        assert "row 12" in text
        assert "KeyError" in text
        assert "waiting tickets" in text

    def test_it_shows_since_when_a_kind_is_late(self, cast: Cast, sign_in: SignIn) -> None:
        Wait.objects.create(ticket=cast.ticket(), cycle=1, reason="x", starts_at=MONDAY, resume_at=MONDAY)
        client = sign_in(cast.chen)
        rows = {row["waits"].kind: row for row in client.get("/dispatch/").context["waiting"]}
        assert (rows["waits"]["waits"].number, rows["waits"]["minutes"]) == (1, 30)
        assert rows["callbacks"]["waits"].number == 0

    @pytest.mark.parametrize("number", [0, 1, 1000])
    def test_it_asks_the_database_no_more_often_for_more(
        self, cast: Cast, sign_in: SignIn, number: int
    ) -> None:
        names = [
            "waits",
            "deadlines",
            "callbacks",
            "recompute",
            "resurveys",
            "triage",
            "invitations",
            "other",
        ]
        Claim.objects.bulk_create(
            Claim(kind=names[each % 8], subject=each, fence=each, lease_until=MONDAY, dead_at=MONDAY)
            for each in range(number)
        )
        client = sign_in(cast.admin)
        with CaptureQueriesContext(connection) as captured:
            text = page(client)
        assert len(captured) <= MOST_QUERIES
        assert text.count("/try-again/") == min(number, 50)
        assert ("of 1000" in text) == (number == 1000)


class TestBanners:
    def texts(self, client: Client) -> list[str]:
        return [banner.text for banner in client.get("/tickets/").context["banners"]]

    def alive(self) -> None:
        Pulse.objects.update_or_create(pk=Pulse.ONLY, defaults={"canary_at": NOW})

    @pytest.mark.parametrize("name", ["chen", "admin"])
    def test_it_says_when_nothing_is_dispatched(self, cast: Cast, sign_in: SignIn, name: str) -> None:
        client = sign_in(getattr(cast, name))
        assert "Nothing has been dispatched yet" in self.texts(client)[0]
        Pulse.objects.create(canary_at=NOW - 3 * MINUTE)
        assert "for 3 minutes" in self.texts(client)[0]
        self.alive()
        assert self.texts(client) == []

    @pytest.mark.parametrize("name", ["lina", "vera"])
    def test_it_bothers_nobody_who_can_do_nothing_about_it(
        self, cast: Cast, sign_in: SignIn, name: str
    ) -> None:
        SendingRules.objects.create(paused_at=MONDAY)
        dead()
        assert self.texts(sign_in(getattr(cast, name))) == []

    def test_it_says_that_sending_is_stopped_or_held(self, cast: Cast, sign_in: SignIn) -> None:
        self.alive()
        client, rules = sign_in(cast.chen), SendingRules.objects.create(held_at=MONDAY)
        assert "held until somebody releases" in self.texts(client)[0]
        rules.paused_at = MONDAY
        rules.save()
        assert "stopped by hand" in self.texts(client)[0]

    def test_it_says_that_the_database_was_restored(self, cast: Cast, sign_in: SignIn) -> None:
        self.alive()
        Pulse.objects.update(behind={"why": "restored"})
        assert "restored or moved" in self.texts(sign_in(cast.chen))[0]

    def test_it_says_since_when_a_provider_refuses_and_in_which_words(
        self, cast: Cast, sign_in: SignIn
    ) -> None:
        self.alive()
        client = sign_in(cast.chen)
        row = Refusal.objects.create(
            channel="sms", provider="carrier.test", words="401 <who>", since=MONDAY, tried_at=NOW
        )
        [text] = self.texts(client)
        assert text.startswith("SMS: carrier.test has refused messages since 2 Mar 2026 10:00: ")
        assert "“401 <who>”" in text
        page = client.get("/tickets/").content.decode()
        assert "401 &lt;who&gt;" in page
        assert "/messages/?state=queued&amp;channel=sms" in page
        Refusal.objects.create(
            channel="email", provider="smtp", words="no", since=MONDAY - MINUTE, tried_at=NOW
        )
        assert [text.split(":")[0] for text in self.texts(client)] == ["E-mail", "SMS"]
        assert self.texts(sign_in(cast.lina)) == []
        row.delete()
        assert len(self.texts(sign_in(cast.chen))) == 1

    @pytest.mark.parametrize(
        ("since", "tried", "seen"), [(10, 0, 1), (9.9, 0, 0), (300, 35, 1), (300, 35.1, 0)]
    )
    def test_it_says_so_after_ten_minutes_and_while_it_is_tried(
        self, cast: Cast, sign_in: SignIn, since: float, tried: float, seen: int
    ) -> None:
        self.alive()
        Refusal.objects.create(
            channel="email", provider="smtp", since=NOW - since * MINUTE, tried_at=NOW - tried * MINUTE
        )
        assert len(self.texts(sign_in(cast.chen))) == seen

    @pytest.mark.parametrize(("name", "seen"), [("chen", 1), ("admin", 1), ("lina", 0)])
    def test_it_says_that_no_message_is_sent_where_nothing_can_be_remembered(
        self, cast: Cast, sign_in: SignIn, name: str, seen: int
    ) -> None:
        self.alive()
        client = sign_in(getattr(cast, name))
        assert self.texts(client) == []
        Pulse.objects.update(mute={"why": "unwritable", "host": "post-1", "words": "x"})
        assert [text.startswith("No message is sent") for text in self.texts(client)] == [True] * seen

    def test_it_says_what_waits_for_a_decision(self, cast: Cast, sign_in: SignIn) -> None:
        self.alive()
        dead()
        for state, count in (("uncertain", 2), ("dead", 1), ("rejected", 1)):
            for number in range(count):
                Message.objects.create(
                    dedup_key=f"{state}{number}",
                    kind="invitation",
                    to_address="a@b.c",
                    customer=cast.ticket().customer,
                    state=state,
                    send_at=MONDAY,
                    created_at=MONDAY,
                )
        rows, messages = self.texts(sign_in(cast.chen))
        assert rows.startswith("1 due thing was given up")
        assert messages.startswith("3 messages are uncertain or were given up")
        assert self.texts(sign_in(cast.bob)) == [rows]

    @pytest.mark.parametrize("name", ["lina", "vera", "chen", "admin"])
    def test_it_costs_menu_and_banners_one_query_for_every_role(
        self, cast: Cast, sign_in: SignIn, name: str
    ) -> None:
        user: User = getattr(cast, name)
        request = sign_in(user).get("/tickets/").wsgi_request
        request.__dict__.pop("frame_facts")  # What the page itself has asked is known to its request.
        around = frame.frame(request)
        door.seen_by(request)
        with CaptureQueriesContext(connection) as captured:
            list(around["menu"])
            list(around["banners"])
        assert len(captured) == 1

    def test_it_reckons_nothing_for_a_page_without_a_frame(self, cast: Cast, sign_in: SignIn) -> None:
        answer = sign_in(cast.admin).get("/desk/counts/", headers={"HX-Request": "true"})
        assert b"banner" not in answer.content
