from datetime import UTC, datetime

from recovery.models import StaffProfile


def test_a_zone_that_the_data_no_longer_knows_counts_as_utc() -> None:
    at = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
    for name, hour in (("Asia/Shanghai", 10), ("Mars/Olympus", 2), ("", 2)):
        assert at.astimezone(StaffProfile(time_zone=name).zone).hour == hour, name
