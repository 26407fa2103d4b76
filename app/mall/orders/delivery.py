"""How parcels are sent, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.errors import InvalidInput
from app.foundation.money import minor_units
from app.foundation.terms import term, terms
from app.mall.orders.errors import DeliveryNotOffered

HIGHEST_FEE = 10_000
WAYS = ("standard", "express", "pickup")
LABELS = {"standard": _l("Standard delivery"), "express": _l("Express delivery"), "pickup": _l("Pick it up yourself")}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One way to get a parcel. ``fee`` in minor units; ``ordinary`` is what others pay.

    ``waived_by`` says what made it free: a ``benefit`` or the ``amount`` of the goods.
    """

    code: str
    fee: int
    ordinary: int = 0
    waived_by: str = ""

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
    fee, express = terms.standard_fee * minor, terms.express_fee * minor
    enough = bool(terms.free_from) and goods >= terms.free_from * minor
    waived_by = "benefit" if fee and free else "amount" if fee and enough else ""
    found = [Delivery("standard", 0 if waived_by else fee, fee, waived_by)]
    if terms.express:
        found.append(Delivery("express", express, express))
    if terms.pickup:
        found.append(Delivery("pickup", 0))
    return found


def chosen_delivery(ways: Sequence[Delivery], code: str) -> Delivery:
    """The way that was chosen; the first where none was. Raises ``DeliveryNotOffered``."""
    found = ways[0] if not code else next((way for way in ways if way.code == code), None)
    if found is None:
        raise DeliveryNotOffered
    return found
