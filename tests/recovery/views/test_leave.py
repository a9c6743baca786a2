from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recovery.assignment.leave import keep_leave
from recovery.models import DigestLine, Leave
from tests.make import DAY, HOUR, MONDAY, Cast, join, make_user
from tests.recovery.views.conftest import SignIn

TUESDAY = {"starts_at": "2026-03-03T09:00", "ends_at": "2026-03-05T09:00"}


def test_it_keeps_ones_own_leave_with_who_covers(cast: Cast, sign_in: SignIn) -> None:
    lina = sign_in(cast.lina)
    form = {**TUESDAY, "user": cast.lina.pk, "cover": cast.majun.pk, "note": "Harbin"}
    page = lina.post("/leave/", form, follow=True).content.decode()
    assert "The leave of Li Na is kept; Ma Jun covers." in page
    leave = Leave.objects.get()
    # Written on the reader's clock: Shanghai.
    assert (leave.user, leave.cover, leave.starts_at) == (cast.lina, cast.majun, MONDAY + DAY - HOUR)
    assert "Harbin" in page


def test_it_says_so_where_the_cover_is_away_too(cast: Cast, sign_in: SignIn) -> None:
    Leave.objects.create(user=cast.majun, starts_at=MONDAY + DAY, ends_at=MONDAY + 2 * DAY)
    form = {**TUESDAY, "user": cast.lina.pk, "cover": cast.majun.pk}
    page = sign_in(cast.lina).post("/leave/", form, follow=True).content.decode()
    assert "Ma Jun covers, but is away for part of it." in page


def test_leave_still_ahead_is_cancelled_and_not_over(cast: Cast, sign_in: SignIn) -> None:
    ahead = Leave.objects.create(user=cast.lina, starts_at=MONDAY + DAY, ends_at=MONDAY + 2 * DAY)
    page = sign_in(cast.lina).post(f"/leave/{ahead.pk}/end/", follow=True).content.decode()
    assert "The leave is cancelled." in page


def test_a_supervisor_enters_it_for_their_people(cast: Cast, sign_in: SignIn) -> None:
    sign_in(cast.chen).post("/leave/", {**TUESDAY, "user": cast.lina.pk})
    assert (Leave.objects.get().user, Leave.objects.get().cover) == (cast.lina, None)


@pytest.mark.parametrize(
    ("who", "for_whom"), [("lina", "majun"), ("lina", "chen"), ("chen", "ann"), ("ann", "lina")]
)
def test_nobody_enters_it_for_others(cast: Cast, sign_in: SignIn, who: str, for_whom: str) -> None:
    form = {**TUESDAY, "user": getattr(cast, for_whom).pk, "note": "typed"}
    answer = sign_in(getattr(cast, who)).post("/leave/", form)
    assert answer.status_code == 422
    assert "typed" in answer.content.decode()
    assert not Leave.objects.exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ends_at": "2026-03-03T09:00"}, "Leave must end after it begins."),
        ({"starts_at": "2026-02-01T09:00", "ends_at": "2026-02-02T09:00"}, "This time is over."),
        ({"starts_at": ""}, "This field is required."),
        (
            {"starts_at": "2026-03-08T09:00", "ends_at": "2026-03-12T09:00"},
            "There is leave at this time already",
        ),
        ({"cover": "lina"}, "Nobody covers for themselves."),
        ({"cover": "ann"}, "Select a valid choice."),
        ({"cover": "vera"}, "Select a valid choice."),
    ],
)
def test_it_refuses_beside_the_field_and_loses_nothing(
    cast: Cast, sign_in: SignIn, change: dict[str, str], words: str
) -> None:
    Leave.objects.create(user=cast.lina, starts_at=MONDAY + 7 * DAY, ends_at=MONDAY + 9 * DAY)
    form = {**TUESDAY, "user": str(cast.lina.pk), "note": "typed", **change}
    if "cover" in change:
        form["cover"] = str(getattr(cast, change["cover"]).pk)
    answer = sign_in(cast.lina).post("/leave/", form)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert words in page
    assert 'value="typed"' in page
    assert Leave.objects.count() == 1


def test_a_supervisor_of_several_teams_chooses_a_cover_who_sees_the_tickets(
    cast: Cast, sign_in: SignIn
) -> None:
    form = {**TUESDAY, "user": cast.lina.pk, "cover": cast.ann.pk}
    page = sign_in(cast.admin).post("/leave/", form).content.decode()
    assert "Choose somebody who works in the same team" in page
    join(cast.east, cast.ann)
    assert sign_in(cast.admin).post("/leave/", form).status_code == 302


