"""The mall as members and visitors see it, and the pictures on its shelves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from flask import Blueprint, Response, abort, request, send_from_directory, url_for
from werkzeug.wrappers import Response as BaseResponse

from app.extensions import htmx
from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.formats import points
from app.foundation.kept import kept
from app.foundation.listing import first_url, next_url
from app.foundation.pages import local_url, page, seen, viewer
from app.foundation.permissions import Permission, public, requires
from app.foundation.points import Points
from app.identity.session import current_member
from app.identity.units.queries import unit_names
from app.loyalty.ledger.queries import standing
from app.mall.catalog import actions, pictures, queries, shelf
from app.mall.catalog.access import tiers_named
from app.mall.catalog.filters import filters_of, panel
from app.mall.catalog.grants import has_got
from app.mall.catalog.perks import perks_of
from app.mall.catalog.shelf import Shown
from app.mall.catalog.showcase import Visit, showcase
from app.mall.catalog.statements import Card, Reader, card, glimpse, unavailable, wish_url

mall = Blueprint("mall", __name__, url_prefix="/mall")
media = Blueprint("media", __name__, url_prefix="/media")

PAGE = 12  # With their pictures, what a phone loads at once stays below 100 KB.
STRIP = 10  # Pictures of what a member looked at last.
YEAR = 365 * 24 * 60 * 60
FILE = re.compile(rf"[0-9a-f]{{32}}-({'|'.join(str(side) for side in pictures.SIZES.values())})\.webp")


def member_id() -> int | None:
    """The member who looks; ``None`` for everybody else."""
    return current_member().id if viewer().kind == "member" else None


def available_points(member: int | None, now: datetime) -> Points | None:
    """What the member who looks can spend."""
    return None if member is None else standing(member, now=now).available


@mall.get("")
@public
@kept
def index() -> Response:
    now, me = clock.now(), member_id()
    available, units = available_points(me, now), unit_names()
    filters = filters_of(request.args, units, member=me is not None)
    part = shelf.listed(
        filters.wanted(available),
        order=filters.order,
        after=request.args.get("after"),
        limit=PAGE,
        member_id=me,
        now=now,
    )
    at_the_start = not filters.active and "after" not in request.args
    glimpses = shelf.recently_seen(me, limit=STRIP, now=now) if me and at_the_start else []
    return page(
        "mall/catalog/index.html",
        fragments={"more"},
        cards=_cards(part.items, me, available, now),
        glimpses=[glimpse(each) for each in glimpses],
        more_url=next_url(part),
        start_url=first_url(),
        all_url=url_for(".index"),
        wishes_url=url_for(".wishes") if me else None,
        points_text=None if available is None else points(available),
        filters=panel(filters, units, queries.categories_on_offer(now)),
    )


def _cards(items: Sequence[Shown], me: int | None, available: Points | None, now: datetime) -> list[Card]:
    reader = Reader(available, perks_of(me, now=now), tiers_named(shown.product for shown in items), now)
    return [card(shown, reader) for shown in items]


@mall.get("/<slug>")
@public
def show(slug: str) -> Response:
    now, me = clock.now(), member_id()
    there = queries.on_display(slug, now=now)
    if there is None:
        abort(404)
    product, category, brand = there
    product_id = product.id
    tie = queries.tie(product, me, now=now)
    visit = Visit(
        available_points(me, now), perks_of(me, now=now), tie, now, has_got(product.kind, product.grants, member_id=me)
    )
    unit = unit_names().get(product.unit_id, {})
    answer = page(
        "mall/catalog/show.html",
        product=showcase(product, visit, unit=unit, category=category, brand=brand),
        wish={"id": product.id, "wished": tie.wished, "url": wish_url(slug, wished=tie.wished)} if me else None,
        put_in_url=url_for("portal.cart.create"),
        mall_url=url_for(".index"),
        for_members=me is not None,
        sign_in_url=url_for("portal.session.new", next=request.path) if viewer().kind == "visitor" else None,
        share_url=url_for("portal.sharing.new", slug=slug) if me else None,
        checkin_url=url_for("portal.checkin.show"),
        programme_url=url_for("portal.programme.show"),
    )
    # Behind the page, and only where it is news: looking at one product again and again writes nothing.
    if me and tie.last != product_id:
        with transaction():
            actions.note_seen(member_id=me, product_id=product_id, seen_before=tie.seen, now=now)
    return answer


# --- wishes ---------------------------------------------------------------------------------


@mall.get("/wishes")
@requires(Permission.PROFILE_OWN)
def wishes() -> Response:
    now, me = clock.now(), current_member().id
    part = shelf.wishes_of(me, after=request.args.get("after"), limit=PAGE)
    available = available_points(me, now)
    there = [shown for shown in part.items if shown.product.status == "listed"]
    shown_cards = {each.id: each for each in _cards(there, me, available, now)}
    return page(
        "mall/catalog/wishes.html",
        fragments={"more"},
        cards=[shown_cards.get(shown.product.id) or unavailable(shown) for shown in part.items],
        total=shelf.wishes_in_all(me),
        more_url=next_url(part),
        start_url=first_url(),
        mall_url=url_for(".index"),
    )


@mall.post("/<slug>/wish")
@requires(Permission.PROFILE_OWN)
def create_wish(slug: str) -> BaseResponse:
    return _heart(slug, wished=True)


@mall.post("/<slug>/wish/removal")
@requires(Permission.PROFILE_OWN)
def destroy_wish(slug: str) -> BaseResponse:
    return _heart(slug, wished=False)


def _heart(slug: str, *, wished: bool) -> BaseResponse:
    me, now = current_member().id, clock.now()
    with transaction():
        # A wish can be taken back even when the product has left the mall, but only what is there is wished for.
        product_id = queries.id_of_slug(slug, now=now) if wished else queries.id_of_wish(me, slug)
        if product_id is None and wished:
            abort(404)
        if product_id is not None and wished:
            actions.wish(member_id=me, product_id=product_id, now=now)
        elif product_id is not None:
            actions.unwish(member_id=me, product_id=product_id)
    if not htmx:
        return seen(local_url(request.form.get("next"), url_for(".index")))
    heart = {"id": product_id or 0, "wished": wished, "url": wish_url(slug, wished=wished)}
    return page("mall/catalog/_heart.html", wish=heart, large=request.form.get("large") == "1")


# --- pictures -------------------------------------------------------------------------------


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
