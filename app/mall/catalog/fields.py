"""Fields of the catalogue's forms. What a person typed is kept as typed; the parsed value stands beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeVar

from flask_babel import gettext as _
from wtforms import Field, FieldList, Form, SelectField, StringField
from wtforms.validators import ValidationError

from app.foundation import clock
from app.foundation.errors import InvalidInput
from app.foundation.formtools import at_most
from app.foundation.money import Money
from app.mall.catalog.rules import LONGEST_NAME, is_plain
from app.mall.catalog.typed import moment_of, money_of, number_of, one_line, plain_digits

T = TypeVar("T")


def plain(_form: Form, field: Field) -> None:
    if not is_plain(field.data or ""):
        raise ValidationError(_("Please write plain text, without < and > and without invisible characters."))


def readable(_form: Form, field: Field) -> None:
    if not is_plain((field.data or "").replace("<", "").replace(">", "")):
        raise ValidationError(_("This text contains invisible characters. Please remove them."))


def read_by(reader: Callable[..., T], *arguments: Any, **options: Any) -> T:
    """Raises ``ValidationError`` with the sentence of the ``InvalidInput``."""
    try:
        return reader(*arguments, **options)
    except InvalidInput as error:
        raise ValidationError(str(error)) from error


class MoneyField(StringField):
    """An amount in the programme's currency; ``money`` is it, once the form is valid."""

    money: Money | None = None

    def __init__(self, label: Any = None, **options: Any) -> None:
        super().__init__(label, filters=[plain_digits], **options)

    def read(self, currency: str) -> None:
        """Raises ``ValidationError`` with a sentence."""
        self.money = read_by(money_of, self.data or "", currency)


class WholeField(StringField):
    """A whole number between two others; ``number`` is it, once the form is valid."""

    number: int = 0

    def __init__(self, label: Any = None, *, least: int, most: int, **options: Any) -> None:
        super().__init__(label, filters=[plain_digits], **options)
        self.least, self.most = least, most

    def read(self) -> None:
        """Raises ``ValidationError`` with a sentence."""
        self.number = read_by(number_of, self.data or "", least=self.least, most=self.most)


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
        super().__init__(label, filters=[plain_digits], **options)

    def read(self) -> None:
        """Raises ``ValidationError`` with a sentence."""
        self.moment = read_by(moment_of, self.data) if self.data else None


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
