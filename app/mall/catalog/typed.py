"""What people type into forms and sheets, as values. Everything raises ``InvalidInput`` with a sentence."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime

from babel.numbers import get_currency_precision
from flask_babel import gettext as _

from app.foundation import clock
from app.foundation.errors import InvalidInput
from app.foundation.money import Money
from app.mall.catalog.rules import MOST_CASH

DIGITS = re.compile(r"[0-9]{1,18}")
DECIMAL = re.compile(r"([0-9]{1,18})(?:\.([0-9]+))?")
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?")
YEARS = range(2000, 2200)


def one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def plain_digits(text: str | None) -> str:
    """Full-width digits, as Chinese keyboards make them, are digits."""
    return unicodedata.normalize("NFKC", text or "").strip()


def money_of(text: str, currency: str) -> Money:
    """``129.00``, with no more digits after the point than the currency has."""
    if text.startswith(("-", "−")):
        raise InvalidInput(_("An amount cannot be negative."))
    match = DECIMAL.fullmatch(text)
    if not match:
        raise InvalidInput(_("Please write an amount such as 129.00, with digits and a point only."))
    precision = get_currency_precision(currency)
    if len(match[2] or "") > precision:
        raise InvalidInput(
            _("%(currency)s has at most %(digits)s digits after the point.", currency=currency, digits=precision)
        )
    if len(match[1]) > len(str(MOST_CASH)) or Money.parse(text, currency).amount > MOST_CASH:
        raise InvalidInput(_("This amount is too large. Please check it."))
    return Money.parse(text, currency)


def number_of(text: str, *, least: int, most: int) -> int:
    """A whole number between two others; a sign in front is fine."""
    bare = text.replace("−", "-").removeprefix("+")
    if not DIGITS.fullmatch(bare.removeprefix("-")):
        raise InvalidInput(_("Please write a whole number, with digits only."))
    if not least <= int(bare) <= most:
        raise InvalidInput(_("Please write a number from %(least)s to %(most)s.", least=least, most=most))
    return int(bare)


def moment_of(text: str) -> datetime:
    """``2026-11-24 10:00`` in the programme's timezone."""
    try:
        if not MOMENT.fullmatch(text):
            raise ValueError(text)
        local = datetime.fromisoformat(text)
        if local.year not in YEARS:
            raise ValueError(text)
    except ValueError as error:
        raise InvalidInput(_("Please write a day and a time, such as 2026-11-24 10:00.")) from error
    return local.replace(tzinfo=clock.programme_zone()).astimezone(UTC)
