"""Forms of orders. The hidden fields of an order say what the person saw; the action compares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, SelectField, StringField

from app.foundation.errors import InvalidInput
from app.foundation.formtools import NEEDED, accepted_by, at_most, stripped
from app.identity.members.queries import normalise_ref
from app.mall.orders.rules import ADDRESS_PARTS

OTHER_CARRIER = "other"
CARRIERS = {
    "sf": "SF Express 顺丰",
    "jd": "JD Logistics 京东",
    "zto": "ZTO 中通",
    "yto": "YTO 圆通",
    "sto": "STO 申通",
    "yunda": "Yunda 韵达",
    "ems": "China Post EMS 邮政",
    "dhl": "DHL",
    "fedex": "FedEx",
    "ups": "UPS",
}


def phone(text: str) -> str:
    """A phone number as we store it. Raises ``InvalidInput``."""
    value = normalise_ref(text)
    if not value.startswith("+"):
        raise InvalidInput(_("Please enter a phone number that the courier can call."))
    return value


class OrderForm(FlaskForm):
    """What is ordered without a parcel. Numbers stay text here: the view reads them and refuses nonsense."""

    key = HiddenField()
    variant = HiddenField()
    price = HiddenField()
    quantity = HiddenField()
    seen_points = HiddenField()
    seen_cash = HiddenField()


class ParcelForm(OrderForm):
    """An order that is sent somewhere."""

    recipient = StringField(_l("Recipient"), filters=[stripped], validators=[NEEDED, at_most(80)])
    phone = StringField(
        _l("Phone"),
        description=_l("For the courier only."),
        filters=[stripped],
        validators=[NEEDED, at_most(40), accepted_by(phone)],
    )
    region = StringField(_l("Province or region"), filters=[stripped], validators=[NEEDED, at_most(80)])
    city = StringField(_l("City"), filters=[stripped], validators=[NEEDED, at_most(80)])
    line = StringField(_l("Street, house, flat"), filters=[stripped], validators=[NEEDED, at_most(200)])
    postcode = StringField(_l("Postcode"), filters=[stripped], validators=[at_most(12)])

    @property
    def address(self) -> dict[str, str]:
        parts = {part: self[part].data or "" for part in ADDRESS_PARTS}
        return {**parts, "phone": phone(parts["phone"])}


class ShipmentForm(FlaskForm):
    """Who carries the parcel, and the number it travels under."""

    carrier = SelectField(_l("Carrier"))
    other = StringField(
        _l("Another carrier"),
        description=_l("Only if it is not in the list."),
        filters=[stripped],
        validators=[at_most(60)],
    )
    tracking_number = StringField(_l("Tracking number"), filters=[stripped], validators=[NEEDED, at_most(60)])

    def __init__(self, *args: Any, **fields: Any) -> None:
        super().__init__(*args, **fields)
        self.carrier.choices = [*CARRIERS.items(), (OTHER_CARRIER, _("Another carrier"))]

    def validate(self, extra_validators: Mapping[str, Any] | None = None) -> bool:
        fine = super().validate(extra_validators)
        if self.carrier.data == OTHER_CARRIER and not self.other.data:
            self.other.errors = [_("Please name the carrier.")]
            return False
        return fine

    @property
    def carrier_name(self) -> str:
        return self.other.data if self.carrier.data == OTHER_CARRIER else CARRIERS[self.carrier.data]
