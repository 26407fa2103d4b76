"""How figures and moments read in the visitor's language; the Jinja filters of the house."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import lru_cache

from babel import Locale
from babel.dates import format_timedelta
from babel.numbers import format_currency, format_decimal, get_currency_symbol
from flask import Flask
from flask_babel import format_date, format_datetime, format_time

from app.foundation import clock
from app.foundation.languages import reading, translated
from app.foundation.money import Money
from app.foundation.points import Quantity

NARROW = re.compile(r"^[A-Z]+(?=[^A-Za-z\s])")


# A page shows the same few figures and days again and again, and Babel takes its time over each.
remembered = lru_cache(maxsize=4096)


def points(value: Quantity | int, *, sign: bool = False) -> str:
    """``12,480``; with ``sign`` a plus or a true minus in front."""
    number = int(value)
    text = _whole(abs(number), reading())
    if number < 0:
        return f"−{text}"
    return f"+{text}" if sign and number else text


@remembered
def _whole(number: int, locale: Locale | None) -> str:
    return format_decimal(number, locale=locale)


def money(value: Money) -> str:
    """``¥238.50``."""
    return _money(value, reading())


@remembered
def _money(value: Money, locale: Locale | None) -> str:
    return _narrow(format_currency(value.decimal, value.currency, locale=locale), value.currency, locale)


def short_money(value: Money) -> str:
    """``¥5,000`` for a whole amount, ``¥0.50`` for any other; for thresholds and rates."""
    return _short_money(value, reading())


@remembered
def _short_money(value: Money, locale: Locale | None) -> str:
    if value.decimal != value.decimal.to_integral_value():
        return _money(value, locale)
    pattern = "¤#,##0;−¤#,##0"
    text = format_currency(value.decimal, value.currency, format=pattern, currency_digits=False, locale=locale)
    return _narrow(text, value.currency, locale)


def _narrow(text: str, currency: str, locale: Locale | None) -> str:
    """``CN¥5`` → ``¥5``: a programme has one currency, so its sign needs no country in front."""
    symbol = get_currency_symbol(currency, locale=locale)
    return text.replace(symbol, NARROW.sub("", symbol))


def day(value: date | datetime, form: str = "medium") -> str:
    # A moment's day depends on the reader's timezone, too.
    return format_date(value, form) if isinstance(value, datetime) else _day(value, form, reading())


@remembered
def _day(value: date, form: str, _locale: Locale | None) -> str:
    return format_date(value, form)


def moment(value: datetime, form: str = "medium") -> str:
    """``Jun 15, 2026 · 12:00``; with ``short`` as brief as the language knows it. Nobody needs the seconds."""
    return f"{day(value)} · {format_time(value, 'short')}" if form == "medium" else format_datetime(value, form)


def relative(value: datetime) -> str:
    """``3 days ago`` · ``in 2 hours``."""
    return format_timedelta(value - clock.now(), add_direction=True, locale=reading())


def init_app(app: Flask) -> None:
    app.jinja_env.filters.update(
        points=points,
        money=money,
        short_money=short_money,
        date=day,
        datetime=moment,
        relative=relative,
        translated=translated,
    )
