"""Back from leave before it was over: away no longer, and told what had been kept until its end."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from recovery.assignment.leave import end_leave
from recovery.lifecycle.own_time import opens_for
from recovery.models import DigestLine, Leave


@transaction.atomic
def come_back(leave: Leave, *, at: datetime) -> None:
    """The leave ends; what they are still to be told comes with their next working time."""
    end_leave(leave, at)
    opens = opens_for(leave.user, at)
    untold = DigestLine.objects.filter(user=leave.user, told_at=None, send_at__gt=opens)
    untold.update(send_at=opens)
