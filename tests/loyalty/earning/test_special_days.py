"""Birthdays and anniversaries: once a year, on the programme's day, for everybody whose day it is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.foundation.terms import change
from app.identity.members.actions import update_profile
from app.identity.members.queries import member_by_id
from app.loyalty.earning import jobs
from app.loyalty.earning.jobs import reward_special_days
from app.loyalty.earning.models import Rewarded
from app.loyalty.earning.special_days import days_celebrated, looked_back, same_days
from app.loyalty.earning.terms import EarningTerms
from app.loyalty.ledger.models import Transfer
from tests.conftest import NOON
from tests.factories import make_member

SHANGHAI = ZoneInfo("Asia/Shanghai")
LONG_AGO = datetime(2020, 9, 9, 4, tzinfo=UTC)
DAY = timedelta(days=1)


def local(year, month, day, hour=12, *clock_time):
    return datetime(year, month, day, hour, *clock_time, tzinfo=SHANGHAI).astimezone(UTC)


def person(*, joined=LONG_AGO, birth_date=None):
    return make_member(at=joined, claimed_at=joined, birth_date=birth_date)


def born(month, day, *, joined=LONG_AGO):
    return person(joined=joined, birth_date=date(1992, month, day))


def change_birth_date(member, birth_date, *, now=NOON):
    with transaction():
        update_profile(member_by_id(member), name="Alice", gender="", birth_date=birth_date, now=now)


def given(member, kind="birthday"):
    db.session.rollback()
    booked = sa.select(Transfer.amount).where(Transfer.key.like(f"reward:{kind}:{member}:%"))
    return list(db.session.scalars(booked.order_by(Transfer.id)))


# --- which days ---------------------------------------------------------------------------


def test_the_leap_day_is_celebrated_a_day_earlier_in_common_years():
    assert days_celebrated(date(2026, 2, 28)) == [(2, 28), (2, 29)]
    assert days_celebrated(date(2028, 2, 28)) == [(2, 28)]
    assert days_celebrated(date(2028, 2, 29)) == [(2, 29)]


def test_the_same_days_of_earlier_years():
    assert same_days(date(2026, 6, 15), since=2024) == [date(2024, 6, 15), date(2025, 6, 15)]
    assert same_days(date(2026, 2, 28), since=2024) == [date(2024, 2, 28), date(2024, 2, 29), date(2025, 2, 28)]
    assert same_days(date(2028, 2, 29), since=2023) == [date(2024, 2, 29)]
    assert same_days(date(2026, 6, 15), since=2026) == []


def test_days_are_looked_at_in_their_order():
    assert looked_back(date(2026, 1, 1), 2) == [date(2025, 12, 30), date(2025, 12, 31), date(2026, 1, 1)]


# --- birthdays ----------------------------------------------------------------------------


def test_a_birthday_brings_fifty_points_once_however_often_it_is_looked_at(app):
    alice, bob = born(6, 15), born(6, 16)
    for hour in range(3):
        reward_special_days(now=NOON + timedelta(hours=hour))
    assert (given(alice), given(bob)) == ([50], [])


def test_next_year_there_is_one_again(app):
    alice = born(6, 15)
    for now in (NOON, local(2027, 6, 14), local(2027, 6, 15)):
        reward_special_days(now=now)
    assert given(alice) == [50, 50]


@pytest.mark.parametrize(
    ("now", "points"),
    [(local(2026, 6, 14, 23, 59, 59), []), (local(2026, 6, 15, 0, 0, 0), [50])],
)
def test_the_day_begins_at_midnight_of_the_programme(app, now, points):
    """Eight hours before it does on a server in UTC."""
    alice = born(6, 15)
    reward_special_days(now=now)
    assert given(alice) == points


def test_a_leap_day_child_celebrates_on_the_28th_in_common_years_and_on_the_29th_in_others(app):
    alice = born(2, 29)
    for now, times in (
        (local(2027, 2, 27), 0),
        (local(2027, 2, 28), 1),
        (local(2027, 3, 1), 1),
        (local(2028, 2, 28), 1),
        (local(2028, 2, 29), 2),
        (local(2028, 3, 1), 2),
    ):
        reward_special_days(now=now)
        assert len(given(alice)) == times


def test_a_day_on_which_the_worker_was_away_is_made_up_for_within_a_week(app):
    alice, late = born(6, 8), born(6, 7)
    reward_special_days(now=NOON)
    assert (given(alice), given(late)) == ([50], [])


def test_over_new_year_it_is_the_day_that_names_the_year(app):
    alice = born(12, 30)
    reward_special_days(now=local(2027, 1, 2))
    assert db.session.scalars(sa.select(Rewarded.subject).where(Rewarded.member_id == alice)).all() == ["2026"]
    reward_special_days(now=local(2027, 12, 30))
    assert given(alice) == [50, 50]


def test_who_joins_on_their_birthday_gets_it_and_who_joins_after_it_does_not(app):
    today, after = born(6, 15, joined=NOON), born(6, 14, joined=NOON)
    reward_special_days(now=NOON + timedelta(minutes=10))
    assert (given(today), given(after)) == ([50], [])


def test_who_tells_it_afterwards_gets_it_within_the_week_and_only_once(app):
    alice = person()
    reward_special_days(now=NOON)
    change_birth_date(alice, date(1990, 6, 12))
    for _ in range(2):
        reward_special_days(now=NOON)
    assert given(alice) == [50]


def test_changing_the_date_brings_no_second_birthday_not_even_over_new_year(app):
    alice = born(6, 15)
    reward_special_days(now=NOON)
    change_birth_date(alice, date(1992, 6, 16))
    reward_special_days(now=NOON + DAY)
    assert given(alice) == [50]
    bob = born(12, 31)
    reward_special_days(now=local(2026, 12, 31))
    change_birth_date(bob, date(1992, 1, 1), now=local(2026, 12, 31))
    reward_special_days(now=local(2027, 1, 1))
    assert given(bob) == [50]


def test_imported_members_nobody_has_claimed_have_no_birthday(app):
    alice = make_member(at=LONG_AGO, birth_date=date(1990, 6, 15))
    reward_special_days(now=NOON)
    assert (given(alice), given(alice, "anniversary")) == ([], [])


# --- anniversaries ------------------------------------------------------------------------


def test_the_day_of_joining_comes_again_every_year_but_is_none_itself(app):
    alice = person(joined=NOON)
    for now in (NOON, local(2027, 6, 15), local(2028, 6, 15)):
        reward_special_days(now=now)
    assert given(alice, "anniversary") == [50, 50]


def test_the_day_of_joining_is_that_of_the_programme(app):
    """16:30 UTC on the 14th is half past midnight on the 15th in Shanghai."""
    alice = person(joined=datetime(2024, 6, 14, 16, 30, tzinfo=UTC))
    reward_special_days(now=local(2026, 6, 14, 23, 59, 59))
    assert given(alice, "anniversary") == []
    reward_special_days(now=local(2026, 6, 15))
    assert given(alice, "anniversary") == [50]


def test_both_may_fall_on_one_day(app):
    alice = person(joined=local(2025, 6, 15), birth_date=date(1990, 6, 15))
    assert reward_special_days(now=NOON) == 2
    assert (given(alice), given(alice, "anniversary")) == ([50], [50])


# --- rules, batches -----------------------------------------------------------------------


def test_a_new_reward_is_not_for_days_before_it(app):
    with transaction():
        change(EarningTerms, {"rewards": {}}, by=SYSTEM, now=NOON - 30 * DAY)
    before, on_it = born(6, 14), born(6, 15)
    with transaction():
        change(EarningTerms, {"rewards": {"birthday": {"points": 80}}}, by=SYSTEM, now=NOON)
    reward_special_days(now=NOON + timedelta(hours=1))
    assert (given(before), given(on_it)) == ([], [80])


def test_a_budget_ends_where_it_ends(app):
    with transaction():
        rewards = {"birthday": {"points": 50, "budget": 120}}
        change(EarningTerms, {"rewards": rewards}, by=SYSTEM, now=NOON - 30 * DAY)
    children = [born(6, 15) for _ in range(4)]
    reward_special_days(now=NOON)
    assert [given(child) for child in children] == [[50], [50], [20], []]


def test_batches_follow_each_other_and_a_job_that_stopped_goes_on(app, monkeypatch):
    monkeypatch.setattr(jobs, "BATCH", 2)
    children = [born(6, 15) for _ in range(5)]
    real, calls = jobs.reward_many, []

    def stumble(deeds, **moments):
        calls.append(len(deeds))
        if len(calls) == 2:
            raise RuntimeError("The power went")
        return real(deeds, **moments)

    monkeypatch.setattr(jobs, "reward_many", stumble)
    with pytest.raises(RuntimeError):
        reward_special_days(now=NOON)
    assert [len(given(child)) for child in children] == [1, 1, 0, 0, 0]
    assert reward_special_days(now=NOON) == 3
    assert all(given(child) == [50] for child in children)
