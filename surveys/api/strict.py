"""What arrives as JSON is understood field by field; what nobody asked for is refused by name."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


def unknown_fields(given: Iterable[object], known: Iterable[str]) -> dict[str, list[str]]:
    """One error per name that is not known; the name itself is made printable."""
    strange = sorted(set(map(str, given)) - set(known))
    return {printable(name)[:60]: [_("There is no such field.")] for name in strange}


def printable(name: str) -> str:
    return name if name.isprintable() else name.encode("ascii", "backslashreplace").decode()


class Strict(serializers.Serializer[Any]):
    """Refuses unknown fields, together with everything else that is wrong."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return super().to_internal_value(data)
        writable = [name for name, field in self.fields.items() if not field.read_only]
        strange = unknown_fields(data, writable)
        try:
            value = super().to_internal_value(data)
        except ValidationError as error:
            known = error.detail if isinstance(error.detail, dict) else {"": error.detail}
            raise ValidationError({**known, **strange}) from None
        if strange:
            raise ValidationError(strange)
        return value


def read_instant(text: str) -> datetime:
    """An instant in UTC from ISO 8601 text with an offset. Raises ValueError with a sentence to show."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(_("This is not a time such as 2026-03-02T09:30:00+08:00.")) from None
    if moment.tzinfo is None:
        raise ValueError(_("This time lacks its offset from UTC, such as Z or +08:00."))
    try:
        instant = moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(_("There is no such time.")) from None
    if not EARLIEST <= instant <= LATEST:
        raise ValueError(_("Give a time from 1990 to 2199."))
    return instant


class Instant(serializers.DateTimeField):
    """A time with its offset; one without is refused, never guessed."""

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str):
            raise ValidationError(_("This is not a time such as 2026-03-02T09:30:00+08:00."))
        try:
            return read_instant(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None


class Whole(serializers.IntegerField):
    """A whole number, neither its text nor true or false."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return data


class BySlug(serializers.SlugRelatedField[Any]):
    """One of these rows, by its code. What the database could not even look for is not there."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or not data.isprintable():
            self.fail("does_not_exist", slug_name=self.slug_field, value=printable(str(data))[:60])
        return super().to_internal_value(data)
