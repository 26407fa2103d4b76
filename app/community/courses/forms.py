"""Writing a course and its lessons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectChoice, SelectField, StringField, TextAreaField

from app.community.courses.statements import PICTURE_LABELS
from app.foundation.formtools import NEEDED, at_most, stripped, texts_of

LONGEST_TITLE, LONGEST_SUMMARY, LONGEST_DESCRIPTION, LONGEST_BODY = 120, 200, 4_000, 20_000
NONE = ""  # The unit of what belongs to the whole programme.


def _line(label: Any, longest: int) -> StringField:
    return StringField(label, filters=[stripped], validators=[at_most(longest)])


def _text(label: Any, longest: int) -> TextAreaField:
    return TextAreaField(label, filters=[stripped], validators=[at_most(longest)])


class CourseForm(FlaskForm):
    code = StringField(
        _l("Code"),
        description=_l("Small letters, digits and hyphens. It stands in the address, so it stays for good."),
        filters=[stripped],
        validators=[NEEDED, at_most(40)],
    )
    title_en = _line(_l("Title in English"), LONGEST_TITLE)
    title_zh_Hans = _line(_l("Title in Simplified Chinese"), LONGEST_TITLE)  # noqa: N815 - named after the locale
    title_zh_Hant = _line(_l("Title in Traditional Chinese"), LONGEST_TITLE)  # noqa: N815
    summary_en = _text(_l("Summary in English"), LONGEST_SUMMARY)
    summary_zh_Hans = _text(_l("Summary in Simplified Chinese"), LONGEST_SUMMARY)  # noqa: N815
    summary_zh_Hant = _text(_l("Summary in Traditional Chinese"), LONGEST_SUMMARY)  # noqa: N815
    description_en = _text(_l("Description in English"), LONGEST_DESCRIPTION)
    description_zh_Hans = _text(_l("Description in Simplified Chinese"), LONGEST_DESCRIPTION)  # noqa: N815
    description_zh_Hant = _text(_l("Description in Traditional Chinese"), LONGEST_DESCRIPTION)  # noqa: N815
    unit = SelectField(_l("Business unit"))
    picture = SelectField(_l("Picture"), choices=[SelectChoice(*each) for each in PICTURE_LABELS.items()])
    open_to_all = BooleanField(
        _l("Free for every member"),
        description=_l("Otherwise only for members who were given access, by buying it in the mall."),
    )

    def offer_units(self, names: Mapping[str, str]) -> None:
        self.unit.choices = [SelectChoice(*each) for each in names.items()]

    def texts(self, what: str) -> dict[str, str]:
        return texts_of(self.data, what)


class LessonForm(FlaskForm):
    title_en = _line(_l("Title in English"), LONGEST_TITLE)
    title_zh_Hans = _line(_l("Title in Simplified Chinese"), LONGEST_TITLE)  # noqa: N815
    title_zh_Hant = _line(_l("Title in Traditional Chinese"), LONGEST_TITLE)  # noqa: N815
    body_en = _text(_l("Text in English"), LONGEST_BODY)
    body_zh_Hans = _text(_l("Text in Simplified Chinese"), LONGEST_BODY)  # noqa: N815
    body_zh_Hant = _text(_l("Text in Traditional Chinese"), LONGEST_BODY)  # noqa: N815

    def texts(self, what: str) -> dict[str, str]:
        return texts_of(self.data, what)
