"""Forms of the back office: a benefit for one person."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField, SelectField, TextAreaField
from wtforms.validators import InputRequired, Length

from app.foundation.formtools import NEEDED, stripped
from app.loyalty.benefits.models import LONGEST_REASON


class GrantForm(FlaskForm):
    """``code`` offers the benefits of the programme."""

    code = SelectField(_l("Benefit"), [NEEDED])
    first_day = DateField(_l("First day"), [InputRequired(_l("From when on?"))])
    last_day = DateField(_l("Last day"), [InputRequired(_l("Until when?"))])
    reason = TextAreaField(
        _l("Reason, for colleagues only"),
        [InputRequired(_l("Please write down why, for your colleagues.")), Length(max=LONGEST_REASON)],
        filters=[stripped],
    )
