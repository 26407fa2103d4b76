"""A product page as plain values: what it is, what it costs this member, and what stands in the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup

from app.foundation.formats import moment, money, points
from app.foundation.languages import translated
from app.foundation.markdown import to_html
from app.foundation.points import Points
from app.mall.catalog.access import Access, access, tiers_named
from app.mall.catalog.errors import limit_text
from app.mall.catalog.grants import grantor_of, is_single
from app.mall.catalog.limits import pieces_left
from app.mall.catalog.models import Brand, Category, Product, Variant
from app.mall.catalog.perks import Perks
from app.mall.catalog.queries import Tie, most_pieces, ways_for, ways_of
from app.mall.catalog.rules import Way, cheapest, easiest, missing
from app.mall.catalog.statements import FEW, Choice, access_badge, brief, picture_url, tint_of, way_choice


@dataclass(frozen=True, slots=True)
class Goal:
    """How far the member's points reach towards the easiest way to pay."""

    have: int
    need: int
    text: str


@dataclass(frozen=True, slots=True)
class Hint:
    """A sentence about who may have it, and when. ``tone`` as of a notice."""

    title: str
    text: str
    tone: str = "info"
    url: str = ""
    url_label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Showcase:
    """A product page. ``can_order`` says whether this member could order one piece now.

    ``open`` is whether this member may have it at all just now; ``saving`` what their tier saves them, in percent.
    ``times_url`` is where the time of a service is chosen: it is booked there, and cannot be put into a cart.
    """

    name: str
    unit: str
    brand: str
    category: str
    category_url: str
    worth: str | None
    price: str
    coin: bool
    before: str | None
    saving: str | None
    description: Markup | None
    pictures: list[tuple[str, str]]
    tint: int
    badge: tuple[str, str] | None
    stock_text: str
    stock_tone: str
    stock_icon: str
    sold_out: bool
    open: bool
    hints: list[Hint]
    variants: list[Choice]
    variant: int | None
    ways: list[Choice]
    way: int | None
    goal: Goal | None
    can_order: bool
    most: int
    had: bool
    times_url: str | None


@dataclass(frozen=True, slots=True)
class Visit:
    """Who looks at a product: their points (``None`` for no member), what their tier is worth, and their tie to it.

    ``had``: have they got what it grants, so that it would give them nothing?
    """

    available: Points | None
    perks: Perks
    tie: Tie
    now: datetime
    had: bool = False


def showcase(
    product: Product, visit: Visit, *, unit: Mapping[str, Any], category: Category, brand: Brand | None
) -> Showcase:
    ordinary, ways = ways_of(product), ways_for(product, visit.perks)
    on_sale = [variant for variant in product.variants if variant.active]
    stock, available = sum(variant.stock for variant in on_sale), visit.available
    door = access(product, visit.perks, tiers_named([product]), now=visit.now)
    payable = [key for key, way in ways.items() if available is None or not missing(way, available)]
    left = pieces_left(product.limit, visit.tie.taken) if product.limit and available is not None else None
    may = door.open and left != 0 and not visit.had
    tone, icon = _stock_sign(stock)
    text, first = translated(product.description), cheapest(ways.values())
    service = product.kind == "service"
    most = min(most_pieces(), max((variant.stock for variant in on_sale), default=0), *([left] if left else []))
    return Showcase(
        name=translated(product.name),
        unit=translated(unit),
        brand=translated(brand.name) if brand else "",
        category=translated(category.name),
        category_url=url_for("portal.mall.index", category=category.code),
        worth=money(product.worth) if product.list_price and first.points else None,
        price=brief(first),
        coin=bool(first.points),
        before=_ordinarily(cheapest(ordinary.values()), first),
        saving=_saving(product, visit.perks, ordinary),
        description=to_html(text) if text else None,
        pictures=_gallery(product),
        tint=tint_of(product.id),
        badge=access_badge(door, visit.now),
        stock_text=_places_text(stock) if service else _stock_text(stock),
        stock_tone=tone,
        stock_icon=icon,
        sold_out=not stock,
        open=may,
        hints=_hints(product, door, left, visit),
        variants=[_variant_choice(product, variant) for variant in on_sale],
        variant=next((variant.id for variant in on_sale if variant.stock), None),
        ways=[way_choice(key, way, ordinary[key], available) for key, way in ways.items()],
        way=next(iter(payable), None),
        goal=_goal(list(ways.values()), available) if not payable and stock and may else None,
        can_order=bool(stock and payable and may and available is not None),
        most=1 if is_single(product.kind) else most or 1,
        had=visit.had,
        times_url=url_for("portal.times.index", slug=product.slug) if service else None,
    )


