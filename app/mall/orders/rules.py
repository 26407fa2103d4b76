"""Figures of an order and how its number looks; pure."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.foundation.money import Money
from app.foundation.points import Points

# Crockford's base32: no I, L, O or U, so that a number survives the telephone.
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_NUMBER = re.compile(rf"J[0-9]{{6}}[{LETTERS}]{{6}}")
_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
# A payment that arrives just after its time still finds the points, unless the order was closed meanwhile.
GRACE = timedelta(hours=1)
ADDRESS_PARTS = ("recipient", "phone", "region", "city", "line", "postcode")


@dataclass(frozen=True, slots=True)
class Figures:
    """What an order costs altogether; compared with what the person saw."""

    points: Points
    cash: Money


def order_number(day: date) -> str:
    """``J260615K3F9QZ``: the day in the programme's timezone and six letters that nobody guesses."""
    return f"J{day:%y%m%d}" + "".join(secrets.choice(LETTERS) for _ in range(6))


def complete_address(address: Mapping[str, Any] | None) -> dict[str, str] | None:
    """The parts of an address, tidied; ``None`` when one that a parcel needs is missing."""
    if address is None:
        return None
    tidy = {part: one_line(address.get(part)) for part in ADDRESS_PARTS}
    return tidy if all(tidy[part] for part in ADDRESS_PARTS if part != "postcode") else None


def one_line(text: object) -> str:
    """Single spaces and no control characters, which PostgreSQL would not store."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in str(text or "")).split())


def is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def is_key(text: str) -> bool:
    return _KEY.fullmatch(text) is not None
