"""Streaks, rewards and calendars, calculated from days alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.engagement.checkin.rules import (
    is_bonus,
    made_up_in,
    month_of,
    next_bonus,
    place_in_cycle,
    reward,
    streak,
    today_of,
)
from app.engagement.checkin.terms import CheckinTerms
from app.foundation.clock import local_date, start_of
from app.foundation.errors import InvalidInput

TABLE = CheckinTerms().table
TODAY = date(2026, 6, 15)
DAYS = st.dates(min_value=date(2020, 1, 1), max_value=date(2040, 12, 31))
SETS = st.sets(st.integers(min_value=0, max_value=60))


def back(*offsets: int, today: date = TODAY) -> set[date]:
    return {today - timedelta(days=offset) for offset in offsets}


@given(today=DAYS, length=st.integers(min_value=1, max_value=800))
@example(today=date(2026, 3, 1), length=3)
@example(today=date(2024, 3, 1), length=3)
@example(today=date(2027, 1, 1), length=40)
def test_a_streak_is_as_long_as_its_days_whatever_months_and_years_it_crosses(today, length):
    days = back(*range(length), today=today)
    gap = {today - timedelta(days=length + 1)}
    assert streak(days | gap, today) == length


@given(today=DAYS, length=st.integers(min_value=1, max_value=400))
def test_yesterdays_streak_stands_until_today_is_over(today, length):
    days = back(*range(1, length + 1), today=today)
    assert streak(days, today) == length
    assert streak(days | {today}, today) == length + 1
    assert streak(days, today + timedelta(days=1)) == 0


@given(today=DAYS, offsets=SETS)
def test_a_streak_ends_at_the_latest_missing_day(today, offsets):
    days = back(*offsets, today=today)
    first = 0 if 0 in offsets else 1
    expected = next(n for n in range(100) if first + n not in offsets)
    assert streak(days, today) == expected


@given(today=DAYS, offsets=SETS, made_up=st.integers(min_value=1, max_value=60))
def test_a_made_up_day_never_shortens_a_streak(today, offsets, made_up):
    days = back(*offsets, today=today)
    assert streak(days | back(made_up, today=today), today) >= streak(days, today)


@given(today=DAYS, offsets=SETS)
def test_days_to_come_are_no_part_of_a_streak(today, offsets):
    days = back(*offsets, today=today)
    assert streak(days | back(-1, -2, today=today), today) == streak(days, today)


@given(
    zone=st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Pacific/Apia", "Australia/Lord_Howe"]),
    first=DAYS,
    hours=st.lists(st.integers(min_value=0, max_value=22), min_size=1, max_size=30),
)
@example(zone="Europe/Berlin", first=date(2026, 3, 28), hours=[0, 2, 22])  # one of these days has 23 hours
@example(zone="Europe/Berlin", first=date(2026, 10, 24), hours=[22, 0, 22])  # and one of these 25
@example(zone="Pacific/Apia", first=date(2026, 12, 30), hours=[0, 22, 0])
def test_one_visit_on_each_local_day_is_a_streak_in_every_zone(zone, first, hours):
    zone = ZoneInfo(zone)
    moments = [start_of(first + timedelta(days=n), zone) + timedelta(hours=hour) for n, hour in enumerate(hours)]
    days = {local_date(moment, zone) for moment in moments}
    assert streak(days, first + timedelta(days=len(hours) - 1)) == len(hours)


def test_two_visits_around_midnight_are_two_days_though_the_server_says_one():
    shanghai = ZoneInfo("Asia/Shanghai")
    before = datetime(2026, 6, 14, 15, 59, tzinfo=UTC)
    after = datetime(2026, 6, 14, 16, 0, tzinfo=UTC)
    assert local_date(before, shanghai) == date(2026, 6, 14)
    assert local_date(after, shanghai) == date(2026, 6, 15)


def test_day_seven_pays_double_and_day_eight_begins_again():
    assert [reward(day, TABLE) for day in range(1, 10)] == [5, 5, 5, 5, 5, 5, 10, 5, 5]
    assert place_in_cycle(8, TABLE) == 1


def test_a_table_of_equal_days_has_no_bonus():
    plain = (5, 5, 5)
    assert not any(is_bonus(day, plain) for day in range(1, 30))
    assert next_bonus(1, plain) is None
    assert today_of({}, TODAY, plain).bonus_in is None


@pytest.mark.parametrize(
    ("table", "bonus_days"),
    [
        ((5, 5, 5, 5, 5, 5, 10), [7]),
        ((5, 5, 10, 5, 5, 5, 20), [3, 7]),
        ((1, 2, 3, 4, 5, 6, 20), [7]),  # Every day pays more than the day before; the last one stands out.
        ((20, 5, 5), [1]),
        ((5, 10, 10), [2]),
        ((8,), []),
    ],
)
def test_a_bonus_day_stands_out_from_its_neighbours(table, bonus_days):
    assert [day for day in range(1, len(table) + 1) if is_bonus(day, table)] == bonus_days


@given(
    table=st.lists(st.integers(min_value=1, max_value=9), min_size=1, max_size=31),
    day=st.integers(min_value=1, max_value=99),
)
def test_the_next_bonus_is_a_bonus_day_and_none_comes_before_it(table, day):
    found = next_bonus(day, table)
    if found is None:
        assert len(set(table)) == 1
    else:
        assert is_bonus(found, table)
        assert not any(is_bonus(between, table) for between in range(day, found))


def test_today_shows_the_cycle_from_its_first_day_to_its_bonus():
    today = today_of(dict.fromkeys(back(1, 2), 5), TODAY, TABLE)
    assert [(day.day.day, day.state) for day in today.cycle] == [
        (13, "done"),
        (14, "done"),
        (15, "today"),
        (16, "future"),
        (17, "future"),
        (18, "future"),
        (19, "future"),
    ]
    assert (today.done, today.streak, today.reward, today.bonus_in, today.bonus_points) == (False, 2, 5, 4, 10)
    assert [day.points for day in today.cycle] == [5, 5, 5, 5, 5, 5, 10]


def test_on_the_open_bonus_day_the_bonus_is_today_and_afterwards_a_cycle_away():
    open_day = today_of(dict.fromkeys(back(*range(1, 7)), 5), TODAY, TABLE)
    assert (open_day.bonus, open_day.bonus_in, open_day.reward) == (True, 0, 10)
    done = today_of({**dict.fromkeys(back(*range(1, 7)), 5), TODAY: 10}, TODAY, TABLE)
    assert (done.bonus, done.bonus_in, done.reward, done.streak) == (True, 7, 10, 7)


def test_what_was_paid_stays_what_was_paid_when_the_terms_change():
    today = today_of({TODAY: 5}, TODAY, (50,))
    assert today.reward == 5
    assert today.cycle[0].points == 5


def test_a_made_up_day_stands_in_the_cycle_and_in_the_month_as_what_it_is():
    days = {**dict.fromkeys(back(1, 3), 5), TODAY - timedelta(days=2): 0}
    assert [day.state for day in today_of(days, TODAY, TABLE).cycle[:4]] == ["done", "made_up", "done", "today"]
    weeks = month_of(date(2026, 6, 1), days, today=TODAY, since=date(2026, 6, 1), table=TABLE)
    states = {cell.day.day: cell.state for week in weeks for cell in week if cell}
    assert [states[day] for day in (11, 12, 13, 14, 15)] == ["missed", "done", "made_up", "done", "today"]
    assert made_up_in(days, TODAY - timedelta(days=1), 3) == 1


@given(first=DAYS, offsets=SETS, today=DAYS)
def test_every_day_of_a_month_stands_once_in_its_calendar(first, offsets, today):
    first = first.replace(day=1)
    weeks = month_of(first, dict.fromkeys(back(*offsets, today=today), 5), today=today, since=first, table=TABLE)
    days = [cell.day for week in weeks for cell in week if cell]
    assert days == [first + timedelta(days=n) for n in range(len(days))]
    assert (days[-1] + timedelta(days=1)).day == 1
    assert {len(week) for week in weeks} == {7}


def test_a_month_tells_done_missed_today_and_the_next_bonus_apart():
    days = dict.fromkeys(back(1, 2, 4), 5)
    weeks = month_of(date(2026, 6, 1), days, today=TODAY, since=date(2026, 6, 10), table=TABLE)
    states = {cell.day.day: cell.state for week in weeks for cell in week if cell}
    assert states[9] == "past"  # before the member joined: nothing was missed
    assert [states[day] for day in (10, 11, 12, 13, 14)] == ["missed", "done", "missed", "done", "done"]
    assert states[15] == "today"
    assert [day for day, state in states.items() if state == "bonus"] == [19, 26]


@pytest.mark.parametrize(
    "nonsense",
    [
        {"rewards": ""},
        {"rewards": "0"},
        {"rewards": "5 0 5"},
        {"rewards": "5 -5"},
        {"rewards": "5.5 5"},
        {"rewards": "five"},
        {"rewards": "٥ ٥"},
        {"rewards": "5 " + "9" * 30},
        {"rewards": "10001"},
        {"rewards": "5 " * 32},
        {"cards_a_month": -1},
        {"cards_a_month": 32},
        {"card_price": 0},
        {"card_price": 10**9},
    ],
)
def test_terms_that_make_no_sense_are_refused(app, nonsense):
    with pytest.raises(InvalidInput):
        CheckinTerms(**nonsense)


@pytest.mark.parametrize("typed", ["5 5 10", " 5, 5, 10 ", "5,5,10", "5，5、10", "5  5\t10"])
def test_the_table_is_read_as_people_write_it(typed):
    assert CheckinTerms(rewards=typed).table == (5, 5, 10)
