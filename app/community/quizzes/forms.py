"""Writing a quiz and its questions; times are those of the programme."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateTimeLocalField, FieldList, Form, FormField, IntegerField, StringField, TextAreaField
from wtforms.validators import InputRequired, NumberRange, Optional

from app.community.quizzes.rules import MOST_CHOICES, MOST_QUESTIONS
from app.foundation.formtools import NEEDED, accepted_by, at_most, programme_moment, stripped, texts_of

MINUTES = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
LONGEST_TITLE, LONGEST_TEXT = 120, 500


def _line(label: Any, longest: int) -> StringField:
    return StringField(label, filters=[stripped], validators=[at_most(longest)])


def _text(label: Any) -> TextAreaField:
    return TextAreaField(label, filters=[stripped], validators=[at_most(LONGEST_TEXT)])


class QuizForm(FlaskForm):
    code = StringField(
        _l("Code"),
        description=_l("Small letters, digits and hyphens. It stands in the address, so it stays for good."),
        filters=[stripped],
        validators=[NEEDED, at_most(40)],
    )
    title_en = _line(_l("Title in English"), LONGEST_TITLE)
    title_zh_Hans = _line(_l("Title in Simplified Chinese"), LONGEST_TITLE)  # noqa: N815 - named after the locale
    title_zh_Hant = _line(_l("Title in Traditional Chinese"), LONGEST_TITLE)  # noqa: N815
    intro_en = _text(_l("Introduction in English"))
    intro_zh_Hans = _text(_l("Introduction in Simplified Chinese"))  # noqa: N815
    intro_zh_Hant = _text(_l("Introduction in Traditional Chinese"))  # noqa: N815
    opens_at = DateTimeLocalField(
        _l("Opens at"),
        format=MINUTES,
        validators=[InputRequired(_l("Please say when it opens.")), accepted_by(programme_moment)],
    )
    closes_at = DateTimeLocalField(
        _l("Closes at"),
        description=_l("Empty: it stays open."),
        format=MINUTES,
        validators=[Optional(), accepted_by(programme_moment)],
    )
    needed = IntegerField(
        _l("Right answers needed for points"),
        description=_l("0: all of them."),
        default=0,
        validators=[
            InputRequired(_l("Please fill this in.")),
            NumberRange(0, MOST_QUESTIONS, _l("From %(min)s to %(max)s.")),
        ],
    )

    def texts(self, what: str) -> dict[str, str]:
        return texts_of(self.data, what)


class ChoiceForm(Form):
    """One answer to choose from, by language."""

    text_en = _line(_l("English"), LONGEST_TITLE)
    text_zh_Hans = _line(_l("Simplified Chinese"), LONGEST_TITLE)  # noqa: N815
    text_zh_Hant = _line(_l("Traditional Chinese"), LONGEST_TITLE)  # noqa: N815


class QuestionForm(FlaskForm):
    """``right`` is the place of the right choice among those on the page; empty ones are left out."""

    text_en = _text(_l("Question in English"))
    text_zh_Hans = _text(_l("Question in Simplified Chinese"))  # noqa: N815
    text_zh_Hant = _text(_l("Question in Traditional Chinese"))  # noqa: N815
    choices = FieldList(FormField(ChoiceForm), min_entries=MOST_CHOICES, max_entries=MOST_CHOICES)
    right = IntegerField(validators=[InputRequired(_l("Please mark the answer that is right."))])
    explanation_en = _text(_l("Explanation in English"))
    explanation_zh_Hans = _text(_l("Explanation in Simplified Chinese"))  # noqa: N815
    explanation_zh_Hant = _text(_l("Explanation in Traditional Chinese"))  # noqa: N815

    def texts(self, what: str) -> dict[str, str]:
        return texts_of(self.data, what)

    def written(self) -> tuple[list[dict[str, str]], int]:
        """The choices that have a text, and the place of the right one among them; −1 where that one is empty."""
        lines = {int(entry.name.rpartition("-")[2]): texts_of(entry.data, "text") for entry in self.choices}
        places = sorted(place for place, texts in lines.items() if any(texts.values()))
        right = places.index(self.right.data) if self.right.data in places else -1
        return [lines[place] for place in places], right
