from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry

from recovery.lifecycle import Refused
from recovery.lifecycle.lost import mark_lost, take_back_lost
from surveys.models import Customer
from tests.make import DAY, MONDAY, Cast


def test_it_keeps_the_day_the_reason_and_who_said_it(cast: Cast) -> None:
    customer = cast.customer()
    mark_lost(customer, by=cast.chen, at=MONDAY, lost_at=MONDAY - DAY, reason="  Too \n dear ")
    row = Customer.objects.get(pk=customer.pk)
    assert (row.lost_at, row.lost_reason) == (MONDAY - DAY, "Too dear")
    entry = LogEntry.objects.get(object_id=str(customer.pk))
    assert (entry.user, entry.action_time) == (cast.chen, MONDAY)
    assert "lost_at" in entry.change_message


def test_it_may_be_corrected_and_taken_back(cast: Cast) -> None:
    customer = cast.customer()
    mark_lost(customer, by=cast.chen, at=MONDAY, lost_at=MONDAY, reason="Moved")
    mark_lost(customer, by=cast.admin, at=MONDAY, lost_at=MONDAY - 3 * DAY, reason="Price")
    assert Customer.objects.get(pk=customer.pk).lost_reason == "Price"
    for _ in range(2):
        take_back_lost(customer, by=cast.chen, at=MONDAY)
    row = Customer.objects.get(pk=customer.pk)
    assert (row.lost_at, row.lost_reason) == (None, "")
    assert LogEntry.objects.count() == 3


@pytest.mark.parametrize("who", ["lina", "vera"])
def test_only_who_leads_may(cast: Cast, who: str) -> None:
    customer = cast.customer()
    by = getattr(cast, who)
    with pytest.raises(Refused) as refused:
        mark_lost(customer, by=by, at=MONDAY, lost_at=MONDAY, reason="Moved")
    assert refused.value.code == "not_permitted"
    with pytest.raises(Refused) as refused:
        take_back_lost(customer, by=by, at=MONDAY)
    assert refused.value.code == "not_permitted"
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    ("lost_at", "reason", "code", "field"),
    [
        (None, "Moved", "day_missing", "day"),
        (MONDAY + DAY, "Moved", "day_ahead", "day"),
        (MONDAY, " \0 ", "reason_missing", "reason"),
        (MONDAY, "x" * 301, "reason_too_long", "reason"),
    ],
)
def test_it_says_what_is_missing(cast: Cast, lost_at: object, reason: str, code: str, field: str) -> None:
    customer = cast.customer()
    with pytest.raises(Refused) as refused:
        mark_lost(customer, by=cast.chen, at=MONDAY, lost_at=lost_at, reason=reason)  # type: ignore[arg-type]
    assert (refused.value.code, refused.value.field) == (code, field)
    assert Customer.objects.get(pk=customer.pk).lost_at is None
