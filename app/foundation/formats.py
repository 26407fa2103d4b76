"""How figures and moments read in the visitor's language; the Jinja filters of the house."""

from __future__ import annotations

import re
from datetime import date, datetime

from babel.dates import format_timedelta
from babel.numbers import format_currency, format_decimal, get_currency_symbol
from flask import Flask
from flask_babel import format_date, format_datetime, format_time, get_locale

from app.foundation import clock
from app.foundation.languages import translated
from app.foundation.money import Money
from app.foundation.points import Quantity

NARROW = re.compile(r"^[A-Z]+(?=[^A-Za-z\s])")


def points(value: Quantity | int, *, sign: bool = False) -> str:
    """``12,480``; with ``sign`` a plus or a true minus in front."""
    number = int(value)
    text = format_decimal(abs(number), locale=get_locale())
    if number < 0:
        return f"−{text}"
    return f"+{text}" if sign and number else text


def money(value: Money) -> str:
    """``¥238.50``."""
    return _narrow(format_currency(value.decimal, value.currency, locale=get_locale()), value.currency)


def short_money(value: Money) -> str:
    """``¥5,000`` for a whole amount, ``¥0.50`` for any other; for thresholds and rates."""
    if value.decimal != value.decimal.to_integral_value():
        return money(value)
    pattern = "¤#,##0;−¤#,##0"
    text = format_currency(value.decimal, value.currency, format=pattern, currency_digits=False, locale=get_locale())
    return _narrow(text, value.currency)


def _narrow(text: str, currency: str) -> str:
    """``CN¥5`` → ``¥5``: a programme has one currency, so its sign needs no country in front."""
    symbol = get_currency_symbol(currency, locale=get_locale())
    return text.replace(symbol, NARROW.sub("", symbol))


def day(value: date | datetime, form: str = "medium") -> str:
    return format_date(value, form)


def moment(value: datetime, form: str = "medium") -> str:
    """``Jun 15, 2026 · 12:00``; with ``short`` as brief as the language knows it. Nobody needs the seconds."""
    return f"{day(value)} · {format_time(value, 'short')}" if form == "medium" else format_datetime(value, form)


def relative(value: datetime) -> str:
    """``3 days ago`` · ``in 2 hours``."""
    return format_timedelta(value - clock.now(), add_direction=True, locale=get_locale())


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