def test_leave_one_after_the_other_is_no_overlap(cast: Cast, sign_in: SignIn) -> None:
    lina = sign_in(cast.lina)
    lina.post("/leave/", {**TUESDAY, "user": cast.lina.pk})
    lina.post(
        "/leave/", {"starts_at": "2026-03-05T09:00", "ends_at": "2026-03-06T09:00", "user": cast.lina.pk}
    )
    assert Leave.objects.count() == 2


class TestEnding:
    def test_who_is_back_early_is_away_no_longer(self, cast: Cast, sign_in: SignIn) -> None:
        leave = Leave.objects.create(user=cast.lina, starts_at=MONDAY - DAY, ends_at=MONDAY + DAY)
        sign_in(cast.lina).post(f"/leave/{leave.pk}/end/")
        leave.refresh_from_db()
        assert leave.ends_at == MONDAY + HOUR / 2

    def test_what_was_kept_until_its_end_is_told_sooner(self, cast: Cast, sign_in: SignIn) -> None:
        leave = Leave.objects.create(user=cast.lina, starts_at=MONDAY - DAY, ends_at=MONDAY + DAY)
        line = {"ticket": cast.ticket(), "kind": "goodwill_decided", "due_at": MONDAY, "at": MONDAY}
        kept = DigestLine.objects.create(user=cast.lina, dedup_key="a", send_at=MONDAY + DAY, **line)
        other = DigestLine.objects.create(user=cast.majun, dedup_key="b", send_at=MONDAY + DAY, **line)
        sign_in(cast.lina).post(f"/leave/{leave.pk}/end/")
        kept.refresh_from_db()
        other.refresh_from_db()
        assert (kept.send_at, other.send_at) == (MONDAY + HOUR / 2, MONDAY + DAY)

    def test_what_has_not_begun_never_was(self, cast: Cast, sign_in: SignIn) -> None:
        leave = Leave.objects.create(user=cast.lina, starts_at=MONDAY + DAY, ends_at=MONDAY + 2 * DAY)
        sign_in(cast.chen).post(f"/leave/{leave.pk}/end/")
        assert not Leave.objects.exists()

    def test_somebody_elses_does_not_exist(self, cast: Cast, sign_in: SignIn) -> None:
        leave = Leave.objects.create(user=cast.lina, starts_at=MONDAY + DAY, ends_at=MONDAY + 2 * DAY)
        assert sign_in(cast.majun).post(f"/leave/{leave.pk}/end/").status_code == 404
        assert Leave.objects.exists()


def test_analysts_have_none(cast: Cast, sign_in: SignIn) -> None:
    assert sign_in(cast.vera).get("/leave/").status_code == 403


@pytest.mark.parametrize("number", [1, 60])
def test_it_asks_at_most_twelve_times(cast: Cast, sign_in: SignIn, number: int) -> None:
    for n in range(number):
        user = make_user(f"agent{n}")
        join(cast.east, user)
        Leave.objects.create(user=user, starts_at=MONDAY, ends_at=MONDAY + DAY, cover=cast.lina)
    chen = sign_in(cast.chen)
    chen.get("/leave/")
    with CaptureQueriesContext(connection) as queries:
        assert chen.get("/leave/").status_code == 200
    assert len(queries) <= 12, [each["sql"][:90] for each in queries]


@pytest.mark.django_db(transaction=True)
def test_two_that_overlap_are_not_both_kept_however_close_they_come(transactional_db: None) -> None:
    cast = Cast()
    gate = Barrier(4)

    def enter(_number: int) -> bool:
        try:
            gate.wait()
            keep_leave(Leave(user=cast.lina, starts_at=MONDAY, ends_at=MONDAY + DAY))
        except ValidationError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(enter, range(4))) == [False, False, False, True]
    assert Leave.objects.count() == 1


def test_it_offers_tomorrow_on_the_readers_clock(cast: Cast, sign_in: SignIn) -> None:
    page = sign_in(cast.lina).get("/leave/")
    assert 'value="2026-03-03T00:00"' in page.content.decode()
    assert 'value="2026-03-04T09:00"' in page.content.decode()
    assert "Times are on your own clock, Shanghai." in page.content.decode()
    given = {"user": cast.lina.pk, "starts_at": "2026-03-03T00:00", "ends_at": "2026-03-04T09:00"}
    assert sign_in(cast.lina).post("/leave/", given).status_code == 302
    (kept,) = Leave.objects.all()
    assert (kept.starts_at, kept.ends_at) == (MONDAY + 14 * HOUR, MONDAY + 47 * HOUR)
