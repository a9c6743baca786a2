import pytest

from tests.make import Cast


@pytest.fixture
def cast(db: None) -> Cast:
    return Cast()
