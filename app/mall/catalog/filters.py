"""What the mall is asked to show, read from its address: nonsense is left out, and said so where a person typed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from app.foundation.formats import short_money
from app.foundation.languages import translated
from app.foundation.money import Money, programme_currency
from app.foundation.points import Points
from app.mall.catalog.models import Category
from app.mall.catalog.rules import MOST_CASH
from app.mall.catalog.shelf import ORDERS, WAYS, Wanted
from app.mall.catalog.words import LONGEST_SEARCH, fold

NAMES = ("q", "category", "within", "pay", "unit", "least", "most", "sort")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """``texts`` are the filters in force as they stand in the address, ``typed`` what the person wrote for prices."""

    texts: Mapping[str, str]
    typed: Mapping[str, str]
    unit_id: int | None
    least: Money | None
    most: Money | None
    complaint: str | None

    @property
    def active(self) -> bool:
        return bool(self.texts)

    @property
    def order(self) -> str:
        return self.texts.get("sort", "newest")

    def wanted(self, available: Points | None) -> Wanted:
        """``available`` are the points of the member who looks."""
        return Wanted(
            search=self.texts.get("q", ""),
            category=self.texts.get("category", ""),
            affordable=available if "within" in self.texts else None,
            paying=self.texts.get("pay", ""),
            unit_id=self.unit_id,
            least=self.least.amount if self.least else None,
            most=self.most.amount if self.most else None,
        )


def filters_of(address: Mapping[str, str], units: Mapping[int, Mapping[str, str]], *, member: bool) -> Filters:
    """``units`` are those there are, by id; only a ``member`` has points to stay within."""
    asked = {name: _tidy(address.get(name, "")) for name in NAMES}
    texts = {name: text for name, text in asked.items() if text}
    for name, allowed in (("sort", {*ORDERS} - {"newest"}), ("pay", WAYS), ("unit", {str(key) for key in units})):
        if texts.get(name) not in allowed:
            texts.pop(name, None)
    if not member:
        texts.pop("within", None)
    least, most = _price(asked["least"]), _price(asked["most"])
    complaint = None
    if (asked["least"] and least is None) or (asked["most"] and most is None):
        complaint = _("This is no amount of money, so it was left out. Please write it like 50 or 49.90.")
    elif least and most and most < least:
        complaint = _("The upper price is below the lower one, so nothing can fit in between.")
    for name, price in (("least", least), ("most", most)):
        if price is None:
            texts.pop(name, None)
    return Filters(
        texts=texts,
        typed={name: asked[name] for name in ("least", "most")},
        unit_id=int(texts["unit"]) if "unit" in texts else None,
        least=least,
        most=most,
        complaint=complaint,
    )


def _tidy(text: str) -> str:
    """Single spaces, and nothing that is no sign at all."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text[: LONGEST_SEARCH * 2]).split())


def _price(text: str) -> Money | None:
    """An amount that a person wrote, with full-width digits or without; ``None`` for nonsense."""
    try:
        price = Money.parse(fold(text).lstrip("¥$€"), programme_currency())
    except ValueError:
        return None
    return price if 0 <= price.amount <= MOST_CASH else None


# --- as a page shows them -------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """``kept`` goes with a search; ``narrowed`` are the filters of the fold that are in force, each with a way out."""

    search: str
    active: bool
    complaint: str | None
    kept: Mapping[str, str]
    beside_search: Mapping[str, str]
    category_chips: list[dict[str, Any]]
    order_chips: list[dict[str, Any]]
    narrowed: list[dict[str, str]]
    units: list[tuple[str, str]]
    ways: list[tuple[str, str]]
    unit: str
    way: str
    within: bool
    least: str
    most: str
    currency: str


def panel(filters: Filters, units: Mapping[int, Mapping[str, str]], categories: Sequence[Category]) -> Panel:
    texts = filters.texts
    ways = {"points": _("Points only"), "mix": _("Points + cash"), "money": _("Money only")}
    names = {str(key): translated(name) for key, name in units.items()}
    return Panel(
        search=texts.get("q", ""),
        active=filters.active,
        complaint=filters.complaint,
        kept={name: text for name, text in texts.items() if name != "q"},
        beside_search={name: text for name, text in texts.items() if name in ("q", "category", "sort")},
        category_chips=_category_chips(texts, categories),
        order_chips=_order_chips(texts),
        narrowed=_narrowed(filters, ways, names),
        units=list(names.items()) if len(names) > 1 else [],
        ways=list(ways.items()),
        unit=texts.get("unit", ""),
        way=texts.get("pay", ""),
        within="within" in texts,
        least=filters.typed["least"],
        most=filters.typed["most"],
        currency=programme_currency(),
    )


def _url(texts: Mapping[str, str], **changes: str | None) -> str:
    kept: dict[str, Any] = {name: text for name, text in {**texts, **changes}.items() if text}
    return url_for("portal.mall.index", **kept)


def _category_chips(texts: Mapping[str, str], categories: Sequence[Category]) -> list[dict[str, Any]]:
    chosen = texts.get("category")
    chips = [{"label": _("All"), "url": _url(texts, category=None), "active": not chosen}]
    for category in categories:
        url = _url(texts, category=category.code)
        chips.append({"label": translated(category.name), "url": url, "active": category.code == chosen})
    return chips


def _order_chips(texts: Mapping[str, str]) -> list[dict[str, Any]]:
    chosen = texts.get("sort")
    # A second click on the price turns it round.
    price = "price-down" if chosen == "price" else "price"
    price_label = {"price": _("Price ↑"), "price-down": _("Price ↓")}.get(chosen or "", _("Price"))
    orders: list[tuple[str | None, str, bool]] = [
        (None, _("New"), chosen is None),
        ("popular", _("Popular"), chosen == "popular"),
        ("points", _("Fewest points first"), chosen == "points"),
        (price, price_label, chosen in ("price", "price-down")),
    ]
    return [{"label": label, "url": _url(texts, sort=name), "active": active} for name, label, active in orders]


def _narrowed(filters: Filters, ways: Mapping[str, str], units: Mapping[str, str]) -> list[dict[str, str]]:
    texts, found = filters.texts, []
    if "within" in texts:
        found.append(("within", _("Within my points")))
    if "pay" in texts:
        found.append(("pay", ways[texts["pay"]]))
    if "unit" in texts:
        found.append(("unit", units[texts["unit"]]))
    if filters.least:
        found.append(("least", _("From %(money)s", money=short_money(filters.least))))
    if filters.most:
        found.append(("most", _("Up to %(money)s", money=short_money(filters.most))))
    return [{"label": label, "url": _url(texts, **{name: None})} for name, label in found]
