from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.foundation.money import Money
from app.mall.payments.rules import collectable, from_stripe, least, session_ends, to_stripe
from tests.conftest import NOON

CURRENCIES = ["AED", "CNY", "EUR", "HKD", "HUF", "ISK", "JPY", "KRW", "KWD", "MGA", "TWD", "UGX", "USD", "VND"]


@pytest.mark.parametrize(
    ("amount", "currency", "sent"),
    [
        (5_000, "CNY", 5_000),
        (500, "JPY", 500),
        (500, "KRW", 500),
        (5, "ISK", 500),
        (5, "UGX", 500),
        (5_120, "KWD", 5_120),
    ],
)
def test_stripe_counts_in_units_of_its_own(amount, currency, sent):
    assert to_stripe(Money(amount, currency)) == sent
    assert from_stripe(sent, currency.lower()) == Money(amount, currency)


@given(st.sampled_from(CURRENCIES), st.integers(1, 10**7))
def test_there_and_back_is_the_same_amount(currency, amount):
    money = Money(amount, currency)
    try:
        sent = to_stripe(money)
    except ValueError:
        assert not collectable(money)
        return
    assert from_stripe(sent, currency) == money


def test_a_last_digit_that_no_card_network_takes_is_not_collected():
    assert collectable(Money(5_120, "KWD"))
    assert not collectable(Money(5_124, "KWD"))


@pytest.mark.parametrize("currency", CURRENCIES)
def test_the_least_amount_is_the_least(currency):
    smallest = least(currency)
    assert collectable(smallest) or currency == "KWD"
    assert not collectable(Money(smallest.amount - 1, currency))


def test_too_much_is_not_collected():
    assert collectable(Money(99_999_999, "CNY"))
    assert not collectable(Money(100_000_000, "CNY"))
    assert not collectable(Money(0, "CNY"))
    assert not collectable(Money(-500, "CNY"))


@pytest.mark.parametrize(
    ("pay_by", "ends"),
    [
        (timedelta(minutes=5), timedelta(minutes=31)),
        (timedelta(minutes=30), timedelta(minutes=31)),
        (timedelta(hours=2), timedelta(hours=2)),
        (timedelta(hours=24), timedelta(hours=23, minutes=59)),
    ],
)
def test_a_page_ends_with_the_order_as_far_as_stripe_allows(pay_by, ends):
    assert session_ends(opened_at=NOON, pay_by=NOON + pay_by) == NOON + ends
