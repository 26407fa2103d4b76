"""Forms of code pools: adding codes, and withdrawing them."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterable
from datetime import date
from io import StringIO

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import StringField, TextAreaField
from wtforms.validators import DataRequired

from app.foundation.errors import InvalidInput
from app.foundation.formtools import NEEDED, at_most, refuse
from app.mall.codes.models import PoolCode
from app.mall.codes.rules import MOST_BYTES, NewCode, Sheet, day_of, read_sheet, text_of

LONGEST_BATCH = PoolCode.batch.type.length
LONGEST_REASON = 80


def _line(text: str | None) -> str:
    """One line without control characters, which no database column takes and nobody can see."""
    signs = "".join(sign if unicodedata.category(sign)[0] != "C" else " " for sign in text or "")
    return " ".join(signs.split())


class SheetForm(FlaskForm):
    """Codes pasted, or in a file, or both."""

    codes = TextAreaField(_l("Paste codes"))
    sheet = FileField(_l("Or choose a CSV file"))
    batch = StringField(_l("Name of the batch"), filters=[_line], validators=[at_most(LONGEST_BATCH)])
    last_day = StringField(_l("Last day to use them"), filters=[_line])

    def read(self, *, first_day: date) -> Sheet | None:
        """What it says; ``None`` where a sentence beside a field says why not."""
        if not self.validate_on_submit():
            return None
        last_day = None
        if self.last_day.data:
            try:
                last_day = day_of(self.last_day.data)
                if last_day < first_day:
                    raise InvalidInput(_("Codes that end so soon are not sold."))
            except InvalidInput as error:
                refuse(self, error, "last_day")
                return None
        try:
            return read_sheet(self._text(), last_day=last_day, first_day=first_day)
        except InvalidInput as error:
            refuse(self, error, "sheet" if self.sheet.data else "codes")
            return None

    def _text(self) -> str:
        parts = [self.codes.data or ""]
        if self.sheet.data:
            parts.append(text_of(self.sheet.data.stream.read(MOST_BYTES + 1)))
        return "\n".join(filter(str.strip, parts))


def written(codes: Iterable[NewCode]) -> str:
    """Codes as a form takes them again."""
    lines = StringIO()
    sheet = csv.writer(lines, delimiter="\t", lineterminator="\n")
    sheet.writerows((new.code, new.last_day.isoformat() if new.last_day else "") for new in codes)
    return lines.getvalue()


class WithdrawalForm(FlaskForm):
    reason = StringField(
        _l("Why?"), filters=[_line], validators=[DataRequired(NEEDED.message), at_most(LONGEST_REASON)]
    )
