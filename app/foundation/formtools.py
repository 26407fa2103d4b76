"""What forms of several domains share: a field check made from a rule, and errors put beside their field."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import Field
from wtforms.validators import InputRequired, Length, ValidationError

from app.config import LOCALES
from app.foundation import clock
from app.foundation.errors import DomainError, InvalidInput

NEEDED = InputRequired(_l("Please fill this in."))


def at_most(count: int) -> Length:
    """No more characters than the column takes."""
    return Length(max=count, message=_l("Please use at most %(max)d characters."))


def accepted_by(rule: Callable[[Any], Any]) -> Callable[[FlaskForm, Field], None]:
    """A validator that lets ``rule`` read the value and shows the sentence of its ``InvalidInput``."""

    def check(_form: FlaskForm, field: Field) -> None:
        if not field.data:
            return
        try:
            rule(field.data)
        except InvalidInput as error:
            raise ValidationError(str(error)) from error

    return check


def stripped(text: str | None) -> str | None:
    return text.strip() if text else text


def readable(text: str | None) -> str | None:
    """Without control characters, which no database column takes and nobody can see; line breaks stay."""
    if text is None:
        return None
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(sign for sign in lines if sign == "\n" or unicodedata.category(sign)[0] != "C").strip()


def texts_of(values: Mapping[str, Any], what: str) -> dict[str, str]:
    """What stands in the fields ``name_en``, ``name_zh_Hans`` … by language."""
    return {locale: values[f"{what}_{locale}"] or "" for locale in LOCALES}


def by_language(what: str, texts: Mapping[str, str]) -> dict[str, str]:
    """The other way round: a text by language as the values of those fields."""
    return {f"{what}_{locale}": texts.get(locale, "") for locale in LOCALES}


def refuse(form: FlaskForm, error: DomainError, field: str | None = None) -> None:
    """Show an action's refusal beside ``field``, or above the form."""
    if field is None:
        form.form_errors.append(str(error))
    else:
        form[field].errors = [*form[field].errors, str(error)]


YEARS = range(2000, 2101)


def programme_moment(local: datetime) -> datetime:
    """What was typed without a timezone is meant in the programme's. Raises ``InvalidInput`` for other centuries."""
    if local.year not in YEARS:
        raise InvalidInput(_("Please choose a day between 2000 and 2100."))
    return local.replace(tzinfo=clock.programme_zone()).astimezone(UTC)
