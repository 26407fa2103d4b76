"""The numbers that an owner may change: one form per domain, made from its dataclass.

Its words come from ``term(5, _l("Points a day"))``; without them a field shows its own name.
"""

from __future__ import annotations

from dataclasses import Field, asdict, dataclass, fields
from typing import Any, get_type_hints

from flask import Blueprint, abort, flash, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_decimal
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField, SelectChoice, SelectField, StringField, TextAreaField
from wtforms.validators import ValidationError

from app.config import LOCALES
from app.foundation import clock
from app.foundation import terms as house_terms
from app.foundation.database import transaction
from app.foundation.errors import DomainError
from app.foundation.formtools import NEEDED, at_most, refuse, stripped
from app.foundation.languages import translated
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, allowed, requires

terms_pages = Blueprint("terms", __name__, url_prefix="/terms")


@dataclass(frozen=True, slots=True)
class Line:
    """One term, for reading."""

    label: str
    value: str
    help: str


@terms_pages.get("")
@requires(Permission.PROGRAMME_READ)
def index() -> ResponseReturnValue:
    may_write = allowed(Permission.PROGRAMME_WRITE)
    groups = [
        {
            "title": title_of(domain),
            "lines": _lines(cls),
            "url": url_for("backoffice.terms.edit", domain=domain) if may_write else None,
        }
        for domain, cls in sorted(house_terms.declared.items())
    ]
    return page("backoffice/terms/index.html", groups=groups)


@terms_pages.get("/<domain>")
@requires(Permission.PROGRAMME_WRITE)
def edit(domain: str) -> ResponseReturnValue:
    cls = house_terms.declared.get(domain) or abort(404)
    return _form(domain, form_of(cls)(data=asdict(house_terms.current(cls))))


@terms_pages.post("/<domain>")
@requires(Permission.PROGRAMME_WRITE)
def update(domain: str) -> ResponseReturnValue:
    cls = house_terms.declared.get(domain) or abort(404)
    form = form_of(cls)()
    if not form.validate_on_submit():
        return _form(domain, form, status=422)
    values = {entry.name: form[entry.name].data for entry in fields(cls)}
    try:
        with transaction():
            house_terms.change(cls, values, by=current_user.actor, now=clock.now())
    except DomainError as error:
        refuse(form, error)
        return _form(domain, form, status=422)
    flash(_("Saved. The new terms hold from now on; what has happened stays as it was."), "success")
    return seen(url_for("backoffice.terms.index"))


def _form(domain: str, form: FlaskForm, *, status: int = 200) -> ResponseReturnValue:
    return page(
        "backoffice/terms/edit.html",
        status=status,
        title=title_of(domain),
        form=form,
        fields=[part for part in form if part.type != "CSRFTokenField"],
        action_url=url_for("backoffice.terms.update", domain=domain),
        back_url=url_for("backoffice.terms.index"),
    )


# --- from a dataclass to a form -------------------------------------------------------------


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
    """A form with one field per term, by its type."""
    hints = get_type_hints(cls)
    return type(
        f"{cls.__name__}Form", (FlaskForm,), {entry.name: _field(entry, hints[entry.name]) for entry in fields(cls)}
    )


def _field(entry: Field[Any], kind: Any) -> Any:
    label, help_text = _label(entry), entry.metadata.get("help", "")
    if choices := entry.metadata.get("choices"):
        named = [SelectChoice(value, label) for value, label in choices.items()]
        return SelectField(label, description=help_text, choices=named)
    if kind is bool:
        return BooleanField(label, description=help_text)
    if kind is int:
        return IntegerField(label, description=help_text, validators=[NEEDED, _within_reason])
    if kind is str:
        return StringField(label, description=help_text, filters=[stripped], validators=[NEEDED, at_most(500)])
    help_text = help_text or _l("A line each: code | English | 简体中文 | 繁體中文")
    return TextsField(label, description=help_text, render_kw={"rows": 8})


def _within_reason(_form: FlaskForm, field: Any) -> None:
    if field.data is not None and abs(field.data) > 2**53:
        raise ValidationError(_("This number is too large."))


def _lines(cls: type) -> list[Line]:
    values: Any = house_terms.current(cls)
    return [
        Line(str(_label(entry)), _text(getattr(values, entry.name), entry), str(entry.metadata.get("help", "")))
        for entry in fields(cls)
    ]


def _label(entry: Field[Any]) -> Any:
    return entry.metadata.get("label") or entry.name.replace("_", " ").capitalize()


def _text(value: Any, entry: Field[Any]) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dict):
        return ", ".join(translated(texts) for texts in value.values())
    choices = entry.metadata.get("choices") or {}
    return str(choices.get(value) or (format_decimal(value) if isinstance(value, int) else value))


def title_of(domain: str) -> str:
    return str(house_terms.declared[domain].title)  # type: ignore[attr-defined]
