"""The servers from wheels, started for real in a folder of their own."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from config import embedded

ROOT = Path(__file__).resolve().parent.parent.parent

pytestmark = pytest.mark.skipif(not embedded.installed(), reason="the servers' wheels are not installed")

LAUNCHER = """
import sys, time
from pathlib import Path
from config import embedded
with embedded.running(Path(sys.argv[1]), durable=False):
    print("up", flush=True)
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def where() -> Iterator[Path]:
    home = embedded.temporary_home()
    yield home
    shutil.rmtree(home, ignore_errors=True)


def launcher(where: Path) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen([sys.executable, "-c", LAUNCHER, str(where)], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    return process


def wait_until_gone(where: Path) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if not processes_in(where):
            return
        time.sleep(0.05)
    pytest.fail(f"still running: {processes_in(where)}")


def processes_in(where: Path) -> list[str]:
    """Command lines of the servers that work in this folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_text(errors="replace").replace("\0", " "))
    return [line for line in found if str(where) in line and LAUNCHER not in line]


def test_it_keeps_data_from_one_start_to_the_next(where: Path) -> None:
    with embedded.running(where, durable=False), psycopg.connect(embedded.database_url(where)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'a low score' AS what")
    with embedded.running(where, durable=False), psycopg.connect(embedded.database_url(where)) as connection:
        assert connection.execute("SELECT what FROM kept").fetchone() == ("a low score",)


def test_it_speaks_redis_with_numbered_databases(where: Path) -> None:
    with embedded.running(where, durable=False):
        redis.Redis.from_url(embedded.redis_url(where, 3)).set("key", "three")
        assert redis.Redis.from_url(embedded.redis_url(where, 4)).get("key") is None
        assert redis.Redis.from_url(embedded.redis_url(where, 3)).get("key") == b"three"


def test_it_shares_servers_that_run_already_and_leaves_them_running(where: Path) -> None:
    with embedded.running(where, durable=False):
        with embedded.running(where, durable=False):
            pass
        psycopg.connect(embedded.database_url(where)).close()


def test_it_lets_nobody_else_into_the_folder(where: Path) -> None:
    with embedded.running(where, durable=False):
        assert where.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the parent-death signal is Linux's")
def test_it_leaves_no_process_behind(where: Path, sign: signal.Signals) -> None:
    process = launcher(where)
    assert processes_in(where)
    os.kill(process.pid, sign)
    process.wait()
    wait_until_gone(where)


def test_it_starts_again_over_the_remains_of_a_killed_server(where: Path) -> None:
    process = launcher(where)
    process.kill()
    process.wait()
    with embedded.running(where, durable=False):
        psycopg.connect(embedded.database_url(where)).close()


def test_it_refuses_a_folder_of_another_user(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    os.chown(tmp_path, 12345, -1)
    with pytest.raises(embedded.DidNotStart, match="another user"), embedded.running(tmp_path):
        pass


def test_it_keeps_the_data_of_a_checkout_apart_from_an_older_one_at_the_same_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "ROOT", tmp_path)
    monkeypatch.setattr(embedded, "LONGEST_HOME", 0)  # as where the checkout's own folder will not do
    first = embedded.home()
    assert embedded.home() == first
    (tmp_path / "var" / "checkout").unlink()
    assert embedded.home() != first
