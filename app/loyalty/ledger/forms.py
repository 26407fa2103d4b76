"""Days that a member chooses, for the history and for statements."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField, Field, HiddenField, SearchField
from wtforms.validators import ValidationError

from app.foundation.formats import day as written
from app.foundation.formtools import at_most

EARLIEST, LATEST = date(2000, 1, 1), date(2100, 12, 31)
LONGEST_SEARCH = 80


def day_of(text: str) -> date:
    """``2026-06-15``. Raises ``ValueError`` with the sentence for anything else, and for days out of reach."""
    try:
        day = date.fromisoformat(text) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
    except ValueError:
        day = None
    if day is None:
        raise ValueError(_("Please give a day of the calendar, such as %(day)s.", day="2026-06-15"))
    if not EARLIEST <= day <= LATEST:
        raise ValueError(
            _("Please choose a day between %(first)s and %(last)s.", first=written(EARLIEST), last=written(LATEST))
        )
    return day


class DayField(DateField):
    def process_formdata(self, valuelist: list[str]) -> None:
        text = valuelist[0].strip() if valuelist else ""
        self.data = day_of(text) if text else None


def _limits() -> dict[str, str]:
    return {"min": EARLIEST.isoformat(), "max": LATEST.isoformat()}


class PeriodForm(FlaskForm):
    """From a day to a day, both included; either may be left open. Comes with the address, so it carries no token."""

    class Meta:
        csrf = False

    since = DayField(_l("From"), render_kw=_limits())
    until = DayField(_l("To"), render_kw=_limits())

    def validate(self, extra_validators: Any = None) -> bool:
        valid = super().validate(extra_validators)
        if valid and self.since.data and self.until.data and self.since.data > self.until.data:
            self.until.errors = [_("The period ends before it begins. Please change one of the days.")]
            return False
        return valid


class StatementForm(PeriodForm):
    """A month, or two days. Where neither is asked for, ``span`` is the month of ``today``."""

    month = HiddenField()

    def validate_month(self, field: Field) -> None:
        if field.data and not re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])", field.data):
            raise ValidationError(_("Please choose a month."))

    def validate_since(self, field: Field) -> None:
        if self.until.data and not "".join(field.raw_data or ()).strip():
            raise ValidationError(_("Please fill this in."))

    def span(self, today: date) -> tuple[date, date]:
        """The first and the last day, once the form is valid. What began and has no end goes on until today."""
        if self.since.data:
            return self.since.data, self.until.data or max(today, self.since.data)
        first = date.fromisoformat(f"{self.month.data}-01") if self.month.data else today.replace(day=1)
        return first, first.replace(day=monthrange(first.year, first.month)[1])


class HistoryForm(PeriodForm):
    q = SearchField(_l("Search"), validators=[at_most(LONGEST_SEARCH)])
