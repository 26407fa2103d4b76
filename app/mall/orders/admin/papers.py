"""What is printed for several orders: the pick list and the packing slips."""

from __future__ import annotations

from flask import current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from markupsafe import Markup

from app.foundation import clock
from app.foundation.formats import moment, points
from app.foundation.pages import page
from app.foundation.permissions import Permission, requires
from app.identity.members.queries import members_by_ids
from app.identity.units.queries import unit_names
from app.mall.catalog.queries import all_categories
from app.mall.orders import worklist
from app.mall.orders.admin.door import chosen, orders, scope
from app.mall.orders.slips import pick_list, slip_of


@orders.get("/pick-list")
@requires(Permission.ORDER_READ)
def show_pick_list() -> ResponseReturnValue:
    numbers = chosen(request.args.getlist("number"))
    found = worklist.orders_numbered(numbers, units=scope())
    picked = pick_list(found, {category.code: category.name for category in all_categories()})
    return page(
        "mall/orders/office/pick_list.html",
        picked=picked,
        printed=moment(clock.now()),
        pieces=points(picked.pieces),
        left_out=len(numbers) - len(picked.orders),
        index_url=url_for(".index", state="paid"),
        slips_url=url_for(".packing_slips", number=numbers),
    )


@orders.get("/packing-slips")
@requires(Permission.ORDER_READ)
def packing_slips() -> ResponseReturnValue:
    """One page each, in the language of the member who opens the parcel."""
    numbers = chosen(request.args.getlist("number"))
    found = [order for order in worklist.orders_numbered(numbers, units=scope()) if order.parcel]
    members, units = members_by_ids({order.member_id for order in found}), unit_names()
    gift = request.args.get("prices") == "none"
    slips = []
    for order in found:
        locale = members[order.member_id].locale or current_app.config["SETTINGS"].default_locale
        with force_locale(locale):
            slip = slip_of(order, units.get(order.unit_id, {}), locale=locale, prices=not gift)
            slips.append(Markup(render_template("mall/orders/office/_slip.html", slip=slip)))  # noqa: S704 - our own
    return page(
        "mall/orders/office/slips.html",
        slips=slips,
        gift=gift,
        left_out=len(numbers) - len(found),
        index_url=url_for(".index", state="paid"),
        with_url=url_for(".packing_slips", number=numbers),
        without_url=url_for(".packing_slips", number=numbers, prices="none"),
    )
