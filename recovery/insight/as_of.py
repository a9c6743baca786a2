"""The same rows as they were at a past moment: told again from the events, which nobody changes.

What is kept without its history is as it is today: a customer's tier and attributes, who may see a ticket,
and that an answer was withdrawn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from django.db.models import F, Q
from django.db.models.fields.json import KeyTextTransform

from recovery.insight.kept import Answer, Ask, Facts, Row, heard_of, keys, rows_of
from recovery.insight.sent import deliveries
from recovery.lifecycle.lot import DRAWN_CYCLE
from recovery.models import Cause, Resurvey, Team, TicketEvent
from recovery.models.ticket import CLOSED, NEW, OPEN, RESOLVED, TicketQuerySet
from surveys.models import Response, ResponseVersion

# The kinds that say where a ticket stands, whose it is, and what was asked.
TELLING: Final = (
    *("opened", "cause_named", "resolved", "reopened", "closed", "merged"),
    *("resurvey_planned", "resurvey_held", "resurvey_asked", "held_out_asked", "outcome"),
)
PLANNED: Final = {"resurvey_planned": Resurvey.PLANNED, "resurvey_held": Resurvey.HELD}
NAMES: Final = (
    *("cause", "cause_said", "cause_found", "into"),
    *("outcome", "reason", "asked"),
)


def facts_then(cohort: TicketQuerySet, at: datetime) -> Facts:
    """In nine queries, however many tickets there are. Tickets opened later are not there."""
    past, teams = pasts_of(cohort, at), teams_before(at, cohort)
    causes = dict(Cause.objects.values_list("code", "pk"))
    rows = [as_it_was(row, past[row["pk"]], teams, causes) for row in rows_of(cohort) if row["pk"] in past]
    return Facts(
        rows=rows,
        resolved={ticket: told.resolved for ticket, told in past.items()},
        answers=answers_then(cohort, at),
        asks={ticket: told.asked() for ticket, told in past.items()},
        heard=heard_of(cohort, at),
        sent=deliveries(cohort, at),
    )


# --- the ticket ---------------------------------------------------------------------------------------------


class Told(NamedTuple):
    kind: str
    cycle: int
    at: datetime
    said: dict[str, str | None]


@dataclass(slots=True)
class Past:
    """What a ticket's events up to a moment say of it. Causes by code, as events name them."""

    status: str = NEW
    cycle: int = 1
    into: str = ""
    cause_found: str = ""
    cause_said: str = ""
    resolved: list[datetime] = field(default_factory=list)
    asks: dict[int, Ask] = field(default_factory=dict)
    by_lot: Ask | None = None

    def asked(self) -> list[Ask]:
        return [*([self.by_lot] if self.by_lot else []), *self.asks.values()]

    def hear(self, told: Told) -> None:
        said = told.said
        match told.kind:
            case "opened":
                pass
            case "cause_named":
                self.cause_said = said["cause"] or ""
            case "resolved":
                self.status = RESOLVED
                self.resolved.append(told.at)
                self.cause_said, self.cause_found = said["cause_said"] or "", said["cause_found"] or ""
            case "reopened":
                self.status, self.cycle = OPEN, told.cycle
                self.leave_unasked()
            case "closed":
                self.status = CLOSED
            case "merged":  # told on both tickets; only the one that ended says into which
                self.into = said["into"] or self.into
            case _:
                self.ask(told)

    def ask(self, told: Told) -> None:
        if told.kind == "held_out_asked":
            self.ask_by_lot(told)
            return
        ask = self.asks.get(told.cycle) or Ask(told.cycle, Resurvey.PLANNED, "", "", None)
        reason = told.said["reason"] or ""
        if told.kind == "outcome":
            ask = ask._replace(state=Resurvey.ENDED, outcome=told.said["outcome"] or "", reason=reason)
        elif told.kind == "resurvey_asked":
            ask = ask._replace(state=Resurvey.ASKED, reason="", asked_at=told.at)
        else:
            ask = ask._replace(state=PLANNED[told.kind], reason=reason)
        self.asks[told.cycle] = ask

    def ask_by_lot(self, told: Told) -> None:
        """The question of a hold-out belongs to no cycle: a ticket taken up again leaves it asked."""
        if told.said["asked"] == "true":
            self.by_lot = Ask(DRAWN_CYCLE, Resurvey.ASKED, "", "", told.at)

    def leave_unasked(self) -> None:
        """What nobody had answered ended when the ticket was taken up again, without an event of its own."""
        for cycle, ask in self.asks.items():
            if ask.state != Resurvey.ENDED:
                outcome = "no_answer" if ask.asked_at else "not_asked"
                self.asks[cycle] = ask._replace(state=Resurvey.ENDED, outcome=outcome, reason="reopened")


def pasts_of(cohort: TicketQuerySet, at: datetime) -> dict[int, Past]:
    found: dict[int, Past] = defaultdict(Past)
    for ticket, told in tellings(cohort, at):
        found[ticket].hear(told)
    return dict(found)


