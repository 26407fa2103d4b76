"""The form by which staff give a tier."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField, SelectField, TextAreaField
from wtforms.validators import InputRequired, Length

from app.foundation.formtools import NEEDED, stripped

LONGEST_REASON = 300


class GivenTierForm(FlaskForm):
    """``tier`` offers what the page says may be given."""

    tier = SelectField(_l("Tier"), [NEEDED])
    last_day = DateField(_l("Last day"), [InputRequired(_l("Until when?"))])
    reason = TextAreaField(
        _l("Reason, for colleagues only"),
        [InputRequired(_l("Please write down why, for your colleagues.")), Length(max=LONGEST_REASON)],
        filters=[stripped],
    )
