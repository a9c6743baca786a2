"""The board's page by mail: asked for, sent once a week or month, in the reader's hours and language."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recovery import reports
from recovery.lifecycle import Refused
from recovery.models import CalendarDay, Membership, ReportMail, StaffProfile, Target
from recovery.reports import period_before, start_report, stop_report
from surveys.models import Message
from tests.due import due, take_step
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast, make_calendar
from tests.recovery.insight.histories import ended_hold_out, heard, loop, low, put_right

WEEK = 7 * DAY
# The cast's Monday at nine, when the week of the East team begins.
OPENS = MONDAY - HOUR
# Wednesday 1 April 2026, nine o'clock in Shanghai.
FIRST = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)


def weekly(
    cast: Cast, user: User | None = None, query: str = "", at: datetime = MONDAY - 3 * DAY
) -> ReportMail:
    return start_report(user or cast.chen, rhythm="weekly", query=query, at=at)


def sent() -> Message:
    return Message.objects.get(kind="report")


class TestWhen:
    def test_it_comes_as_the_working_week_of_the_reader_begins(self, cast: Cast) -> None:
        row = weekly(cast)
        assert row.next_at == OPENS
        assert due("reports", OPENS - MINUTE) == []
        assert due("reports", OPENS) == [row.pk]

    def test_asked_for_on_monday_before_nine_it_comes_at_nine_and_later_a_week_on(self, cast: Cast) -> None:
        assert weekly(cast, at=OPENS - MINUTE).next_at == OPENS
        assert start_report(cast.wu, rhythm="weekly", query="", at=OPENS).next_at == OPENS + WEEK

    def test_the_month_s_comes_on_its_first_working_morning(self, cast: Cast) -> None:
        assert start_report(cast.chen, rhythm="monthly", query="", at=MONDAY).next_at == FIRST
        # 1 May 2026 is a Friday; on a holiday it is the Monday after.
        CalendarDay.objects.create(calendar=cast.calendar, date=date(2026, 5, 1), name="Holiday")
        late = start_report(cast.wu, rhythm="monthly", query="", at=FIRST)
        assert late.next_at == datetime(2026, 5, 4, 1, 0, tzinfo=UTC)

    def test_it_goes_by_the_reader_s_own_hours_and_zone(self, cast: Cast) -> None:
        StaffProfile.objects.filter(user=cast.bob).update(
            calendar=make_calendar("London", "Europe/London"), time_zone="Europe/London"
        )
        assert weekly(cast, cast.bob).next_at == OPENS + 8 * HOUR

    def test_its_days_are_the_last_whole_week_or_month(self, cast: Cast) -> None:
        week = period_before(cast.chen, "weekly", OPENS)
        assert (week.first, week.last) == (date(2026, 2, 23), date(2026, 3, 1))
        month = period_before(cast.chen, "monthly", FIRST)
        assert (month.first, month.last) == (date(2026, 3, 1), date(2026, 3, 31))
        year = period_before(cast.chen, "monthly", datetime(2026, 1, 2, 1, 0, tzinfo=UTC))
        assert (year.first, year.last) == (date(2025, 12, 1), date(2025, 12, 31))


class TestOnce:
    def test_it_is_sent_once_a_week_and_the_next_is_a_week_on(self, cast: Cast) -> None:
        row = weekly(cast)
        for at in (OPENS, OPENS, OPENS + HOUR):
            take_step("reports", row.pk, at)
        assert sent().dedup_key == f"report:{row.pk}:2026-02-23"
        row.refresh_from_db()
        assert row.next_at == OPENS + WEEK
        take_step("reports", row.pk, OPENS + WEEK)
        assert Message.objects.filter(kind="report").count() == 2

    def test_what_comes_three_days_late_is_left_out_and_the_next_comes_in_its_turn(self, cast: Cast) -> None:
        row = weekly(cast)
        take_step("reports", row.pk, OPENS + 3 * DAY)
        assert not Message.objects.filter(kind="report").exists()
        row.refresh_from_db()
        assert row.next_at == OPENS + WEEK

    def test_after_an_outage_of_weeks_one_comes_not_three(self, cast: Cast) -> None:
        row = weekly(cast)
        take_step("reports", row.pk, OPENS + 3 * WEEK)
        row.refresh_from_db()
        assert row.next_at == OPENS + 4 * WEEK
        assert Message.objects.filter(kind="report").count() == 0

    def test_who_left_or_has_no_address_gets_none(self, cast: Cast) -> None:
        row, other = weekly(cast), weekly(cast, cast.wu)
        User.objects.filter(pk=cast.chen.pk).update(is_active=False)
        User.objects.filter(pk=cast.wu.pk).update(email="")
        assert due("reports", OPENS) == []
        assert other.pk != row.pk

    def test_who_has_no_role_any_more_gets_none(self, cast: Cast) -> None:
        row = weekly(cast)
        StaffProfile.objects.filter(user=cast.chen).delete()
        take_step("reports", row.pk, OPENS)
        assert not Message.objects.filter(kind="report").exists()


class TestAsking:
    def test_the_same_twice_is_one(self, cast: Cast) -> None:
        assert weekly(cast, query="team=1&from=2026-01-01") == weekly(cast, query="team=1")
        assert ReportMail.objects.get().query == "team=1", "its days move on"

    @pytest.mark.parametrize(("rhythm", "code"), [("daily", "rhythm_unknown"), ("", "rhythm_unknown")])
    def test_a_rhythm_that_is_none_is_refused(self, cast: Cast, rhythm: str, code: str) -> None:
        with pytest.raises(Refused) as refused:
            start_report(cast.chen, rhythm=rhythm, query="", at=MONDAY)
        assert refused.value.code == code

    def test_without_an_address_it_cannot_be_asked_for(self, cast: Cast) -> None:
        cast.chen.email = ""
        with pytest.raises(Refused) as refused:
            weekly(cast)
        assert refused.value.code == "no_address"

    def test_there_is_an_end_to_how_many(self, cast: Cast) -> None:
        for number in range(reports.MOST):
            weekly(cast, query=f"touchpoint=T{number}")
        with pytest.raises(Refused) as refused:
            weekly(cast, query="touchpoint=more")
        assert refused.value.code == "too_many"
        assert weekly(cast, query="touchpoint=T1").pk

    def test_one_stops_one_s_own_only(self, cast: Cast) -> None:
        row = weekly(cast)
        assert not stop_report(cast.wu, row.pk)
        assert stop_report(cast.chen, row.pk)
        assert not ReportMail.objects.exists()


class TestWhatItSays:
    def send(self, row: ReportMail) -> Message:
        take_step("reports", row.pk, OPENS)
        return sent()

    def test_it_says_the_figures_in_words_and_bars_and_links_the_page(self, cast: Cast) -> None:
        thursday = MONDAY - 4 * DAY
        put_right(cast, low(cast, at=thursday), at=thursday + HOUR)
        low(cast, at=thursday)
        low(cast, at=MONDAY - 9 * DAY)
        Target.objects.create(metric="reached", value=60, by_day=date(2026, 6, 30))
        message = self.send(weekly(cast))
        assert message.subject == "What became of the low scores, 23 Feb to 1 Mar"
        for said in (
            "2 low scores came in.",
            "- Reached: 0 of 2",
            "- Late delivery: 1",
            "- reached: cannot tell yet, 0 of 2; target 60 % by 30 Jun",
            "/insight/board/?from=2026-02-23&to=2026-03-01",
            "every Monday",
            "/insight/mails/",
        ):
            assert said in message.text, said
        assert 'width="100%" height="14"' in message.html
        assert "<svg" not in message.html
        assert "<img" not in message.html
        assert message.not_after == OPENS + 5 * DAY

    def test_a_time_is_said_in_hours_also_where_not_half_are_done(self, cast: Cast) -> None:
        thursday = MONDAY - 4 * DAY
        heard(cast, low(cast, at=thursday), at=thursday + HOUR)
        for _ in range(11):
            low(cast, at=thursday)
        Target.objects.create(metric="first_contact_half", value=8, by_day=date(2026, 6, 30))
        message = self.send(weekly(cast))
        line = r"half of the customers heard: at risk, [\d.]+ h or more: 1 of 12 done; target 8 h by 30 Jun"
        assert re.search(line, message.text)
        assert "h or more: 1 of 12 done" in message.html

    def test_ten_or_more_have_shares_with_intervals_and_a_comparison(self, cast: Cast) -> None:
        at = MONDAY - 6 * DAY
        for _ in range(10):
            loop(cast, 9, at=at)
            loop(cast, 3, reached=False, at=at)
        text = self.send(weekly(cast)).text
        assert "- Recovered: 50 % (30 to 70), 10 of 20" in text
        assert "100 % of the reached are no longer detractors, against 0 % of those we did not reach" in text
        assert "Not randomised" in text

    def test_a_hold_out_that_has_ended_comes_before_what_is_not_randomised(self, cast: Cast) -> None:
        low(cast, at=MONDAY - 4 * DAY)
        ended_hold_out(cast, at=MONDAY - 20 * DAY, ended_at=MONDAY - 3 * DAY)
        message = self.send(weekly(cast))
        randomised = (
            "Do calls help? · Randomised. Of those followed up at once who answered, 80 % are no longer"
            " detractors, of those followed up later 40 %. That is no clear difference: 40 points (-2 to 67)."
        )
        assert message.text.index(randomised) < message.text.index("No longer detractors: 0 of 0 reached")
        assert randomised in message.html

    def test_one_ended_by_hand_says_so(self, cast: Cast) -> None:
        ended_hold_out(cast, at=MONDAY - 20 * DAY, ended_at=MONDAY - 3 * DAY, planned=50)
        text = self.send(weekly(cast)).text
        assert "Do calls help? · Randomised, but ended by hand after 10 of 50: an end that was chosen" in text

    def test_it_counts_what_the_reader_may_see_when_it_goes_out(self, cast: Cast) -> None:
        low(cast, at=MONDAY - 4 * DAY)
        low(cast, at=MONDAY - 4 * DAY, team=cast.west)
        row = weekly(cast, cast.lina)
        Membership.objects.filter(user=cast.lina).delete()
        Membership.objects.create(team=cast.west, user=cast.lina, capacity=5)
        take_step("reports", row.pk, OPENS)
        # One she owns, one of the team she joined.
        assert "2 low scores came in." in sent().text

    def test_a_filter_holds_and_one_that_is_gone_narrows_nothing(self, cast: Cast) -> None:
        low(cast, at=MONDAY - 4 * DAY)
        low(cast, at=MONDAY - 4 * DAY, team=cast.west)
        row = weekly(cast, cast.vera, query=f"team={cast.west.pk}")
        other = weekly(cast, cast.admin, query="team=999&survey=x&segment=nonsense")
        for each in (row, other):
            take_step("reports", each.pk, OPENS + HOUR)
        mine = Message.objects.get(kind="report", user=cast.vera)
        assert "1 low score came in." in mine.text
        assert "West" in mine.text
        assert f"team={cast.west.pk}" in mine.text
        theirs = Message.objects.get(kind="report", user=cast.admin)
        assert "2 low scores came in." in theirs.text
        assert "all teams · all surveys" in theirs.text

    def test_a_quiet_week_is_said_too(self, cast: Cast) -> None:
        text = self.send(weekly(cast)).text
        assert "0 low scores came in." in text
        assert "Recovered: –" in text

    def test_it_is_in_the_language_of_the_reader(self, cast: Cast) -> None:
        cast.chen.staff.locale = "zh-hans"
        cast.chen.staff.save()
        put_right(cast, low(cast, at=MONDAY - 4 * DAY), at=MONDAY - 3 * DAY)
        message = self.send(weekly(cast))
        assert message.locale == "zh-hans"
        assert "送货晚了" in message.text

    def test_it_takes_as_many_queries_for_many_as_for_few(self, cast: Cast) -> None:
        row, other = weekly(cast), weekly(cast, query="touchpoint=x")
        low(cast, at=MONDAY - 4 * DAY)
        with CaptureQueriesContext(connection) as few:
            take_step("reports", row.pk, OPENS)
        for _ in range(8):
            put_right(cast, low(cast, at=MONDAY - 4 * DAY), at=MONDAY - 3 * DAY)
        with CaptureQueriesContext(connection) as many:
            take_step("reports", other.pk, OPENS)
        assert len(many) <= len(few) + 3, "what causes and answers are called"
