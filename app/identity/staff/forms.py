"""Forms about colleagues, and the door they come in by."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, PasswordField, RadioField, SelectChoice, SelectMultipleField, StringField
from wtforms.validators import EqualTo, InputRequired, Length, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from app.foundation.formtools import NEEDED, accepted_by, at_most, stripped
from app.foundation.languages import translated
from app.identity.names import email_of
from app.identity.passwords import LONGEST, SHORTEST
from app.identity.units.queries import all_units

PASSWORD_LENGTH = Length(min=SHORTEST, max=LONGEST, message=_l("Please use %(min)d to %(max)d characters."))
ROLE_LABELS = {
    "merchant": _l("Merchant: products, stock and orders of their own units"),
    "agent": _l("Agent: members, balances, service"),
    "auditor": _l("Auditor: reads everything, changes nothing"),
    "owner": _l("Owner: everything, including this page"),
}
ROLE_NAMES = {"merchant": _l("Merchant"), "agent": _l("Agent"), "auditor": _l("Auditor"), "owner": _l("Owner")}


class SignInForm(FlaskForm):
    next = HiddenField()
    email = StringField(_l("Email"), filters=[stripped], validators=[NEEDED])
    password = PasswordField(_l("Password"), validators=[NEEDED])


class StaffForm(FlaskForm):
    """``password`` is needed for a new colleague; later it stays as it is when left empty."""

    name = StringField(_l("Name"), filters=[stripped], validators=[NEEDED, at_most(80)])
    email = StringField(_l("Email"), filters=[stripped], validators=[NEEDED, at_most(254), accepted_by(email_of)])
    role = RadioField(
        _l("Role"),
        choices=[SelectChoice(*role) for role in ROLE_LABELS.items()],
        validators=[InputRequired(_l("Please choose."))],
    )
    units = SelectMultipleField(
        _l("Units"),
        description=_l("For merchants only: the units whose products and orders they see."),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    active = BooleanField(_l("May sign in"), default=True)
    password = PasswordField(_l("New password"), validators=[Optional(), PASSWORD_LENGTH])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.units.choices = [SelectChoice(unit.code, translated(unit.name)) for unit in all_units()]


class OwnPasswordForm(FlaskForm):
    present = PasswordField(_l("Present password"), validators=[NEEDED])
    password = PasswordField(_l("New password"), validators=[NEEDED, PASSWORD_LENGTH])
    again = PasswordField(
        _l("New password, once more"),
        validators=[NEEDED, EqualTo("password", message=_l("The two passwords are not the same."))],
    )
