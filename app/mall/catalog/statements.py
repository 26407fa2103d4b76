"""Products as plain values, ready to show: what a card says, and what a product page offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup

from app.foundation.formats import money, points
from app.foundation.languages import translated
from app.foundation.points import Points
from app.mall.catalog.descriptions import to_html
from app.mall.catalog.models import Product, Variant
from app.mall.catalog.pictures import SIZES, file_name
from app.mall.catalog.queries import Pick, most_pieces, ways_of
from app.mall.catalog.rules import Way, cheapest, easiest, missing

FEW = 5  # Pieces from which on a card says how many are left.
TINTS = 8
NO_PICTURE = "gift"


def brief(way: Way) -> str:
    """``380`` or ``200 + ¥12.00``, for a place that shows a coin already."""
    return f"{points(way.points)} + {money(way.cash)}" if way.cash else points(way.points)


def full(way: Way) -> str:
    """``380 points`` or ``200 points + ¥12.00``."""
    if way.cash:
        return _("%(points)s points + %(cash)s", points=points(way.points), cash=money(way.cash))
    return _("%(points)s points", points=points(way.points))


def tint_of(product_id: int) -> int:
    return product_id % TINTS + 1


def picture_url(file: str | None, size: str = "card") -> str | None:
    """The address of a picture as ``card`` (400 px), ``page`` (1200 px) or ``full`` (1600 px)."""
    return url_for("portal.media.show_picture", name=file_name(file, SIZES[size])) if file else None


def picture_of(file: str | None) -> str:
    """The picture of a product for a list: its own, or a drawing."""
    return picture_url(file) or NO_PICTURE


# --- cards ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One product in a list. ``photo`` tells a picture that fills the frame from a drawing that does not."""

    name: str
    url: str
    picture: str
    photo: bool
    tint: int
    price: str
    secondary: str | None
    badge: str | None
    badge_tone: str
    note: str | None
    note_tone: str


def card_of(pick: Pick, available: Points) -> Card:
    """A suggestion for a member with ``available`` points."""
    note, note_tone = _reach(pick.points, available)
    return Card(
        name=translated(pick.name),
        url=url_for("portal.mall.show", slug=pick.slug),
        picture=picture_of(pick.picture),
        photo=pick.picture is not None,
        tint=tint_of(pick.id),
        price=points(pick.points),
        secondary=None,
        badge=None,
        badge_tone="neutral",
        note=note,
        note_tone=note_tone,
    )


def card(product: Product, available: Points | None) -> Card:
    """``available`` are the points of the member who looks; ``None`` for a visitor."""
    ways = list(ways_of(product).values())
    stock = sum(variant.stock for variant in product.variants if variant.active)
    file = product.pictures[0].file if product.pictures else None
    badge, badge_tone = _stock_badge(stock)
    note, note_tone = None, "neutral"
    if stock and available is not None:
        note, note_tone = _reach(easiest(ways).points, available)
    return Card(
        name=translated(product.name),
        url=url_for("portal.mall.show", slug=product.slug),
        picture=picture_of(file),
        photo=file is not None,
        tint=tint_of(product.id),
        price=brief(cheapest(ways)),
        secondary=_second_line(product, ways),
        badge=badge,
        badge_tone=badge_tone,
        note=note,
        note_tone=note_tone,
    )


def _stock_badge(stock: int) -> tuple[str | None, str]:
    if not stock:
        return _("Sold out"), "neutral"
    if stock <= FEW:
        return ngettext("Only %(num)s left", "Only %(num)s left", stock), "danger"
    return None, "neutral"


def _reach(price: Points, available: Points) -> tuple[str, str]:
    if price > available:
        return _("%(points)s points to go", points=points(price - available)), "gold"
    return _("Within your points"), "brand"


def _second_line(product: Product, ways: list[Way]) -> str | None:
    other = easiest(ways)
    if other != cheapest(ways):
        return _("or %(way)s", way=brief(other))
    return _("Worth %(money)s", money=money(product.worth)) if product.list_price else None


