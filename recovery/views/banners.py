"""What those in charge must know on whichever page they are: something stands still, or waits for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Subquery
from django.db.models.functions import JSONObject
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dispatch import watch
from dispatch.models import Pulse
from recovery.views.door import ADMINISTRATOR, SUPERVISOR
from surveys.messages import refusals
from surveys.models import Message, Refusal, SendingRules
from surveys.models.fields import CHANNELS

IN_CHARGE = frozenset({SUPERVISOR, ADMINISTRATOR})
# A provider that refuses for a moment mends itself.
LONG_REFUSED = timedelta(minutes=10)
DOUBTFUL = (Message.UNCERTAIN, Message.DEAD)

# What has to be known, as parts of the query that every page asks for its menu.
FACTS = {
    "canary_at": Subquery(Pulse.objects.values("canary_at")[:1]),
    "behind": Subquery(Pulse.objects.values("behind")[:1]),
    "mute": Subquery(Pulse.objects.values("mute")[:1]),
    "paused_at": Subquery(SendingRules.objects.values("paused_at")[:1]),
    "held_at": Subquery(SendingRules.objects.values("held_at")[:1]),
    "refusals": ArraySubquery(
        Refusal.objects.order_by("since").values(
            row=JSONObject(
                channel="channel", provider="provider", words="words", since="since", tried_at="tried_at"
            )
        )
    ),
}


@dataclass(frozen=True, slots=True)
class Banner:
    text: str
    url: str
    action: str = ""


def raised_by(facts: dict[str, Any], at: datetime) -> list[Banner]:
    """In the order of how much stands still."""
    raised = [silent(facts, at), behind(facts), mute(facts), stopped(facts), *refused(facts, at)]
    raised += [dead(facts), doubtful(facts)]
    return [banner for banner in raised if banner]


def silent(facts: dict[str, Any], at: datetime) -> Banner | None:
    silence = watch.since(facts["canary_at"], at)
    if not watch.too_silent(silence):
        return None
    if silence is None:
        text = _("Nothing has been dispatched yet: reminders, deadlines and messages wait.")
    else:
        minutes = max(int(silence.total_seconds() // 60), 1)
        text = ngettext(
            "Nothing has been dispatched for %(minutes)d minute: reminders, deadlines and messages wait.",
            "Nothing has been dispatched for %(minutes)d minutes: reminders, deadlines and messages wait.",
            minutes,
        ) % {"minutes": minutes}
    return Banner(text, reverse("dispatch"))


def behind(facts: dict[str, Any]) -> Banner | None:
    if not facts["behind"]:
        return None
    text = _("The database was restored or moved: nothing is sent to customers until that is settled.")
    return Banner(text, reverse("dispatch"))


def mute(facts: dict[str, Any]) -> Banner | None:
    if not facts["mute"]:
        return None
    text = _("No message is sent: what is sent cannot be remembered outside the database.")
    return Banner(text, reverse("dispatch"), _("What to do"))


def stopped(facts: dict[str, Any]) -> Banner | None:
    if facts["paused_at"]:
        return Banner(_("Messages to customers are stopped by hand."), reverse("sending"))
    if facts["held_at"]:
        text = _("Messages to customers are held until somebody releases them.")
        return Banner(text, reverse("sending"))
    return None


def refused(facts: dict[str, Any], at: datetime) -> list[Banner | None]:
    return [refused_by(row, at) for row in facts["refusals"]]


def refused_by(row: dict[str, str], at: datetime) -> Banner | None:
    since, tried_at = (datetime.fromisoformat(row[name]) for name in ("since", "tried_at"))
    if at - since < LONG_REFUSED or at - tried_at > refusals.RECENT:
        return None
    text = _(
        "%(channel)s: %(provider)s has refused messages since %(time)s: “%(words)s”. "
        "They wait and are sent once it takes them again."
    ) % {
        "channel": capfirst(dict(CHANNELS).get(row["channel"], row["channel"])),
        "provider": row["provider"],
        "time": date_format(localtime(since), "DATETIME_FORMAT"),
        "words": row["words"],
    }
    return Banner(text, f"{reverse('messages')}?state=queued&channel={row['channel']}")


def dead(facts: dict[str, Any]) -> Banner | None:
    number = facts["dead"]
    text = ngettext(
        "%(number)d due thing was given up and waits for a decision.",
        "%(number)d due things were given up and wait for a decision.",
        number,
    )
    return Banner(text % {"number": number}, reverse("dispatch")) if number else None


def doubtful(facts: dict[str, Any]) -> Banner | None:
    number = facts["doubtful"]
    text = ngettext(
        "%(number)d message is uncertain or was given up and waits for a decision.",
        "%(number)d messages are uncertain or were given up and wait for a decision.",
        number,
    )
    url = f"{reverse('messages')}?state=needs_a_person"
    return Banner(text % {"number": number}, url, _("Decide")) if number else None
