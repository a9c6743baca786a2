"""What the gate lets through, and what it says of the rest: each rule with its refusing and allowing twin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from pytest_django import DjangoAssertNumQueries, Settings

from surveys import invitations
from surveys.messages import consent, gate, rules, send, suppress
from surveys.messages.gate import Verdict, verdict
from surveys.models import Consent, Customer, DeliveryAttempt, Invitation, Message, SendingRules, Suppression
from tests.surveys.make import MONDAY, make_customer, make_message, make_rules, make_survey

pytestmark = pytest.mark.django_db

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
GOES = Verdict(True)


@dataclass
class Scene:
    """A message to Li over e-mail at noon in UTC, and what may be changed about it."""

    customer: Customer
    colleague: User
    message: Message
    at: datetime = MONDAY

    def now(self) -> Verdict:
        with transaction.atomic():
            return verdict(Message.objects.select_for_update(of=("self",)).get(pk=self.message.pk), self.at)

    def change(self, **fields: object) -> None:
        Message.objects.filter(pk=self.message.pk).update(**fields)

    def says(self, given: bool, channel: str = "email", customer: Customer | None = None) -> None:
        consent.record(customer or self.customer, given=given, source="test", at=self.at, channel=channel)

    def invites(self, state: str) -> None:
        invitation = Invitation.objects.create(
            survey=make_survey(), customer=self.customer, state=state, send_at=MONDAY, created_at=MONDAY
        )
        self.change(invitation=invitation)

    def lives_in(self, zone: str) -> None:
        Customer.objects.filter(pk=self.customer.pk).update(time_zone=zone)

    def is_for_a_colleague(self) -> None:
        self.change(user=self.colleague, customer=None)


@pytest.fixture
def scene(db: None) -> Scene:
    make_rules()
    customer = make_customer("Li", email="li@example.com")
    message = make_message(customer=customer, to_address="li@example.com")
    return Scene(customer, User.objects.create_user("ma", first_name="Ma"), message)


def all_of(*steps: Callable[[Scene], object]) -> Callable[[Scene], None]:
    def do(scene: Scene) -> None:
        for step in steps:
            step(scene)

    return do


def with_rules(**fields: object) -> Callable[[Scene], object]:
    return lambda scene: make_rules(**fields)


def end(state: str, reason: str) -> Verdict:
    return Verdict(False, state, reason)


def wait(reason: str, until: datetime) -> Verdict:
    return Verdict(False, "", reason, until)


CASES: list[tuple[str, Callable[[Scene], object], Verdict]] = [
    ("nothing speaks against it", lambda scene: None, GOES),
    # Too late.
    ("not after now", lambda scene: scene.change(not_after=MONDAY), GOES),
    (
        "not after a second ago",
        lambda scene: scene.change(not_after=MONDAY - SECOND),
        end("expired", "not_after"),
    ),
    # Suppression.
    (
        "suppressed",
        lambda scene: suppress("LI@example.com ", "unsubscribed", MONDAY),
        end("suppressed", "suppressed"),
    ),
    ("another address suppressed", lambda scene: suppress("lo@example.com", "bounced", MONDAY), GOES),
    (
        "another channel suppressed",
        lambda scene: suppress("li@example.com", "bounced", MONDAY, "sms"),
        GOES,
    ),
    # Consent.
    ("said no", lambda scene: scene.says(False), end("suppressed", "no_consent")),
    ("said no, then yes", all_of(lambda s: s.says(False), lambda s: s.says(True)), GOES),
    (
        "said yes, then no",
        all_of(lambda s: s.says(True), lambda s: s.says(False)),
        end("suppressed", "no_consent"),
    ),
    ("said no to SMS", lambda scene: scene.says(False, "sms"), GOES),
    ("a yes is needed and missing", with_rules(consent_required=True), end("suppressed", "no_consent")),
    ("a yes is needed and there", all_of(with_rules(consent_required=True), lambda s: s.says(True)), GOES),
    (
        "a yes is needed and was said to SMS",
        all_of(with_rules(consent_required=True), lambda s: s.says(True, "sms")),
        end("suppressed", "no_consent"),
    ),
    (
        "a yes is needed of nobody we know",
        all_of(with_rules(consent_required=True), lambda s: s.change(customer=None)),
        end("suppressed", "no_consent"),
    ),
    # The invitation it carries.
    ("asked", lambda scene: scene.invites("sent"), GOES),
    ("answered meanwhile", lambda scene: scene.invites("answered"), end("cancelled", "invitation_answered")),
    (
        "cancelled meanwhile",
        lambda scene: scene.invites("cancelled"),
        end("cancelled", "invitation_cancelled"),
    ),
    # Stopped, held.
    (
        "stopped",
        with_rules(paused_at=MONDAY - HOUR),
        wait("sending_stopped", MONDAY),
    ),
    ("held", with_rules(held_at=MONDAY - HOUR), wait("sending_held", MONDAY)),
    ("released", with_rules(released_at=MONDAY - HOUR), GOES),
    (
        "stopped, and too late as well",
        all_of(with_rules(paused_at=MONDAY), lambda s: s.change(not_after=MONDAY - SECOND)),
        end("expired", "not_after"),
    ),
    # Quiet hours: 09:00 in UTC is 17:00 in Shanghai, 01:00 in Los Angeles and 22:00 in Auckland.
    ("by day in Shanghai", lambda scene: scene.lives_in("Asia/Shanghai"), GOES),
    (
        "by night in Los Angeles",
        lambda scene: scene.lives_in("America/Los_Angeles"),
        wait("quiet_hours", datetime(2026, 3, 2, 16, tzinfo=UTC)),
    ),
    (
        "in the evening in Auckland",
        lambda scene: scene.lives_in("Pacific/Auckland"),
        wait("quiet_hours", datetime(2026, 3, 2, 19, tzinfo=UTC)),
    ),
    (
        "by night, where there are no quiet hours",
        all_of(
            lambda s: s.lives_in("America/Los_Angeles"),
            with_rules(quiet_from=time(6), quiet_until=time(6)),
        ),
        GOES,
    ),
    (
        "in a zone nobody knows",
        lambda scene: scene.lives_in("Mars/Olympus"),
        GOES,
    ),
    # A colleague's notice keeps to none of these.
    (
        "to a colleague, whatever holds for customers",
        all_of(
            with_rules(paused_at=MONDAY, held_at=MONDAY, quiet_from=time(0), quiet_until=time(23, 59)),
            lambda s: suppress("li@example.com", "unsubscribed", MONDAY),
            lambda s: s.is_for_a_colleague(),
        ),
        GOES,
    ),
    (
        "to a colleague who left",
        all_of(
            lambda s: s.is_for_a_colleague(),
            lambda s: User.objects.filter(pk=s.colleague.pk).update(is_active=False),
        ),
        end("cancelled", "colleague_left"),
    ),
    (
        "to a colleague, too late",
        all_of(lambda s: s.is_for_a_colleague(), lambda s: s.change(not_after=MONDAY - SECOND)),
        end("expired", "not_after"),
    ),
]


@pytest.mark.parametrize(("name", "given", "found"), CASES, ids=[case[0] for case in CASES])
def test_the_gate(scene: Scene, name: str, given: Callable[[Scene], object], found: Verdict) -> None:
    given(scene)
    assert scene.now() == found


def test_whom_nobody_knows_the_zone_of_lives_where_we_do(scene: Scene, settings: Settings) -> None:
    settings.TIME_ZONE = "America/Los_Angeles"
    for zone in ("", "Mars/Olympus"):
        scene.lives_in(zone)
        assert scene.now().reason == "quiet_hours"
    scene.change(customer=None)
    assert scene.now().reason == "quiet_hours"
    scene.change(customer=scene.customer)
    scene.lives_in("UTC")
    assert scene.now().ok


def test_another_room_may_have_an_objection(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "_checks", [])
    objections: list[str] = []
    gate.also(lambda message, at: "")
    gate.also(lambda message, at: objections[0] if objections else "")
    assert scene.now().ok
    objections.append("moon_is_full")
    assert scene.now() == end("cancelled", "moon_is_full")


def test_what_waits_for_the_night_to_end_expires_then_if_it_is_too_late(scene: Scene) -> None:
    scene.lives_in("America/Los_Angeles")
    scene.change(not_after=MONDAY + HOUR)
    until = scene.now().until
    assert until
    scene.at = until
    assert scene.now() == end("expired", "not_after")


# --- In the transaction of the attempt ---


@pytest.fixture
def other_connection(transactional_db: None) -> Iterator[None]:
    yield
    connection.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("name", "act", "state"),
    [
        ("nothing", lambda scene: None, "accepted"),
        ("suppressed", lambda s: suppress("li@example.com", "unsubscribed", MONDAY), "suppressed"),
        ("a no", lambda scene: scene.says(False), "suppressed"),
        ("stopped", lambda scene: rules.stop(scene.colleague, "a mistake", MONDAY), "queued"),
        ("answered", lambda scene: Invitation.objects.update(state="answered"), "cancelled"),
    ],
)
def test_a_word_said_after_the_claim_wins(
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    act: Callable[[Scene], object],
    state: str,
) -> None:
    """Somebody else's word, committed between the claim and the attempt: no attempt is made."""
    scene.invites("sent")

    def hear(point: str) -> None:
        if point == "message_claimed":
            act(scene)

    monkeypatch.setattr("surveys.messages.deliver.failpoint", hear)
    assert send(scene.message.pk, MONDAY) == state
    assert DeliveryAttempt.objects.exists() == (state == "accepted")


