"""What is given to put it right: within a role's limit and the team's budget at once, else by approval."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from recovery.assignment import is_available, supervisors_from
from recovery.lifecycle import notices
from recovery.lifecycle.act import Change, acting, name_of
from recovery.lifecycle.table import Refused
from recovery.models import (
    Goodwill,
    GoodwillBudget,
    GoodwillKind,
    GoodwillLimit,
    StaffProfile,
    Team,
    Ticket,
)
from recovery.models.staff import ADMINISTRATORS, role_of

LIMIT, BUDGET = "limit", "budget"
MOST = Decimal("99999999.99")


@dataclass(frozen=True, slots=True)
class Room:
    """What is left of a team's month; None where it has no budget."""

    monthly: Decimal | None
    given: Decimal

    @property
    def left(self) -> Decimal | None:
        return None if self.monthly is None else self.monthly - self.given

    def holds(self, cost: Decimal) -> bool:
        return self.left is None or cost <= self.left


def limit_of(user: User) -> Decimal | None:
    """Up to what cost this person gives or approves by themselves; None: without bound.

    A role without a row has no limit where it is the administrator, and may give nothing otherwise.
    """
    role = role_of(user)
    row = GoodwillLimit.objects.filter(role=role).first()
    if row is not None:
        return row.cost
    return None if role == StaffProfile.ADMINISTRATOR else Decimal(0)


def may_give(user: User, cost: Decimal) -> bool:
    limit = limit_of(user)
    return limit is None or cost <= limit


def room_of(team: Team, at: datetime) -> Room:
    """What the team has given of its budget since the first of the month, on the clock of its calendar."""
    budget = GoodwillBudget.objects.filter(team=team).first()
    if budget is None:
        return Room(None, Decimal(0))
    local = at.astimezone(ZoneInfo(team.calendar.time_zone))
    first = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    rows = Goodwill.objects.filter(team=team, state=Goodwill.GIVEN, decided_at__gte=first)
    given: Decimal = rows.aggregate(sum=Sum("cost"))["sum"] or Decimal(0)
    return Room(budget.monthly, given)


def give_goodwill(
    ticket: Ticket, *, by: User, at: datetime, kind: GoodwillKind, cost: Decimal, note: str = ""
) -> Ticket:
    """Given at once within the limit and the budget; else it waits for somebody who may approve it."""
    if not kind.active:
        raise Refused("kind_unknown", _("This kind is not given any more. Choose another."), field="kind")
    if not 0 <= cost <= MOST or cost != round(cost, 2):
        raise Refused("cost_out_of_range", _("Give the cost as an amount, such as 25.00."), field="cost")
    with acting(ticket, "goodwill", by=by, at=at) as change:
        why = reasons_to_ask(change.ticket.team, by, cost, at)
        row = Goodwill(
            ticket=change.ticket,
            cycle=change.ticket.cycle,
            team=change.ticket.team,
            kind=kind,
            cost=cost,
            note=note.strip()[:300],
            state=Goodwill.PROPOSED if why else Goodwill.GIVEN,
            at=at,
            by=by,
            by_name=name_of(by),
        )
        if not why:
            settle(row, by, at)
        row.save()
        tell(change, f"goodwill_{row.state}", row, row.note, why=why)
        if why:
            ask_for_approval(change.ticket, row, by, at)
    return change.ticket


def reasons_to_ask(team: Team, by: User, cost: Decimal, at: datetime) -> list[str]:
    """Codes of what stands in the way. The budget stays locked, so that two cannot both use its last part."""
    GoodwillBudget.objects.select_for_update().filter(team=team).first()
    found = [] if may_give(by, cost) else [LIMIT]
    return found if room_of(team, at).holds(cost) else [*found, BUDGET]


