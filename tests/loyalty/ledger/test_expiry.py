"""When points stop living, to the minute and in the programme's timezone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.foundation.clock import months_after
from app.foundation.database import transaction
from app.foundation.errors import InvalidInput
from app.foundation.points import Points
from app.loyalty.ledger.errors import InsufficientPoints
from app.loyalty.ledger.expiry import expire_some
from app.loyalty.ledger.history import Wanted, find
from app.loyalty.ledger.jobs import expire_points
from app.loyalty.ledger.queries import expiring_by_day, open_lots
from app.loyalty.ledger.rules import ExpiryPolicy, month_end, yearly
from app.loyalty.ledger.terms import LedgerTerms
from tests.conftest import NOON
from tests.loyalty.ledger.conftest import DAY, Teller

SHANGHAI = ZoneInfo("Asia/Shanghai")
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("earned", "months", "last_day"),
    [
        (date(2027, 1, 31), 1, date(2027, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 12, 15), 1, date(2027, 1, 31)),
        (date(2026, 6, 30), 12, date(2027, 6, 30)),
        (date(2026, 2, 28), 0, date(2026, 2, 28)),
    ],
)
def test_points_live_to_the_end_of_the_month(earned, months, last_day):
    assert month_end(earned, months) == last_day


def test_a_yearly_date_is_the_next_one_and_counts_itself():
    assert yearly(date(2026, 6, 30), 6, 30) == date(2026, 6, 30)
    assert yearly(date(2026, 7, 1), 6, 30) == date(2027, 6, 30)
    assert yearly(date(2027, 1, 1), 2, 31) == date(2027, 2, 28)


def test_the_last_day_counts_to_midnight_in_the_programmes_timezone():
    earned = datetime(2026, 6, 30, 15, 59, tzinfo=UTC)  # 23:59 in Shanghai
    assert LedgerTerms().policy().expires_at(earned, SHANGHAI) == datetime(2027, 6, 30, 16, 0, tzinfo=UTC)
    assert LedgerTerms().policy().expires_at(earned + MINUTE, SHANGHAI) == datetime(2027, 7, 31, 16, 0, tzinfo=UTC)


def test_a_day_of_23_hours_still_ends_at_midnight():
    berlin = ZoneInfo("Europe/Berlin")
    policy = ExpiryPolicy(kind="yearly", month=3, day=29)  # Clocks go forward on 29 March 2026
    assert policy.expires_at(datetime(2026, 3, 1, tzinfo=UTC), berlin) == datetime(2026, 3, 29, 22, tzinfo=UTC)


def test_points_that_never_expire_do_not():
    assert ExpiryPolicy(kind="never").expires_at(NOON, SHANGHAI) is None


def test_expired_points_are_written_off_once(alice):
    alice.award(100, expires_at=NOON + DAY)
    alice.award(40, expires_at=NOON + 2 * DAY)
    assert expire_points(now=NOON + DAY - MINUTE) == 0
    assert expire_points(now=NOON + DAY) == 1
    assert expire_points(now=NOON + DAY) == 0
    assert alice.standing(now=NOON + DAY).available == Points(40)
    expired = find(alice.member_id, Wanted(show="expired"), limit=10).transfers
    assert [transfer.amount for transfer in expired] == [-100]


def test_expired_points_cannot_be_spent_even_before_the_job_has_run(alice):
    alice.award(100, expires_at=NOON + DAY)
    assert alice.standing(now=NOON + DAY).available == Points(0)
    with pytest.raises(InsufficientPoints):
        alice.spend(1, now=NOON + DAY)


def test_unexpired_points_survive_beside_expired_ones(alice):
    alice.award(100, expires_at=NOON + DAY)
    alice.award(40, expires_at=None)
    alice.spend(15, now=NOON + DAY)
    standing = alice.standing(now=NOON + DAY)
    assert standing.available == Points(25)


def test_the_account_says_what_expires_when(alice):
    alice.award(100, expires_at=NOON + 10 * DAY)
    alice.award(30, expires_at=NOON + 10 * DAY)
    alice.award(40, expires_at=NOON + 90 * DAY)
    standing = alice.standing()
    assert (standing.expiring_soon, standing.expiring_on) == (Points(130), date(2026, 6, 25))
    assert expiring_by_day(alice.member_id, now=NOON) == [
        (date(2026, 6, 25), Points(130)),
        (date(2026, 9, 13), Points(40)),
    ]
    assert [lot.last_day for lot in open_lots(alice.member_id)] == [
        date(2026, 6, 25),
        date(2026, 6, 25),
        date(2026, 9, 13),
    ]


# --- points that live as long as the member is active ---------------------------------------

IDLE = ExpiryPolicy(kind="inactivity", months=1)


def dies_on(teller: Teller, *, now: datetime = NOON) -> list[date]:
    return [day for day, _ in expiring_by_day(teller.member_id, now=now)]


def test_what_the_member_does_keeps_idle_points_alive(alice):
    alice.award(100, expiry=IDLE)
    assert dies_on(alice) == [date(2026, 7, 15)]
    alice.spend(10, now=NOON + 5 * DAY)
    assert dies_on(alice) == [date(2026, 7, 20)]
    alice.award(1, expiry=ExpiryPolicy(kind="never"), at=NOON + 9 * DAY, now=NOON + 10 * DAY)
    assert dies_on(alice) == [date(2026, 7, 24)], "it counts from the purchase, not from its booking"


def test_an_old_purchase_reported_late_shortens_no_life(alice):
    alice.award(100, expiry=IDLE)
    alice.award(1, expiry=IDLE, at=NOON - 9 * DAY)
    assert dies_on(alice) == [date(2026, 7, 6), date(2026, 7, 15)]


def test_what_staff_or_time_does_keeps_nothing_alive(alice):
    alice.award(100, expiry=IDLE)
    alice.award(5, expires_at=NOON + DAY)
    alice.adjust(10, now=NOON + 3 * DAY)
    alice.adjust(-10, now=NOON + 3 * DAY)
    with transaction():
        expire_some(now=NOON + 3 * DAY)
    assert dies_on(alice)[0] == date(2026, 7, 15)


def test_idle_points_that_have_expired_stay_expired(alice):
    alice.award(100, expiry=IDLE)
    alice.award(1, at=NOON + 40 * DAY, now=NOON + 40 * DAY)
    assert alice.standing(now=NOON + 40 * DAY).available == Points(1)


def test_the_same_key_again_prolongs_nothing(alice):
    alice.award(100, "purchase:1", expiry=IDLE)
    assert not alice.award(100, "purchase:1", expiry=IDLE, now=NOON + 5 * DAY).created
    alice.spend(1, "order:1")
    assert not alice.spend(1, "order:1", now=NOON + 5 * DAY).created
    assert dies_on(alice) == [date(2026, 7, 15)]


def test_points_come_back_into_a_used_up_lot_that_lived_on(alice):
    alice.award(100, expiry=IDLE)
    alice.spend(100, "order:1")
    alice.award(1, expires_at=None, at=NOON + 20 * DAY, now=NOON + 20 * DAY)
    alice.give_back("order:1", 100, now=NOON + 40 * DAY)
    assert alice.standing(now=NOON + 40 * DAY).available == Points(101)
    assert dies_on(alice, now=NOON + 40 * DAY) == [date(2026, 8, 5)]


def test_an_award_on_its_way_lives_on_with_the_member(alice):
    alice.award(100, "order:1:earn", expiry=IDLE, pending=True)
    alice.award(1, expires_at=None, at=NOON + 20 * DAY, now=NOON + 20 * DAY)
    alice.post("order:1:earn", now=NOON + 21 * DAY)
    assert dies_on(alice, now=NOON + 21 * DAY) == [date(2026, 8, 5)]


def test_the_end_of_a_short_month_ends_an_idle_life():
    assert months_after(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert months_after(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert months_after(date(2026, 11, 30), 3) == date(2027, 2, 28)


# --- policies as data ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "policy",
    [
        ExpiryPolicy(months=6),
        ExpiryPolicy(kind="yearly", month=6, day=30),
        IDLE,
        ExpiryPolicy(kind="never"),
    ],
)
def test_a_policy_reads_back_as_it_was_written(policy):
    assert ExpiryPolicy.parse(policy.data()) == policy


@pytest.mark.parametrize(
    "data",
    [
        {"kind": "sometime"},
        {"kind": "months", "months": 0},
        {"kind": "months", "months": 10**9},
        {"kind": "months", "months": "6"},
        {"kind": "months", "months": True},
        {"kind": "yearly", "month": 13},
        {"kind": "yearly", "day": 0},
        {"months": 3, "years": 1},
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(app, data):
    with pytest.raises(InvalidInput):
        ExpiryPolicy.parse(data)


def test_one_line_says_what_expired_together(alice):
    """Points of one month die together, and are one line; another unit's are another line of the house's books."""
    alice.award(10, at=NOON, expires_at=NOON + 9 * DAY)
    alice.award(20, at=NOON + DAY, expires_at=NOON + 9 * DAY)
    alice.award(5, expires_at=NOON + 8 * DAY)
    assert expire_points(now=NOON + 9 * DAY) == 1
    expired = find(alice.member_id, Wanted(show="expired"), limit=10).transfers
    assert [transfer.amount for transfer in expired] == [-30, -5]
    assert expired[0].explanation["earned_on"] == "2026-06-15"
    assert expired[0].explanation["earned_until"] == "2026-06-16"
