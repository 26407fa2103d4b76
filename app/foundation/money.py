"""Money as whole minor units of one currency: ``Money(23850, "CNY")`` is ¥238.50."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from babel.numbers import get_currency_precision
from flask import current_app

LIMIT = 10**13  # Minor units; a hundred billion yuan in one amount is a mistake.


def programme_currency() -> str:
    """The one currency in which this programme counts money; a setting, because it may not change once points exist."""
    return str(current_app.config["SETTINGS"].currency)


def minor_units(currency: str) -> int:
    """How many minor units make a major one: 100 for yuan, 1 for yen, 1000 for dinar."""
    return 10 ** get_currency_precision(currency)


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount. Raises ``TypeError`` when mixed with another unit, ``ValueError`` with another currency."""

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount) is not int:
            raise TypeError(f"Money takes whole minor units, not {self.amount!r}.")

    @classmethod
    def parse(cls, text: str, currency: str) -> Money:
        """``"238.5"`` → ``Money(23850, "CNY")``.

        Raises ``ValueError`` for anything but a plain decimal number with no more
        digits after the point than the currency has, or beyond ``LIMIT``.
        """
        cleaned = text.strip()
        if not cleaned.isascii() or any(sign in cleaned for sign in "eE_ ") or not cleaned:
            raise ValueError(f"{text!r} is not an amount.")
        try:
            number = Decimal(cleaned)
        except InvalidOperation as error:
            raise ValueError(f"{text!r} is not an amount.") from error
        if not number.is_finite():
            raise ValueError(f"{text!r} is not an amount.")
        minor = number.scaleb(get_currency_precision(currency))
        if abs(minor) > LIMIT:
            raise ValueError(f"{text!r} is too large.")
        if minor != int(minor):
            raise ValueError(f"{text!r} has more digits after the point than {currency} has.")
        return cls(int(minor), currency)

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, for display and for multiplication by a rate."""
        return Decimal(self.amount).scaleb(-get_currency_precision(self.currency))

    def _same(self, other: object) -> Money:
        if not isinstance(other, Money):
            raise TypeError(f"Money and {type(other).__name__} do not mix.")
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not mix.")
        return other

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other).amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other).amount, self.currency)

    def __mul__(self, times: int) -> Money:
        if type(times) is not int:
            raise TypeError("Money can be multiplied by a whole number only.")
        return Money(self.amount * times, self.currency)

    __rmul__ = __mul__

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other).amount

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same(other).amount

    def __bool__(self) -> bool:
        return self.amount != 0

    def __str__(self) -> str:
        return f"{self.currency} {self.decimal}"
