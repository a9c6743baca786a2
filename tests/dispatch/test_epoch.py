"""A database that is behind what is remembered outside it sends nothing."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from pytest_django import Settings

from dispatch import engine, epoch, kinds, witness
from dispatch.kinds import Kind
from dispatch.models import Pulse
from dispatch.witness import Memory

MONDAY = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def remembered_apart(settings: Settings, tmp_path: Path) -> Iterator[None]:
    settings.EPOCH_FILE = tmp_path / "epoch.json"
    look_anew()
    yield
    look_anew()


def look_anew() -> None:
    epoch.look_again()
    witness._redis_quiet_until = 0.0


@pytest.fixture
def no_redis(settings: Settings, tmp_path: Path) -> None:
    settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"


@pytest.fixture
def pulse() -> Pulse:
    """A database that has dispatched for a while, and that nobody outside remembers."""
    return Pulse.objects.create(number=70, ticked_at=MONDAY, server=epoch.this_server())


def remember(pulse: Pulse, number: int, at: datetime = MONDAY, server: str | None = None) -> None:
    server = pulse.server if server is None else server
    assert witness.note(str(pulse.database_id), Memory(number, server, at))


def why() -> str:
    epoch.look_again()
    facts = epoch.describe()
    return facts["why"] if facts else ""


def number() -> int:
    return Pulse.objects.get().number


# --- Going on as usual ---


def test_it_shows_a_sign_of_life_and_remembers_it_outside(
    django_capture_on_commit_callbacks: Any, settings: Settings
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        epoch.tick(MONDAY)
    row = Pulse.objects.get()
    assert (row.number, row.ticked_at, row.server) == (1, MONDAY, epoch.this_server())
    assert json.loads(Path(settings.EPOCH_FILE).read_text()) == {
        str(row.database_id): {"number": 1, "server": row.server, "at": MONDAY.isoformat()}
    }
    assert witness.recall_redis(str(row.database_id)) == Memory(1, row.server, MONDAY)


def test_it_raises_the_number_once_in_five_seconds_however_many_dispatch(pulse: Pulse) -> None:
    for seconds in (0, 1, 4.9, 5.0, 5.1, 9.9, 10.0):
        epoch.tick(MONDAY + seconds * SECOND)
    assert number() == 72


def test_it_goes_on_when_the_clock_was_set_back(pulse: Pulse) -> None:
    epoch.tick(MONDAY - HOUR)
    assert number() == 71


def test_it_raises_the_number_before_every_call_of_a_provider(pulse: Pulse) -> None:
    assert [epoch.advance(MONDAY), epoch.advance(MONDAY)] == [True, True]
    assert number() == 72
    known = witness.recall_file(str(pulse.database_id))
    assert known is not None
    assert known.number == 72


def test_it_is_well_on_a_first_start() -> None:
    assert why() == ""
    assert not Pulse.objects.exists()
    assert epoch.advance(MONDAY)
    assert why() == ""


def test_it_begins_at_the_first_generation(pulse: Pulse) -> None:
    assert epoch.generation() == 1
    Pulse.objects.update(generation=4)
    assert epoch.generation() == 4
    Pulse.objects.all().delete()
    assert epoch.generation() == 1


def test_it_adopts_another_database_at_an_old_path(pulse: Pulse) -> None:
    other = Pulse(database_id=uuid4(), server="elsewhere")
    remember(other, 5000)
    assert why() == ""
    assert epoch.advance(MONDAY)
    assert witness.recall_file(str(other.database_id)) == Memory(5000, "elsewhere", MONDAY)


# --- Restored, moved ---


@pytest.mark.usefixtures("no_redis")
def test_it_stands_still_when_the_file_remembers_more(pulse: Pulse) -> None:
    remember(pulse, 71, MONDAY + HOUR)
    assert why() == epoch.RESTORED
    assert epoch.describe() == {
        "why": "restored",
        "number": 70,
        "remembered": 71,
        "since": MONDAY,
        "until": MONDAY + HOUR,
    }
    assert not epoch.advance(MONDAY + 2 * HOUR)
    epoch.tick(MONDAY + 2 * HOUR)
    assert number() == 70


@pytest.mark.usefixtures("no_redis")
def test_it_is_well_when_the_file_remembers_as_much(pulse: Pulse) -> None:
    remember(pulse, 70)
    assert why() == ""
    assert epoch.advance(MONDAY)


def test_it_goes_on_when_somebody_sends_between_its_two_looks(
    pulse: Pulse, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(pulse, 70)
    really = witness.recall_file

    def meanwhile(database: str) -> Memory | None:
        Pulse.objects.update(number=71)
        remember(pulse, 71)
        return really(database)

    monkeypatch.setattr(witness, "recall_file", meanwhile)
    assert why() == ""


def test_it_stands_still_when_only_redis_remembers_more(pulse: Pulse, settings: Settings) -> None:
    remember(pulse, 71)
    Path(settings.EPOCH_FILE).unlink()
    assert why() == epoch.RESTORED
    assert not epoch.advance(MONDAY)


def test_it_stands_still_when_redis_was_emptied_or_is_older(pulse: Pulse) -> None:
    remember(pulse, 71)
    witness.ask_redis(lambda redis: redis.delete(witness.key_of(str(pulse.database_id))))
    assert why() == epoch.RESTORED
    assert witness.note_in_redis(str(pulse.database_id), Memory(3, pulse.server, MONDAY))
    assert why() == epoch.RESTORED


def test_it_goes_on_when_redis_was_emptied(pulse: Pulse) -> None:
    assert epoch.advance(MONDAY)
    witness.ask_redis(lambda redis: redis.flushdb())
    assert why() == ""
    assert epoch.advance(MONDAY)
    assert witness.recall_redis(str(pulse.database_id)) == Memory(72, pulse.server, MONDAY)


def test_it_takes_nonsense_in_redis_for_nothing(pulse: Pulse) -> None:
    key = witness.key_of(str(pulse.database_id))
    witness.ask_redis(lambda redis: redis.hset(key, mapping={"number": "many", "server": "x", "at": "?"}))
    assert why() == ""
    witness.ask_redis(lambda redis: (redis.delete(key), redis.set(key, "text")))
    assert why() == ""


@pytest.mark.usefixtures("no_redis")
def test_it_goes_on_without_redis_and_asks_for_it_only_now_and_then(pulse: Pulse) -> None:
    assert epoch.advance(MONDAY)
    asked: list[str] = []
    assert witness.ask_redis(asked.append) is None
    assert asked == []


@pytest.mark.parametrize("part", [0, 1, 2, 3])
def test_it_stands_still_on_another_server(pulse: Pulse, part: int) -> None:
    """Another cluster, another history of it, another database in it, or its tables made anew."""
    parts = pulse.server.split("-")
    assert len(parts) == 4
    parts[part] = "f00"
    Pulse.objects.update(server="-".join(parts))
    assert why() == epoch.MOVED
    assert not epoch.advance(MONDAY)
    assert number() == 70


def test_it_stands_still_when_the_same_number_was_reached_elsewhere(pulse: Pulse) -> None:
    remember(pulse, 70, server="another")
    assert why() == epoch.MOVED


def test_it_trusts_the_database_where_a_witness_of_another_server_knows_less(pulse: Pulse) -> None:
    """A witness that was not told of the last reconciliation."""
    remember(pulse, 69, server="another")
    assert why() == ""


def test_it_knows_a_server_that_does_not_say_which_cluster_it_is(
    pulse: Pulse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epoch, "may_ask_cluster", lambda: False)
    cluster, _, rest = epoch.this_server().partition("-")
    assert (cluster, rest) == ("unknown", pulse.server.partition("-")[2])


def test_an_ordinary_role_may_ask_which_cluster_it_is() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE ordinary_one; SET LOCAL ROLE ordinary_one")
        cursor.execute(epoch.MAY_ASK_CLUSTER)
        assert cursor.fetchone() == (True,)
        cursor.execute(f"SELECT {epoch.CLUSTER}, pg_walfile_name(pg_current_wal_lsn())")
        cursor.execute("RESET ROLE; DROP ROLE ordinary_one")


def test_a_host_that_remembers_less_stands_still_with_one_that_remembers_more(
    pulse: Pulse, settings: Settings, tmp_path: Path
) -> None:
    remember(pulse, 100, MONDAY + HOUR)
    epoch.tick(MONDAY + HOUR)
    witness.ask_redis(lambda redis: redis.flushdb())
    settings.EPOCH_FILE = tmp_path / "another host" / "epoch.json"
    remember(pulse, 5)
    assert why() == epoch.RESTORED
    assert epoch.look().memory == Memory(100, pulse.server, MONDAY + HOUR)
    assert not epoch.advance(MONDAY + HOUR)


def test_it_does_not_mark_a_database_that_was_reconciled_meanwhile(pulse: Pulse) -> None:
    remember(pulse, 100)
    seen = epoch.look()
    epoch.renew(seen, MONDAY)
    assert epoch.stands_still(seen, MONDAY)
    assert Pulse.objects.get().behind is None
    assert why() == ""


def test_it_does_not_raise_the_number_of_a_database_put_back_meanwhile(pulse: Pulse) -> None:
    seen = epoch.look()
    Pulse.objects.update(number=60)
    assert not epoch.raise_number(seen, MONDAY)
    Pulse.objects.update(number=70, database_id=uuid4())
    assert not epoch.raise_number(seen, MONDAY)
    assert number() == 70


# --- The file ---


@pytest.mark.parametrize(
    "words",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b"\xff\xfe",
        b'{"x": {}}',
        b'{"x": {"number": 1, "server": "", "at": "Monday"}}',
    ],
)
def test_it_stands_still_while_the_file_cannot_be_read(
    pulse: Pulse, settings: Settings, words: bytes
) -> None:
    """A crash leaves no such file: whatever damaged it may have damaged more."""
    Path(settings.EPOCH_FILE).write_bytes(words)
    assert why() == epoch.UNREADABLE
    assert not epoch.advance(MONDAY)
    assert Path(settings.EPOCH_FILE).read_bytes() == words
    assert Pulse.objects.get().behind is None
    Path(settings.EPOCH_FILE).unlink()
    assert why() == ""


def test_it_stands_still_where_the_file_is_none(pulse: Pulse, settings: Settings) -> None:
    Path(settings.EPOCH_FILE).mkdir()
    assert why() == epoch.UNREADABLE


def test_it_says_that_it_was_restored_also_while_the_file_cannot_be_read(
    pulse: Pulse, settings: Settings
) -> None:
    remember(pulse, 71)
    Path(settings.EPOCH_FILE).write_text("{")
    assert why() == epoch.RESTORED


@pytest.mark.usefixtures("no_redis")
def test_a_message_waits_while_nobody_outside_can_remember_it(pulse: Pulse, settings: Settings) -> None:
    blocked = Path(settings.EPOCH_FILE).with_name("a file")
    blocked.write_text("")
    settings.EPOCH_FILE = blocked.with_name("nowhere") / "epoch.json"
    settings.EPOCH_FILE.parent.mkdir(mode=0o700)
    settings.EPOCH_FILE.with_name("epoch.json.lock").mkdir()
    assert not epoch.advance(MONDAY)
    settings.EPOCH_FILE.with_name("epoch.json.lock").rmdir()
    assert epoch.advance(MONDAY)


def test_it_never_lowers_what_is_remembered(pulse: Pulse) -> None:
    remember(pulse, 9, MONDAY + HOUR)
    remember(pulse, 8, MONDAY)
    for memory in (
        witness.recall_file(str(pulse.database_id)),
        witness.recall_redis(str(pulse.database_id)),
    ):
        assert memory == Memory(9, pulse.server, MONDAY + HOUR)


def test_it_remembers_the_latest_time_beside_the_highest_number(pulse: Pulse) -> None:
    remember(pulse, 8, MONDAY + HOUR)
    remember(pulse, 9, MONDAY)
    assert witness.recall_file(str(pulse.database_id)) == Memory(9, pulse.server, MONDAY + HOUR)


def test_many_writers_keep_the_highest_number() -> None:
    database = str(uuid4())

    def write(start: int) -> None:
        for step in range(20):
            assert witness.note_in_file(database, Memory(start + step * 4, "here", MONDAY))

    writers = [threading.Thread(target=write, args=(start,)) for start in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    memory = witness.recall_file(database)
    assert memory is not None
    assert memory.number == 79


@pytest.mark.django_db(transaction=True)
def test_many_senders_are_never_taken_for_a_restore() -> None:
    said: list[bool] = []

    def send() -> None:
        said.extend(epoch.advance(MONDAY) for _ in range(15))
        connection.close()

    senders = [threading.Thread(target=send) for _ in range(6)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert said == [True] * 90
    assert number() == 90


# --- Being mute ---


def mute() -> dict[str, Any]:
    return Pulse.objects.get().mute or {}


@pytest.fixture
def unwritable(settings: Settings, no_redis: None) -> Path:
    """Nobody can write the file while this directory stands."""
    block = Path(settings.EPOCH_FILE).with_name("epoch.json.lock")
    block.mkdir()
    return block


def tick(capture: Any, at: datetime) -> None:
    with capture(execute=True):
        epoch.tick(at)


def test_it_says_in_the_database_that_nobody_outside_can_remember_it(
    pulse: Pulse, unwritable: Path, settings: Settings, django_capture_on_commit_callbacks: Any
) -> None:
    at = MONDAY + HOUR
    tick(django_capture_on_commit_callbacks, at)
    assert mute() == {
        "why": epoch.UNWRITABLE,
        "host": socket.gethostname(),
        "words": str(settings.EPOCH_FILE),
        "since": at.isoformat(),
        "at": at.isoformat(),
    }
    tick(django_capture_on_commit_callbacks, at + 10 * SECOND)
    assert mute()["at"] == at.isoformat()
    tick(django_capture_on_commit_callbacks, at + 40 * SECOND)
    assert (mute()["since"], mute()["at"]) == (at.isoformat(), (at + 40 * SECOND).isoformat())
    unwritable.rmdir()
    tick(django_capture_on_commit_callbacks, at + 50 * SECOND)
    assert mute() == {}


def test_a_message_that_waits_says_so_too_and_its_success_takes_it_back(
    pulse: Pulse, unwritable: Path
) -> None:
    assert not epoch.advance(MONDAY)
    assert mute()["why"] == epoch.UNWRITABLE
    assert not epoch.lost_something()
    unwritable.rmdir()
    assert epoch.advance(MONDAY + SECOND)
    assert mute() == {}


def test_it_says_in_the_database_that_the_file_cannot_be_read(
    pulse: Pulse, settings: Settings, django_capture_on_commit_callbacks: Any
) -> None:
    Path(settings.EPOCH_FILE).write_text("{")
    tick(django_capture_on_commit_callbacks, MONDAY + HOUR)
    assert mute()["why"] == epoch.UNREADABLE
    assert str(settings.EPOCH_FILE) in mute()["words"]
    assert not epoch.lost_something()
    Path(settings.EPOCH_FILE).unlink()
    tick(django_capture_on_commit_callbacks, MONDAY + HOUR + 10 * SECOND)
    assert mute() == {}


def test_it_is_not_mute_while_one_witness_hears_it(
    pulse: Pulse, settings: Settings, django_capture_on_commit_callbacks: Any
) -> None:
    Path(settings.EPOCH_FILE).with_name("epoch.json.lock").mkdir()
    tick(django_capture_on_commit_callbacks, MONDAY + HOUR)
    assert mute() == {}


@pytest.mark.parametrize(("old", "still"), [(60, True), (90, False)])
def test_a_host_that_is_heard_does_not_speak_for_one_that_is_not(pulse: Pulse, old: int, still: bool) -> None:
    Pulse.objects.update(mute={"why": epoch.UNWRITABLE, "host": "elsewhere", "at": MONDAY.isoformat()})
    assert epoch.advance(MONDAY + old * SECOND)
    assert bool(mute()) is still


def test_a_restored_database_is_not_called_mute(pulse: Pulse) -> None:
    remember(pulse, 71)
    assert not epoch.advance(MONDAY)
    assert mute() == {}
    assert epoch.lost_something()


@pytest.mark.usefixtures("no_redis")
def test_a_frozen_writer_is_not_waited_for(
    pulse: Pulse, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(witness, "LOCK_SECONDS", 0.05)
    with witness.locked(Path(settings.EPOCH_FILE)):
        assert not epoch.advance(MONDAY)
    assert epoch.advance(MONDAY)


# --- What rests ---


@pytest.mark.parametrize(("speaks", "worked"), [(True, 0), (False, 1)])
def test_only_what_speaks_to_customers_rests(
    pulse: Pulse, monkeypatch: pytest.MonkeyPatch, speaks: bool, worked: int
) -> None:
    done: list[int] = []
    kind = Kind(
        "test", lambda at: Pulse.objects.all(), lambda pk, at: done.append(pk), "ticked_at", speaks=speaks
    )
    monkeypatch.setattr(kinds, "_kinds", {"test": kind})
    monkeypatch.setattr(kinds, "all_kinds", lambda: [kind])
    remember(pulse, 71)
    epoch.look_again()
    engine.run_one("test", 1, MONDAY)
    assert len(done) == worked


# --- What is missing ---


def test_it_misses_what_the_witness_knows_and_it_does_not(pulse: Pulse) -> None:
    remember(pulse, 80, MONDAY + HOUR)
    assert epoch.missing(epoch.look(), MONDAY + 9 * HOUR) == (MONDAY, MONDAY + HOUR)


def test_it_misses_nothing_after_a_move_if_the_witness_knows_no_more(pulse: Pulse) -> None:
    remember(pulse, 70)
    Pulse.objects.update(server="before")
    seen = epoch.look()
    assert seen.why == epoch.MOVED
    assert epoch.missing(seen, MONDAY + HOUR) is None


def test_it_may_miss_everything_until_now_if_nobody_remembers(pulse: Pulse) -> None:
    Pulse.objects.update(server="before")
    seen = epoch.look()
    assert epoch.missing(seen, MONDAY + 9 * HOUR) == (MONDAY, MONDAY + 9 * HOUR)
    assert epoch.missing(seen, MONDAY + 9 * HOUR, MONDAY + HOUR) == (MONDAY, MONDAY + HOUR)


def test_a_person_cannot_shorten_what_the_witness_knows(pulse: Pulse) -> None:
    remember(pulse, 80, MONDAY + 3 * HOUR)
    assert epoch.missing(epoch.look(), MONDAY + 9 * HOUR, MONDAY + HOUR) == (MONDAY, MONDAY + 3 * HOUR)


def test_it_is_the_true_one_after_it_was_renewed(pulse: Pulse) -> None:
    remember(pulse, 80, MONDAY + HOUR)
    epoch.stands_still(epoch.look(), MONDAY)
    epoch.renew(epoch.look(), MONDAY + 2 * HOUR)
    row = Pulse.objects.get()
    assert (row.number, row.generation, row.behind) == (81, 2, None)
    assert why() == ""
    assert epoch.renewed(MONDAY + 2 * HOUR)
    assert witness.recall_file(str(pulse.database_id)) == Memory(81, pulse.server, MONDAY + 2 * HOUR)


def test_it_is_renewed_once(pulse: Pulse) -> None:
    remember(pulse, 80)
    seen = epoch.look()
    epoch.renew(seen, MONDAY)
    with pytest.raises(epoch.Changed):
        epoch.renew(seen, MONDAY)
    assert epoch.generation() == 2


def test_a_file_that_cannot_be_read_is_replaced_by_renewing(pulse: Pulse, settings: Settings) -> None:
    Path(settings.EPOCH_FILE).write_text("{")
    epoch.renew(epoch.look(), MONDAY)
    assert epoch.renewed(MONDAY)
    assert why() == ""
    assert witness.recall_file(str(pulse.database_id)) == Memory(71, pulse.server, MONDAY)