# --- a product page --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Choice:
    """One radio button."""

    value: int
    title: str
    text: str | None = None
    price: str | None = None
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Goal:
    """How far the member's points reach towards the easiest way to pay."""

    have: int
    need: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Showcase:
    """A product page. ``can_order`` says whether this member could order one piece now."""

    name: str
    unit: str
    category: str
    category_url: str
    worth: str | None
    price: str
    description: Markup | None
    pictures: list[tuple[str, str]]
    tint: int
    stock_text: str
    stock_tone: str
    stock_icon: str
    sold_out: bool
    variants: list[Choice]
    variant: int | None
    ways: list[Choice]
    way: int | None
    goal: Goal | None
    can_order: bool
    most: int


def showcase(
    product: Product, *, unit: Mapping[str, Any], category: tuple[str, Mapping[str, Any]], available: Points | None
) -> Showcase:
    """``category`` is its code and its name; ``available`` are the member's points, ``None`` for a visitor."""
    ways = ways_of(product)
    on_sale = [variant for variant in product.variants if variant.active]
    stock = sum(variant.stock for variant in on_sale)
    payable = [key for key, way in ways.items() if available is None or not missing(way, available)]
    code, category_name = category
    tone, icon = _stock_sign(stock)
    text = translated(product.description)
    return Showcase(
        name=translated(product.name),
        unit=translated(unit),
        category=translated(category_name),
        category_url=url_for("portal.mall.index", category=code),
        worth=money(product.worth) if product.list_price else None,
        price=brief(cheapest(list(ways.values()))),
        description=to_html(text) if text else None,
        pictures=_gallery(product),
        tint=tint_of(product.id),
        stock_text=_stock_text(stock),
        stock_tone=tone,
        stock_icon=icon,
        sold_out=not stock,
        variants=[_variant_choice(product, variant) for variant in on_sale],
        variant=next((variant.id for variant in on_sale if variant.stock), None),
        ways=[_way_choice(key, way, available) for key, way in ways.items()],
        way=next(iter(payable), None),
        goal=_goal(list(ways.values()), available) if not payable and stock else None,
        can_order=bool(stock and payable and available is not None),
        most=min(most_pieces(), max((variant.stock for variant in on_sale), default=0)) or 1,
    )


def _gallery(product: Product) -> list[tuple[str, str]]:
    """(address for the page, address of the small one)."""
    return [(picture_url(p.file, "page") or "", picture_url(p.file, "card") or "") for p in product.pictures]


def _stock_text(stock: int) -> str:
    if not stock:
        return _("Sold out just now")
    if stock <= FEW:
        return ngettext("Only %(num)s left", "Only %(num)s left", stock)
    return _("In stock")


def _stock_sign(stock: int) -> tuple[str, str]:
    """(tone, icon)"""
    if not stock:
        return "neutral", "x-lg"
    return ("danger", "hourglass-split") if stock <= FEW else ("brand", "check-circle-fill")


def _variant_choice(product: Product, variant: Variant) -> Choice:
    title = translated(variant.name) or translated(product.name)
    return Choice(variant.id, title, _stock_text(variant.stock), disabled=not variant.stock)


def _way_choice(key: int, way: Way, available: Points | None) -> Choice:
    if available is None:
        return Choice(key, full(way), _("Points + cash") if way.cash else _("Points only"))
    if lacking := missing(way, available):
        return Choice(key, full(way), _("%(points)s points to go", points=points(lacking)), disabled=True)
    return Choice(key, full(way), _("You keep %(points)s points", points=points(available - way.points)))


def _goal(ways: list[Way], available: Points | None) -> Goal | None:
    if available is None:
        return None
    nearest = easiest(ways)
    lacking = points(missing(nearest, available))
    text = _("You have %(have)s points. %(lacking)s more, and this is yours.", have=points(available), lacking=lacking)
    return Goal(max(0, int(available)), int(nearest.points), text)
