"""How parcels are sent, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.errors import InvalidInput
from app.foundation.money import minor_units
from app.foundation.terms import term, terms

HIGHEST_FEE = 10_000
WAYS = ("standard", "express", "pickup")
LABELS = {"standard": _l("Standard delivery"), "express": _l("Express delivery"), "pickup": _l("Pick it up yourself")}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One way to get a parcel. ``fee`` in minor units; ``waived`` says that a benefit or the amount made it free."""

    code: str
    fee: int
    waived: bool = False

    @property
    def label(self) -> str:
        return str(LABELS[self.code])


@terms("delivery", _l("Delivery"))
class DeliveryTerms:
    """Fees in whole units of the programme's currency."""

    standard_fee: int = term(0, _l("Standard delivery"), _l("In whole units of the currency; 0 is free."))
    free_from: int = term(0, _l("Standard delivery is free from"), _l("Of goods paid in cash; 0: never by amount."))
    express: bool = term(True, _l("Express delivery is offered"))
    express_fee: int = term(12, _l("Express delivery"), _l("In whole units of the currency."))
    pickup: bool = term(True, _l("Picking up is offered"))

    def __post_init__(self) -> None:
        if not all(0 <= fee <= HIGHEST_FEE for fee in (self.standard_fee, self.express_fee)):
            raise InvalidInput(_("A delivery can cost between 0 and %(most)s.", most=HIGHEST_FEE))
        if not 0 <= self.free_from <= HIGHEST_FEE * 100:
            raise InvalidInput(_("The amount from which delivery is free must not be negative."))


def deliveries(terms: DeliveryTerms, *, goods: int, free: bool, currency: str) -> list[Delivery]:
    """The ways there are; the first is what people get who choose none. ``goods`` in minor units."""
    minor = minor_units(currency)
    waived = free or bool(terms.free_from and goods >= terms.free_from * minor)
    fee = terms.standard_fee * minor
    found = [Delivery("standard", 0 if waived else fee, waived and bool(fee))]
    if terms.express:
        found.append(Delivery("express", terms.express_fee * minor))
    if terms.pickup:
        found.append(Delivery("pickup", 0))
    return found


def delivery_by_code(terms: DeliveryTerms, code: str, *, goods: int, free: bool, currency: str) -> Delivery:
    """The way that was chosen; the first where none was. Raises ``InvalidInput`` for one that is not offered."""
    ways = deliveries(terms, goods=goods, free=free, currency=currency)
    found = ways[0] if not code else next((way for way in ways if way.code == code), None)
    if found is None:
        raise InvalidInput(_("This way of delivery is not offered. Please choose another one."))
    return found
