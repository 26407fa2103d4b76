"""Forms of orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField

from app.foundation.formtools import NEEDED, at_most, stripped

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
