"""What a member is told first about an order: where it stands, and what happens next."""

from __future__ import annotations

from datetime import timedelta

from flask_babel import format_time
from flask_babel import gettext as _

from app.foundation.formats import day
from app.mall.orders.models import Order, OrderLine
from app.mall.orders.queries import return_days
from app.mall.orders.reaching import BY_HAND
from app.mall.orders.terms import OrderTerms
from app.mall.slots.queries import Booked

Told = tuple[str, str, str]  # The title, the text and the picture.


def kept(order: Order) -> list[OrderLine]:
    """Its lines without those of which all was given up or sent back."""
    return [line for line in order.lines if line.returned < line.quantity]


def was_given_back(order: Order) -> bool:
    """Was it received, and is nothing of it the member's any more?"""
    return order.state in ("delivered", "completed") and not kept(order)


def coming_by_itself(order: Order) -> list[OrderLine]:
    """What is awaited that nobody sends or hands over: codes and grants."""
    return [line for line in order.lines if line.open and line.kind not in BY_HAND]


def what_next(
    order: Order, *, unit: str, terms: OrderTerms, price: str, with_codes: bool, booked: Booked | None
) -> Told:
    """``price`` is what was paid, in words. ``with_codes``: did it bring codes out of a pool?"""
    at = {step.state: step.at for step in order.steps}
    if nothing := _nothing_had(order, unit, booked):
        return nothing
    if order.state == "paid":
        return _after_paying(order, unit)
    if order.state == "shipped":
        until = day(at["shipped"] + timedelta(days=terms.arrives_after_days), "long")
        text = _("Please confirm when you have it. If we hear nothing, we take it as received on %(day)s.", day=until)
        return _("On its way to you"), text, "truck"
    if order.state == "delivered":
        return _after_receiving(order, unit, with_codes=with_codes)
    if order.state == "cancelled":
        return _after_cancelling(order, price if "paid" in at else "")
    return {
        "placed": (
            _("Waiting for your payment"),
            _("Your points are set aside and the goods are reserved. Unpaid, the order closes by itself at %(time)s "
              "and everything is released.", time=format_time(order.pay_by, "short")),
            "hourglass",
        ),
        "packed": (_("Packed and waiting for the courier"), _("The tracking number will appear here."), "gift"),
        "part_shipped": (
            _("The first part is on its way to you"),
            _("The rest follows in another parcel; its tracking number will appear here."),
            "truck",
        ),
        "completed": (_("All done"), _("Thank you, and enjoy it!"), "sparkles"),
        "closed": (
            _("This order was not paid in time"),
            _("Your points are available again and nothing was charged. You can order it once more."),
            "zzz",
        ),
    }[order.state]  # fmt: skip


def _nothing_had(order: Order, unit: str, booked: Booked | None) -> Told | None:
    """Where an order was received and its member has nothing of it."""
    if was_given_back(order):
        return _("All of it was given back"), _("What you paid for it goes back the way it came."), "waving-hand"
    if booked is None or booked.state != "missed":
        return None
    text = _("You were not there, so it counts as used. If that is a mistake, please tell %(unit)s.", unit=unit)
    return _("Your time is over"), text, "calendar"


def _after_cancelling(order: Order, paid: str) -> Told:
    if why := next((step.note for step in order.steps if step.state == "cancelled"), ""):
        text = _("The shop says: “%(why)s” Your points are available again and nothing was charged.", why=why)
        return _("This order was cancelled"), text, "waving-hand"
    if paid:
        text = _("What you paid goes back the way it came: %(paid)s.", paid=paid)
        return _("This order was cancelled"), text, "waving-hand"
    text = _("Your points are available again and nothing was charged.")
    return _("You cancelled this order"), text, "waving-hand"


def _after_paying(order: Order, unit: str) -> Told:
    if order.parcel:
        text = _("We are packing it. As soon as it is on its way, the tracking number appears here.")
        return _("It is yours!"), text, "party-popper"
    told = {"number": order.number, "unit": unit}
    if any(line.kind == "service" for line in order.lines):
        text = _("Come to %(unit)s at your time and show the order number %(number)s.", **told)
        return _("Your time is booked"), text, "calendar"
    coming = coming_by_itself(order)
    if not any(line.open for line in order.lines if line.kind in BY_HAND):
        return _being_prepared(coming)
    if coming:
        text = _("Show the order number %(number)s at %(unit)s. The rest appears here by itself.", **told)
    else:
        text = _("Show the order number %(number)s at %(unit)s. When you have had it, please confirm below.", **told)
    return _("Ready for you"), text, "ticket"


def _being_prepared(coming: list[OrderLine]) -> Told:
    if all(line.kind == "code" for line in coming):
        text = _("It is paid, and yours. As soon as we have it, the code appears here by itself. You need do nothing.")
        return _("Your code is being prepared"), text, "hourglass"
    text = _("It is paid, and yours. As soon as it is ready, it appears here by itself. You need do nothing.")
    return _("It is being prepared"), text, "hourglass"


def _after_receiving(order: Order, unit: str, *, with_codes: bool) -> Told:
    told = {"number": order.number, "unit": unit}
    if coming_by_itself(order):
        text = _("As soon as it is ready, it appears here by itself. You need do nothing.")
        return _("The rest is still to come"), text, "hourglass"
    if all(line.kind == "code" for line in kept(order)):
        if with_codes:
            text = _("You find it below, and any time under “My codes”. Only you can see it.")
        else:
            text = _("Your voucher is the order number %(number)s: show it at %(unit)s.", **told)
        return _("Ready to use"), text, "ticket"
    received = next(step.at for step in order.steps if step.state == "delivered")
    until = day(received + timedelta(days=return_days(order, received)), "long")
    text = _("Enjoy it! On %(day)s, when the time for returns is over, the order is completed.", day=until)
    return _("You have it"), text, "gift"
