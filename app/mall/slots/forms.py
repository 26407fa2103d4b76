"""Forms with which merchants say when a service is given."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from babel.dates import get_day_names
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField, HiddenField, IntegerField, SelectChoice, SelectMultipleField, StringField, TimeField
from wtforms.validators import InputRequired, NumberRange
from wtforms.widgets import CheckboxInput, ListWidget

from app.foundation.formtools import NEEDED, at_most
from app.mall.slots.rules import (
    LONGEST_MINUTES,
    LONGEST_PLACE,
    LONGEST_SERIES,
    MOST_PLACES,
    MOST_TIMES,
    Series,
    times_in,
)

FIRST, LAST = date(2000, 1, 1), date(2100, 12, 31)


def one_line(text: str | None) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text or "").split())


def _places() -> IntegerField:
    between = _l("Please write a number from %(min)s to %(max)s.")
    return IntegerField(_l("Places"), validators=[NEEDED, NumberRange(1, MOST_PLACES, between)])


class _TimeForm(FlaskForm):
    minutes = IntegerField(
        _l("Length in minutes"),
        validators=[NEEDED, NumberRange(5, LONGEST_MINUTES, _l("Please write a number from %(min)s to %(max)s."))],
    )
    places = _places()
    place = StringField(
        _l("Room"),
        description=_l("Two times in the same room of a shop cannot overlap, whatever is given there."),
        filters=[one_line],
        validators=[at_most(LONGEST_PLACE)],
    )


class SlotForm(_TimeForm):
    """One time."""

    day = DateField(_l("Day"), validators=[InputRequired(_l("Please choose a day."))])
    at = TimeField(_l("Begins at"), validators=[InputRequired(_l("Please choose a time of day."))])

    def validate(self, extra_validators: Mapping[str, Any] | None = None) -> bool:
        return super().validate(extra_validators) and _in_our_days(self.day)


class SeriesForm(_TimeForm):
    """The same times on the same weekdays. ``seen`` is set where the preview was looked at."""

    weekdays = SelectMultipleField(
        _l("On these weekdays"), widget=ListWidget(prefix_label=False), option_widget=CheckboxInput(), coerce=int
    )
    first = DateField(_l("From"), validators=[InputRequired(_l("Please choose a day."))])
    last = DateField(_l("To"), validators=[InputRequired(_l("Please choose a day."))])
    times = StringField(
        _l("Begins at"),
        description=_l("One or more times of day, such as 10:00, 14:30"),
        filters=[one_line],
        validators=[NEEDED, at_most(400)],
    )
    seen = HiddenField()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        names = get_day_names("abbreviated", locale=get_locale())
        self.weekdays.choices = [SelectChoice(number, names[number]) for number in range(7)]

    def validate(self, extra_validators: Mapping[str, Any] | None = None) -> bool:
        if not super().validate(extra_validators) or not _in_our_days(self.first) or not _in_our_days(self.last):
            return False
        return self._weekdays_fit() and self._period_fits() and self._times_fit()

    def _weekdays_fit(self) -> bool:
        if not self.weekdays.data:
            return _blame(self.weekdays, _("Please choose at least one weekday."))
        return True

    def _period_fits(self) -> bool:
        if self.last.data < self.first.data:
            return _blame(self.last, _("The last day lies before the first."))
        if self.last.data - self.first.data > timedelta(days=LONGEST_SERIES):
            return _blame(self.last, _("A series can be a year long at most."))
        return True

    def _times_fit(self) -> bool:
        found = times_in(self.times.data)
        if found is None:
            return _blame(self.times, _("Please write times of day such as 10:00, 14:30."))
        if len(found) > MOST_TIMES:
            return _blame(self.times, _("At most %(most)s times of day fit into a series.", most=MOST_TIMES))
        return True

    @property
    def series(self) -> Series:
        return Series(frozenset(self.weekdays.data), self.first.data, self.last.data, times_in(self.times.data) or [])


class PlacesForm(FlaskForm):
    """How many people can come at once."""

    places = _places()


def _in_our_days(field: DateField) -> bool:
    if FIRST <= field.data <= LAST:
        return True
    return _blame(field, _("Please choose a day between 2000 and 2100."))


def _blame(field: Any, sentence: str) -> bool:
    field.errors = [*field.errors, sentence]
    return False
