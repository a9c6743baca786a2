from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import pytest
from django.db import connection, transaction

from dispatch import kinds
from tests.dispatch.toys import TOYS

Found = TypeVar("Found")


@pytest.fixture
def only_toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else falls due."""
    monkeypatch.setattr(kinds, "_kinds", {TOYS.name: TOYS})


class Elsewhere:
    """Another thread with its own connection to the database."""

    def __call__(self, act: Callable[[], Found]) -> Found:
        """Do it there, to the end."""
        return self.all([act])[0]

    def all(self, acts: list[Callable[[], Found]]) -> list[Found]:
        """Do all of them at once."""
        with ThreadPoolExecutor(len(acts)) as threads:
            return list(threads.map(closing, acts))

    @contextmanager
    def frozen(self, act: Callable[[], object]) -> Iterator[None]:
        """While the block lasts, a transaction that has done this stays open; then it is rolled back."""
        ready, over = threading.Event(), threading.Event()

        def hold() -> None:
            with transaction.atomic():
                act()
                ready.set()
                over.wait(30)
                transaction.set_rollback(True)

        with ThreadPoolExecutor(1) as thread:
            held = thread.submit(closing, hold)
            try:
                assert ready.wait(10)
                yield
            finally:
                over.set()
                held.result(10)


def closing(act: Callable[[], Found]) -> Found:
    try:
        return act()
    finally:
        connection.close()


@pytest.fixture
def elsewhere(transactional_db: None) -> Elsewhere:
    return Elsewhere()


@pytest.fixture
def impatient(transactional_db: None) -> Iterator[None]:
    """Statements of this thread fail rather than wait for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '100ms'")
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = 0")
