"""Points, growth and money are exact and refuse to mix."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.foundation.money import LIMIT, Money
from app.foundation.points import Growth, Points


def test_points_add_up():
    assert Points(50) + Points(7) - Points(60) == Points(-3)
    assert 3 * Points(5) == Points(15) == Points(5) * 3


@pytest.mark.parametrize("other", [Growth(50), Money(50, "CNY"), 50, 50.0, None, True])
def test_points_mix_with_nothing_else(other):
    with pytest.raises((TypeError, AttributeError)):
        Points(50) + other


@pytest.mark.parametrize("value", [1.0, "1", True, None, Decimal(1)])
def test_a_quantity_is_a_whole_number(value):
    with pytest.raises(TypeError):
        Points(value)
    with pytest.raises(TypeError):
        Money(value, "CNY")


def test_points_beyond_what_a_ledger_holds_are_refused():
    assert Points(2**53).value == 2**53
    with pytest.raises(ValueError, match="beyond"):
        Points(2**53 + 1)


def test_points_take_no_fraction_of_themselves():
    with pytest.raises(TypeError):
        Points(3) * 0.5
    with pytest.raises(TypeError):
        Money(3, "CNY") * 0.5


def test_growth_is_not_equal_to_points():
    assert Points(5) != Growth(5)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("238.5", "CNY", 23850),
        ("238.50", "CNY", 23850),
        (" 7 ", "CNY", 700),
        ("-0.01", "CNY", -1),
        ("1200", "JPY", 1200),
        ("1.234", "KWD", 1234),
        ("0", "CNY", 0),
    ],
)
def test_amounts_are_read_exactly(text, currency, minor):
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "text",
    ["", " ", "abc", "1e3", "1_000", "1 000", "1,000", "1.234", "NaN", "inf", "-Infinity", "0x10", "١٢", "１２", "--1"],
)
def test_nonsense_is_not_an_amount(text):
    with pytest.raises(ValueError, match=r"amount|digits"):
        Money.parse(text, "CNY")


@pytest.mark.parametrize("text", ["9" * 12, "9" * 60, "-" + "9" * 400])
def test_absurd_amounts_are_refused(text):
    with pytest.raises(ValueError, match=r"too large|amount"):
        Money.parse(text, "CNY")


def test_yen_has_no_fractions():
    with pytest.raises(ValueError, match="digits"):
        Money.parse("12.5", "JPY")


def test_currencies_do_not_mix():
    with pytest.raises(ValueError, match="do not mix"):
        Money(1, "CNY") + Money(1, "USD")
    with pytest.raises(ValueError, match="do not mix"):
        assert Money(1, "CNY") < Money(2, "USD")
    with pytest.raises(TypeError):
        Money(1, "CNY") + Points(1)


@given(st.integers(-LIMIT, LIMIT), st.sampled_from(["CNY", "JPY", "KWD"]))
def test_what_is_written_is_read_back(minor, currency):
    amount = Money(minor, currency)
    assert Money.parse(f"{amount.decimal:f}", currency) == amount
