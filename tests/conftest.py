import pytest

from tests.kept import the_cast
from tests.make import Cast


@pytest.fixture
def cast(db: None) -> Cast:
    return the_cast()
