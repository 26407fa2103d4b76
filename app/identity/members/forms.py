"""Forms of the members' own pages."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, HiddenField, PasswordField, SelectChoice, SelectField, StringField
from wtforms.validators import EqualTo, Length, Optional

from app.foundation.formtools import NEEDED, accepted_by, at_most, stripped
from app.identity.invitations import recognised
from app.identity.names import clean, contact_of, home_region, phone_of
from app.identity.passwords import LONGEST, SHORTEST

PASSWORD_HINT = _l("At least 8 characters. Three words that do not belong together make a good one.")


def new_password(label: str) -> PasswordField:
    lengths = Length(min=SHORTEST, max=LONGEST, message=_l("Please use %(min)d to %(max)d characters."))
    return PasswordField(label, description=PASSWORD_HINT, validators=[NEEDED, lengths])


class SignInForm(FlaskForm):
    next = HiddenField()
    contact = StringField(_l("Email or phone"), filters=[stripped], validators=[NEEDED])
    password = PasswordField(_l("Password"), validators=[NEEDED])
    remember = BooleanField(_l("Keep me signed in for 30 days"))


class RegistrationForm(FlaskForm):
    next = HiddenField()
    contact = StringField(
        _l("Email or phone"),
        description=_l("We send a code to it, to be sure that it is yours."),
        filters=[stripped],
        validators=[NEEDED, at_most(254), accepted_by(contact_of)],
    )
    name = StringField(
        _l("What should we call you?"), filters=[stripped], validators=[NEEDED, at_most(80), accepted_by(clean)]
    )
    password = new_password(_l("Choose a password"))
    invite_code = StringField(
        _l("Invitation code"),
        description=_l("If a friend has invited you."),
        filters=[stripped],
        validators=[at_most(40), accepted_by(recognised)],
    )


class CodeForm(FlaskForm):
    code = StringField(_l("Code from the message"), filters=[stripped], validators=[NEEDED, at_most(20)])


class ForgottenForm(FlaskForm):
    contact = StringField(
        _l("Email or phone"), filters=[stripped], validators=[NEEDED, at_most(254), accepted_by(contact_of)]
    )


class NewPasswordForm(FlaskForm):
    password = new_password(_l("New password"))
    again = PasswordField(
        _l("New password, once more"),
        validators=[NEEDED, EqualTo("password", message=_l("The two passwords are not the same."))],
    )


class ChangePasswordForm(NewPasswordForm):
    present = PasswordField(_l("Present password"), validators=[NEEDED])


class ProfileForm(FlaskForm):
    name = StringField(_l("Name"), filters=[stripped], validators=[NEEDED, at_most(80)])
    gender = SelectField(
        _l("Gender"),
        choices=[
            SelectChoice("", _l("Rather not say")),
            SelectChoice("female", _l("Female")),
            SelectChoice("male", _l("Male")),
            SelectChoice("other", _l("Other")),
        ],
    )
    birth_date = DateField(_l("Date of birth"), validators=[Optional()])


class ContactForm(FlaskForm):
    contact = StringField(
        _l("New email or phone"),
        description=_l("We send a link to it. Until you open the link, everything stays as it is."),
        filters=[stripped],
        validators=[NEEDED, at_most(254), accepted_by(contact_of)],
    )
    password = PasswordField(_l("Present password"), validators=[NEEDED])


class AddressForm(FlaskForm):
    next = HiddenField()
    recipient = StringField(_l("Recipient"), filters=[stripped], validators=[NEEDED, at_most(80)])
    phone = StringField(
        _l("Phone"),
        description=_l("For the courier only."),
        filters=[stripped],
        validators=[NEEDED, at_most(40), accepted_by(lambda text: phone_of(text, home_region()))],
    )
    region = StringField(_l("Province or region"), filters=[stripped], validators=[NEEDED, at_most(80)])
    city = StringField(_l("City"), filters=[stripped], validators=[NEEDED, at_most(80)])
    line = StringField(_l("Street, house, flat"), filters=[stripped], validators=[NEEDED, at_most(200)])
    postcode = StringField(_l("Postcode"), filters=[stripped], validators=[at_most(12)])
