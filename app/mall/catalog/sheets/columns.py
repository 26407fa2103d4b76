"""The columns of a sheet: what each means, how its cells are read, and how they are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.config import LOCALES
from app.foundation import clock
from app.foundation.errors import InvalidInput
from app.foundation.money import Money
from app.foundation.points import Points
from app.foundation.sheets import shortened
from app.mall.catalog.rules import (
    KINDS,
    LONGEST_DESCRIPTION,
    LONGEST_NAME,
    MOST_LIMIT,
    MOST_PIECES,
    MOST_POINTS,
    MOST_WAYS,
    PERIODS,
    SKU,
    STATUSES,
    Limit,
    Way,
    is_plain,
)
from app.mall.catalog.typed import moment_of, money_of, number_of, one_line, plain_digits

if TYPE_CHECKING:
    from app.mall.catalog.models import Product, Variant
    from app.mall.catalog.office import Choices

LONGEST_NOTE = 80
_DAY = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})(?:[ T]([0-9]{1,2}):([0-9]{2})(?::[0-9]{2})?)?")
_LIMIT = re.compile(rf"([0-9]{{1,6}})\s*(?:per\s+|/\s*)?({'|'.join(PERIODS)})")
_POINTS = re.compile(r"([0-9]{1,12})\s*(?:pts|points|积分|積分)")
_ANSWERS = {"yes": True, "y": True, "true": True, "1": True, "是": True}
_ANSWERS |= {"no": False, "n": False, "false": False, "0": False, "否": False}


@dataclass(frozen=True, slots=True)
class Setting:
    """What codes mean to whoever sends the sheet, and the programme's currency."""

    choices: Choices
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """``about`` stands on the page, with an ``example``."""

    about: LazyString
    example: str = ""


def _in_each_language(what: str, about: LazyString, example: Mapping[str, str]) -> dict[str, Column]:
    return {f"{what}_{locale}": Column(about=about, example=example.get(locale, "")) for locale in LOCALES}


PRODUCT_COLUMNS: dict[str, Column] = {
    "unit": Column(about=_l("Code of the business unit, one of yours"), example="mall"),
    "category": Column(about=_l("Code of the category"), example="tea"),
    "brand": Column(about=_l("Code of the brand, or empty"), example="longjing"),
    "kind": Column(about=_l("physical, code, service, course, coupon or draw"), example="physical"),
    "grants": Column(about=_l("What a course, coupon or draw gives: its code; empty for other kinds")),
    **_in_each_language("name", _l("The name, in at least one language"), {"en": "Green tea", "zh_Hans": "绿茶"}),
    **_in_each_language("description", _l("Markdown; several lines are fine"), {"en": "Fresh **leaves**"}),
    "list_price": Column(about=_l("What it costs elsewhere, in the programme's currency"), example="59.00"),
    "ways_to_pay": Column(
        about=_l("For one piece: points, points + cash, or cash; several with | between them"),
        example="200 pts | 100 pts + 12.00 | 59.00",
    ),
    "status": Column(about=_l("draft, listed or archived"), example="listed"),
    "listed_at": Column(about=_l("From when on members see it; empty: at once"), example="2026-11-24 10:00"),
    "on_sale_from": Column(about=_l("From when on it can be had, or empty"), example="2026-11-24 10:00"),
    "on_sale_until": Column(about=_l("Until when, or empty"), example="2026-12-24 22:00"),
    "tier": Column(about=_l("Code of the lowest tier that may have it; empty: every member"), example="gold"),
    "limit": Column(about=_l("Pieces per member: day, week, month, year or ever; or empty"), example="2 per month"),
}
VARIANT_COLUMNS: dict[str, Column] = {
    **_in_each_language(
        "variant_name",
        _l("What this variant is called; empty where there is one"),
        {"en": "250 g", "zh_Hans": "250 克"},
    ),
    "variant_on_sale": Column(about=_l("yes or no"), example="yes"),
}
COLUMNS: dict[str, Column] = {
    "product": Column(
        about=_l("The product's address. Empty for a new product: rows of the same names are its variants"),
        example="green-tea",
    ),
    **PRODUCT_COLUMNS,
    "sku": Column(about=_l("The article's number. By it a row finds its variant"), example="TEA-250"),
    **VARIANT_COLUMNS,
    "stock": Column(
        about=_l("Pieces there are. For a new SKU what it begins with; for others information only"), example="40"
    ),
    "stock_change": Column(about=_l("Pieces that came (+20) or are missing (-2)"), example="+20"),
    "delivery_note": Column(
        about=_l("What the change of stock stands on. One note is booked once for a SKU"), example="LS-2026-118"
    ),
}
NEEDED = ("unit", "category", "kind", "list_price", "ways_to_pay")  # What no product is without.


