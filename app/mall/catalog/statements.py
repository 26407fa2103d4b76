"""Products as plain values, ready to show: pictures, prices in words, and what a card says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from babel.dates import format_skeleton
from flask import url_for
from flask_babel import get_locale, get_timezone, ngettext
from flask_babel import gettext as _

from app.foundation.formats import money, points
from app.foundation.languages import translated
from app.foundation.points import Points
from app.mall.catalog.access import Access, access
from app.mall.catalog.perks import Perks
from app.mall.catalog.pictures import SIZES, file_name
from app.mall.catalog.queries import Pick, at_member_price
from app.mall.catalog.rules import Way, cheapest, easiest, for_money, missing
from app.mall.catalog.shelf import Glimpse, Shown

if TYPE_CHECKING:
    from app.loyalty.tiers.models import Tier

FEW = 5  # Pieces from which on a card says how many are left.
TINTS = 8
NO_PICTURE = "gift"


def brief(way: Way) -> str:
    """``380``, ``200 + ¥12.00`` or ``¥59.00``: points without their name, for a place that shows a coin already."""
    if not way.points:
        return money(way.cash)
    return f"{points(way.points)} + {money(way.cash)}" if way.cash else points(way.points)


def full(way: Way) -> str:
    """``380 points``, ``200 points + ¥12.00`` or ``¥59.00``."""
    if not way.points:
        return money(way.cash)
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


# --- choices ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Choice:
    """One radio button. ``before`` is what others pay where a member pays less."""

    value: int
    title: str
    text: str | None = None
    price: str | None = None
    disabled: bool = False
    before: str | None = None


def way_choice(key: int, way: Way, ordinary: Way, available: Points | None) -> Choice:
    """A way to pay; ``available`` are the member's points, ``None`` for whoever is none."""
    before = money(ordinary.cash) if ordinary.cash != way.cash else None
    if available is None or not way.points:
        kind = _("Points + cash") if way.cash and way.points else _("Points only") if way.points else _("Money only")
        return Choice(key, full(way), kind, before=before)
    if lacking := missing(way, available):
        return Choice(
            key, full(way), _("%(points)s points to go", points=points(lacking)), disabled=True, before=before
        )
    return Choice(key, full(way), _("You keep %(points)s points", points=points(available - way.points)), before=before)


# --- cards ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One product in a list. ``photo`` tells a picture that fills the frame from a drawing that does not.

    ``coin`` is whether the price is one of points; ``before`` is what it costs others where a member pays less.
    ``wished`` is ``None`` where nobody is there to wish.
    """

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
    coin: bool = True
    before: str | None = None
    id: int = 0
    wished: bool | None = None
    wish_url: str = ""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks at the cards: ``available`` points are ``None`` for whoever is no member."""

    available: Points | None
    perks: Perks
    tiers: Mapping[int, Tier]
    now: datetime


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


def card(shown: Shown, reader: Reader) -> Card:
    product = shown.product
    ways = [at_member_price(way, reader.perks.discount(product.unit_id)) for way in shown.ways]
    first = cheapest(ways)
    door = access(product, reader.perks, reader.tiers, now=reader.now)
    badge, badge_tone = access_badge(door, reader.now) or _stock_badge(shown.stock)
    note, note_tone = None, "neutral"
    if shown.stock and reader.available is not None and easiest(ways).points:
        note, note_tone = _reach(easiest(ways).points, reader.available)
    return Card(
        name=translated(product.name),
        url=url_for("portal.mall.show", slug=product.slug),
        picture=picture_of(shown.picture),
        photo=shown.picture is not None,
        tint=tint_of(product.id),
        price=brief(first),
        coin=bool(first.points),
        before=_before(shown.ways, first),
        secondary=_second_line(shown, ways),
        badge=badge,
        badge_tone=badge_tone,
        note=note,
        note_tone=note_tone,
        id=product.id,
        wished=shown.wished if reader.available is not None else None,
        wish_url=wish_url(product.slug, wished=shown.wished),
    )


def wish_url(slug: str, *, wished: bool) -> str:
    """Where the heart leads: to make the wish, or to take it back."""
    return url_for("portal.mall.destroy_wish" if wished else "portal.mall.create_wish", slug=slug)


def unavailable(shown: Shown) -> Card:
    """A wish for something that the mall no longer has."""
    gone = card(shown, Reader(Points(0), Perks(), {}, shown.product.updated_at))
    return replace(gone, url="", badge=_("No longer offered"), badge_tone="neutral", note=None)


def _before(ordinary: list[Way], first: Way) -> str | None:
    """The ordinary price of what stands first, where that is money and this member pays less."""
    if first.points:
        return None
    cash = for_money(ordinary)
    return money(cash.cash) if cash and cash.cash != first.cash else None


def access_badge(door: Access, now: datetime) -> tuple[str, str] | None:
    """What a badge says of a product that not everybody may have just now."""
    if door.state == "tier" and door.tier:
        return _("From %(tier)s up", tier=translated(door.tier.name)), "violet"
    if door.state == "ahead" and door.opens:
        return _("From %(day)s", day=_short_day(door.opens)), "info"
    if door.state == "over":
        return _("No longer on sale"), "neutral"
    if door.early and door.public and now < door.public:
        return _("Early access"), "gold"
    return None


def _short_day(value: datetime) -> str:
    """``24 Nov``: a day without its year, as the reader writes it."""
    return format_skeleton("MMMd", value, tzinfo=get_timezone(), locale=get_locale())


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


def _second_line(shown: Shown, ways: list[Way]) -> str | None:
    """The other ways to pay in brief, or else what it is worth."""
    first, cash = cheapest(ways), for_money(ways)
    others = [way for way in (easiest(ways), cash) if way is not None and way != first]
    if others:
        return _("or %(way)s", way=" / ".join(dict.fromkeys(map(brief, others))))
    product = shown.product
    return _("Worth %(money)s", money=money(product.worth)) if product.list_price and first.points else None


# --- recently seen -------------------------------------------------------------------------


def glimpse(seen: Glimpse) -> dict[str, object]:
    return {
        "name": translated(seen.name),
        "url": url_for("portal.mall.show", slug=seen.slug),
        "picture": picture_of(seen.picture),
        "photo": seen.picture is not None,
        "tint": tint_of(seen.id),
    }
