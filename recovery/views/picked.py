"""What was pressed on the board: one standing, of one owner, team or touchpoint; and the rows behind it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from recovery.insight import standing
from recovery.insight.standing import Cell, Measure
from recovery.models.ticket import TicketQuerySet
from recovery.views.tickets import number

NO_PLACE: Final = "-"

# In the order of the tabs: the word, and what it means.
TABS: Final[dict[str, tuple[str | Promise, str | Promise]]] = {
    standing.LATE: (_("Overdue"), _("A promise has passed and is not kept yet.")),
    standing.RISK: (
        _("At risk"),
        _(
            "At their team’s pace of the last five working days these will not be met in time. Where a team "
            "did too little in those days to tell, these fall due within 4 working hours."
        ),
    ),
    standing.SILENT: (
        _("Not contacted"),
        _("Nobody was heard yet; the first contact is late or due within 4 working hours."),
    ),
    standing.STUCK: (
        _("Waiting too long"),
        _(
            "The clock has stood for the customer for more than five working days, or past the time it was "
            "to run again."
        ),
    ),
    standing.TWICE: (
        _("Broken twice"),
        _("Both deadlines of this cycle have passed, or deadlines of two cycles have."),
    ),
}


@dataclass(frozen=True)
class Picked:
    """`every` is all open work, whatever its standing."""

    tab: str = standing.LATE
    every: bool = False
    owner: int = 0
    team: int = 0
    touchpoint: str = ""

    @classmethod
    def from_query(cls, query: QueryDict) -> Picked:
        """A value that does not exist finds nothing; a tab that does not is the first."""
        text = {name: query.get(name, "").replace("\0", "").strip() for name in ("tab", "owner", "team")}
        return cls(
            tab=text["tab"] if text["tab"] in TABS else standing.LATE,
            every=bool(query.get("all")),
            owner=number(text["owner"]) or (-1 if text["owner"] else 0),
            team=number(text["team"]) or (-1 if text["team"] else 0),
            touchpoint=query.get("touchpoint", "").replace("\0", "").strip(),
        )

    @property
    def narrowed(self) -> bool:
        return bool(self.owner or self.team or self.touchpoint)

    @property
    def place(self) -> str:
        return "" if self.touchpoint == NO_PLACE else self.touchpoint

    def told(self) -> dict[str, Any]:
        return asdict(self)

    def rows(self, tickets: TicketQuerySet, now: Measure) -> TicketQuerySet:
        """The tickets of this choice among these."""
        rows = tickets.in_work()
        if not self.every:
            rows = rows.filter(standing.conditions(now)[self.tab])
        if self.owner:
            rows = rows.filter(owner=self.owner)
        if self.team:
            rows = rows.filter(team=self.team)
        return rows.filter(touchpoint=self.place) if self.touchpoint else rows

    def count(self, cells: list[Cell]) -> int:
        """How many `rows` has, without asking again."""
        behind = (cell for cell in cells if self.holds(cell))
        return standing.total(behind, "all" if self.every else self.tab)

    def holds(self, cell: Cell) -> bool:
        return (
            self.owner in (0, cell["owner"])
            and self.team in (0, cell["team"])
            and (not self.touchpoint or self.place == cell["touchpoint"])
        )
