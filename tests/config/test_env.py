import stat
from pathlib import Path

import pytest

from config import env


@pytest.mark.parametrize(
    ("redis_url", "expected"),
    [
        ("redis://:pw@host:6380/4", "redis://:pw@host:6380/4"),
        ("unix:///run/r.sock?db=7", "redis+socket:///run/r.sock?virtual_host=7"),
        ("unix:///run/r.sock", "redis+socket:///run/r.sock?virtual_host=0"),
    ],
)
def test_it_names_the_same_redis_for_celery(redis_url: str, expected: str) -> None:
    assert env.broker_url(redis_url) == expected


def test_it_reads_a_socket_folder_from_the_database_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me@%2Frun%2Fpg/shop")
    facts = env.database_from_url()
    assert (facts["HOST"], facts["USER"], facts["NAME"]) == ("/run/pg", "me", "shop")


def test_it_takes_a_secret_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from the file")
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.setenv("SECRET_KEY_FILE", str(tmp_path / "key"))
    assert env.secret_key() == "from the file"


def test_it_makes_one_private_key_when_none_is_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.setattr(env, "VAR", tmp_path / "var")
    first = env.secret_key()
    assert len(first) >= 50
    assert env.secret_key() == first
    assert stat.S_IMODE((tmp_path / "var" / "secret_key").stat().st_mode) == 0o600
