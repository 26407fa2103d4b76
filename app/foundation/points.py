"""Units of the two ledgers. ``Points`` buy things; ``Growth`` only counts for status.

They are types so that the compiler of last resort, the reader, never has to ask what
a number means: ``Points(50) + Growth(50)`` and ``Points(50) + Money(50, "CNY")`` raise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

LIMIT = 2**53  # Far beyond any programme, exact in JSON and JavaScript, sums stay inside BIGINT.


@dataclass(frozen=True, slots=True, order=True)
class Quantity:
    """A whole number of one unit. Raises ``TypeError`` for anything but ``int``, ``ValueError`` beyond ±2^53."""

    value: int
    ledger: ClassVar[str]

    def __post_init__(self) -> None:
        if type(self.value) is not int:
            raise TypeError(f"{type(self).__name__} takes a whole number, not {self.value!r}.")
        if abs(self.value) > LIMIT:
            raise ValueError(f"{self.value} is beyond what a ledger can hold.")

    def _same(self, other: object) -> Self:
        if type(other) is not type(self):
            raise TypeError(f"{type(self).__name__} and {type(other).__name__} do not mix.")
        return other

    def __add__(self, other: Self) -> Self:
        return type(self)(self.value + self._same(other).value)

    def __sub__(self, other: Self) -> Self:
        return type(self)(self.value - self._same(other).value)

    def __mul__(self, times: int) -> Self:
        if type(times) is not int:
            raise TypeError(f"{type(self).__name__} can be multiplied by a whole number only.")
        return type(self)(self.value * times)

    __rmul__ = __mul__

    def __neg__(self) -> Self:
        return type(self)(-self.value)

    def __bool__(self) -> bool:
        return self.value != 0

    def __int__(self) -> int:
        return self.value

    def __str__(self) -> str:
        return str(self.value)


class Points(Quantity):
    """Spendable points."""

    __slots__ = ()
    ledger = "points"


class Growth(Quantity):
    """Growth value 成长值: counts for the tier, is never spent."""

    __slots__ = ()
    ledger = "growth"


UNITS: dict[str, type[Quantity]] = {unit.ledger: unit for unit in (Points, Growth)}
