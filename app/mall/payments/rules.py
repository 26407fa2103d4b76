"""What Stripe takes and how it counts: pure figures. Source: its published list of currencies and limits.

https://docs.stripe.com/currencies
"""

from __future__ import annotations

from datetime import datetime, timedelta

from babel.numbers import get_currency_precision

from app.foundation.money import Money

# Stripe's "zero-decimal" currencies. The króna and the shilling have no cents either, but are sent with two digits.
_WHOLE = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"}
)
_THOUSANDTHS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})

# In Stripe's own units. Where a currency is not listed, Stripe asks for the worth of half a dollar; what stands
# here for yuan is that, rounded up, because the rate moves.
_LEAST = {
    "AED": 200, "AUD": 50, "BRL": 50, "CAD": 50, "CHF": 50, "CNY": 400, "CZK": 1500, "DKK": 250, "EUR": 50,
    "GBP": 30, "HKD": 400, "HUF": 17500, "INR": 50, "JPY": 50, "MXN": 1000, "MYR": 200, "NOK": 300, "NZD": 50,
    "PLN": 200, "RON": 200, "SEK": 300, "SGD": 50, "THB": 1000, "TWD": 2000, "USD": 50,
}  # fmt: skip
_MOST = 99_999_999  # Eight digits.

SOONEST = timedelta(minutes=31)  # A session must live 30 minutes from when it is made; one more for clocks that differ.
LATEST = timedelta(hours=24) - timedelta(minutes=1)


def _digits(currency: str) -> int:
    """After the point, as Stripe counts."""
    return 0 if currency in _WHOLE else 3 if currency in _THOUSANDTHS else 2


def to_stripe(money: Money) -> int:
    """``Money(5, "ISK")`` → 500. Raises ``ValueError`` for what Stripe cannot express."""
    shift = _digits(money.currency) - get_currency_precision(money.currency)
    amount = money.amount * 10 ** max(shift, 0)
    if shift < 0:
        amount, rest = divmod(amount, 10**-shift)
        if rest:
            raise ValueError(f"{money} has more digits than Stripe takes.")
    if money.currency in _THOUSANDTHS and amount % 10:
        raise ValueError(f"{money} has a last digit that no card network takes.")
    return amount


def from_stripe(amount: int, currency: str) -> Money:
    """The way back. Raises ``ValueError`` for an amount that our books cannot express."""
    currency = currency.upper()
    shift = get_currency_precision(currency) - _digits(currency)
    if shift < 0 and amount % 10**-shift:
        raise ValueError(f"{amount} {currency} has more digits than our books take.")
    return Money(amount * 10**shift if shift >= 0 else amount // 10**-shift, currency)


def least(currency: str) -> Money:
    """The smallest amount that can be collected, in our units, rounded up."""
    shift = get_currency_precision(currency) - _digits(currency)
    amount = _LEAST.get(currency, 50)
    return Money(amount * 10**shift if shift >= 0 else -(-amount // 10**-shift), currency)


def collectable(money: Money) -> bool:
    """Does Stripe take this amount?"""
    try:
        amount = to_stripe(money)
    except ValueError:
        return False
    return _LEAST.get(money.currency, 50) <= amount <= _MOST


def session_ends(*, opened_at: datetime, pay_by: datetime) -> datetime:
    """With the order's deadline, as far as Stripe allows: half an hour to a day after it is made."""
    return min(max(pay_by, opened_at + SOONEST), opened_at + LATEST)