# --- reading ------------------------------------------------------------------------------


def read_cell(column: str, text: str, setting: Setting) -> Any:
    """The value of a cell of ``PRODUCT_COLUMNS`` or ``VARIANT_COLUMNS``. Raises ``InvalidInput`` with a sentence."""
    if not text and column in NEEDED:
        raise InvalidInput(_("This may not be empty."))
    return _READERS[column](text, setting)


def sku_of(text: str) -> str:
    sku = plain_digits(text).upper()
    if not SKU.fullmatch(sku):
        raise InvalidInput(_("A SKU is up to 60 letters, digits, points and dashes, such as TEA-250."))
    return sku


def change_of(text: str) -> int:
    return number_of(plain_digits(text), least=-MOST_PIECES, most=MOST_PIECES) if text else 0


def stock_of(text: str) -> int:
    return number_of(plain_digits(text), least=0, most=MOST_PIECES) if text else 0


def note_of(text: str) -> str:
    note = _name(text)
    if len(note) > LONGEST_NOTE:
        raise InvalidInput(_("Please use at most %(max)s characters.", max=LONGEST_NOTE))
    return note


def _coded(what: str) -> Callable[[str, Setting], int | None]:
    def read(text: str, setting: Setting) -> int | None:
        code = plain_digits(text).lower()
        if not code and what in ("brand", "tier"):
            return None
        found = setting.choices.ids[what].get(code)
        if found is None:
            raise InvalidInput(_no_such(what, shortened(code)))
        return found

    return read


def _no_such(what: str, code: str) -> str:
    return {
        "unit": _("None of your business units has the code “%(code)s”.", code=code),
        "category": _("No category has the code “%(code)s”.", code=code),
        "brand": _("No brand has the code “%(code)s”.", code=code),
        "tier": _("No tier above the first has the code “%(code)s”.", code=code),
    }[what]


def _one_of(known: Sequence[str]) -> Callable[[str, Setting], str]:
    def read(text: str, _setting: Setting) -> str:
        word = plain_digits(text).casefold()
        if word not in known:
            raise InvalidInput(_("Please write one of: %(words)s.", words=", ".join(known)))
        return word

    return read


def _name(text: str) -> str:
    name = one_line(text)
    if len(name) > LONGEST_NAME:
        raise InvalidInput(_("Please use at most %(max)s characters.", max=LONGEST_NAME))
    if not is_plain(name):
        raise InvalidInput(_("Please write plain text, without < and > and without invisible characters."))
    return name


def _description(text: str) -> str:
    lines = _same_breaks(text).strip()
    if len(lines) > LONGEST_DESCRIPTION:
        raise InvalidInput(_("Please use at most %(max)s characters.", max=LONGEST_DESCRIPTION))
    if not is_plain(lines.replace("<", "").replace(">", "")):
        raise InvalidInput(_("This text contains invisible characters. Please remove them."))
    return lines


