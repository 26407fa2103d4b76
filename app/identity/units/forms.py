"""Forms about business units."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, StringField

from app.foundation.formtools import NEEDED, at_most, stripped


class UnitForm(FlaskForm):
    code = StringField(
        _l("Code"),
        description=_l("Small letters, digits and hyphens. Purchase files name the unit by it, so it stays for good."),
        filters=[stripped],
        validators=[NEEDED, at_most(32)],
    )
    name_en = StringField(_l("Name in English"), filters=[stripped], validators=[at_most(80)])
    name_zh_Hans = StringField(  # noqa: N815 - named after the locale
        _l("Name in Simplified Chinese"), filters=[stripped], validators=[at_most(80)]
    )
    name_zh_Hant = StringField(  # noqa: N815
        _l("Name in Traditional Chinese"), filters=[stripped], validators=[at_most(80)]
    )
    active = BooleanField(_l("Open for business"), default=True)
