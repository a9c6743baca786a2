from datetime import datetime

import pytest

from tests.make import MONDAY, Cast
from tests.recovery.api.client import Client


class Clock:
    def __init__(self) -> None:
        self.at = MONDAY

    def now(self) -> datetime:
        return self.at


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The doors read Monday, until a test moves it on."""
    clock = Clock()
    monkeypatch.setattr("django.utils.timezone.now", clock.now)
    return clock


@pytest.fixture
def lina(cast: Cast) -> Client:
    """Li Na's token: an agent of the East team."""
    return Client.of(cast.lina)


@pytest.fixture
def chen(cast: Cast) -> Client:
    """Her supervisor's."""
    return Client.of(cast.chen)