def decide_goodwill(
    ticket: Ticket, *, by: User, at: datetime, goodwill: Goodwill, approve: bool, reason: str = ""
) -> Ticket:
    """Approve or refuse what was proposed. Nobody approves what they proposed themselves, nor above their
    own limit; above the team's budget only an administrator does."""
    if not approve and not reason.strip():
        raise Refused("reason_missing", _("Say why not."), field="reason")
    with acting(ticket, "decide-goodwill", by=by, at=at, any_version=True) as change:
        row = proposed(change.ticket, goodwill.pk)
        if row.by_id == by.pk:
            raise Refused("own_proposal", _("Somebody else decides about what you proposed."))
        if not may_give(by, row.cost):
            raise Refused("above_limit", _("This is above your own limit: somebody above you decides."))
        if approve:
            check_budget(row, by, at)
        row.state = Goodwill.GIVEN if approve else Goodwill.REFUSED
        row.reason = reason.strip()[:300]
        settle(row, by, at)
        row.save()
        tell(change, f"goodwill_{row.state}", row, row.reason, proposed_by=row.by_name)
        if row.by and row.by != by:
            occasion = f"goodwill:{row.pk}:{row.state}"
            notices.tell(
                row.by, "goodwill_decided", change.ticket, at, occasion, goodwill=row, by=name_of(by)
            )
    return change.ticket


def check_budget(row: Goodwill, by: User, at: datetime) -> None:
    GoodwillBudget.objects.select_for_update().filter(team=row.team).first()
    within = room_of(row.team, at).holds(row.cost)
    if not within and role_of(by) != StaffProfile.ADMINISTRATOR:
        raise Refused(
            "above_budget", _("The team’s budget of this month does not hold it: an administrator decides.")
        )


def withdraw_goodwill(ticket: Ticket, *, by: User, at: datetime, goodwill: Goodwill) -> Ticket:
    """Who proposed it takes it back before anybody decided."""
    with acting(ticket, "decide-goodwill", by=by, at=at, any_version=True) as change:
        row = proposed(change.ticket, goodwill.pk)
        if row.by_id != by.pk:
            raise Refused("not_yours", _("Only who proposed it may withdraw it."))
        row.state = Goodwill.WITHDRAWN
        settle(row, by, at)
        row.save()
        tell(change, "goodwill_withdrawn", row)
    return change.ticket


def proposed(ticket: Ticket, goodwill_id: int) -> Goodwill:
    row = Goodwill.objects.select_related("kind", "by", "team__calendar").filter(
        pk=goodwill_id, ticket=ticket, state=Goodwill.PROPOSED
    )
    found = row.first()
    if found is None:
        raise Refused("goodwill_decided", _("Somebody has decided about this already."))
    return found


def settle(row: Goodwill, by: User, at: datetime) -> None:
    row.decided_at, row.decided_by, row.decided_by_name = at, by, name_of(by)


def tell(change: Change, kind: str, row: Goodwill, text: str = "", **data: object) -> None:
    change.tell(kind, text, kind=row.kind.name, cost=str(row.cost), goodwill=row.pk, **data)


def ask_for_approval(ticket: Ticket, row: Goodwill, by: User, at: datetime) -> None:
    """Whoever is nearest above, is there, and may approve; where nobody above may, an administrator."""
    approver = approver_of(ticket, row.cost, by, at)
    if approver is not None:
        occasion = f"goodwill:{row.pk}"
        notices.tell(approver, "goodwill_to_approve", ticket, at, occasion, goodwill=row, by=name_of(by))


def approver_of(ticket: Ticket, cost: Decimal, by: User, at: datetime) -> User | None:
    above = [each for each in supervisors_from(ticket.team) if each != by and may_give(each, cost)]
    there = next((each for each in above if is_available(each, at)), None)
    return there or next(iter(above), None) or administrator(by)


def administrator(but: User) -> User | None:
    rows = User.objects.filter(ADMINISTRATORS, is_active=True)
    return rows.exclude(pk=but.pk).order_by("pk").first()