def _same_breaks(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _ways(text: str, setting: Setting) -> list[Way]:
    ways = [_way(part, setting) for part in re.split(r"[|\n]", plain_digits(text)) if part.strip()]
    if not ways:
        raise InvalidInput(_("A product needs at least one way to pay."))
    if len(ways) > MOST_WAYS:
        raise InvalidInput(_("A product has at most %(most)s ways to pay.", most=MOST_WAYS))
    if len({(int(way.points), way.cash.amount) for way in ways}) < len(ways):
        raise InvalidInput(_("This way to pay is there twice."))
    return ways


def _way(text: str, setting: Setting) -> Way:
    """``200 pts``, ``100 pts + 12.00`` or ``59.00``."""
    parts = [part.strip() for part in text.split("+")]
    points, cash = Points(0), Money(0, setting.currency)
    match = _POINTS.fullmatch(parts[0].casefold())
    if match:
        points = Points(number_of(match[1], least=0, most=MOST_POINTS))
        parts = parts[1:]
    if len(parts) > 1:
        raise InvalidInput(_("Please write a way to pay such as 200 pts, 100 pts + 12.00, or 59.00."))
    if parts:
        cash = money_of(parts[0], setting.currency)
    if not (points or cash):
        raise InvalidInput(_("A way to pay takes points, or money, or both."))
    return Way(points, cash)


def _moment(text: str, _setting: Setting) -> datetime | None:
    """Also as spreadsheets like to write it: ``2026/11/24 9:30``, or the day alone."""
    typed = plain_digits(text)
    if not typed:
        return None
    match = _DAY.fullmatch(typed)
    if not match:
        return moment_of(typed)
    year, month, day, hour, minute = (int(part or 0) for part in match.groups())
    return moment_of(f"{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}")


def _limit(text: str, _setting: Setting) -> Limit | None:
    typed = plain_digits(text).casefold()
    if not typed:
        return None
    match = _LIMIT.fullmatch(typed)
    if not match:
        raise InvalidInput(_("Please write a limit such as 2 per month, or 1 ever."))
    return Limit(number_of(match[1], least=1, most=MOST_LIMIT), match[2])


def _answer(text: str, _setting: Setting) -> bool:
    answer = _ANSWERS.get(plain_digits(text).casefold())
    if answer is None:
        raise InvalidInput(_("Please write yes or no."))
    return answer


_READERS: dict[str, Callable[[str, Setting], Any]] = {
    **{what: _coded(what) for what in ("unit", "category", "brand", "tier")},
    "kind": _one_of(KINDS),
    "grants": lambda text, _setting: plain_digits(text),
    **{f"name_{locale}": lambda text, _setting: _name(text) for locale in LOCALES},
    **{f"description_{locale}": lambda text, _setting: _description(text) for locale in LOCALES},
    "list_price": lambda text, setting: money_of(plain_digits(text), setting.currency),
    "ways_to_pay": _ways,
    "status": _one_of(STATUSES),
    **dict.fromkeys(("listed_at", "on_sale_from", "on_sale_until"), _moment),
    "limit": _limit,
    **{f"variant_name_{locale}": lambda text, _setting: _name(text) for locale in LOCALES},
    "variant_on_sale": _answer,
}


# --- writing ------------------------------------------------------------------------------


def values_of(product: Product) -> dict[str, Any]:
    """What stands in ``PRODUCT_COLUMNS`` of a product."""
    return {
        "unit": product.unit_id,
        "category": product.category_id,
        "brand": product.brand_id,
        "kind": product.kind,
        "grants": product.grants,
        **{f"name_{locale}": product.name.get(locale, "") for locale in LOCALES},
        **{f"description_{locale}": product.description.get(locale, "") for locale in LOCALES},
        "list_price": product.worth,
        "ways_to_pay": [Way(Points(each.points), Money(each.cash, product.currency)) for each in product.prices],
        "status": product.status,
        "listed_at": product.listed_at,
        "on_sale_from": product.on_sale_from,
        "on_sale_until": product.on_sale_until,
        "tier": product.tier_id,
        "limit": product.limit,
    }


def values_of_variant(variant: Variant) -> dict[str, Any]:
    """What stands in ``VARIANT_COLUMNS`` of a variant."""
    names = {f"variant_name_{locale}": variant.name.get(locale, "") for locale in LOCALES}
    return {**names, "variant_on_sale": variant.active}


def shown(column: str, value: Any, setting: Setting) -> str:
    """A value as a cell says it; what reads the same is the same."""
    if value is None or value == "":
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return setting.choices.code(column, value)
    write = next((write for kind, write in _WRITERS.items() if isinstance(value, kind)), str)
    return _same_breaks(write(value))


def _shown_way(way: Way) -> str:
    parts = [f"{way.points} pts"] if way.points else []
    return " + ".join([*parts, str(way.cash.decimal)] if way.cash else parts)


_WRITERS: dict[type, Callable[[Any], str]] = {
    bool: lambda value: "yes" if value else "no",
    Money: lambda value: str(value.decimal),
    datetime: lambda value: value.astimezone(clock.programme_zone()).strftime("%Y-%m-%d %H:%M"),
    Limit: lambda value: f"{value.pieces} ever" if value.period == "ever" else f"{value.pieces} per {value.period}",
    list: lambda ways: " | ".join(map(_shown_way, sorted(ways, key=_by_cash))),
}


def _by_cash(way: Way) -> tuple[int, int]:
    return way.cash.amount, int(way.points)
