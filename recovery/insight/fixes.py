"""Did the fix work: low scores with a cause before and after something was done about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db.models import BooleanField, Case, Count, Q, Value, When
from django.utils import timezone

from dispatch.clock import midnight
from recovery.insight.cohort import ASKED, Slice, Story, low_scores, stories
from recovery.insight.recovery import Rate, tally
from recovery.insight.said import which_answers
from recovery.insight.told import Told, one_of
from recovery.models import Initiative, Resurvey, Team, Ticket, TicketEvent
from recovery.models.ticket import TicketQuerySet
from surveys.estimates import Difference, newcombe_difference
from surveys.models import Survey
from surveys.results.answers import given, valid, within

USUAL_DAYS: Final = 90


@dataclass(frozen=True, slots=True)
class View:
    """What a reader may see, at which moment; `then` where that is a past one."""

    seen: TicketQuerySet
    sees_everything: bool
    at: datetime
    then: bool


class Answers(NamedTuple):
    """Valid answers, and how many of them are low scores with the cause; with it or none known yet."""

    given: int
    with_cause: int
    at_most: int


@dataclass(frozen=True, slots=True)
class Span:
    """`days` whole days from `first` on: the low scores given in them, and how many had the cause.

    `answers` are all valid answers of these days; None for a team, to which no answer belongs, and for a
    reader who does not see every ticket. A low score whose answer is blank or withdrawn by now stays a low
    score, and is none of them.
    """

    first: date
    days: int
    low: int
    with_cause: int
    unknown: int
    answers: Answers | None

    @property
    def last(self) -> date:
        return self.first + timedelta(days=self.days - 1)

    @property
    def of_answers(self) -> Rate | None:
        """Of all answers. Those whose cause is not known yet count as others."""
        return Rate(self.answers.with_cause, self.answers.given) if self.answers else None

    @property
    def at_most(self) -> Rate | None:
        """The same if every cause that is not known yet were this one."""
        return Rate(self.answers.at_most, self.answers.given) if self.answers else None

    @property
    def of_known(self) -> Rate:
        return Rate(self.with_cause, self.low - self.unknown)


@dataclass(frozen=True, slots=True)
class Hurt:
    """People it had let down before its day and who were first asked again after it."""

    asked: int
    recovered: Rate


@dataclass(frozen=True, slots=True)
class Fix:
    """An initiative with its two spans of equal length; none while it has no whole day behind it."""

    initiative: Initiative
    before: Span | None
    after: Span | None
    hurt: Hurt

    @property
    def of_answers(self) -> Difference | None:
        """After less before, as fractions of 1; None below ten answers on either side."""
        if self.before is None or self.after is None:
            return None
        return difference(self.after.of_answers, self.before.of_answers)

    @property
    def of_known(self) -> Difference | None:
        if self.before is None or self.after is None:
            return None
        return difference(self.after.of_known, self.before.of_known)

    @property
    def holds_at_most(self) -> bool:
        """Whether it is still clearly less if all causes not known yet, of the days after, were this one."""
        if self.before is None or self.after is None:
            return False
        worst = difference(self.after.at_most, self.before.of_answers)
        return worst is not None and worst.interval.high < 0


def difference(ours: Rate | None, theirs: Rate | None) -> Difference | None:
    if ours is None or theirs is None or ours.share is None or theirs.share is None:
        return None
    return newcombe_difference(ours.hits, ours.n, theirs.hits, theirs.n)


def fix(view: View, initiative: Initiative) -> Fix:
    """Days are those of the current time zone; the day that is running belongs to neither span."""
    days = days_of(view, initiative)
    if days < 1:
        return Fix(initiative, None, None, hurt(view, initiative))
    before, after = spans(view, initiative, days)
    return Fix(initiative, before, after, hurt(view, initiative))


def days_of(view: View, initiative: Initiative) -> int:
    """How many whole days each span has; below 1 there is none."""
    # The last moment of a past day is all of it.
    today = timezone.localtime(view.at + timedelta(microseconds=1)).date()
    return min(USUAL_DAYS, (today - initiative.since).days)


def which(view: View, initiative: Initiative, first: date | None, end: date) -> Slice:
    return Slice(
        start=midnight(first) if first else None,
        end=midnight(end),
        survey=initiative.survey_id,
        teams=frozenset(Team.ids_below({initiative.team_id})) if initiative.team_id else None,
        as_of=view.at if view.then else None,
    )


def spans(view: View, initiative: Initiative, days: int) -> tuple[Span, Span]:
    """As many days before it as since."""
    day = initiative.since
    start, end = day - timedelta(days=days), day + timedelta(days=days)
    whole = which(view, initiative, start, end)
    if view.then:
        told = [Told(view.seen, which(view, initiative, *ends)) for ends in ((start, day), (day, end))]
        low = causes_then(*told)
    else:
        told, low = [], causes_now(view, initiative, whole)

    def of_causes(causes: Collection[int | None]) -> TicketQuerySet:
        if told:
            before, since = (each.behind([("cause_found", causes)]) for each in told)
            return before | since
        return low_scores(view.seen, whole).filter(one_of("cause_found", causes))

    has_answers = initiative.team_id is None and view.sees_everything
    answers = answers_of(initiative, whole, of_causes) if has_answers else None

    def span(since: bool) -> Span:
        return Span(
            day if since else start,
            days,
            low=low[since].total(),
            with_cause=low[since][initiative.cause_id],
            unknown=low[since][None],
            answers=answers[since] if answers else None,
        )

    return span(False), span(True)


# How many low scores there are by their cause; False stands for the days before, True for those since.
Causes = dict[bool, Counter[int | None]]


def causes_now(view: View, initiative: Initiative, whole: Slice) -> Causes:
    """In one query."""
    cohort: Any = low_scores(view.seen, whole)
    rows = cohort.order_by().annotate(since=given_since(initiative)).values_list("since", "cause_found")
    found: Causes = {False: Counter(), True: Counter()}
    for since, cause, count in rows.annotate(count=Count("pk", distinct=True)):
        found[since][cause] += count
    return found


def causes_then(before: Told, since: Told) -> Causes:
    """As the causes were known at that moment."""
    told = {False: before.counted("cause_found"), True: since.counted("cause_found")}
    return {side: tally(some, lambda story: story.cause_found) for side, some in told.items()}


def behind(
    view: View, initiative: Initiative, *, since: bool, causes: Collection[int | None] | None
) -> TicketQuerySet:
    """The low scores that one of the spans counts: with one of these causes, or all of them."""
    day, length = initiative.since, timedelta(days=days_of(view, initiative))
    if length < timedelta(days=1):
        return Ticket.objects.none()
    span = which(view, initiative, *((day, day + length) if since else (day - length, day)))
    if view.then:
        told = Told(view.seen, span)
        return told.tickets() if causes is None else told.behind([("cause_found", causes)])
    cohort = low_scores(view.seen, span)
    return cohort if causes is None else cohort.filter(one_of("cause_found", causes))


def given_since(initiative: Initiative) -> Case:
    after = When(given_at__gte=midnight(initiative.since), then=Value(True))
    return Case(after, default=Value(False), output_field=BooleanField())


def answers_of(
    initiative: Initiative, asked: Slice, of_causes: Callable[[Collection[int | None]], TicketQuerySet]
) -> dict[bool, Answers]:
    """All valid answers before and since, and the low scores among them; an answer is of its own day.

    `of_causes` are the tickets with one of these causes. What is counted of the answers is one of them: an
    answer that was blanked or withdrawn since its ticket was opened is in neither.
    """
    said = which_answers(asked)
    surveys = [initiative.survey] if initiative.survey else list(Survey.objects.all())
    rows: Any = within(valid(given(surveys, said)), "given_at", said.since, said.until)
    known, perhaps = ([initiative.cause_id], [initiative.cause_id, None])
    counts = (
        rows.annotate(after=given_since(initiative))
        .values_list("after")
        .annotate(
            given=Count("pk"),
            with_cause=Count("pk", filter=Q(pk__in=of_causes(known).order_by().values("response"))),
            at_most=Count("pk", filter=Q(pk__in=of_causes(perhaps).order_by().values("response"))),
        )
    )
    found = {since: Answers(*numbers) for since, *numbers in counts}
    return {since: found.get(since, Answers(0, 0, 0)) for since in (False, True)}


def hurt(view: View, initiative: Initiative) -> Hurt:
    told = hurt_stories(view, initiative)
    answered = [story for story in told if story.answered]
    return Hurt(len(told), Rate(sum(story.recovered for story in answered), len(answered)))


def hurt_stories(view: View, initiative: Initiative) -> list[Story]:
    """Whoever was asked again before its day already is left out: their answer says nothing about it."""
    day = midnight(initiative.since)
    cohort = low_scores(view.seen, which(view, initiative, None, initiative.since))
    asks = Resurvey.objects.filter(asked_at__lte=view.at)
    late = asks.filter(asked_at__gte=day).values("ticket")
    early = asks.filter(asked_at__lt=day).values("ticket")
    rows = Ticket.objects.filter(pk__in=cohort.values("pk")).filter(pk__in=late).exclude(pk__in=early)
    if view.then:
        # A cause is found by a resolution, and by nothing else: few were resolved with this one by then.
        found = TicketEvent.objects.filter(kind="resolved", data__cause_found=initiative.cause.code)
        rows = rows.filter(pk__in=found.filter(at__lte=view.at).values("ticket"))
    else:
        rows = rows.filter(cause_found=initiative.cause)
    told = stories(rows, view.at if view.then else None)
    return [story for story in told if story.cause_found == initiative.cause_id and story.stage == ASKED]
