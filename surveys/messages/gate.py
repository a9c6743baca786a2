"""May this message go out? Asked once per try, in the transaction that commits the attempt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.db.models import Q

from surveys.messages import breaker, consent, pace, rules
from surveys.messages.quiet import quiet_until
from surveys.messages.suppression import is_suppressed
from surveys.models import Customer, Invitation, Message, SendingRules
from surveys.models.message import TO_US

NO_CONSENT = "no_consent"


@dataclass(frozen=True, slots=True)
class Verdict:
    """If it may not: the state it ends in, or `until` when it waits; and the reason's code."""

    ok: bool
    state: str = ""
    reason: str = ""
    until: datetime | None = None


Check = Callable[[Message, datetime], str]
_checks: list[Check] = []


def also(check: Check) -> None:
    """Another room knows whether a message is still of any concern: its check says why not, or ''."""
    if check not in _checks:
        _checks.append(check)


def verdict(message: Message, at: datetime) -> Verdict:
    """The message must be locked. Where it may go, its turn is used up by asking."""
    kept = None if message.is_ours else rules.current()
    refused = never(message, kept, at)
    if refused:
        return refused
    # Notices to colleagues never wait.
    return (later(message, kept, at) if kept else None) or Verdict(True)


def pickable(at: datetime, ahead: timedelta = pace.AHEAD) -> Q:
    """The queued messages worth asking about: none to customers while sending rests, and none that would need
    a first slot while every slot of the time `ahead` is given out. What is past its time needs none."""
    if rules.rest():
        return TO_US
    needs_no_slot = TO_US | Q(slot_at__isnull=False) | Q(attempts__gt=0) | Q(not_after__lt=at)
    return needs_no_slot | Q(~pace.is_booked_out(at, ahead))


# --- It will not go at all ---


def never(message: Message, kept: SendingRules | None, at: datetime) -> Verdict | None:
    if message.not_after and at > message.not_after:
        return Verdict(False, Message.EXPIRED, "not_after")
    if message.user and not message.user.is_active:
        return Verdict(False, Message.CANCELLED, "colleague_left")
    # What somebody asked for as a customer does not silence the notices of their work.
    unwanted = refused_by_customer(message, kept) if kept else ""
    if unwanted:
        return Verdict(False, Message.SUPPRESSED, unwanted)
    moot = no_concern(message, at)
    return Verdict(False, Message.CANCELLED, moot) if moot else None


def refused_by_customer(message: Message, kept: SendingRules) -> str:
    if is_suppressed(message.to_address, message.channel):
        return "suppressed"
    needed, channel = kept.consent_required, message.channel
    return NO_CONSENT if consent.is_missing(message.customer, required=needed, channel=channel) else ""


def no_concern(message: Message, at: datetime) -> str:
    if message.invitation and message.invitation.state not in Invitation.PENDING:
        return f"invitation_{message.invitation.state}"
    return next(filter(None, (check(message, at) for check in _checks)), "")


# --- It will not go now ---


def later(message: Message, kept: SendingRules, at: datetime) -> Verdict | None:
    if breaker.check(at, kept):
        kept = rules.current()
    rest = rules.rest_of(kept)
    if rest:
        return Verdict(False, reason=rest.reason, until=message.send_at)
    return in_its_time(message, kept, at)


def in_its_time(message: Message, kept: SendingRules, at: datetime) -> Verdict | None:
    quiet = quiet_until(at, zone_of(message.customer), kept.quiet_from, kept.quiet_until)
    if quiet:
        return Verdict(False, reason=breaker.QUIET, until=quiet)
    room = pace.room_for_another(message, kept.per_person_per_day, at)
    if room and message.not_after and room > message.not_after:
        return Verdict(False, Message.EXPIRED, breaker.ENOUGH)
    if room:
        return Verdict(False, reason=breaker.ENOUGH, until=room)
    slot = pace.turn(message, kept.per_minute, at)
    return Verdict(False, reason=breaker.RATE, until=slot) if slot else None


def zone_of(customer: Customer | None) -> ZoneInfo:
    try:
        return customer.zone if customer else ZoneInfo(settings.TIME_ZONE)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(settings.TIME_ZONE)
