"""When points stop living, to the minute and in the programme's timezone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.foundation.points import Points
from app.loyalty.ledger.errors import InsufficientPoints
from app.loyalty.ledger.history import Wanted, find
from app.loyalty.ledger.jobs import expire_points
from app.loyalty.ledger.queries import expiring_by_day, open_lots
from app.loyalty.ledger.rules import ExpiryPolicy, month_end, yearly
from app.loyalty.ledger.terms import LedgerTerms
from tests.conftest import NOON
from tests.loyalty.ledger.conftest import DAY

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
