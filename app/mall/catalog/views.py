"""The mall as members and visitors see it, and the pictures on its shelves."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, Response, abort, request, send_from_directory, url_for
from flask_babel import gettext as _

from app.foundation import clock
from app.foundation.formats import points
from app.foundation.languages import translated
from app.foundation.listing import first_url, next_url
from app.foundation.pages import page, viewer
from app.foundation.permissions import public
from app.foundation.points import Points
from app.identity.session import current_member
from app.identity.units.queries import unit_names
from app.loyalty.ledger.queries import standing
from app.mall.catalog import pictures, queries
from app.mall.catalog.statements import card, showcase

mall = Blueprint("mall", __name__, url_prefix="/mall")
media = Blueprint("media", __name__, url_prefix="/media")

PAGE = 12  # With their pictures, what a phone loads at once stays below 100 KB.
YEAR = 365 * 24 * 60 * 60
FILE = re.compile(rf"[0-9a-f]{{32}}-({'|'.join(str(side) for side in pictures.SIZES.values())})\.webp")


def available_points() -> Points | None:
    """What the member who looks can spend; ``None`` for everybody else."""
    if viewer().kind != "member":
        return None
    return standing(current_member().id, now=clock.now()).available


@mall.get("")
@public
def index() -> Response:
    filters = _filters()
    available = available_points()
    categories = queries.categories_on_offer()
    part = queries.listed(
        category=filters.get("category"),
        search=filters.get("q", ""),
        affordable=available if "within" in filters else None,
        order="points" if filters.get("sort") == "points" else "newest",
        after=request.args.get("after"),
        limit=PAGE,
    )
    return page(
        "mall/catalog/index.html",
        fragments={"more"},
        cards=[card(product, available) for product in part.items],
        more_url=next_url(part),
        start_url=first_url(),
        all_url=_url({}),
        search=filters.get("q", ""),
        kept={name: value for name, value in filters.items() if name != "q"},
        points_text=None if available is None else points(available),
        category_chips=_category_chips(categories, filters),
        order_chips=_order_chips(filters, available),
        filtered=bool(filters),
    )


def _filters() -> dict[str, str]:
    """What the address asks for, without the empty ones."""
    asked = {name: " ".join(request.args.get(name, "").split()) for name in ("q", "category", "within", "sort")}
    return {name: value for name, value in asked.items() if value}


def _url(filters: dict[str, str], **changes: Any) -> str:
    return url_for("portal.mall.index", **{**filters, **changes})


def _category_chips(categories: Any, filters: dict[str, str]) -> list[dict[str, Any]]:
    chosen = filters.get("category")
    chips = [{"label": _("All"), "url": _url(filters, category=None), "active": not chosen}]
    for category in categories:
        url = _url(filters, category=category.code)
        chips.append({"label": translated(category.name), "url": url, "active": category.code == chosen})
    return chips


def _order_chips(filters: dict[str, str], available: Points | None) -> list[dict[str, Any]]:
    """Switches: each leads to the same page with itself turned over."""
    switches = [("sort", "points", _("Fewest points first"))]
    if available is not None:
        switches.insert(0, ("within", "yes", _("Within my points")))
    return [
        {"label": label, "url": _url(filters, **{name: None if name in filters else value}), "active": name in filters}
        for name, value, label in switches
    ]


@mall.get("/<slug>")
@public
def show(slug: str) -> Response:
    product = queries.product_by_slug(slug)
    if product is None:
        abort(404)
    available = available_points()
    category = next(one for one in queries.all_categories() if one.id == product.category_id)
    shown = showcase(
        product,
        unit=unit_names().get(product.unit_id, {}),
        category=(category.code, category.name),
        available=available,
    )
    return page(
        "mall/catalog/show.html",
        product=shown,
        order_url=url_for("portal.orders.new"),
        mall_url=url_for("portal.mall.index"),
        sign_in_url=url_for("portal.session.new", next=request.path) if viewer().kind == "visitor" else None,
        checkin_url=url_for("portal.checkin.show"),
        programme_url=url_for("portal.programme.show"),
    )


@media.get("/<name>")
@public
def show_picture(name: str) -> Response:
    """A picture's content never changes under its name, so browsers may keep it."""
    if not FILE.fullmatch(name):
        abort(404)
    response = send_from_directory(pictures.folder(), name, mimetype="image/webp", max_age=YEAR)
    response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