def _ordinarily(ordinary: Way, mine: Way) -> str | None:
    """What others pay, where this member pays less."""
    return brief(ordinary) if ordinary != mine else None


def _saving(product: Product, perks: Perks, ordinary: Mapping[int, Way]) -> str | None:
    percent = perks.discount(product.unit_id)
    if not percent or not any(way.cash for way in ordinary.values()):
        return None
    return _("Your member price: %(percent)s%% off in money", percent=points(percent))


def _hints(product: Product, door: Access, left: int | None, visit: Visit) -> list[Hint]:
    """What a person should know about windows, tiers and limits, the most important first."""
    found = [*_about_the_door(door, visit)]
    if visit.had and (grantor := grantor_of(product.kind)):
        text = _("A second one would give you nothing more.")
        link = grantor.link(product.grants)
        found.insert(0, Hint(_("You have this already"), text, "success", link, str(grantor.invitation)))
    if product.limit:
        said = limit_text(product.limit)
        if left == 0:
            found.append(Hint(said, _("You have had yours. It can be ordered again in the next period."), "warning"))
        elif left is not None and visit.tie.taken:
            found.append(Hint(said, ngettext("You can have %(num)s more.", "You can have %(num)s more.", left), "info"))
        else:
            found.append(Hint(said, "", "info"))
    return found


def _about_the_door(door: Access, visit: Visit) -> list[Hint]:
    if door.state == "over":
        return [Hint(_("The sale has ended."), _("It can no longer be ordered."), "warning")]
    if door.state == "tier" and door.tier:
        return [_for_a_tier(translated(door.tier.name), member=visit.available is not None)]
    if door.state == "ahead" and door.opens and door.public:
        text = _("Put it on your wish list, so that you find it again.")
        if door.early:
            text = _("That is earlier than for everybody, who can have it from %(moment)s.", moment=moment(door.public))
        return [Hint(_("On sale from %(moment)s", moment=moment(door.opens)), text, "info")]
    if door.public and door.early and visit.now < door.public:
        text = _("Everybody else can have it from %(moment)s.", moment=moment(door.public))
        return [Hint(_("Your tier is let in early"), text, "success")]
    if door.until:
        return [Hint(_("On sale until %(moment)s", moment=moment(door.until)), "", "info")]
    return []


def _for_a_tier(tier: str, *, member: bool) -> Hint:
    title = _("For members from %(tier)s up", tier=tier)
    if member:
        text, way = _("See what is still missing, and what brings you there."), url_for("portal.tiers.show")
        return Hint(title, text, "warning", way, _("Your way to %(tier)s", tier=tier))
    text, way = _("Join, and climb the tiers: this is waiting for you."), url_for("portal.programme.show")
    return Hint(title, text, "warning", way, _("How the programme works"))


def _gallery(product: Product) -> list[tuple[str, str]]:
    """(address for the page, address of the small one)."""
    return [(picture_url(p.file, "page") or "", picture_url(p.file, "card") or "") for p in product.pictures]


def _stock_text(stock: int) -> str:
    if not stock:
        return _("Sold out just now")
    if stock <= FEW:
        return ngettext("Only %(num)s left", "Only %(num)s left", stock)
    return _("In stock")


def _places_text(places: int) -> str:
    """Of a service, whose stock are the free places of its times ahead."""
    if not places:
        return _("No free places just now")
    if places <= FEW:
        return ngettext("Only %(num)s place left", "Only %(num)s places left", places)
    return _("Places are free")


def _stock_sign(stock: int) -> tuple[str, str]:
    """(tone, icon)"""
    if not stock:
        return "neutral", "x-lg"
    return ("danger", "hourglass-split") if stock <= FEW else ("brand", "check-circle-fill")


def _variant_choice(product: Product, variant: Variant) -> Choice:
    title = translated(variant.name) or translated(product.name)
    return Choice(variant.id, title, _stock_text(variant.stock), disabled=not variant.stock)


def _goal(ways: list[Way], available: Points | None) -> Goal | None:
    if available is None:
        return None
    nearest = easiest(ways)
    lacking = points(missing(nearest, available))
    text = _("You have %(have)s points. %(lacking)s more, and this is yours.", have=points(available), lacking=lacking)
    return Goal(max(0, int(available)), int(nearest.points), text)
