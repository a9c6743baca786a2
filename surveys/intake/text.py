"""Text and scalars as they come from outside: cleaned, or refused with their place and the reason."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from surveys.models.fields import check_time_zone

LONGEST_COMMENT = 32_000
LONGEST_LINE = 200
# A sender's clock may run ahead of ours by this much.
CLOCK_SKEW = timedelta(minutes=10)
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*")


class InputError(ValueError):
    """One thing wrong at one place: `path` is dotted ("customer.email"), `reason` a sentence to show."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class InputErrors(ValueError):
    """Everything wrong with one body, in the order it was found."""

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{path}: {reason}" for path, reason in errors))
        self.errors = errors


def clean_text(value: Any, where: str, max_length: int) -> str:
    """Trimmed, with plain line ends; None is ''. Refuses what PostgreSQL cannot keep or what is too long."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InputError(where, _("This must be text."))
    if bad := _UNSTORABLE.search(value):
        raise InputError(where, _("Character %(code)s cannot be stored.") % {"code": f"U+{ord(bad[0]):04X}"})
    text = value.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(text) > max_length:
        raise InputError(
            where,
            _("This has %(length)s characters; at most %(limit)s are allowed.")
            % {"length": len(text), "limit": max_length},
        )
    return text


def clean_line(value: Any, where: str, max_length: int = LONGEST_LINE) -> str:
    """Text on one line: any run of white space becomes one space."""
    return " ".join(clean_text(value, where, max_length).split())


def clean_email(value: Any, where: str) -> str:
    email = clean_line(value, where, 254).lower()
    if email:
        try:
            validate_email(email)
        except ValidationError:
            raise InputError(where, _("This is not an e-mail address.")) from None
    return email


def clean_phone(value: Any, where: str) -> str:
    """E.164 where the number says its country ("+44 …", "0044 …"); otherwise as it was written."""
    phone = clean_line(value, where, 40)
    if not phone:
        return ""
    if not any(sign.isdigit() for sign in phone):
        raise InputError(where, _("This is not a phone number."))
    try:
        number = phonenumbers.parse("+" + phone[2:] if phone.startswith("00") else phone, None)
    except phonenumbers.NumberParseException:
        return phone
    if not phonenumbers.is_possible_number(number):
        return phone
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def clean_locale(value: Any, where: str) -> str:
    locale = clean_line(value, where, 35)
    if locale and not _LANGUAGE_TAG.fullmatch(locale):
        raise InputError(where, _("This is not a language tag such as “en” or “zh-CN”."))
    return locale


def clean_zone(value: Any, where: str) -> str:
    name = clean_line(value, where, 64)
    if name:
        try:
            check_time_zone(name)
        except ValidationError as error:
            raise InputError(where, error.messages[0]) from None
    return name


def clean_amount(value: Any, where: str) -> Decimal | None:
    """A sum of money from 0 to under 10^12, to the cent; None and '' are no amount."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise InputError(where, _("This must be a number."))
    try:
        amount = Decimal(str(value).strip())
        if not amount.is_finite() or not 0 <= amount < 10**12:
            raise InputError(where, _("This must be a number from 0 to 999,999,999,999."))
        return amount.quantize(Decimal("0.01"))
    except InvalidOperation:
        raise InputError(where, _("This must be a number.")) from None


def clean_flag(value: Any, where: str) -> bool:
    if value is None:
        return False
    if not isinstance(value, bool):
        raise InputError(where, _("This must be true or false."))
    return value


def clean_time(value: Any, where: str, at: datetime) -> datetime | None:
    """An instant from ISO 8601 text with an offset, to the microsecond; None is no time."""
    if value is None:
        return None
    text = clean_line(value, where, 64)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(where, _("This is not a time such as 2026-03-02T09:30:00+08:00.")) from None
    if moment.tzinfo is None:
        raise InputError(where, _("This time lacks its offset from UTC, such as Z or +08:00."))
    return check_instant(moment, where, at)


def check_instant(moment: datetime, where: str, at: datetime) -> datetime:
    """The same instant in UTC. Refuses one before 1990, and one that has not come yet."""
    try:
        instant = moment.astimezone(UTC)
    except OverflowError:
        raise InputError(where, _("There is no such time.")) from None
    if instant > at + CLOCK_SKEW:
        raise InputError(where, _("This time is in the future."))
    if instant < EARLIEST:
        raise InputError(where, _("This time is before 1990."))
    return instant
