"""The form of the checkout. Its hidden fields say what the person saw; placing compares."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField

from app.foundation.errors import InvalidInput
from app.foundation.formtools import NEEDED, accepted_by, at_most, stripped
from app.identity.members.queries import normalise_ref

ADDRESS = ("recipient", "phone", "region", "city", "line", "postcode")
# What the page sends. Anything else was put in by somebody who hopes that we look at it.
FIELDS = {"csrf_token", "key", "unit", "lines", "seen_points", "seen_cash", "change", "delivery", "offset", "address"}
FIELDS |= {*ADDRESS}


def phone(text: str) -> str:
    """A phone number as we store it. Raises ``InvalidInput``."""
    value = normalise_ref(text)
    if not value.startswith("+"):
        raise InvalidInput(_("Please enter a phone number that the courier can call."))
    return value


class CheckoutForm(FlaskForm):
    """``unit`` is whose part of the cart this is, and empty for something that is bought by itself."""

    key = HiddenField()
    unit = HiddenField()


class AddressForm(FlaskForm):
    """Where to, if to none of the addresses in the book."""

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
    def parts(self) -> dict[str, str]:
        told = {part: self[part].data or "" for part in ADDRESS}
        return {**told, "phone": phone(told["phone"])}
