"""Colleagues to choose from: who is away says so, wherever work is handed to somebody."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import DateTimeField, OuterRef, QuerySet, Subquery
from django.forms import Form, ModelChoiceField
from django.utils.translation import gettext

from recovery.lifecycle.act import name_of
from recovery.models import Leave
from recovery.templatetags.moments import moment


def with_leave(people: QuerySet[User], at: datetime) -> QuerySet[User]:
    """Each with `away_until`: when the leave they are on ends; NULL for who is there."""
    now = Leave.objects.filter(user=OuterRef("pk"), starts_at__lte=at, ends_at__gt=at)
    ends = now.order_by("-ends_at").values("ends_at")[:1]
    return people.annotate(away_until=Subquery(ends, output_field=DateTimeField()))


def label_of(person: Any, at: datetime) -> str:
    """The name, and until when they are away; for people read `with_leave`."""
    until = person.away_until
    if until is None:
        return name_of(person)
    return gettext("{name} (away until {time})").format(name=name_of(person), time=moment(until, at))


def labelled(people: Iterable[User], at: datetime) -> list[tuple[int, str]]:
    return [(person.pk, label_of(person, at)) for person in people]


def say_who_is_away(form: Form | None, at: datetime) -> None:
    """In the choice of the form's owner, with no further query."""
    field = form.fields.get("owner") if form is not None else None
    if not isinstance(field, ModelChoiceField) or field.queryset is None:
        return
    people = with_leave(field.queryset, at)
    field.widget.choices = [("", field.empty_label or ""), *labelled(people, at)]
