"""A database put back from a copy: nothing is sent before it was reconciled, and nothing twice after."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from django.conf import settings as site
from django.core.management import CommandError, call_command
from django.db import connection
from psycopg import sql
from psycopg.conninfo import make_conninfo
from pytest_django import Settings

from dispatch import engine, epoch, witness
from dispatch.models import Claim, Pulse
from recovery import lifecycle
from recovery.models import Resurvey
from surveys import invitations, messages
from surveys.messages.compose import provider_key
from surveys.messages.providers.base import ABSENT, ACCEPTED, FOUND, Outcome
from surveys.models import Customer, Invitation, Message
from tests.due import fail
from tests.make import DAY, HOUR, MINUTE, MONDAY, SHANGHAI, Cast
from tests.post import Mailbox, mail_server
from tests.surveys.make import make_customer

pytestmark = pytest.mark.django_db(transaction=True)

BACKUP = MONDAY + HOUR
LOSS = MONDAY + 2 * HOUR
RECONCILED = MONDAY + 3 * HOUR


# --- A copy of the database, and putting it back ---


class Copy:
    """What the database held when it was made."""

    def __init__(self) -> None:
        self.name = connection.settings_dict["NAME"]
        self.copy = f"{self.name}_copy"
        leave()
        with admin() as server:
            # Threads of earlier tests may have left a session; the copy is made of a database nobody uses.
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [self.name]
            )
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(self.copy)))
            server.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(self.copy), sql.Identifier(self.name)
                )
            )

    def put_back(self, *, storage: bool = False) -> None:
        """As from a dump; or as if the storage itself were put back, which no server can notice."""
        leave()
        with admin() as server:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(self.name)))
            server.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                    sql.Identifier(self.copy), sql.Identifier(self.name)
                )
            )
        if storage:
            Pulse.objects.update(server=epoch.this_server())


def leave() -> None:
    connection.close()
    pooled: Any = connection
    pooled.close_pool()


def admin() -> psycopg.Connection[Any]:
    facts = connection.settings_dict
    words = {
        "host": facts["HOST"],
        "port": facts["PORT"],
        "user": facts["USER"],
        "password": facts["PASSWORD"],
    }
    conninfo = make_conninfo("", dbname="postgres", **{name: value for name, value in words.items() if value})
    return psycopg.connect(conninfo, autocommit=True)


# --- Who carries messages ---


@dataclass
class Carrier:
    """A provider of a class; each call is a (key, address)."""

    klass: str
    name: str = "carrier"
    window: timedelta = DAY
    calls: list[tuple[str, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def deliver(self, message: Message, key: str) -> Outcome:
        self.calls.append((key, message.to_address))
        return Outcome(ACCEPTED)

    def ask(self, key: str) -> str:
        self.asked.append(key)
        return FOUND if any(key == known for known, _address in self.calls) else ABSENT

    def heard(self) -> list[str]:
        """What reached anybody: class A knows a key it has heard."""
        keys = dict(self.calls) if self.klass == "A" else self.calls
        return sorted(keys.values() if isinstance(keys, dict) else [address for _key, address in keys])


@pytest.fixture(autouse=True)
def remembered_apart(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.EPOCH_FILE = tmp_path / "epoch.json"
    settings.PROVIDER_SETTLE_SECONDS = 0.0
    epoch.look_again()
    yield
    epoch.look_again()


@pytest.fixture
def mailbox(settings: Settings) -> Iterator[Mailbox]:
    with mail_server(settings) as mailbox:
        yield mailbox


def carried_by(monkeypatch: pytest.MonkeyPatch, klass: str) -> Carrier:
    carrier = Carrier(klass)
    for module in ("deliver", "restored"):
        monkeypatch.setattr(f"surveys.messages.{module}.provider_of", lambda channel: carrier)
    return carrier


# --- What falls due ---


def message(name: str, send_at: datetime, *, at: datetime = MONDAY, **fields: Any) -> Message:
    address = f"{name.replace(' ', '.')}@example.com"
    if "user" not in fields:
        fields["customer"] = make_customer(name, email=address, time_zone=SHANGHAI)
    return Message.objects.create(
        dedup_key=name,
        key=provider_key(name),
        kind="invitation",
        to_address=address,
        subject=name,
        text="Hello",
        send_at=send_at,
        created_at=at,
        **fields,
    )


def dispatch(at: datetime) -> None:
    engine.keep_house(at)
    engine.run_all(at, on_error=fail)


def states() -> dict[str, tuple[str, str]]:
    return {row.dedup_key: (row.state, row.reason) for row in Message.objects.all()}


@pytest.fixture
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recovery.management.commands.reconcile.now", lambda: RECONCILED)


def reconcile(*words: str) -> tuple[int, str]:
    """(exit status, what it said)"""
    out, status = StringIO(), 0
    try:
        call_command("reconcile", *words, stdout=out, stderr=out)
    except SystemExit as end:
        status = int(str(end.code))
    except CommandError as error:
        return error.returncode, f"{out.getvalue()}{error}"
    return status, out.getvalue()


def lose_an_hour(storage: bool) -> None:
    """One message goes out before the copy is made and one after it; one is due only later."""
    message("before", MONDAY)
    message("lost", BACKUP + MINUTE)
    message("due", LOSS - MINUTE)
    message("later", LOSS + HOUR)
    dispatch(MONDAY)
    copy = Copy()
    Message.objects.filter(dedup_key="due").delete()  # what the lost time did not come to
    dispatch(LOSS)
    copy.put_back(storage=storage)


# --- Before ---


@pytest.mark.parametrize("storage", [False, True])
def test_it_sends_nothing_before_it_was_reconciled(mailbox: Mailbox, storage: bool) -> None:
    lose_an_hour(storage)
    assert [mail["Subject"] for mail in mailbox.mails] == ["before", "lost"]
    for minutes in range(0, 180, 20):
        dispatch(LOSS + minutes * MINUTE)
        for row in Message.objects.all():
            engine.run_one("messages", row.pk, LOSS + minutes * MINUTE)
            messages.send(row.pk, LOSS + minutes * MINUTE)
    assert [mail["Subject"] for mail in mailbox.mails] == ["before", "lost"]
    assert not Message.objects.exclude(state__in=["accepted", "queued"]).exists()


def test_it_looks_again_behind_a_new_connection(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """However short ago it looked: a row that would have spoken must not slip through."""
    monkeypatch.setattr(epoch, "LOOK_AGAIN_SECONDS", 3600.0)
    assert epoch.advance(MONDAY)
    copy = Copy()
    assert epoch.advance(MONDAY)
    assert not epoch.is_behind()
    copy.put_back(storage=True)
    assert epoch.is_behind()


@pytest.mark.usefixtures("at_noon")
def test_it_says_what_it_knows_and_changes_nothing(mailbox: Mailbox) -> None:
    lose_an_hour(storage=True)
    before = states(), Pulse.objects.values().get()
    status, said = reconcile()
    assert status == 1
    assert "from 2026-03-02 02:00:00 UTC until 2026-03-02 04:00:00 UTC is not known here" in said
    assert "2 messages to customers, class C" in said
    assert (states(), Pulse.objects.values().get()) == before


@pytest.mark.usefixtures("at_noon")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--apply"], "stopped for good"),
        (["--apply", "--yes", "--until", "yesterday"], "with its zone"),
        (["--apply", "--yes", "--until", "2026-03-02T04:00"], "with its zone"),
        (["--apply", "--yes", "--until", "2026-03-02T23:00Z"], "in the future"),
    ],
)
def test_it_refuses_what_is_not_said_clearly(mailbox: Mailbox, words: list[str], says: str) -> None:
    lose_an_hour(storage=True)
    before = states()
    status, said = reconcile(*words)
    assert status == 2
    assert says in said
    assert states() == before
    assert epoch.look().why == epoch.RESTORED


@pytest.mark.usefixtures("at_noon")
def test_it_has_nothing_to_do_where_nothing_was_lost(mailbox: Mailbox) -> None:
    message("one", MONDAY)
    dispatch(MONDAY)
    for words in ([], ["--apply"], ["--apply", "--yes"]):
        status, said = reconcile(*words)
        assert (status, "Nothing to do" in said) == (0, True)
    assert epoch.generation() == 1


# --- After ---


@pytest.mark.usefixtures("at_noon")
@pytest.mark.parametrize("storage", [False, True])
def test_it_leaves_to_a_person_what_a_blind_provider_may_have_heard(mailbox: Mailbox, storage: bool) -> None:
    lose_an_hour(storage)
    status, said = reconcile("--apply", "--yes")
    assert (status, "Messages left to a person: 2" in said) == (0, True)
    assert states() == {
        "before": ("accepted", ""),
        "lost": ("uncertain", "restored"),
        "due": ("uncertain", "restored"),
        "later": ("queued", ""),
    }
    dispatch(LOSS + 2 * HOUR)
    assert [mail["Subject"] for mail in mailbox.mails] == ["before", "lost", "later"]


@pytest.mark.usefixtures("at_noon")
def test_it_tells_a_provider_that_knows_keys_again(monkeypatch: pytest.MonkeyPatch) -> None:
    carrier = carried_by(monkeypatch, "A")
    lose_an_hour(storage=True)
    status, said = reconcile("--apply", "--yes")
    assert (status, "under the same key: 2" in said) == (0, True)
    for hours in range(2, 7):  # one at a time, by the sending rate
        dispatch(LOSS + hours * HOUR)
    assert {state for state, _reason in states().values()} == {"accepted"}, states()
    assert carrier.heard() == [f"{name}@example.com" for name in ("before", "due", "later", "lost")]


@pytest.mark.usefixtures("at_noon")
def test_it_leaves_to_a_person_what_a_provider_may_have_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    carrier = carried_by(monkeypatch, "A")
    carrier.window = HOUR
    lose_an_hour(storage=True)
    reconcile("--apply", "--yes")
    assert states()["lost"] == ("uncertain", "restored")


@pytest.mark.usefixtures("at_noon")
def test_it_asks_a_provider_that_can_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    carrier = carried_by(monkeypatch, "B")
    lose_an_hour(storage=True)
    status, said = reconcile("--apply", "--yes")
    assert (status, "To be asked of the provider: 2" in said) == (0, True)
    for hours in range(2, 7):  # one at a time, by the sending rate
        dispatch(LOSS + hours * HOUR)
    assert {state for state, _reason in states().values()} == {"accepted"}, states()
    assert carrier.heard() == [f"{name}@example.com" for name in ("before", "due", "later", "lost")]
    assert len(carrier.asked) == 2


@pytest.mark.usefixtures("at_noon")
def test_it_doubts_also_what_was_being_sent_when_the_copy_was_made(mailbox: Mailbox) -> None:
    row = message("half", MONDAY, state=Message.SENDING, fence=1, lease_until=MONDAY + MINUTE)
    tried = row.deliveries.create(fence=1, provider="smtp", started_at=MONDAY)
    dispatch_number(MONDAY)
    copy = Copy()
    dispatch_number(LOSS)
    copy.put_back(storage=True)
    reconcile("--apply", "--yes")
    tried.refresh_from_db()
    assert (tried.result, tried.detail) == ("uncertain", "restored")
    assert states() == {"half": ("uncertain", "restored")}


def told_once(mailbox: Mailbox) -> list[EmailMessage]:
    """All but the week by mail, which goes to who supervises on any Monday."""
    weekly = set(Message.objects.filter(kind="weekly").values_list("subject", flat=True))
    return [mail for mail in mailbox.mails if mail["Subject"] not in weekly]


def dispatch_number(at: datetime) -> None:
    assert epoch.advance(at)


@pytest.mark.usefixtures("at_noon")
def test_it_just_tells_colleagues(mailbox: Mailbox, cast: Cast) -> None:
    message("colleague", BACKUP + MINUTE, user=cast.lina)
    dispatch_number(MONDAY)
    copy = Copy()
    dispatch(LOSS)
    copy.put_back(storage=True)
    dispatch(LOSS + MINUTE)
    assert len(told_once(mailbox)) == 1
    reconcile("--apply", "--yes")
    assert states()["colleague"] == ("queued", "")
    dispatch(RECONCILED)
    assert states()["colleague"] == ("accepted", "")


@pytest.mark.usefixtures("at_noon")
def test_it_asks_nobody_a_second_time_unseen(mailbox: Mailbox, cast: Cast) -> None:
    planned = invitations.invite(cast.customer(), cast.survey, send_at=BACKUP + MINUTE, at=MONDAY)
    later = invitations.invite(cast.customer(), cast.survey, send_at=RECONCILED + HOUR, at=MONDAY)
    dispatch_number(MONDAY)
    copy = Copy()
    dispatch(LOSS)
    assert len(told_once(mailbox)) == 1
    copy.put_back(storage=True)
    status, said = reconcile()
    assert (status, "1 invitations" in said) == (1, True)
    reconcile("--apply", "--yes")
    planned.refresh_from_db()
    assert planned.state == Invitation.SENT
    assert states() == {f"invitation:{planned.pk}": ("uncertain", "restored")}
    dispatch(RECONCILED + MINUTE)
    assert len(told_once(mailbox)) == 1
    dispatch(RECONCILED + 2 * HOUR)
    assert states()[f"invitation:{later.pk}"] == ("accepted", "")


@pytest.mark.usefixtures("at_noon")
def test_it_asks_for_no_resurvey_a_second_time_unseen(mailbox: Mailbox, cast: Cast) -> None:
    resurvey = resurvey_due(cast, BACKUP + MINUTE)
    dispatch_number(MONDAY)
    copy = Copy()
    engine.run_one("resurveys", resurvey.pk, LOSS)
    dispatch(LOSS)
    assert mails_to(mailbox, resurvey.customer) == 1
    copy.put_back(storage=True)
    assert engine.run_one("resurveys", resurvey.pk, LOSS) is False
    reconcile("--apply", "--yes")
    resurvey.refresh_from_db()
    assert resurvey.state == Resurvey.ASKED
    said = Message.objects.get(customer=resurvey.customer)
    assert (said.state, said.reason) == ("uncertain", "restored")
    dispatch(RECONCILED + MINUTE)
    assert mails_to(mailbox, resurvey.customer) == 1


def resurvey_due(cast: Cast, due_at: datetime) -> Resurvey:
    ticket = cast.ticket()
    lifecycle.resolve(ticket, by=cast.lina, at=MONDAY, cause_found=cast.late, what_was_done="Sent again")
    Resurvey.objects.update(due_at=due_at)
    return Resurvey.objects.get()


def mails_to(mailbox: Mailbox, customer: Customer | None) -> int:
    assert customer is not None
    return len([mail for mail in mailbox.mails if customer.email in str(mail["To"])])


@pytest.mark.usefixtures("at_noon")
def test_it_gives_up_a_step_that_fails_and_goes_on(
    mailbox: Mailbox, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    resurvey = resurvey_due(cast, BACKUP)
    planned = invitations.invite(cast.customer(), cast.survey, send_at=BACKUP, at=MONDAY)
    dispatch_number(MONDAY)
    copy = Copy()
    dispatch_number(LOSS)
    copy.put_back(storage=True)

    def broken(pk: int, *, at: datetime) -> None:
        raise ValueError("odd row")

    monkeypatch.setattr(lifecycle, "ask_again", broken)
    status, said = reconcile("--apply", "--yes")
    assert (status, f"resurveys {resurvey.pk}: odd row" in said) == (0, True)
    dead = Claim.objects.get(dead_at__isnull=False)
    assert (dead.kind, dead.subject, dead.error) == ("resurveys", resurvey.pk, "ValueError: odd row")
    assert states()[f"invitation:{planned.pk}"] == ("uncertain", "restored")
    monkeypatch.undo()
    assert engine.run_one("resurveys", resurvey.pk, RECONCILED) is False


@pytest.mark.usefixtures("at_noon")
def test_what_is_said_after_the_loss_never_carries_a_key_of_the_lost_time(mailbox: Mailbox) -> None:
    lose_an_hour(storage=True)
    message("written while it rests", RECONCILED - MINUTE, at=RECONCILED - MINUTE)
    old = {row.dedup_key: row.key for row in Message.objects.all()}
    reconcile("--apply", "--yes")
    new = {row.dedup_key: row.key for row in Message.objects.all()}
    assert [name for name in new if new[name] != old[name]] == ["written while it rests"]
    assert provider_key("lost") != old["lost"]


@pytest.mark.usefixtures("at_noon")
def test_a_move_on_purpose_loses_nothing(mailbox: Mailbox) -> None:
    message("one", MONDAY)
    message("two", LOSS + MINUTE)
    dispatch(MONDAY)
    Copy().put_back()
    assert epoch.look().why == epoch.MOVED
    status, said = reconcile()
    assert (status, "Nothing that was sent is missing" in said) == (1, True)
    reconcile("--apply", "--yes")
    dispatch(RECONCILED)
    assert states() == {"one": ("accepted", ""), "two": ("accepted", "")}


@pytest.mark.usefixtures("at_noon")
@pytest.mark.parametrize(
    ("words", "state"), [([], "uncertain"), (["--until", "2026-03-02T03:30Z"], "queued")]
)
def test_it_takes_a_persons_word_where_nobody_remembers(
    mailbox: Mailbox, settings: Settings, words: list[str], state: str
) -> None:
    message("one", LOSS)
    dispatch(MONDAY)
    Copy().put_back()
    settings.EPOCH_FILE.unlink()
    witness.ask_redis(lambda redis: redis.flushdb())
    assert reconcile("--apply", "--yes", *words)[0] == 0
    assert states()["one"][0] == state


@pytest.mark.usefixtures("at_noon")
def test_it_reconciles_once(mailbox: Mailbox) -> None:
    lose_an_hour(storage=False)
    reconcile("--apply", "--yes")
    after = states(), Pulse.objects.values().get()
    status, said = reconcile("--apply", "--yes")
    assert (status, "Nothing to do" in said) == (0, True)
    assert (states(), Pulse.objects.values().get()) == after
    assert epoch.generation() == 2


@pytest.mark.usefixtures("at_noon")
def test_a_database_put_back_once_more_rests_again(mailbox: Mailbox) -> None:
    lose_an_hour(storage=True)
    copy = Copy()
    reconcile("--apply", "--yes")
    copy.put_back(storage=True)
    assert epoch.look().why == epoch.RESTORED
    assert reconcile("--apply", "--yes")[0] == 0
    assert states()["lost"] == ("uncertain", "restored")


def test_a_kill_while_reconciling_leaves_it_resting_and_whole(mailbox: Mailbox) -> None:
    lose_an_hour(storage=True)
    before = states(), Pulse.objects.values().get()
    killed = reconcile_apart(FAILPOINTS="in_reconcile=kill")
    assert killed.returncode == -signal.SIGKILL
    epoch.look_again()
    assert (states(), Pulse.objects.values().get()) == before
    assert epoch.is_behind()
    assert reconcile_apart().returncode == 0
    epoch.look_again()
    assert not epoch.is_behind()
    assert states()["lost"] == ("uncertain", "restored")


@pytest.mark.usefixtures("at_noon")
def test_a_kill_before_the_witnesses_hear_of_it_leaves_it_reconciled(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_an_hour(storage=False)

    def killed(at: datetime) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(epoch, "renewed", killed)
        with pytest.raises(KeyboardInterrupt):
            reconcile("--apply", "--yes")
    epoch.look_again()
    assert epoch.look().why == ""
    dispatch(LOSS + 2 * HOUR)
    assert [mail["Subject"] for mail in mailbox.mails] == ["before", "lost", "later"]


def reconcile_apart(**environment: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own, on the database of this test."""
    facts = connection.settings_dict
    who = f"{facts['USER']}:{quote(facts['PASSWORD'])}@" if facts["PASSWORD"] else f"{facts['USER']}@"
    port = f":{facts['PORT']}" if facts["PORT"] else ""
    url = f"postgresql://{who}{quote(facts['HOST'], safe='')}{port}/{facts['NAME']}"
    return subprocess.run(
        [sys.executable, "manage.py", "reconcile", "--apply", "--yes"],
        cwd=site.BASE_DIR,
        env={**os.environ, "DATABASE_URL": url, "EPOCH_FILE": str(site.EPOCH_FILE), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
