"""From a dataclass of terms to a form with one field per term, by its type.

Its words come from ``term(5, _l("Points a day"))``; without them a field shows its own name.
"""

from __future__ import annotations

from dataclasses import Field, fields
from typing import Any, get_type_hints

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateTimeLocalField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Optional, ValidationError

from app.config import LOCALES
from app.foundation.formtools import NEEDED, accepted_by, at_most, programme_moment, stripped
from app.foundation.screens.terms_registry import label_of
from app.foundation.terms import LONGEST_NOTE


class PublicationForm(FlaskForm):
    """``seal`` is that of the draft on the page. ``starts_at`` is in the programme's timezone."""

    seal = HiddenField()
    when = RadioField(
        _l("From when?"),
        choices=[SelectChoice("now", _l("From now on")), SelectChoice("later", _l("From a moment on"))],
        default="now",
    )
    starts_at = DateTimeLocalField(
        _l("Day and time"), [Optional(), accepted_by(programme_moment)], format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
    )
    note = TextAreaField(
        _l("Note"),
        [at_most(LONGEST_NOTE)],
        filters=[stripped],
        description=_l("Why, for whoever looks at the versions later."),
    )

    def validate(self, *args: Any, **more: Any) -> bool:
        fine = bool(super().validate(*args, **more))
        if fine and self.when.data == "later" and self.starts_at.data is None:
            self.starts_at.errors = [_("From which day and time on?")]
            return False
        return fine


class TextsField(TextAreaField):
    """Texts by code and language, a line each: ``goodwill | Goodwill | 关怀补偿 | 關懷補償``."""

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "\n".join(" | ".join([code, *_in_order(texts)]) for code, texts in (self.data or {}).items())

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = {}
        for line in (valuelist[0] if valuelist else "").splitlines():
            code, *texts = [part.strip() for part in line.split("|")]
            if code:
                self.data[code] = {locale: text for locale, text in zip(LOCALES, texts, strict=False) if text}

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        if any(not texts for texts in self.data.values()):
            raise ValidationError(_("Each line needs a code, a bar, and a text: goodwill | Goodwill"))


def _in_order(texts: dict[str, str]) -> list[str]:
    return [texts.get(locale, "") for locale in LOCALES]


def form_of(cls: type) -> type[FlaskForm]:
    """A form for these terms, and the ``seal`` of the draft that it began with. Raises ``TypeError`` for terms that
    have to have an editor of their own."""
    hints = get_type_hints(cls)
    made = {entry.name: _field(entry, hints[entry.name]) for entry in fields(cls)}
    return type(f"{cls.__name__}Form", (FlaskForm,), {**made, "seal": HiddenField()})


def _field(entry: Field[Any], kind: Any) -> Any:
    label, help_text = label_of(entry), entry.metadata.get("help", "")
    if choices := entry.metadata.get("choices"):
        named = [SelectChoice(value, label) for value, label in choices.items()]
        return SelectField(label, description=help_text, choices=named)
    if kind is bool:
        return BooleanField(label, description=help_text)
    if kind is int:
        return IntegerField(label, description=help_text, validators=[NEEDED, _within_reason])
    if kind is str:
        return StringField(label, description=help_text, filters=[stripped], validators=[NEEDED, at_most(500)])
    if kind == dict[str, dict[str, str]]:
        help_text = help_text or _l("A line each: code | English | 简体中文 | 繁體中文")
        return TextsField(label, description=help_text, render_kw={"rows": 8})
    raise TypeError(f"Terms with a {kind} need an editor of their own: {entry.name}")


def _within_reason(_form: FlaskForm, field: Any) -> None:
    if field.data is not None and abs(field.data) > 2**53:
        raise ValidationError(_("This number is too large."))
