"""Forms about business units."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, StringField
from wtforms.validators import InputRequired, Length

from app.foundation.formtools import stripped

TOO_LONG = _l("Please use at most %(max)d characters.")


class UnitForm(FlaskForm):
    code = StringField(
        _l("Code"),
        description=_l("Small letters, digits and hyphens. Purchase files name the unit by it, so it stays for good."),
        filters=[stripped],
        validators=[InputRequired(_l("Please fill this in.")), Length(max=32, message=TOO_LONG)],
    )
    name_en = StringField(_l("Name in English"), filters=[stripped], validators=[Length(max=80, message=TOO_LONG)])
    name_zh_Hans = StringField(  # noqa: N815 - named after the locale
        _l("Name in Simplified Chinese"), filters=[stripped], validators=[Length(max=80, message=TOO_LONG)]
    )
    name_zh_Hant = StringField(  # noqa: N815
        _l("Name in Traditional Chinese"), filters=[stripped], validators=[Length(max=80, message=TOO_LONG)]
    )
    active = BooleanField(_l("Open for business"), default=True)
