"""Choosing a time: a part of a service's product page, and a page of its own beneath it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, abort, request, url_for
from flask_babel import gettext as _

from app.foundation import clock
from app.foundation.languages import translated
from app.foundation.pages import page, viewer
from app.foundation.permissions import public
from app.identity.session import current_member
from app.loyalty.ledger.queries import standing
from app.mall.catalog.queries import Offer, most_pieces, offers_for, product_by_slug
from app.mall.catalog.statements import way_choice
from app.mall.slots.queries import slots_ahead
from app.mall.slots.statements import FAR, calendar

if TYPE_CHECKING:
    from app.foundation.points import Points

times = Blueprint("times", __name__, url_prefix="/mall")


@times.get("/<slug>/times")
@public
def index(slug: str) -> Response:
    now = clock.now()
    product = product_by_slug(slug, now=now)
    if product is None or product.kind != "service":
        abort(404)
    variants = [each for each in product.variants if each.active]
    me = current_member().id if viewer().kind == "member" else None
    variant = _asked_variant([each.id for each in variants if each.stock] or [each.id for each in variants])
    offer = offers_for({variant: 1}, member_id=me, now=now).get(variant) if variant else None
    slots = slots_ahead(variant, since=now, until=now + FAR) if variant else []
    available = standing(me, now=now).available if me and isinstance(offer, Offer) else None
    return page(
        "mall/slots/times.html",
        fragments={"times"},
        name=translated(product.name),
        product_url=url_for("portal.mall.show", slug=slug),
        variant=variant,
        variants=[
            {"label": translated(each.name), "url": _url(slug, variant=each.id), "active": each.id == variant}
            for each in variants
            if len(variants) > 1
        ],
        **calendar(slots, url=partial(_url, slug, variant=variant), asked=request.args),
        **_buying(offer, available),
        refusal=None if isinstance(offer, Offer) else str(getattr(offer, "reason", offer or "")),
        checkout_url=url_for("portal.checkout.new"),
        button=_("Book now") if me else _("Sign in and book") if viewer().kind == "visitor" else None,
    )


def _asked_variant(there: list[int]) -> int:
    """The variant that is asked for, else the first that can be booked; 0 where there is none."""
    wanted = request.args.get("variant", "")
    return next((each for each in there if str(each) == wanted), there[0] if there else 0)


def _url(slug: str, **chosen: Any) -> str:
    return url_for(".index", slug=slug, **chosen)


def _buying(offer: Any, available: Points | None) -> dict[str, Any]:
    """The ways to pay, and how many people come along."""
    if not isinstance(offer, Offer):
        return {"ways": [], "way": None, "quantity": 1, "most": 1}
    ways = [way_choice(key, way, offer.ordinary[key], available) for key, way in offer.ways.items()]
    payable = [each.value for each in ways if not each.disabled]
    marked, pieces = request.args.get("price", ""), request.args.get("quantity", "")
    most = max(1, min(most_pieces(), offer.stock))
    return {
        "ways": ways,
        "way": next((key for key in payable if str(key) == marked), payable[0] if payable else None),
        "quantity": min(int(pieces), most) if pieces.isascii() and pieces.isdigit() and 0 < len(pieces) < 4 else 1,
        "most": most,
    }
