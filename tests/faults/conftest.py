from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def invariants_hold(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every fault test on a database ends with all invariants; `violates` says that one is meant not to."""
    on_database = {"db", "transactional_db", "cast"} & set(request.fixturenames)
    if not on_database:
        yield
        return
    request.getfixturevalue("db" if "transactional_db" not in request.fixturenames else "transactional_db")
    yield
    if request.node.get_closest_marker("violates") is None:
        from tests.faults.invariants import violated

        assert violated() == []


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "violates: the test breaks an invariant to see it reported")
