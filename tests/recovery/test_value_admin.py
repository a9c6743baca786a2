"""What an administrator sets about value: the assumption, level by level, and the targets."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.test import Client

from recovery.models import ExpectedRetention, Target
from tests.make import Cast

RETENTION, TARGET = "/admin/recovery/expectedretention/add/", "/admin/recovery/target/add/"


@pytest.fixture
def ada(cast: Cast, client: Client) -> Client:
    client.force_login(cast.admin, backend="django.contrib.auth.backends.ModelBackend")
    return client


def errors(client: Client, address: str, fields: dict[str, Any]) -> dict[str, list[str]]:
    answer = client.post(address, fields)
    assert answer.status_code == 200
    found: dict[str, list[str]] = answer.context["adminform"].form.errors
    return found


def test_a_level_of_retention_is_a_range(ada: Client) -> None:
    assert ada.post(RETENTION, {"level": 1, "low": 5, "high": 15}).status_code == 302
    assert ExpectedRetention.objects.get().share == 0.1
    assert "lies below" in errors(ada, RETENTION, {"level": 2, "low": 30, "high": 20})["high"][0]
    assert "high" in errors(ada, RETENTION, {"level": 2, "low": 30, "high": 120})
    assert "level" in errors(ada, RETENTION, {"level": 1, "low": 30, "high": 40}), "once for each level"


def test_a_target_fits_its_number(cast: Cast, ada: Client) -> None:
    fields = {
        "metric": "recovered",
        "value": "40",
        "by_day": "2026-06-30",
        "team": cast.east.pk,
        "survey": "",
    }
    assert ada.post(TARGET, fields).status_code == 302
    assert Target.objects.get().by_day == date(2026, 6, 30)
    nps = {"metric": "nps", "value": "-20", "by_day": "2026-06-30", "team": "", "survey": ""}
    assert "survey" in errors(ada, TARGET, nps)
    assert "team" in errors(ada, TARGET, {**nps, "survey": cast.survey.pk, "team": cast.east.pk})
    assert ada.post(TARGET, {**nps, "survey": cast.survey.pk}).status_code == 302
    assert "value" in errors(ada, TARGET, {**fields, "value": "-5"})


def test_nobody_else_sets_them(cast: Cast, client: Client) -> None:
    for user in (cast.chen, cast.vera, cast.lina):
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        for address in (RETENTION, TARGET):
            assert client.get(address).status_code == 302
