"""Fields of the catalogue's forms. What a person typed is kept as typed; the parsed value stands beside it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from babel.numbers import get_currency_precision
from flask_babel import gettext as _
from wtforms import Field, FieldList, Form, SelectField, StringField
from wtforms.validators import ValidationError

from app.foundation import clock
from app.foundation.formtools import at_most
from app.foundation.money import Money
from app.mall.catalog.rules import LONGEST_NAME, MOST_CASH, is_plain

DIGITS = re.compile(r"[0-9]{1,18}")
DECIMAL = re.compile(r"([0-9]{1,18})(?:\.([0-9]+))?")
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?")
YEARS = range(2000, 2200)


def one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def whole(text: str | None) -> str:
    """Full-width digits, as Chinese keyboards make them, are digits."""
    return unicodedata.normalize("NFKC", text or "").strip()


def plain(_form: Form, field: Field) -> None:
    if not is_plain(field.data or ""):
        raise ValidationError(_("Please write plain text, without < and > and without invisible characters."))


def readable(_form: Form, field: Field) -> None:
    if not is_plain((field.data or "").replace("<", "").replace(">", "")):
        raise ValidationError(_("This text contains invisible characters. Please remove them."))


class MoneyField(StringField):
    """An amount in the programme's currency; ``money`` is it, once the form is valid."""

    money: Money | None = None

    def __init__(self, label: Any = None, **options: Any) -> None:
        super().__init__(label, filters=[whole], **options)

    def read(self, currency: str) -> None:
        """Raises ``ValidationError`` with a sentence."""
        text = self.data or ""
        if text.startswith(("-", "−")):
            raise ValidationError(_("An amount cannot be negative."))
        match = DECIMAL.fullmatch(text)
        if not match:
            raise ValidationError(_("Please write an amount such as 129.00, with digits and a point only."))
        precision = get_currency_precision(currency)
        if len(match[2] or "") > precision:
            raise ValidationError(
                _("%(currency)s has at most %(digits)s digits after the point.", currency=currency, digits=precision)
            )
        if len(match[1]) > len(str(MOST_CASH)) or Money.parse(text, currency).amount > MOST_CASH:
            raise ValidationError(_("This amount is too large. Please check it."))
        self.money = Money.parse(text, currency)


class WholeField(StringField):
    """A whole number between two others; ``number`` is it, once the form is valid."""

    number: int = 0

    def __init__(self, label: Any = None, *, least: int, most: int, **options: Any) -> None:
        super().__init__(label, filters=[whole], **options)
        self.least, self.most = least, most

    def read(self) -> None:
        """Raises ``ValidationError`` with a sentence."""
        text = (self.data or "").replace("−", "-").removeprefix("+")
        if not DIGITS.fullmatch(text.removeprefix("-")):
            raise ValidationError(_("Please write a whole number, with digits only."))
        if not self.least <= int(text) <= self.most:
            raise ValidationError(
                _("Please write a number from %(least)s to %(most)s.", least=self.least, most=self.most)
            )
        self.number = int(text)


class Rows(FieldList):
    """Rows of a table. Takes no row numbers but small plain ones, whatever is sent."""

    def _extract_indices(self, prefix: str, formdata: Mapping[str, Any]) -> Iterator[int]:
        for key in formdata:
            if match := re.match(rf"{re.escape(prefix)}-([0-9]{{1,3}})(?:-|$)", key):
                yield int(match[1])


class MomentField(StringField):
    """A moment as a browser's own calendar writes it, in the programme's timezone; ``moment`` is it, or ``None``."""

    moment: datetime | None = None

    def __init__(self, label: Any = None, **options: Any) -> None:
        super().__init__(label, filters=[whole], **options)

    def read(self) -> None:
        """Raises ``ValidationError`` with a sentence."""
        self.moment = None
        if not self.data:
            return
        try:
            if not MOMENT.fullmatch(self.data):
                raise ValueError(self.data)
            local = datetime.fromisoformat(self.data)
            if local.year not in YEARS:
                raise ValueError(self.data)
        except ValueError as error:
            raise ValidationError(_("Please write a day and a time, such as 2026-11-24 10:00.")) from error
        self.moment = local.replace(tzinfo=clock.programme_zone()).astimezone(UTC)


def written(moment: datetime | None) -> str:
    """A moment as ``MomentField`` takes it."""
    return moment.astimezone(clock.programme_zone()).strftime("%Y-%m-%dT%H:%M") if moment else ""


def blame(field: Field, sentence: str, rows: FieldList | None = None) -> None:
    """Put a sentence beside a field, and let the form know that it has an error."""
    field.errors = [*field.errors, sentence]
    if rows is not None and not rows.errors:
        rows.errors = [sentence]


def reads(field: MoneyField | WholeField | MomentField, *currency: str, rows: FieldList | None = None) -> bool:
    """Parse a field; the sentence lands beside it if that fails."""
    try:
        field.read(*currency)
    except ValidationError as error:
        blame(field, str(error), rows)
        return False
    return True


def chosen(field: SelectField) -> bool:
    if field.data in [choice.value for choice in field.choices]:
        return True
    blame(field, _("Please choose one of the list."))
    return False


def name_field(label: Any) -> StringField:
    return StringField(label, filters=[one_line], validators=[at_most(LONGEST_NAME), plain])
