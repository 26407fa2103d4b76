"""Names that give little away, mailboxes that are one, and what counts as spent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from app.engagement.referrals import rules
from app.engagement.referrals.actions import new_code
from tests.conftest import NOON

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("alice@gmail.com", "a.l.i.c.e@gmail.com"),
        ("alice@gmail.com", "alice+shop@gmail.com"),
        ("alice@gmail.com", "A.lice+2@googlemail.com"),
        ("alice@example.com", "alice+friend@example.com"),
    ],
)
def test_mail_to_both_ends_up_in_one_mailbox(one, other):
    assert rules.mailbox(one) == rules.mailbox(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.lice@example.com", "alice@example.com"),
        ("alice@gmail.com", "alice@example.com"),
        ("a@gmail.com", "b@gmail.com"),
    ],
)
def test_mailboxes_of_two_people_stay_two(one, other):
    assert rules.mailbox(one) != rules.mailbox(other)


@pytest.mark.parametrize(
    ("name", "shown"), [("Alice Lin", "Alice"), ("陈爱丽", "陈**"), ("Alice", "Alice"), ("", ""), ("Élodie B", "É**")]
)
def test_an_invitation_names_no_more_than_the_first_name(name, shown):
    assert rules.first_name(name) == shown


@pytest.mark.parametrize(("name", "shown"), [("Bob Chen", "B**"), ("李博", "李**"), ("", "")])
def test_a_friend_is_shown_by_an_initial(name, shown):
    assert rules.masked(name) == shown


def test_codes_are_short_and_cannot_be_misread():
    codes = {new_code() for _ in range(200)}
    assert len(codes) == 200
    assert all(rules.looks_like_code(code) for code in codes)
    assert not set("01ILOAEU") & set("".join(codes))


@pytest.mark.parametrize("typed", ["k7m2pqx", "K7M 2PQX", " k7m-2pqx ", "Ｋ７Ｍ２ＰＱＸ"])
def test_a_code_may_be_typed_in_any_way(typed):
    assert rules.code_of(typed) == "K7M2PQX"


@dataclass(frozen=True)
class Receipt:
    occurred_at: datetime
    amount: int
    order_no: str = "1"
    unit_id: int = 1


def spent(*purchases: Receipt, now=NOON + 8 * DAY, wait=7 * DAY, returnable=None):
    return rules.spent_of(
        purchases, since=NOON, until=NOON + 30 * DAY, certain_by=now - wait, returnable=returnable or {}
    )


def test_only_what_was_bought_in_time_counts():
    last_moment = NOON + 30 * DAY - timedelta(seconds=1)
    early, first, last, late = (Receipt(at, 100) for at in (NOON - DAY, NOON, last_moment, NOON + 30 * DAY))
    assert spent(early, first, last, late, now=NOON + 60 * DAY) == rules.Spent(certain=200)


def test_what_can_still_be_sent_back_waits():
    assert spent(Receipt(NOON, 60), Receipt(NOON + 2 * DAY, 40)) == rules.Spent(certain=60, waiting=40)


def test_an_order_of_the_mall_counts_when_it_is_completed_however_long_that_takes():
    order = Receipt(NOON, 100, "J1")
    assert spent(order, returnable={(1, "J1"): True}, now=NOON + 29 * DAY) == rules.Spent(waiting=100)
    assert spent(order, returnable={(1, "J1"): False}, now=NOON + DAY) == rules.Spent(certain=100)


def test_without_waiting_everything_counts_at_once():
    assert spent(Receipt(NOON, 100), now=NOON, wait=0 * DAY) == rules.Spent(certain=100)


@pytest.mark.parametrize(("amount", "steps"), [(0, 0), (24, 0), (25, 1), (99, 3), (100, 4), (100_000, 4)])
def test_the_way_is_told_in_quarters(amount, steps):
    assert rules.Spent(certain=amount).steps(100) == steps