@pytest.mark.django_db(transaction=True)
def test_one_that_waits_has_used_up_nothing(scene: Scene) -> None:
    scene.lives_in("America/Los_Angeles")
    assert send(scene.message.pk, MONDAY) == "queued"
    scene.message.refresh_from_db()
    morning = datetime(2026, 3, 2, 16, tzinfo=UTC)
    assert (scene.message.attempts, scene.message.send_at) == (0, morning)
    assert scene.message.reason == "quiet_hours"
    assert send(scene.message.pk, morning) == "accepted"


# --- The ledger of consent ---


class TestConsent:
    def test_the_newest_word_counts(self, scene: Scene) -> None:
        assert consent.said(scene.customer) is None
        scene.says(True)
        assert consent.said(scene.customer) is True
        scene.says(False)
        assert consent.said(scene.customer) is False
        assert consent.said(scene.customer, "sms") is None
        assert consent.said(None) is None

    def test_the_same_word_again_adds_nothing(self, scene: Scene) -> None:
        for given in (True, True, False, False, True):
            scene.says(given)
        assert list(Consent.objects.order_by("id").values_list("given", flat=True)) == [True, False, True]

    @pytest.mark.parametrize(
        ("name", "required", "word", "reason"),
        [
            ("nothing said, none needed", False, None, ""),
            ("nothing said, one needed", True, None, "no_consent"),
            ("a no, none needed", False, False, "no_consent"),
            ("a yes, one needed", True, True, ""),
        ],
    )
    def test_nobody_is_asked_without_it(
        self, scene: Scene, name: str, required: bool, word: bool | None, reason: str
    ) -> None:
        make_rules(consent_required=required)
        if word is not None:
            scene.says(word)
        found = invitations.may_ask(scene.customer, make_survey(), at=MONDAY, purpose=Invitation.SURVEY)
        assert (found.allowed, found.reason) == (not reason, reason)
        assert found.earliest is None


