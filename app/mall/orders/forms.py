"""Forms of orders."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import SelectField, StringField, TextAreaField

from app.foundation.errors import InvalidInput
from app.foundation.formtools import NEEDED, at_most, stripped
from app.mall.orders.models import OrderLine, Shipment
from app.mall.orders.parcels import CARRIERS, LONGEST, carrier_called, read_carrier, read_number

OTHER_CARRIER = "other"
MOST_DIGITS = 9
_PIECES = re.compile(r"pieces-([0-9]{1,18})", re.ASCII)


class LabelForm(FlaskForm):
    """Who carries a parcel, and the number it travels under."""

    carrier = SelectField(_l("Carrier"))
    other = StringField(
        _l("Another carrier"),
        description=_l("Only if it is not in the list."),
        filters=[stripped],
        validators=[at_most(LONGEST)],
    )
    tracking_number = StringField(_l("Tracking number"), filters=[stripped], validators=[NEEDED, at_most(LONGEST)])

    def __init__(self, *args: Any, **fields: Any) -> None:
        super().__init__(*args, **fields)
        listed = [(carrier.code, carrier.name) for carrier in CARRIERS.values()]
        self.carrier.choices = [*listed, (OTHER_CARRIER, _("Another carrier"))]

    @classmethod
    def of(cls, parcel: Shipment) -> LabelForm:
        """What stands on the label now, to be corrected."""
        known = carrier_called(parcel.carrier)
        return cls(
            formdata=None,
            prefix=f"parcel-{parcel.id}",
            carrier=known.code if known else OTHER_CARRIER,
            other="" if known else parcel.carrier,
            tracking_number=parcel.tracking_number,
        )

    def validate(self, extra_validators: Mapping[str, Any] | None = None) -> bool:
        return super().validate(extra_validators) and self._reads(self.other, self._carrier) and self._reads_number()

    def _reads_number(self) -> bool:
        return self._reads(self.tracking_number, lambda: self.number)

    def _reads(self, field: Any, read: Any) -> bool:
        try:
            read()
        except InvalidInput as error:
            field.errors = [*field.errors, str(error)]
            return False
        return True

    def _carrier(self) -> str:
        chosen = CARRIERS.get(self.carrier.data)
        return chosen.name if chosen else read_carrier(self.other.data)

    @property
    def carrier_name(self) -> str:
        return self._carrier()

    @property
    def number(self) -> str:
        """Tidied."""
        return read_number(self.tracking_number.data, self._carrier())


class PackedForm:
    """How many pieces of each line lie in a parcel, in fields of their own: ``pieces-7`` is line 7.

    ``lines`` are those of which something can be sent.
    """

    def __init__(self, lines: Sequence[OrderLine], typed: Mapping[str, str] | None = None) -> None:
        self.lines = lines
        self.typed = typed or {}

    def value_of(self, line: OrderLine) -> str:
        return self.typed.get(f"pieces-{line.id}", str(line.open))

    @property
    def pieces(self) -> dict[int, int] | None:
        """By line; ``None`` where the form asked for none, which is everything. Raises ``InvalidInput``."""
        asked = {name: text for name, text in self.typed.items() if _PIECES.fullmatch(name)}
        if not asked:
            return None
        return {int(name.removeprefix("pieces-")): _pieces(text) for name, text in asked.items()}

    @property
    def seen(self) -> int | None:
        """How many parcels the form knows of."""
        text = self.typed.get("seen", "")
        return int(text) if re.fullmatch(r"[0-9]{1,6}", text, re.ASCII) else None


def _pieces(text: str) -> int:
    typed = unicodedata.normalize("NFKC", text).strip() or "0"
    if not re.fullmatch(r"[0-9]+", typed, re.ASCII):
        raise InvalidInput(_("Please write how many pieces as a whole number, such as 1."))
    return int(typed) if len(typed) <= MOST_DIGITS else 10**MOST_DIGITS


class ParcelListForm(FlaskForm):
    """Many parcels at once: a file, or the same typed or pasted."""

    file = FileField(_l("CSV file"))
    rows = TextAreaField(_l("Or paste the rows"))
