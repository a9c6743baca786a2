from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings as live

from dispatch import failpoints
from dispatch.failpoints import Failed, failpoint
from tests.dispatch.processes import alive, environment, stop

PASSES = "from dispatch.failpoints import failpoint; failpoint('{name}'); print('went on')"


def passing(name: str, **armed: str) -> subprocess.Popen[str]:
    """A process that comes to a failpoint and then says that it went on."""
    return subprocess.Popen(
        [sys.executable, "-c", PASSES.format(name=name)],
        cwd=live.BASE_DIR,
        env=environment(**armed),
        stdout=subprocess.PIPE,
        text=True,
    )


def test_unarmed_it_does_nothing() -> None:
    assert failpoints._armed == {}
    for name in failpoints.NAMES:
        failpoint(name)


def test_only_the_one_named_fires(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failpoints, "_armed", {"after_take": "error"})
    failpoint("after_begin")
    with pytest.raises(Failed, match="after_take"):
        failpoint("after_take")
    with pytest.raises(Failed):
        failpoint("after_take")


def test_it_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failpoints, "_armed", {"after_take": "sleep:0.2"})
    began = time.monotonic()
    failpoint("after_take")
    assert 0.2 <= time.monotonic() - began < 2


def test_in_a_folder_it_fires_once_and_leaves_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FAILPOINTS_DIR", str(tmp_path))
    monkeypatch.setattr(failpoints, "_armed", {"after_take": "error", "after_begin": "error"})
    with pytest.raises(Failed):
        failpoint("after_take")
    failpoint("after_take")
    assert [path.name for path in tmp_path.iterdir()] == ["after_take"]
    with pytest.raises(Failed):
        failpoint("after_begin")


@pytest.mark.django_db
class TestProcesses:
    """The environment arms them, in any process of ours."""

    def test_it_kills(self) -> None:
        process = passing("after_take", FAILPOINTS="after_take=kill")
        assert process.communicate(timeout=20)[0] == ""
        assert process.returncode == -9

    def test_it_freezes(self) -> None:
        process = passing("after_take", FAILPOINTS="nonsense,after_begin=kill,after_take=freeze")
        try:
            ends = time.monotonic() + 20
            while state(process.pid) != "T":
                assert time.monotonic() < ends
                assert process.poll() is None
                time.sleep(0.02)
            assert alive(process.pid)
        finally:
            stop(process.pid)
            process.communicate()

    def test_among_all_that_share_a_folder_only_one_dies(self, tmp_path: Path) -> None:
        armed = {"FAILPOINTS": "after_take=kill", "FAILPOINTS_DIR": str(tmp_path)}
        processes = [passing("after_take", **armed) for _process in range(4)]
        said = [process.communicate(timeout=30)[0].strip() for process in processes]
        assert sorted(said) == ["", "went on", "went on", "went on"]


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_each_is_passed_somewhere_and_none_is_passed_that_is_not_listed() -> None:
    passed: set[str] = set()
    for room in ("dispatch", "surveys", "recovery", "config"):
        for path in Path(live.BASE_DIR, room).rglob("*.py"):
            passed |= set(re.findall(r'\bfailpoint\(f?"(\w+)', path.read_text()))
    # One for each class of provider: the name ends with it.
    passed = (passed - {"giving_back_"}) | {
        f"giving_back_{each}" for each in "abc" if "giving_back_" in passed
    }
    assert passed == set(failpoints.NAMES)
