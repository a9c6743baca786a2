"""A script that holds somebody's token."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from rest_framework.test import APIClient

from recovery.models import ApiToken, Ticket

API = "/api/v1/"


class Client(APIClient):
    @classmethod
    def of(cls, user: User) -> Client:
        _row, token = ApiToken.issue(user.pk, "test")
        client = cls()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        return client

    def read(self, path: str, **query: Any) -> Any:
        return self.get(API + path, query)

    def send(self, path: str, body: Any = None, **headers: Any) -> Any:
        return self.post(API + path, body, format="json", **headers)

    def act(self, ticket: Ticket, act: str, body: Any = None, version: int | str | None = None) -> Any:
        known = ticket.version if version is None else version
        return self.send(f"tickets/{ticket.number}/{act}/", body or {}, HTTP_IF_MATCH=f'"{known}"')


def places(answer: Any) -> set[str]:
    """Where a problem document says something is wrong."""
    return {each["path"] for each in answer.json()["errors"]}


def reason_at(answer: Any, path: str) -> str:
    return next(each["reason"] for each in answer.json()["errors"] if each["path"] == path)
