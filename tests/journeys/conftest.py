"""Journeys use the real thing: PostgreSQL, a broker, a Celery worker, SMTP."""

from collections.abc import Iterator

import pytest
from celery.contrib.testing.worker import start_worker
from pytest_django import Settings

from config.celery import app
from tests.make import Cast
from tests.post import Mailbox, mail_server
from tests.surveys.make import ANY_TIME, make_rules


@pytest.fixture
def mailbox(settings: Settings) -> Iterator[Mailbox]:
    with mail_server(settings) as mailbox:
        yield mailbox


@pytest.fixture
def worker(transactional_db: None) -> Iterator[None]:
    """A worker on the test database and the broker; what an earlier test left in the queue is gone."""
    app.control.purge()
    with start_worker(app, pool="threads", concurrency=2, perform_ping_check=False, shutdown_timeout=30):
        yield


@pytest.fixture
def firm(transactional_db: None) -> Cast:
    """The cast, open around the clock, asking again at once and at any hour."""
    cast = Cast()
    make_rules(**ANY_TIME)
    cast.calendar.hours.update(days=list(range(7)), opens="00:00", closes="00:00")
    cast.survey.resurvey_after_minutes = 0
    cast.survey.save(update_fields=["resurvey_after_minutes"])
    return cast
