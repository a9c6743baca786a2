"""What the site does around the rooms: health, walls, lockout, the timetable."""

from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import Client

from config.celery import app
from config.checks import deployment_facts


@pytest.mark.django_db
def test_it_is_ready_with_postgresql(client: Client) -> None:
    assert client.get("/health/ready").status_code == 200


@pytest.mark.django_db
def test_it_is_alive_but_not_ready_without_postgresql(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(connection, "cursor", refuse)
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert client.get("/health/live").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(("error", "status"), [(OperationalError, 503), (RuntimeError, 500)])
def test_it_says_whether_the_database_is_away_or_we_broke(
    error: type[Exception], status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr("django.contrib.auth.forms.AuthenticationForm.clean", fail)
    client = Client(raise_request_exception=False)
    answer = client.post("/login/", {"username": "ada", "password": "x"})
    assert answer.status_code == status
    assert answer.has_header("Retry-After") == (status == 503)


@pytest.mark.django_db
def test_it_shows_metrics(client: Client) -> None:
    assert b"django_http_requests" in client.get("/metrics").content


@pytest.mark.django_db
def test_it_allows_no_inline_script_or_style(client: Client) -> None:
    policy = client.get("/login/")["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.django_db
def test_it_locks_a_guesser_out_and_nobody_else(client: Client) -> None:
    User.objects.create_user("ada", password="right-9w2k")

    def log_in(password: str, address: str) -> int:
        words = {"username": "ada", "password": password}
        return client.post("/login/", words, REMOTE_ADDR=address).status_code

    for _ in range(settings.AXES_FAILURE_LIMIT):
        log_in("wrong", "203.0.113.7")
    assert log_in("right-9w2k", "203.0.113.7") == 429
    assert log_in("right-9w2k", "198.51.100.2") == 302


def test_it_drops_a_tick_nobody_took_before_the_next() -> None:
    assert app.conf.beat_schedule
    for entry in app.conf.beat_schedule.values():
        assert entry["options"]["expires"] == entry["schedule"]


def test_it_ticks_only_tasks_that_exist() -> None:
    app.loader.import_default_modules()
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(app.tasks)


def test_it_names_what_a_real_deployment_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EMAIL_URL", raising=False)
    monkeypatch.setenv("PUBLIC_URL", "https://care.example.org")
    lacking = " ".join(str(message.msg) for message in deployment_facts(None))
    assert "EMAIL_URL is not set" in lacking
    assert "PUBLIC_URL is not set" not in lacking


@pytest.mark.django_db
def test_it_shows_the_api_pages_from_its_own_files(admin_client: Client) -> None:
    page = admin_client.get("/api/v1/docs/")
    assert page.status_code == 200
    assert "script-src 'self'" in page["Content-Security-Policy"]
    assert b"//cdn" not in page.content
    assert admin_client.get("/api/v1/schema/").status_code == 200


def test_it_asks_who_you_are_before_it_shows_the_api_pages(client: Client) -> None:
    assert client.get("/api/v1/docs/").status_code in (401, 403)
