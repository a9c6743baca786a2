"""Every error is a problem document: what is wrong, where, and what to do."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.core.management import call_command
from django.core.signals import got_request_exception
from django.db import OperationalError

from recovery.models import ApiToken
from tests.make import DAY, MONDAY, Cast
from tests.recovery.api.client import API, Client


def check(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body.keys() >= {"type", "title", "status", "detail", "code", "errors"}
    assert (body["type"], body["status"], body["code"]) == (f"urn:redress:problem:{code}", status, code)
    assert body["title"]
    assert body["detail"]
    return body


class TestNobody:
    def test_it_is_401_without_a_token(self, cast: Cast) -> None:
        answer = Client().read("tickets/")
        check(answer, 401, "not_authenticated")
        assert answer["WWW-Authenticate"].startswith("Bearer")

    @pytest.mark.parametrize(
        "header", ["Bearer", "Bearer ", "Bearer wrong", "Bearer a b", "Bearer \x80\xff", "bearer  x"]
    )
    def test_it_is_401_with_a_token_nobody_issued(self, cast: Cast, header: str) -> None:
        answer = Client().get(f"{API}tickets/", headers={"authorization": header})
        check(answer, 401, "authentication_failed")
        assert answer["WWW-Authenticate"].startswith("Bearer")

    def test_it_is_401_once_the_token_expired(self, cast: Cast, clock: Any) -> None:
        _row, token = ApiToken.issue(cast.lina.pk, "for a day", MONDAY + DAY)
        client = Client.holding(token)
        clock.move_to(MONDAY + DAY - timedelta(microseconds=1))
        assert client.read("tickets/").status_code == 200
        clock.move_to(MONDAY + DAY)
        check(client.read("tickets/"), 401, "authentication_failed")

    def test_it_is_401_once_the_token_is_revoked_or_its_owner_left(self, cast: Cast, lina: Client) -> None:
        assert lina.read("tickets/").status_code == 200
        cast.lina.is_active = False
        cast.lina.save()
        check(lina.read("tickets/"), 401, "authentication_failed")
        cast.lina.is_active = True
        cast.lina.save()
        ApiToken.objects.update(revoked_at=MONDAY)
        check(lina.read("tickets/"), 401, "authentication_failed")

    def test_it_never_keeps_the_token_itself(self, cast: Cast, lina: Client) -> None:
        row = ApiToken.objects.get()
        assert lina.token not in (row.token_hash, row.name)
        assert row.token_hash == ApiToken.hash_of(lina.token)


class TestPaths:
    @pytest.mark.parametrize("path", ["", "nothing/", "tickets", "tickets/R-1/dance/", "insight/x/"])
    def test_it_is_404_where_there_is_nothing(self, cast: Cast, lina: Client, path: str) -> None:
        check(lina.read(path), 404, "not_found")

    def test_it_is_404_for_a_post_without_its_slash(self, cast: Cast, lina: Client) -> None:
        check(lina.send("responses", {}), 404, "not_found")

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("delete", "tickets/"),
            ("put", "responses/"),
            ("get", "responses/batch/"),
            ("post", "callbacks/"),
            ("get", "deadlines/preview/"),
        ],
    )
    def test_it_is_405_for_another_method(self, cast: Cast, lina: Client, method: str, path: str) -> None:
        answer = getattr(lina, method)(API + path)
        check(answer, 405, "method_not_allowed")
        assert answer["Allow"]


class TestOurs:
    def test_it_is_503_with_when_to_come_back_while_the_database_is_away(
        self, cast: Cast, lina: Client
    ) -> None:
        gone = OperationalError("the server is gone")
        with mock.patch("django.db.backends.utils.CursorWrapper.execute", side_effect=gone):
            answer = lina.read("tickets/")
        check(answer, 503, "unavailable")
        assert int(answer["Retry-After"]) > 0
        assert "gone" not in answer.content.decode()

    def test_it_is_500_said_to_whoever_watches_and_not_to_the_sender(self, cast: Cast, lina: Client) -> None:
        seen: list[object] = []

        def watch(**said: object) -> None:
            seen.append(said["request"])

        lina.raise_request_exception = False
        got_request_exception.connect(watch)
        with mock.patch("recovery.api.views.tickets.visible_to", side_effect=RuntimeError("secret")):
            answer = lina.read("tickets/")
        got_request_exception.disconnect(watch)
        body = check(answer, 500, "internal")
        assert "secret" not in str(body)
        assert len(seen) == 1


def test_it_is_said_in_the_language_asked_for(cast: Cast, lina: Client) -> None:
    answer = lina.delete(f"{API}tickets/", headers={"accept-language": "zh-hans"})
    assert "不" in check(answer, 405, "method_not_allowed")["detail"]


def test_the_schema_describes_every_path_without_a_warning(tmp_path: Any) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml"))
    schema = (tmp_path / "schema.yml").read_text()
    for path in (
        *("responses/", "responses/batch/", "tickets/", "tickets/{number}/", "tickets/bulk/"),
        *("tickets/{number}/assign/", "tickets/{number}/resolve/", "deadlines/preview/", "callbacks/"),
        *("customers/", "customers/{id}/", "invitations/", "surveys/"),
    ):
        assert f"/api/v1/{path}:" in schema
    assert "application/problem+json" in schema
    assert "scheme: bearer" in schema


def test_the_schema_refers_to_nothing_it_does_not_hold(cast: Cast, lina: Client) -> None:
    schema = lina.get(f"{API}schema/", {"format": "json"}).json()
    told = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(schema)))
    assert "CalendarGiven" in told
    assert told <= set(schema["components"]["schemas"])


def test_the_schema_is_for_whoever_is_signed_in(cast: Cast, lina: Client) -> None:
    assert lina.get(f"{API}schema/").status_code == 200
    assert Client().get(f"{API}schema/").status_code == 401
