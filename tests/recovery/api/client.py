"""A script that holds somebody's token."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth.models import User
from rest_framework.test import APIClient

from recovery.models import ApiToken, Ticket

API = "/api/v1/"


class Client(APIClient):
    token = ""

    @classmethod
    def of(cls, user: User) -> Client:
        _row, token = ApiToken.issue(user.pk, "test")
        return cls.holding(token)

    @classmethod
    def holding(cls, token: str) -> Client:
        client = cls()
        client.token = token
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        return client

    def read(self, path: str, **query: Any) -> Any:
        return self.get(API + path, query)

    def send(self, path: str, body: Any = None, **headers: Any) -> Any:
        return self.post(API + path, json.dumps(body), content_type="application/json", **headers)

    def raw(self, path: str, body: bytes, content_type: str = "application/json") -> Any:
        return self.post(API + path, body, content_type=content_type)

    def change(self, path: str, body: Any) -> Any:
        return self.patch(API + path, json.dumps(body), content_type="application/json")

    def act(self, ticket: Ticket, act: str, body: Any = None, version: int | str | None = None) -> Any:
        known = ticket.version if version is None else version
        return self.send(f"tickets/{ticket.number}/{act}/", body or {}, HTTP_IF_MATCH=f'"{known}"')


def places(answer: Any) -> set[str]:
    """Where a problem document says something is wrong."""
    return {each["path"] for each in answer.json()["errors"]}


def reason_at(answer: Any, path: str) -> str:
    return next(str(each["reason"]) for each in answer.json()["errors"] if each["path"] == path)
