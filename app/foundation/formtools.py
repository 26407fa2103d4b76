"""What forms of several domains share: a field check made from a rule, and errors put beside their field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field
from wtforms.validators import ValidationError

from app.foundation.errors import DomainError, InvalidInput


def accepted_by(rule: Callable[[str], Any]) -> Callable[[FlaskForm, Field], None]:
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


def refuse(form: FlaskForm, error: DomainError, field: str | None = None) -> None:
    """Show an action's refusal beside ``field``, or above the form."""
    if field is None:
        form.form_errors.append(str(error))
    else:
        form[field].errors = [*form[field].errors, str(error)]
