"""The rules of sending to customers, and who stops it, lets it go again and releases what was held."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction

from surveys.models import SendingRules

log = logging.getLogger(__name__)

STOPPED: Final = "sending_stopped"
HELD: Final = "sending_held"
VOLUME, CLOCK = "volume", "clock"


@dataclass(frozen=True, slots=True)
class Rest:
    """Messages to customers wait: stopped by a person, or held because something is odd (see `facts`)."""

    reason: str
    since: datetime
    by: str = ""
    why: str = ""
    facts: dict[str, Any] | None = None


def current() -> SendingRules:
    """The rules as they are now; the defaults where nobody has kept any."""
    return SendingRules.objects.filter(pk=SendingRules.ONLY).first() or SendingRules()


def rest_of(rules: SendingRules) -> Rest | None:
    """Why customers' messages wait now, None while they go out. Who stopped it comes before what held it."""
    if rules.paused_at:
        return Rest(STOPPED, rules.paused_at, rules.paused_by, rules.paused_why)
    if rules.held_at:
        return Rest(HELD, rules.held_at, why=rules.held_why, facts=rules.held_facts)
    return None


def rest() -> Rest | None:
    """As `rest_of` the present rules, in one query."""
    return rest_of(current())


def stop(by: User, why: str, at: datetime) -> bool:
    """From the next try on nothing goes to a customer. False: it was stopped already, and stays as it was."""
    with transaction.atomic():
        rules = _locked()
        if rules.paused_at:
            return False
        rules.paused_at, rules.paused_by, rules.paused_why = at, _name(by), why.strip()[:300]
        rules.save(update_fields=["paused_at", "paused_by", "paused_why"])
    log.warning("sending to customers was stopped", extra={"by": by.pk})
    return True


def resume(by: User, at: datetime) -> bool:
    """Undo `stop`. What has piled up meanwhile goes out at the rate; what else held it still does."""
    with transaction.atomic():
        rules = _locked()
        if not rules.paused_at:
            return False
        rules.paused_at, rules.paused_by, rules.paused_why = None, "", ""
        if not rules.held_at:
            rules.released_at, rules.released_by = at, _name(by)
        rules.save(update_fields=["paused_at", "paused_by", "paused_why", "released_at", "released_by"])
    log.warning("sending to customers goes on", extra={"by": by.pk})
    return True


def hold(why: str, facts: dict[str, Any], at: datetime) -> bool:
    """Something is odd: customers' messages wait for a person. False: they wait already."""
    with transaction.atomic():
        rules = _locked()
        if rest_of(rules):
            return False
        rules.held_at, rules.held_why, rules.held_facts = at, why, facts
        rules.save(update_fields=["held_at", "held_why", "held_facts"])
    log.error("messages to customers are held: %s", why, extra=facts)
    return True


def release(by: User, at: datetime) -> bool:
    """A person has looked: what was held goes out, at the rate, and does not count as a heap again."""
    with transaction.atomic():
        rules = _locked()
        if not rules.held_at:
            return False
        rules.held_at, rules.held_why, rules.held_facts = None, "", {}
        rules.released_at, rules.released_by = at, _name(by)
        rules.save(update_fields=["held_at", "held_why", "held_facts", "released_at", "released_by"])
    log.warning("held messages to customers were released", extra={"by": by.pk})
    return True


def _locked() -> SendingRules:
    SendingRules.objects.get_or_create(pk=SendingRules.ONLY)
    return SendingRules.objects.select_for_update().get(pk=SendingRules.ONLY)


def _name(user: User) -> str:
    return (user.get_full_name() or user.get_username())[:200]
