"""What is put back is what was made, and belongs to one test alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from recovery.lifecycle import reopen
from recovery.models import Ticket
from tests.kept import ROOMS, Rows, everything, kept, the_cast
from tests.make import DAY, MONDAY, Cast, make_user
from tests.recovery.insight.histories import heard, low, put_right

pytestmark = pytest.mark.django_db


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def counts(rows: Rows) -> dict[str, int]:
    return {table: len(each) for table, each in rows.items()}


def test_it_writes_the_rows_that_making_it_writes() -> None:
    with undone():
        made = vars(Cast())
        rows = counts(everything())
    with undone():
        the_cast()
    again = vars(the_cast())
    assert counts(everything()) == rows
    assert {name: str(one) for name, one in again.items()} == {name: str(one) for name, one in made.items()}
    for one in again.values():
        assert type(one).objects.get(pk=one.pk) == one


def test_nobody_gets_the_objects_of_another_test() -> None:
    with undone():
        the_cast()
    with undone():
        one = the_cast()
        one.lina.first_name = "Somebody else"
        one.lina.save()
    other = the_cast()
    assert other.lina.first_name == "Li"
    assert User.objects.get(pk=other.lina.pk).first_name == "Li"
    assert other.east.supervisor is other.chen


def test_whoever_comes_later_has_a_later_number() -> None:
    with undone():
        the_cast()
    last = max(User.objects.values_list("pk", flat=True), default=0)
    everybody = the_cast()
    later = make_user("later")
    assert later.pk > max(last, everybody.admin.pk)


def test_what_was_there_cannot_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def making() -> None:
        User.objects.update(first_name="Changed")

    make_user("earlier")
    monkeypatch.setattr("tests.kept._kept", None)
    monkeypatch.setattr("tests.kept.Cast", making)
    with pytest.raises(ValueError, match="changes rows of auth_user"):
        the_cast()


class Story:
    """Told twice it would be noticed."""

    def __init__(self) -> None:
        self.times = 0

    def tell(self, cast: Cast) -> None:
        self.times += 1
        put_right(cast, heard(cast, low(cast)))


@pytest.fixture
def story() -> Story:
    return Story()


def test_a_story_is_put_back_as_it_was_told(story: Story) -> None:
    tell = kept(story.tell)
    with undone():
        tell(the_cast())
        told = everything(ROOMS)
    cast = the_cast()
    tell(cast)
    assert story.times == 1
    assert {table: sorted(rows) for table, rows in everything(ROOMS).items()} == {
        table: sorted(rows) for table, rows in told.items()
    }
    connection.check_constraints()


def test_what_comes_after_a_story_goes_by_the_real_acts(story: Story) -> None:
    tell = kept(story.tell)
    with undone():
        tell(the_cast())
    cast = the_cast()
    tell(cast)
    first = Ticket.objects.get()
    assert low(cast).pk > first.pk
    assert reopen(first, by=cast.lina, at=MONDAY + 2 * DAY, reason="It came back").cycle == 2


def test_it_is_told_again_where_the_rooms_differ(story: Story) -> None:
    tell = kept(story.tell)
    with undone():
        tell(the_cast())
    cast = the_cast()
    low(cast)
    tell(cast)
    assert story.times == 2
    assert Ticket.objects.count() == 2