def tellings(cohort: TicketQuerySet, at: datetime) -> Iterator[tuple[int, Told]]:
    """What had been told by then, in the order it was told."""
    events = TicketEvent.objects.filter(ticket__in=keys(cohort), kind__in=TELLING, at__lte=at)
    said = {f"said_{name}": KeyTextTransform(name, "data") for name in NAMES}
    rows = events.order_by("ticket", "version").values_list("ticket", "kind", "cycle", "at")
    for ticket, kind, cycle, told_at, *values in rows.annotate(**said).iterator():
        yield ticket, Told(kind, cycle, told_at, dict(zip(NAMES, values, strict=True)))


def as_it_was(row: Row, past: Past, teams: Mapping[int, int], causes: Mapping[str, int]) -> Row:
    return {
        **row,
        "status": CLOSED if past.into else past.status,
        "cycle": past.cycle,
        "merged_into_id": row["merged_into_id"] if past.into else None,
        "team_id": teams.get(row["pk"], row["team_id"]),
        "cause_found_id": causes.get(past.cause_found),
        "cause_said_id": causes.get(past.cause_said),
    }


def teams_before(at: datetime, tickets: TicketQuerySet) -> dict[int, int]:
    """The team each of the tickets was with at that moment, where they were handed to another one since. Two
    queries.

    A team is known by its name, as events name it; where that name is gone, the ticket is not there.
    """
    assigned = TicketEvent.objects.filter(kind="assigned", at__gt=at, ticket__in=keys(tickets)).annotate(
        left=KeyTextTransform("team_from", "data"), joined=KeyTextTransform("team_to", "data")
    )
    # The earliest move comes last and stands.
    moves = assigned.exclude(left=F("joined")).order_by("-version")
    before = dict(moves.values_list("ticket", "left"))
    teams = dict(Team.objects.filter(name__in=set(before.values())).values_list("name", "pk"))
    return {ticket: teams[name] for ticket, name in before.items() if name in teams}


def of_teams_then(tickets: TicketQuerySet, teams: Iterable[int], at: datetime) -> TicketQuerySet:
    """Tickets that were with one of the teams at that moment; where its name is gone, those with it today."""
    wanted, before = set(teams), teams_before(at, tickets)
    there = [ticket for ticket, team in before.items() if team in wanted]
    return tickets.filter(Q(team__in=wanted) & ~Q(pk__in=list(before)) | Q(pk__in=there))


# --- answers ------------------------------------------------------------------------------------------------


class Earlier(NamedTuple):
    """What an answer that was changed later said at that moment."""

    band: str
    score: int | None
    at: datetime

    @property
    def is_scored(self) -> bool:
        return self.score is not None


def answers_then(
    cohort: TicketQuerySet, at: datetime, earlier: Mapping[int, Earlier] | None = None
) -> dict[int, list[Answer]]:
    """As `kept.answers_of`, of what had come in by then and as it read then.

    `earlier` are those `earlier_answers` finds, where they are known already.
    """
    earlier = earlier_answers(cohort, at) if earlier is None else earlier
    found: dict[int, list[Answer]] = defaultdict(list)
    for ticket, opening, opened_at, answer, is_valid in given(cohort, at, earlier):
        then = earlier.get(answer.pk)
        if then is not None:
            answer, is_valid = Answer(then.at, answer.pk, then.band), then.is_scored
        if is_valid and answer.pk != opening and answer.at >= opened_at:
            found[ticket].append(answer)
    return {ticket: sorted(answers) for ticket, answers in found.items()}


def given(
    cohort: TicketQuerySet, at: datetime, earlier: Mapping[int, Earlier]
) -> Iterator[tuple[int, int, datetime, Answer, bool]]:
    """Each ticket with its opening answer's key, when it was opened, and an answer of its person as it is
    now; whether it counts as it is.
    """
    path = "customer__responses__"
    late_enough = Q(**{f"{path}answered_at__gte": F("opened_at")}) | Q(**{f"{path}in": list(earlier)})
    rows = cohort.order_by().filter(
        late_enough,
        customer__responses__survey__line=F("line"),
        customer__responses__received_at__lte=at,
        customer__responses__state__in=[Response.COMPLETE, Response.UNANSWERED],
    )
    names = ("answered_at", "pk", "band", "state", "score")
    columns = rows.values_list("pk", "response_id", "opened_at", *(f"{path}{name}" for name in names))
    for ticket, opening, opened_at, answered_at, pk, band, state, score in columns:
        is_valid = state == Response.COMPLETE and score is not None
        yield ticket, opening, opened_at, Answer(answered_at, pk, band), is_valid


def earlier_answers(cohort: TicketQuerySet, at: datetime) -> dict[int, Earlier]:
    """By answer: those of the cohort's people that were changed after the moment, as they read at it.

    An earlier version was given when its source says so, else when it came in; a source that names when an
    answer was submitted is taken to have named the same time for every version of it.
    """
    fields = ("response", "score", "band", "replaced_at", "source_updated_at")
    rows = ResponseVersion.objects.filter(response__customer__in=cohort.order_by().values("customer"))
    names = (*fields, "response__submitted_at", "response__received_at")
    found: dict[int, Earlier] = {}
    came_in: dict[int, datetime] = {}
    for pk, score, band, replaced_at, updated_at, submitted_at, received_at in rows.order_by(
        "id"
    ).values_list(*names):
        if replaced_at > at and pk not in found:
            given_at = submitted_at or updated_at or came_in.get(pk, received_at)
            found[pk] = Earlier(band, score, given_at)
        came_in[pk] = replaced_at
    return found
