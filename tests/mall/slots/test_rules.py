"""Times on the wall and moments, where clocks do odd things."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from app.mall.slots.rules import Series, Spell, clashes, local_time, monday_of, times_in, times_of

SHANGHAI, BERLIN, SANTIAGO = (ZoneInfo(name) for name in ("Asia/Shanghai", "Europe/Berlin", "America/Santiago"))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def test_a_time_on_the_wall_is_a_moment_of_its_zone():
    found = local_time(date(2026, 6, 16), time(10), 90, SHANGHAI)
    assert found.spell == Spell(utc(2026, 6, 16, 2), utc(2026, 6, 16, 3, 30))
    assert not found.twice


def test_midnight_belongs_to_the_day_that_begins():
    found = local_time(date(2026, 6, 16), time(0), 60, SHANGHAI)
    assert found.spell == Spell(utc(2026, 6, 15, 16), utc(2026, 6, 15, 17))


def test_a_time_that_clocks_leave_out_does_not_exist():
    assert local_time(date(2026, 3, 29), time(2, 30), 60, BERLIN).spell is None
    assert local_time(date(2026, 3, 29), time(3), 60, BERLIN).spell == Spell(utc(2026, 3, 29, 1), utc(2026, 3, 29, 2))


def test_midnight_itself_may_not_exist():
    """In Chile clocks go forward at midnight."""
    assert local_time(date(2026, 9, 6), time(0), 60, SANTIAGO).spell is None


def test_of_a_time_that_comes_twice_the_first_is_meant():
    found = local_time(date(2026, 10, 25), time(2, 30), 60, BERLIN)
    assert found.twice
    assert found.spell == Spell(utc(2026, 10, 25, 0, 30), utc(2026, 10, 25, 1, 30))


def test_the_length_counts_real_minutes():
    """From 1:30 an hour before clocks go forward: an hour later it is 3:30 on the wall."""
    found = local_time(date(2026, 3, 29), time(1, 30), 60, BERLIN)
    assert found.spell
    assert found.spell.ends_at.astimezone(BERLIN).time() == time(3, 30)


def test_a_series_is_every_time_on_its_weekdays():
    series = Series({0, 2}, date(2026, 6, 15), date(2026, 6, 24), [time(10), time(14)])
    assert [each.name for each in times_of(series, 60, SHANGHAI)] == [
        f"2026-06-{day}T{hour}:00" for day in (15, 17, 22, 24) for hour in (10, 14)
    ]


def test_what_touches_does_not_overlap():
    ten, eleven, late = (
        Spell(utc(2026, 6, 15, h), utc(2026, 6, 15, h + 1, m)) for h, m in ((10, 0), (11, 0), (10, 30))
    )
    assert clashes([ten, eleven], []) == set()
    assert clashes([ten, eleven], [late]) == {0, 1}
    assert clashes([ten, late, eleven], []) == {1}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("10:00, 14:30", [time(10), time(14, 30)]),
        ("14:30；9:00 9:00", [time(9), time(14, 30)]),
        ("23:59", [time(23, 59)]),
        ("24:00", None),
        ("10", None),
        ("ten", None),
        ("", None),
    ],
)
def test_times_of_day_are_read_as_people_write_them(text, found):
    assert times_in(text) == found


def test_weeks_begin_on_monday():
    assert monday_of(date(2026, 6, 15)) == monday_of(date(2026, 6, 21)) == date(2026, 6, 15)