# --- Stopped, let go, released ---


class TestRules:
    def test_there_are_rules_before_anybody_has_kept_any(self, scene: Scene) -> None:
        SendingRules.objects.all().delete()
        kept = rules.current()
        assert (kept.quiet_from, kept.quiet_until, kept.per_minute) == (time(21), time(8), 60)
        assert scene.now().ok

    def test_who_stops_it_is_remembered_until_it_goes_on(self, scene: Scene) -> None:
        assert rules.stop(scene.colleague, " a mistake ", MONDAY)
        rest = rules.rest()
        assert rest
        assert (rest.reason, rest.since, rest.by, rest.why) == ("sending_stopped", MONDAY, "Ma", "a mistake")
        assert not rules.stop(scene.colleague, "again", MONDAY + HOUR)
        assert rules.current().paused_at == MONDAY
        assert rules.resume(scene.colleague, MONDAY + HOUR)
        kept = rules.current()
        assert rules.rest() is None
        assert (kept.released_at, kept.released_by, kept.paused_by) == (MONDAY + HOUR, "Ma", "")
        assert not rules.resume(scene.colleague, MONDAY + HOUR)

    def test_what_was_held_is_released_once(self, scene: Scene) -> None:
        assert not rules.release(scene.colleague, MONDAY)
        assert rules.hold("volume", {"due": 9}, MONDAY)
        assert not rules.hold("clock", {}, MONDAY + HOUR)
        assert rules.current().held_facts == {"due": 9}
        assert rules.release(scene.colleague, MONDAY + HOUR)
        kept = rules.current()
        assert (kept.held_at, kept.held_why, kept.released_by) == (None, "", "Ma")

    def test_letting_go_does_not_release_what_is_held(self, scene: Scene) -> None:
        rules.hold("volume", {}, MONDAY)
        rules.stop(scene.colleague, "", MONDAY)
        rules.resume(scene.colleague, MONDAY + HOUR)
        rest = rules.rest()
        assert rest
        assert rest.reason == "sending_held"
        assert rules.current().released_at is None

    def test_a_banner_costs_one_query(
        self, scene: Scene, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(1):
            rules.rest()

    @pytest.mark.parametrize("field", ["paused_at", "held_at"])
    def test_customers_messages_are_not_even_looked_at_while_it_rests(self, scene: Scene, field: str) -> None:
        colleagues = make_message(user=scene.colleague)
        everything = {colleagues.pk, scene.message.pk}
        assert set(Message.objects.filter(gate.pickable(MONDAY)).values_list("pk", flat=True)) == everything
        make_rules(**{field: MONDAY})
        found = Message.objects.filter(gate.pickable(MONDAY)).values_list("pk", flat=True)
        assert list(found) == [colleagues.pk]


def test_a_suppression_is_not_undone_by_a_yes(scene: Scene) -> None:
    suppress("li@example.com", "bounced", MONDAY)
    scene.says(True)
    assert scene.now() == end("suppressed", "suppressed")
    Suppression.objects.all().delete()
    assert scene.now().ok
