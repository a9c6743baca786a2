import pytest


@pytest.fixture(autouse=True)
def room_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """This room alone: nobody has said whom a colleague looks after, so that they may read everything."""
    monkeypatch.setattr("surveys.access._rules", [])
