"""Who stopped the clock."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import User
from django.utils.translation import gettext

from recovery.lifecycle.act import name_of


def names_of(ids: Iterable[int | None]) -> dict[int | None, str]:
    """In one query. Nobody is somebody who has left, or the system."""
    people = User.objects.filter(pk__in=[each for each in ids if each])
    return {None: gettext("nobody named"), **{person.pk: name_of(person) for person in people}}
