"""How figures and moments read in the visitor's language; the Jinja filters of the house."""

from __future__ import annotations

from datetime import date, datetime

from babel.dates import format_timedelta
from babel.numbers import format_currency, format_decimal
from flask import Flask
from flask_babel import format_date, format_datetime, get_locale

from app.foundation import clock
from app.foundation.languages import translated
from app.foundation.money import Money
from app.foundation.points import Quantity


def points(value: Quantity | int, *, sign: bool = False) -> str:
    """``12,480``; with ``sign`` a plus or a true minus in front."""
    number = int(value)
    text = format_decimal(abs(number), locale=get_locale())
    if number < 0:
        return f"−{text}"
    return f"+{text}" if sign and number else text


def money(value: Money) -> str:
    return format_currency(value.decimal, value.currency, locale=get_locale())


def short_money(value: Money) -> str:
    """``¥5,000`` for a whole amount, ``¥0.50`` for any other; for thresholds and rates."""
    if value.decimal != value.decimal.to_integral_value():
        return money(value)
    return format_currency(
        value.decimal, value.currency, format="¤#,##0;−¤#,##0", currency_digits=False, locale=get_locale()
    )


def day(value: date | datetime, form: str = "medium") -> str:
    return format_date(value, form)


def moment(value: datetime, form: str = "medium") -> str:
    return format_datetime(value, form)


def relative(value: datetime) -> str:
    """``3 days ago`` · ``in 2 hours``."""
    return format_timedelta(value - clock.now(), add_direction=True, locale=get_locale())


def init_app(app: Flask) -> None:
    app.jinja_env.filters.update(
        points=points, money=money, short_money=short_money, date=day, datetime=moment, relative=relative, translated=translated
    )
