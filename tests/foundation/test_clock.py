"""Local days begin and end where the programme's timezone says, also when clocks change."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.foundation import clock

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("moment", "zone", "day"),
    [
        (datetime(2026, 1, 31, 15, 59, 59, tzinfo=UTC), SHANGHAI, date(2026, 1, 31)),
        (datetime(2026, 1, 31, 16, 0, tzinfo=UTC), SHANGHAI, date(2026, 2, 1)),
        (datetime(2025, 12, 31, 16, 0, tzinfo=UTC), SHANGHAI, date(2026, 1, 1)),
        (datetime(2028, 2, 28, 16, 0, tzinfo=UTC), SHANGHAI, date(2028, 2, 29)),
        (datetime(2026, 6, 15, 22, 0, tzinfo=UTC), BERLIN, date(2026, 6, 16)),
    ],
)
def test_the_local_day_of_a_moment(moment, zone, day):
    assert clock.local_date(moment, zone) == day


def test_the_day_when_clocks_go_forward_has_23_hours():
    day = date(2026, 3, 29)
    assert clock.end_of(day, BERLIN) - clock.start_of(day, BERLIN) == timedelta(hours=23)


def test_the_day_when_clocks_go_back_has_25_hours():
    day = date(2026, 10, 25)
    assert clock.end_of(day, BERLIN) - clock.start_of(day, BERLIN) == timedelta(hours=25)


@pytest.mark.parametrize("zone", [SHANGHAI, BERLIN, ZoneInfo("America/Sao_Paulo"), ZoneInfo("Asia/Beirut")])
def test_each_day_of_ten_years_begins_where_the_one_before_ends(zone):
    day = date(2018, 1, 1)
    for _ in range(3653):
        tomorrow = day + timedelta(days=1)
        assert clock.end_of(day, zone) == clock.start_of(tomorrow, zone)
        assert clock.local_date(clock.end_of(day, zone) - timedelta(seconds=1), zone) == day
        assert clock.local_date(clock.start_of(day, zone), zone) == day
        day = tomorrow


def test_a_frozen_clock_stands_still_and_goes_on_afterwards():
    moment = datetime(2020, 1, 1, tzinfo=UTC)
    with clock.freeze(moment):
        assert clock.now() == moment
        with clock.freeze(moment + timedelta(days=1)):
            assert clock.now() == moment + timedelta(days=1)
        assert clock.now() == moment
    assert clock.now().year > 2020


def test_a_moment_without_timezone_is_refused():
    with pytest.raises(ValueError, match="timezone"), clock.freeze(datetime(2020, 1, 1)):  # noqa: DTZ001 - on purpose
        pass


def test_months_are_counted_over_the_years_end():
    assert clock.first_of_month(date(2026, 11, 30), 2) == date(2027, 1, 1)
    assert clock.first_of_month(date(2026, 1, 31), -1) == date(2025, 12, 1)
    assert clock.months_after(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert clock.months_after(date(2028, 2, 29), -12) == date(2027, 2, 28)
