"""What a colleague may see of surveys, answers and messages.

Surveys and their figures are everybody's. Whose answers and messages somebody may read depends on whom they
look after, which this room does not know: another room says so by `narrow_by`, once, at start.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q, QuerySet

from surveys.models import Message, Response, Survey


@dataclass(frozen=True)
class Sight:
    """The answers and the messages somebody may read."""

    responses: Q
    messages: Q


EVERYTHING = Sight(Q(), Q())
Rule = Callable[[User], Sight]
_rules: list[Rule] = []


def narrow_by(rule: Rule) -> None:
    """From now on a colleague sees what the rule allows."""
    _rules[:] = [rule]


def sight_of(user: User) -> Sight:
    return _rules[0](user) if _rules else EVERYTHING


def visible_surveys(user: User | AnonymousUser) -> QuerySet[Survey]:
    return Survey.objects.all() if user.is_active else Survey.objects.none()


def visible_responses(user: User | AnonymousUser) -> QuerySet[Response]:
    if isinstance(user, AnonymousUser) or not user.is_active:
        return Response.objects.none()
    return Response.objects.filter(sight_of(user).responses)


def visible_messages(user: User | AnonymousUser) -> QuerySet[Message]:
    if isinstance(user, AnonymousUser) or not user.is_active:
        return Message.objects.none()
    return Message.objects.filter(sight_of(user).messages)
