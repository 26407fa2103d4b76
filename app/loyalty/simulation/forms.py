"""Which purchases are to be told again."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField
from wtforms.validators import InputRequired


class SimulationForm(FlaskForm):
    first_day = DateField(_l("First day of the period"), [InputRequired(_l("From when?"))])
    last_day = DateField(_l("Last day of the period"), [InputRequired(_l("Until when?"))])
