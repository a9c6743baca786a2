from collections.abc import Iterator

import pytest
import time_machine

from tests.make import MONDAY, Cast
from tests.recovery.api.client import Client


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """The doors read Monday, until a test moves it on."""
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def lina(cast: Cast) -> Client:
    """Li Na's token: an agent of the East team."""
    return Client.of(cast.lina)


@pytest.fixture
def chen(cast: Cast) -> Client:
    """Her supervisor's."""
    return Client.of(cast.chen)
