"""Who gets a new ticket: one row per situation, named."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User

from recovery.assignment import choose_owner, cover_of, covered_by, is_available, supervisor_on_duty
from recovery.lifecycle import resolve
from recovery.models import Leave, Membership, StaffProfile, Team
from recovery.views.words import because_words
from surveys.models import Account, Customer
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast, join, make_calendar, make_user

Situation = Callable[[Cast], Any]


def away(user: User, start: datetime = MONDAY - DAY, end: datetime = MONDAY + DAY) -> None:
    Leave.objects.create(user=user, starts_at=start, ends_at=end)


def left(user: User) -> None:
    user.is_active = False
    user.save()


def of_account(owner: User | None) -> Situation:
    return lambda cast: cast.customer(account=Account.objects.create(name="Acme", owner=owner))


def owned(cast: Cast, name: str, but: Callable[[User], Any] = lambda _user: None) -> Any:
    owner: User = getattr(cast, name)
    but(owner)
    return of_account(owner)(cast)


def guest_owns(cast: Cast) -> Any:
    return of_account(User.objects.create(username="guest"))(cast)


def both(but: Callable[[User], Any]) -> Situation:
    return with_people("lina", "majun", but=but)


def with_people(*names: str, but: Callable[[User], Any]) -> Situation:
    def prepare(cast: Cast) -> None:
        for name in names:
            but(getattr(cast, name))

    return prepare


def loaded(lina: int, majun: int) -> Situation:
    def prepare(cast: Cast) -> None:
        for user, count in ((cast.lina, lina), (cast.majun, majun)):
            for _n in range(count):
                ticket = cast.ticket(team=cast.west)
                ticket.owner = user
                ticket.save()

    return prepare


def given_last_to_lina(cast: Cast) -> None:
    """Both have one; the rules gave Ma Jun hers first."""
    Membership.objects.filter(user=cast.lina).update(capacity=0)
    cast.ticket()
    Membership.objects.filter(user=cast.lina).update(capacity=20)
    cast.ticket()


def left_below_away(cast: Cast) -> None:
    left(cast.chen)
    away(cast.wu)


def settled_for_lina(cast: Cast) -> None:
    """Li Na has resolved two; Ma Jun has one open."""
    for _n in range(2):
        ticket = cast.ticket()
        ticket.owner = cast.lina
        ticket.save()
        resolve(ticket, by=cast.lina, at=MONDAY, cause_found=cast.late, what_was_done="Sent again")
    loaded(0, 1)(cast)


def nobody_there(cast: Cast) -> None:
    Membership.objects.filter(team=cast.east).delete()


def only(then: Callable[[Cast], Any]) -> Situation:
    """A team without members, and this."""

    def prepare(cast: Cast) -> None:
        nobody_there(cast)
        then(cast)

    return prepare


def newcomer(role: str | None) -> Situation:
    """Somebody without a single ticket joins a busy team."""

    def prepare(cast: Cast) -> None:
        loaded(1, 1)(cast)
        user = make_user("newcomer", role) if role else User.objects.create(username="newcomer")
        join(cast.east, user)

    return prepare


def capacity(**wanted: int) -> Situation:
    def prepare(cast: Cast) -> None:
        loaded(1, 2)(cast)
        for name, most in wanted.items():
            Membership.objects.filter(user=getattr(cast, name)).update(capacity=most)

    return prepare


@pytest.mark.parametrize(
    ("situation", "owner", "code"),
    [
        pytest.param(lambda c: owned(c, "ann"), "ann", "account_owner", id="the account's owner comes first"),
        pytest.param(
            lambda c: owned(c, "wu"), "wu", "account_owner", id="a supervisor may own an account as well"
        ),
        pytest.param(
            lambda c: owned(c, "ann", away), "lina", "least_loaded", id="an account's owner who is away"
        ),
        pytest.param(
            lambda c: owned(c, "ann", lambda u: away(u, MONDAY, MONDAY + HOUR)),
            "lina",
            "least_loaded",
            id="an account's owner whose leave begins this very moment",
        ),
        pytest.param(
            lambda c: owned(c, "ann", lambda u: away(u, MONDAY - HOUR, MONDAY)),
            "ann",
            "account_owner",
            id="an account's owner whose leave ends this very moment",
        ),
        pytest.param(
            lambda c: owned(c, "ann", left), "lina", "least_loaded", id="an account's owner who left"
        ),
        pytest.param(
            lambda c: owned(c, "vera"), "lina", "least_loaded", id="an account's owner who only reads"
        ),
        pytest.param(guest_owns, "lina", "least_loaded", id="an account's owner who does not work here"),
        pytest.param(of_account(None), "lina", "least_loaded", id="an account without an owner"),
        pytest.param(lambda c: c.customer(), "lina", "least_loaded", id="a customer without an account"),
        pytest.param(lambda _c: None, "lina", "least_loaded", id="nobody knows the customer"),
        pytest.param(loaded(1, 0), "majun", "least_loaded", id="who has the fewest open tickets"),
        pytest.param(loaded(2, 3), "lina", "least_loaded", id="tickets of other teams count as well"),
        pytest.param(loaded(1, 1), "lina", "least_loaded", id="of equals who was given one longest ago"),
        pytest.param(
            given_last_to_lina,
            "majun",
            "least_loaded",
            id="of equals not who was given the last",
        ),
        pytest.param(settled_for_lina, "lina", "least_loaded", id="what is resolved is no load"),
        pytest.param(capacity(lina=1), "majun", "least_loaded", id="who is full is passed over"),
        pytest.param(capacity(lina=2), "lina", "least_loaded", id="who has room for one more"),
        pytest.param(capacity(lina=1, majun=2), "chen", "supervisor_no_room", id="everybody is full"),
        pytest.param(
            lambda c: Membership.objects.filter(user=c.lina).update(takes_new=False),
            "majun",
            "least_loaded",
            id="who takes no new ones",
        ),
        pytest.param(with_people("lina", but=away), "majun", "least_loaded", id="a member who is away"),
        pytest.param(with_people("lina", but=left), "majun", "least_loaded", id="a member who left"),
        pytest.param(
            with_people("lina", but=lambda u: away(u, MONDAY, MONDAY + HOUR)),
            "majun",
            "least_loaded",
            id="leave that begins this very moment",
        ),
        pytest.param(
            with_people("lina", but=lambda u: away(u, MONDAY - HOUR, MONDAY)),
            "lina",
            "least_loaded",
            id="leave that ends this very moment",
        ),
        pytest.param(
            with_people("lina", but=lambda u: away(u, MONDAY + MINUTE, MONDAY + HOUR)),
            "lina",
            "least_loaded",
            id="leave that is still ahead",
        ),
        pytest.param(newcomer("agent"), "newcomer", "least_loaded", id="a newcomer gets the first"),
        pytest.param(newcomer("analyst"), "lina", "least_loaded", id="a member who only reads"),
        pytest.param(newcomer(None), "lina", "least_loaded", id="a member who has no profile"),
        pytest.param(both(away), "chen", "supervisor", id="everybody is away"),
        pytest.param(both(left), "chen", "supervisor", id="everybody left"),
        pytest.param(nobody_there, "chen", "supervisor", id="a team without members"),
        pytest.param(
            only(with_people("chen", but=away)), "wu", "supervisor", id="the supervisor is away as well"
        ),
        pytest.param(only(with_people("chen", but=left)), "wu", "supervisor", id="the supervisor left"),
        pytest.param(
            only(with_people("chen", "wu", but=away)), "chen", "supervisor", id="all above are away"
        ),
        pytest.param(
            only(left_below_away),
            "wu",
            "supervisor",
            id="the supervisor left and the one above is away",
        ),
    ],
)
def test_a_new_ticket_goes_to(cast: Cast, situation: Situation, owner: str, code: str) -> None:
    customer = situation(cast)
    choice = choose_owner(cast.east, customer if isinstance(customer, Customer) else None, MONDAY)
    assert (choice.owner.username, choice.reason["code"]) == (owner, code)


def test_it_says_how_loaded_the_chosen_one_is(cast: Cast) -> None:
    loaded(2, 3)(cast)
    assert choose_owner(cast.east, None, MONDAY).reason == {"code": "least_loaded", "load": 2, "capacity": 20}


def test_it_names_the_supervisor_even_where_nobody_works_here_any_more(cast: Cast) -> None:
    for user in (cast.chen, cast.wu):
        left(user)
    assert supervisor_on_duty(Team.objects.get(pk=cast.east.pk), MONDAY) == cast.chen


@pytest.mark.parametrize(
    ("name", "available"), [("lina", True), ("chen", True), ("admin", True), ("vera", False)]
)
def test_who_may_own_a_ticket_is_available(cast: Cast, name: str, available: bool) -> None:
    assert is_available(getattr(cast, name), MONDAY) == available


def team_that(cast: Cast, **fields: Any) -> Team:
    Team.objects.filter(pk=cast.east.pk).update(**fields)
    return Team.objects.get(pk=cast.east.pk)


def knows(user: User, *skills: str, languages: tuple[str, ...] = ()) -> None:
    StaffProfile.objects.filter(user=user).update(skills=list(skills), languages=list(languages))


class TestInTurn:
    def test_each_gets_one_after_the_other_whatever_they_carry(self, cast: Cast) -> None:
        loaded(5, 0)(cast)
        team = team_that(cast, strategy=Team.ROUND_ROBIN)
        assert [choose_owner(team, None, MONDAY).owner.username for _n in range(4)] == [
            "lina",
            "majun",
            "lina",
            "majun",
        ]
        assert choose_owner(team, None, MONDAY).reason == {"code": "round_robin", "load": 5, "capacity": 20}

    def test_who_was_away_gets_the_next_and_no_more_than_one(self, cast: Cast) -> None:
        team = team_that(cast, strategy=Team.ROUND_ROBIN)
        away(cast.majun, MONDAY - DAY, MONDAY + HOUR)
        assert [choose_owner(team, None, MONDAY).owner for _n in range(3)] == [cast.lina] * 3
        back = [choose_owner(team, None, MONDAY + HOUR).owner.username for _n in range(3)]
        assert back == ["majun", "lina", "majun"]

    def test_who_is_full_is_passed_over(self, cast: Cast) -> None:
        capacity(lina=1)(cast)
        team = team_that(cast, strategy=Team.ROUND_ROBIN)
        assert [choose_owner(team, None, MONDAY).owner for _n in range(2)] == [cast.majun] * 2


class TestSkill:
    @pytest.fixture
    def team(self, cast: Cast) -> Team:
        """Li Na carries less; Ma Jun has the skill and speaks Chinese."""
        loaded(0, 1)(cast)
        knows(cast.majun, "Billing", languages=("zh-hans",))
        return team_that(cast, strategy=Team.SKILL)

    @pytest.mark.parametrize(
        ("skill", "language", "owner", "code"),
        [
            ("billing ", "zh-hans", "majun", "skill_and_language"),
            ("billing", "en", "majun", "skill_and_language"),
            ("", "zh-hans", "majun", "language"),
            ("", "en", "lina", "language"),
            ("legal", "zh-hans", "majun", "language_no_skill"),
            ("legal", "en", "lina", "language_no_skill"),
        ],
    )
    def test_it_looks_at_both(
        self, cast: Cast, team: Team, skill: str, language: str, owner: str, code: str
    ) -> None:
        choice = choose_owner(team, cast.customer(locale=language), MONDAY, skill=skill)
        assert (choice.owner.username, choice.reason["code"]) == (owner, code)

    def test_it_says_what_nobody_has_and_falls_back_to_the_load(self, cast: Cast, team: Team) -> None:
        knows(cast.majun)
        customer = cast.customer(locale="zh-hans")
        assert choose_owner(team, customer, MONDAY, skill="legal").reason == {
            "code": "no_skill_or_language",
            "skill": "legal",
            "language": "zh-hans",
            "load": 0,
            "capacity": 20,
        }
        assert choose_owner(team, customer, MONDAY).reason["code"] == "no_language"
        assert choose_owner(team, None, MONDAY, skill="legal").reason["code"] == "no_skill"
        assert choose_owner(team, None, MONDAY).reason["code"] == "least_loaded"

    def test_the_skilled_one_without_the_language_comes_before_the_language(
        self, cast: Cast, team: Team
    ) -> None:
        knows(cast.majun, "billing")
        knows(cast.lina, languages=("zh-hans",))
        choice = choose_owner(team, cast.customer(locale="zh-hans"), MONDAY, skill="billing")
        assert (choice.owner, choice.reason["code"]) == (cast.majun, "skill_no_language")

    def test_who_has_the_skill_and_no_room_is_passed_over(self, cast: Cast, team: Team) -> None:
        Membership.objects.filter(user=cast.majun).update(capacity=1)
        choice = choose_owner(team, None, MONDAY, skill="billing")
        assert (choice.owner, choice.reason["code"]) == (cast.lina, "no_skill")


class TestWorkingHours:
    """It is 10:00 in Shanghai, and 2 in the morning in London."""

    @pytest.fixture
    def london(self, cast: Cast) -> User:
        """Ma Jun, who carries less, works in London."""
        loaded(3, 0)(cast)
        StaffProfile.objects.filter(user=cast.majun).update(calendar=make_calendar("London", "Europe/London"))
        return cast.majun

    def test_who_is_at_work_now_comes_first_and_the_reason_says_so(self, cast: Cast, london: User) -> None:
        choice = choose_owner(cast.east, None, MONDAY)
        assert (choice.owner, choice.reason.get("at_work")) == (cast.lina, True)
        assert because_words(choice.reason) == ("had the fewest open tickets (3 of 20), of those at work now")

    def test_later_it_is_the_other_way_round(self, cast: Cast, london: User) -> None:
        at = MONDAY + 7 * HOUR + 30 * MINUTE  # 17:30 and 9:30
        choice = choose_owner(cast.east, None, at)
        assert (choice.owner, choice.reason.get("at_work")) == (london, True)

    def test_at_night_it_is_given_out_all_the_same(self, cast: Cast, london: User) -> None:
        choice = choose_owner(cast.east, None, MONDAY + 16 * HOUR)
        assert (choice.owner, "at_work" in choice.reason) == (london, False)

    def test_who_is_at_work_and_full_gets_nothing(self, cast: Cast, london: User) -> None:
        Membership.objects.filter(user=cast.lina).update(capacity=3)
        assert choose_owner(cast.east, None, MONDAY).owner == london


class TestAccountOwner:
    def test_they_come_later_where_the_team_says_so(self, cast: Cast) -> None:
        team = team_that(cast, account_owner_first=False)
        assert choose_owner(team, owned(cast, "ann"), MONDAY).owner == cast.lina

    @pytest.mark.parametrize(
        ("here", "elsewhere", "gets_it"), [(1, 20, False), (2, 1, True), (None, 1, False), (None, 2, True)]
    )
    def test_their_room_is_that_of_the_team_or_of_the_largest_of_their_own(
        self, cast: Cast, here: int | None, elsewhere: int, gets_it: bool
    ) -> None:
        Membership.objects.filter(user=cast.ann).update(capacity=elsewhere)
        if here:
            join(cast.east, cast.ann, capacity=here)
        cast.ticket(team=cast.west)
        code = choose_owner(cast.east, owned(cast, "ann"), MONDAY).reason["code"]
        assert (code == "account_owner") == gets_it

    def test_an_agent_of_no_team_has_no_room(self, cast: Cast) -> None:
        Membership.objects.filter(user=cast.ann).delete()
        assert choose_owner(cast.east, owned(cast, "ann"), MONDAY).owner == cast.lina

    def test_who_takes_no_new_ones_is_passed_over(self, cast: Cast) -> None:
        Membership.objects.filter(user=cast.ann).update(takes_new=False)
        assert choose_owner(cast.east, owned(cast, "ann"), MONDAY).owner == cast.lina


class TestCover:
    def covered(self, user: User, cover: User | None) -> None:
        Leave.objects.create(user=user, starts_at=MONDAY - HOUR, ends_at=MONDAY + HOUR, cover=cover)

    def test_who_is_there_minds_their_own(self, cast: Cast) -> None:
        assert cover_of(cast.lina, cast.east, MONDAY) == cast.lina

    def test_a_cover_minds_it_while_they_are_away_and_no_longer(self, cast: Cast) -> None:
        self.covered(cast.lina, cast.majun)
        assert cover_of(cast.lina, cast.east, MONDAY) == cast.majun
        assert cover_of(cast.lina, cast.east, MONDAY + HOUR) == cast.lina
        assert covered_by(cast.majun, MONDAY) == {cast.lina.pk}
        assert covered_by(cast.majun, MONDAY + HOUR) == set()

    def test_a_chain_is_followed(self, cast: Cast) -> None:
        self.covered(cast.lina, cast.majun)
        self.covered(cast.majun, cast.ann)
        join(cast.east, cast.ann)
        assert cover_of(cast.lina, cast.east, MONDAY) == cast.ann
        assert covered_by(cast.ann, MONDAY) == {cast.lina.pk, cast.majun.pk}
        assert covered_by(cast.majun, MONDAY) == set()

    @pytest.mark.parametrize("end", ["loop", "nobody", "left", "reads", "no leave"])
    def test_it_ends_at_the_supervisor(self, cast: Cast, end: str) -> None:
        last = {"loop": cast.lina, "nobody": None, "reads": cast.vera}.get(end, cast.ann)
        if end in ("left", "no leave"):
            left(cast.ann if end == "left" else cast.lina)
        if end != "no leave":
            self.covered(cast.lina, cast.majun)
            self.covered(cast.majun, last)
        assert cover_of(cast.lina, cast.east, MONDAY) == cast.chen
        assert all(covered_by(person, MONDAY) == set() for person in (cast.chen, cast.vera))

    def test_a_cover_of_another_team_minds_only_what_they_see(self, cast: Cast) -> None:
        join(cast.west, cast.lina)
        self.covered(cast.lina, cast.ann)
        assert cover_of(cast.lina, cast.east, MONDAY) == cast.chen
        assert cover_of(cast.lina, cast.west, MONDAY) == cast.ann

    def test_whoever_supervises_from_above_may_cover(self, cast: Cast) -> None:
        self.covered(cast.lina, cast.wu)
        assert cover_of(cast.lina, cast.east, MONDAY) == cast.wu

    def test_of_two_leaves_the_one_with_a_cover_counts(self, cast: Cast) -> None:
        self.covered(cast.lina, cast.majun)
        self.covered(cast.lina, None)
        assert cover_of(cast.lina, cast.east, MONDAY) == cast.majun
