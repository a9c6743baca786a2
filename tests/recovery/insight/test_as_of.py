"""A report drawn later as of a day is the report of that day."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from recovery.insight.as_of import facts_then
from recovery.insight.causes import FOUND, pareto
from recovery.insight.cohort import Slice, Story, low_scores, stories
from recovery.insight.recovery import recovery
from recovery.lifecycle import Refused, assign, end_unanswered, merge, name_cause, reopen
from recovery.models import Cause, Team, Ticket
from recovery.triage import triage
from surveys.intake.record import ResponseDraft, record
from surveys.models import Response
from tests.make import DAY, HOUR, MONDAY, Cast
from tests.recovery.insight.histories import answer, heard, loop, low, put_right, step, unknown

RESOLVED = MONDAY + DAY


def told_now(which: Slice = Slice()) -> list[Story]:  # noqa: B008
    return stories(low_scores(Ticket.objects.all(), which))


def told_then(at: datetime, **narrowed: object) -> list[Story]:
    which = Slice(as_of=at, **narrowed)  # type: ignore[arg-type]
    return stories(low_scores(Ticket.objects.all(), which), at)


def then(at: datetime) -> Story:
    (story,) = told_then(at)
    return story


def change(
    response: Response, score: int | None, *, at: datetime, updated_at: datetime | None = None
) -> None:
    """What the survey page does when somebody answers again: a new version of the same answer."""
    draft = ResponseDraft(
        survey=response.survey,
        source=response.source,
        external_id=response.external_id,
        score=score,
        comment=f"now {score}",
        updated_at=updated_at,
    )
    record(draft, at=at, replace=True, nudge=False)
    triage(response.pk, at=at)


class Seen(NamedTuple):
    """What the report said at a moment, of the people of one history."""

    at: datetime
    people: list[int | None]
    told: list[Story]
    in_west: list[Story]
    by_cause: list[tuple[int, int]]


def look(cast: Cast, people: list[int | None], at: datetime, as_of: datetime | None = None) -> Seen:
    """The whole report, of now or as of then, of the tickets of these people."""
    tickets = Ticket.objects.filter(customer__in=people)
    told = stories(low_scores(tickets, Slice(as_of=as_of)), as_of)
    west = Slice(teams=frozenset({cast.west.pk}), as_of=as_of)
    causes = [(row.cause.pk, row.count) for row in pareto(told, FOUND).rows]
    return Seen(at, people, told, stories(low_scores(tickets, west), as_of), causes)


def history(cast: Cast, chance: Random) -> Iterator[Seen]:
    """A ticket and whatever becomes of it by chance; looked at after every act."""
    at = MONDAY + chance.randrange(20) * DAY
    people = [low(cast, at=at).customer_id]
    for _ in range(chance.randrange(4, 16)):
        at += chance.choice([HOUR, DAY, 4 * DAY, 4 * DAY, 20 * DAY, 50 * DAY])
        theirs = Ticket.objects.filter(customer__in=people)
        ticket = chance.choice([theirs.latest("pk"), theirs.latest("pk"), theirs.earliest("pk")])
        whatever(cast, chance, ticket, at)
        yield look(cast, people, at)


def whatever(cast: Cast, chance: Random, ticket: Ticket, at: datetime) -> None:
    """What `step` does, and besides: another team, a cause named, an answer changed or taken back."""
    act = chance.choice(["step"] * 6 + ["team", "cause", "change"])
    try:
        if act == "step":
            step(cast, chance, ticket, at)
        elif act == "team":
            team, owner = chance.choice([(cast.west, cast.ann), (cast.east, cast.lina)])
            assign(ticket, by=cast.chen, at=at, to=owner, team=team, reason="yours")
        elif act == "cause":
            name_cause(ticket, by=cast.lina, at=at, cause=chance.choice([cast.late, cast.rude]))
        else:
            given = list(Response.objects.filter(customer=ticket.customer).order_by("answered_at"))
            change(chance.choice([given[0], given[-1]]), chance.choice([None, 1, 5, 7, 9, 10]), at=at)
    except Refused:
        pass


class TestAnyMoment:
    def test_it_tells_every_moment_as_it_was_told_then(self, cast: Cast) -> None:
        chance = Random(1)
        seen = [each for _ in range(7) for each in history(cast, chance)]
        for each in seen:
            assert look(cast, each.people, each.at, as_of=each.at) == each
        assert len({story.next for each in seen for story in each.told}) >= 6, "chance led far enough"

    def test_as_of_now_is_now(self, cast: Cast) -> None:
        chance = Random(5)
        at = max(each.at for _ in range(5) for each in history(cast, chance))
        assert told_then(at + DAY) == told_now()
        assert recovery(told_then(at + DAY)) == recovery(told_now())


class TestWhatHadHappened:
    def test_a_ticket_opened_later_is_not_there(self, cast: Cast) -> None:
        low(cast, at=MONDAY)
        low(cast, at=MONDAY + DAY)
        assert len(told_then(MONDAY + HOUR)) == 1
        assert len(told_then(MONDAY + DAY)) == 2
        assert told_then(MONDAY - HOUR) == []

    def test_it_walks_back_through_a_loop(self, cast: Cast) -> None:
        loop(cast, 9)
        states = [then(MONDAY + n * DAY).next for n in (0, 2, 4, 5)]
        assert states == ["in_work", "to_be_asked", "waiting", "promoter"]
        assert not then(MONDAY).reached
        assert then(MONDAY + HOUR).reached

    def test_an_end_without_an_answer_was_still_open_before(self, cast: Cast) -> None:
        ticket = loop(cast, None)
        end_unanswered(ticket.resurveys.get().pk, at=MONDAY + 30 * DAY)
        assert [then(MONDAY + n * DAY).next for n in (29, 30)] == ["waiting", "no_answer"]

    def test_what_was_asked_ends_when_the_ticket_is_taken_up_again(self, cast: Cast) -> None:
        ticket = loop(cast, None)
        reopen(Ticket.objects.get(pk=ticket.pk), by=cast.chen, at=MONDAY + 6 * DAY, reason="They called back")
        (asks,) = facts_then(Ticket.objects.all(), MONDAY + 7 * DAY).asks.values()
        resurvey = ticket.resurveys.get()
        assert asks == [(1, resurvey.state, resurvey.outcome, resurvey.reason, resurvey.asked_at)]

    def test_a_merged_ticket_was_one_of_its_own_before(self, cast: Cast) -> None:
        ticket, into = low(cast), low(cast)
        merge(ticket, by=cast.chen, at=RESOLVED, into=into)
        assert [story.next for story in told_then(RESOLVED - HOUR)] == ["in_work", "in_work"]
        assert [story.next for story in told_then(RESOLVED)] == ["merged", "in_work"]

    def test_an_answer_counts_from_the_day_it_came_in(self, cast: Cast) -> None:
        ticket = loop(cast, None)
        late = cast.response(9, customer=ticket.customer, at=MONDAY + 6 * DAY)
        Response.objects.filter(pk=late.pk).update(received_at=MONDAY + 20 * DAY)
        assert then(MONDAY + 19 * DAY).next == "waiting"
        assert then(MONDAY + 20 * DAY).next == "promoter"

    def test_who_could_not_be_asked_says_why_then_too(self, cast: Cast) -> None:
        put_right(cast, unknown(cast, MONDAY))
        assert (then(RESOLVED).next, then(RESOLVED).why) == ("not_asked", "unknown_customer")


class TestChangedAnswers:
    def test_one_counts_with_the_band_it_had(self, cast: Cast) -> None:
        ticket = loop(cast, 9)
        given = Response.objects.get(score=9)
        change(given, 7, at=MONDAY + 10 * DAY)
        change(given, 2, at=MONDAY + 20 * DAY)
        bands = [then(MONDAY + n * DAY).now for n in (5, 9, 10, 19, 20)]
        assert bands == ["promoter", "promoter", "passive", "passive", "detractor"]
        assert ticket.pk == then(MONDAY).ticket

    def test_one_blanked_since_had_its_score(self, cast: Cast) -> None:
        loop(cast, 9)
        change(Response.objects.get(score=9), None, at=MONDAY + 10 * DAY)
        assert then(MONDAY + 9 * DAY).next == "promoter"
        assert then(MONDAY + 10 * DAY).next == told_now()[0].next != "promoter"

    def test_an_earlier_version_was_given_when_its_source_says_so(self, cast: Cast) -> None:
        ticket = loop(cast, None)
        given = cast.response(9, customer=ticket.customer, at=MONDAY + 6 * DAY)
        Response.objects.filter(pk=given.pk).update(source_updated_at=MONDAY + 6 * DAY)
        given.refresh_from_db()
        change(given, 3, at=MONDAY + 30 * DAY, updated_at=MONDAY + 29 * DAY)
        facts = facts_then(Ticket.objects.filter(pk=ticket.pk), MONDAY + 20 * DAY)
        assert facts.answers[ticket.pk] == [(MONDAY + 6 * DAY, given.pk, "promoter")]

    def test_one_withdrawn_since_is_out_at_any_time(self, cast: Cast) -> None:
        loop(cast, 9)
        Response.objects.filter(score=9).update(state=Response.WITHDRAWN)
        assert then(MONDAY + 6 * DAY).next == "no_answer"


class TestWhoseItWas:
    def test_the_team_is_that_of_the_day(self, cast: Cast) -> None:
        ticket = low(cast)
        assign(ticket, by=cast.chen, at=RESOLVED, to=cast.ann, team=cast.west, reason="yours")
        east, west = frozenset({cast.east.pk}), frozenset({cast.west.pk})
        before, after = MONDAY + HOUR, RESOLVED
        assert [len(told_then(at, teams=teams)) for at in (before, after) for teams in (east, west)] == [
            1,
            0,
            0,
            1,
        ]
        assert [then(at).team for at in (before, after)] == [cast.east.pk, cast.west.pk]

    def test_of_a_team_renamed_since_today_s_stands(self, cast: Cast) -> None:
        ticket = low(cast)
        assign(ticket, by=cast.chen, at=RESOLVED, to=cast.ann, team=cast.west, reason="yours")
        Team.objects.filter(pk=cast.east.pk).update(name="Shanghai")
        assert then(MONDAY + HOUR).team == cast.west.pk
        assert len(told_then(MONDAY + HOUR, teams=frozenset({cast.west.pk}))) == 1

    def test_causes_are_those_known_by_then(self, cast: Cast) -> None:
        ticket = name_cause(low(cast), by=cast.lina, at=MONDAY + HOUR, cause=cast.rude)
        put_right(cast, ticket, at=RESOLVED)
        assert (then(MONDAY).cause_said, then(MONDAY).cause_found) == (None, None)
        assert (then(MONDAY + HOUR).cause_said, then(MONDAY + HOUR).cause_found) == (cast.rude.pk, None)
        assert (then(RESOLVED).cause_said, then(RESOLVED).cause_found) == (None, cast.late.pk)
        assert Cause.objects.count() >= 2


def test_it_asks_the_database_as_often_for_many_as_for_few(
    cast: Cast, django_assert_num_queries: object
) -> None:
    loop(cast, 9)
    for _ in range(5):
        loop(cast, 3)
    with django_assert_num_queries(9):  # type: ignore[operator]
        assert len(told_then(MONDAY + 30 * DAY)) == 6


def test_lasting_is_by_the_answer_after_the_converting_one_however_late(cast: Cast) -> None:
    ticket = loop(cast, 9)
    assert then(MONDAY + 6 * DAY).lasting == "no_answer"
    cast.response(8, customer=ticket.customer, at=MONDAY + 200 * DAY)
    assert told_now()[0].lasting == "passive"
    assert then(MONDAY + 199 * DAY).lasting == "no_answer"
    assert told_now()[0].now == "promoter", "two hundred days are beyond the horizon"
    answer(cast, heard(cast, low(cast)), 3, at=MONDAY + timedelta(hours=3))
    assert told_now()[1].lasting == ""
