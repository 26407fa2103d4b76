"""Forms of bookings."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import TextAreaField
from wtforms.validators import DataRequired

from app.foundation.formtools import at_most, stripped

LONGEST_REASON = 200  # Signs that an order's history takes.


class MoveForm(FlaskForm):
    """Another time; which one, the page's radio buttons say."""


class CallingOffForm(FlaskForm):
    """The shop cannot give it."""

    reason = TextAreaField(
        _l("Reason, which the members read"),
        filters=[stripped],
        validators=[DataRequired(_l("Please tell the members why.")), at_most(LONGEST_REASON)],
    )
