"""The cast that is put back is the cast as it is made, and belongs to one test alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from tests.kept import Rows, everything, inserts, the_cast
from tests.make import Cast, make_user

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


def test_it_refuses_to_keep_what_it_could_not_put_back() -> None:
    with pytest.raises(ValueError, match="changes rows of surveys_source"):
        inserts({"surveys_source": ["(1,a)"]}, {"surveys_source": ["(1,b)"]})
