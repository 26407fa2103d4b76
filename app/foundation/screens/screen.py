"""Administration of a dull table, declared.

    units = Screen(
        name="units", title=_l("Business units"), model=Unit, read=Permission.UNIT_READ, write=Permission.UNIT_WRITE,
        columns=[Column(_l("Code"), lambda unit: unit.code, head=True)], search=[Unit.code], form=UnitForm, …
    )
    backoffice.register_blueprint(units.blueprint())

gives a list with search, filters and pages, and forms to create and edit. Writing goes through the
domain's own actions where it gives ``create`` and ``update``; else the columns are written as they
are and the change is audited here. Decisions (adjust, approve, refund) are pages of their own, and
tables that keep books are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, abort, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf import FlaskForm
from sqlalchemy.orm import InstrumentedAttribute

from app.foundation import audit, clock
from app.foundation.actors import Actor
from app.foundation.database import db, transaction
from app.foundation.errors import DomainError
from app.foundation.formtools import refuse
from app.foundation.listing import first_url, next_url, part_of
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, allowed, requires

PAGE = 50
BOOKS = ("app.loyalty.ledger.", "app.mall.orders.", "app.mall.payments.")

Row = Any
Values = Mapping[str, Any]
Writer = Callable[..., Row]


@dataclass(frozen=True, kw_only=True)
class Column:
    """``value`` gives what to show. ``head`` names the row and links to it; ``tone`` makes a badge of it."""

    label: Any
    value: Callable[[Row], Any]
    head: bool = False
    num: bool = False
    sub: Callable[[Row], Any] | None = None
    initials: Callable[[Row], str] | None = None
    tone: Callable[[Row], str] | None = None


@dataclass(frozen=True, kw_only=True)
class Filter:
    """A choice above the list. ``where`` turns the chosen value into a condition."""

    name: str
    label: Any
    choices: Callable[[], Sequence[tuple[str, Any]]]
    where: Callable[[str], sa.ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Cell:
    """What the template shows of one column of one row."""

    label: str
    text: Any
    kind: str
    sub: Any
    initials: str
    tone: str


@dataclass(kw_only=True)
class Screen:
    """``keys`` order the list (the last one unique); ``one`` names a single row, for headings and messages."""

    name: str
    title: Any
    one: Any
    new: Any
    model: type
    read: Permission
    write: Permission | None = None
    columns: Sequence[Column]
    keys: Sequence[InstrumentedAttribute[Any]] = ()
    newest_first: bool = True
    search: Sequence[InstrumentedAttribute[Any]] = ()
    search_hint: Any = ""
    filters: Sequence[Filter] = ()
    form: type[FlaskForm] | None = None
    label: Callable[[Row], str] = str
    create: Writer | None = None
    update: Writer | None = None
    load: Callable[[Row], Values] | None = None
    intro: Any = ""
    picture: str = "magnifier"
    form_template: str = "backoffice/screens/form.html"
    extras: Callable[[Row], Mapping[str, Any]] = field(default=lambda _row: {})

    def __post_init__(self) -> None:
        if self.write and f"{self.model.__module__}.".startswith(BOOKS):
            raise TypeError(f"{self.model.__name__} keeps books: nothing generic writes it.")
        if self.write and self.form is None:
            raise TypeError(f"The screen {self.name} can be written but has no form.")

    # --- pages ----------------------------------------------------------------------------

    def blueprint(self) -> Blueprint:
        """The views, ready to hang onto the back office."""
        made = Blueprint(self.name, __name__, url_prefix=f"/{self.name}")
        one = "/<int(max=9223372036854775807):row_id>"
        made.add_url_rule("", "index", _view(self.read, self.index))
        if self.write:
            made.add_url_rule("/new", "new", _view(self.write, self.new_form))
            made.add_url_rule("", "create", _view(self.write, self.create_row), methods=["POST"])
            made.add_url_rule(one, "edit", _view(self.write, self.edit_form))
            made.add_url_rule(one, "update", _view(self.write, self.update_row), methods=["POST"])
        return made

    def index(self) -> ResponseReturnValue:
        chosen = {choice.name: request.args.get(choice.name, "") for choice in self.filters}
        words = request.args.get("q", "")[:100].strip()
        keys = list(self.keys) or [self.model.id]  # type: ignore[attr-defined]
        part = part_of(
            self._statement(chosen, words),
            keys=keys,
            after=request.args.get("after"),
            limit=PAGE,
            newest_first=self.newest_first,
        )
        may_write = self.write is not None and allowed(self.write)
        return page(
            "backoffice/screens/index.html",
            fragments={"rows"},
            screen=self,
            heads=[{"label": str(column.label), "num": column.num} for column in self.columns],
            rows=[self._shown(row, may_write) for row in part.items],
            words=words,
            filters=[(choice, [("", _("All")), *choice.choices()], chosen[choice.name]) for choice in self.filters],
            filtered=bool(words or any(chosen.values())),
            here_url=url_for(f"backoffice.{self.name}.index"),
            new_url=url_for(f"backoffice.{self.name}.new") if may_write else None,
            next_url=next_url(part),
            first_url=first_url(),
        )

    def new_form(self) -> ResponseReturnValue:
        assert self.form is not None
        return self._form_page(self.form(), None)

    def create_row(self) -> ResponseReturnValue:
        assert self.form is not None
        form = self.form()
        return self._save(form, None, self.create or self._create)

    def edit_form(self, row_id: int) -> ResponseReturnValue:
        assert self.form is not None
        row = self._row_or_404(row_id)
        form = self.form(data=self.load(row)) if self.load else self.form(obj=row)
        return self._form_page(form, row)

    def update_row(self, row_id: int) -> ResponseReturnValue:
        assert self.form is not None
        row = self._row_or_404(row_id)
        return self._save(self.form(), row, self.update or self._update)

    # --- what they are made of ------------------------------------------------------------

    def _statement(self, chosen: Mapping[str, str], words: str) -> sa.Select[Any]:
        statement: sa.Select[Any] = sa.select(self.model)
        for choice in self.filters:
            if chosen[choice.name] in {value for value, _label in choice.choices()}:
                statement = statement.where(choice.where(chosen[choice.name]))
        if words:
            statement = statement.where(sa.or_(*(column.icontains(words, autoescape=True) for column in self.search)))
        return statement

    def _shown(self, row: Row, may_write: bool) -> tuple[str | None, list[Cell]]:
        url = url_for(f"backoffice.{self.name}.edit", row_id=row.id) if may_write else None
        return url, [
            Cell(
                label=str(column.label),
                text=column.value(row),
                kind="head" if column.head else "num" if column.num else "",
                sub=column.sub(row) if column.sub else None,
                initials=column.initials(row) if column.initials else "",
                tone=column.tone(row) if column.tone else "",
            )
            for column in self.columns
        ]

    def _row_or_404(self, row_id: int) -> Row:
        return db.session.get(self.model, row_id) or abort(404)

    def _save(self, form: FlaskForm, row: Row | None, writer: Writer) -> ResponseReturnValue:
        if not form.validate_on_submit():
            return self._form_page(form, row, status=422)
        values = {name: value for name, value in form.data.items() if name not in ("csrf_token", "submit")}
        target = () if row is None else (row,)
        try:
            with transaction():
                writer(*target, **values, by=current_user.actor, now=clock.now())
        except DomainError as error:
            refuse(form, error)
            return self._form_page(form, row, status=422)
        flash(_("Saved."), "success")
        return seen(url_for(f"backoffice.{self.name}.index"))

    def _form_page(self, form: FlaskForm, row: Row | None, *, status: int = 200) -> ResponseReturnValue:
        action = f"backoffice.{self.name}." + ("create" if row is None else "update")
        return page(
            self.form_template,
            status=status,
            screen=self,
            form=form,
            fields=[part for part in form if part.type not in ("CSRFTokenField", "HiddenField")],
            title=str(self.new) if row is None else self.label(row),
            action_url=url_for(action, **({} if row is None else {"row_id": row.id})),
            back_url=url_for(f"backoffice.{self.name}.index"),
            row=row,
            extras=self.extras(row) if row is not None else {},
        )

    # --- the generic writers: columns as they are, audited ----------------------------------

    def _create(self, *, by: Actor, now: datetime, **values: Any) -> Row:
        row = self.model(**values)
        db.session.add(row)
        db.session.flush()
        self._record("create", row, by, now, after=_plain(values))
        return row

    def _update(self, row: Row, *, by: Actor, now: datetime, **values: Any) -> Row:
        before = _plain({name: getattr(row, name) for name in values})
        for name, value in values.items():
            setattr(row, name, value)
        self._record("update", row, by, now, before=before, after=_plain(values))
        return row

    def _record(self, verb: str, row: Row, by: Actor, now: datetime, **facts: Values) -> None:
        kind = self.model.__tablename__  # type: ignore[attr-defined]
        audit.record(f"{kind}.{verb}", subject=(kind, row.id, self.label(row)), by=by, now=now, **facts)


def _view(permission: Permission, method: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
    """A function of its own for every screen, because that is what carries the declaration."""

    def view(**arguments: Any) -> ResponseReturnValue:
        return method(**arguments)

    return requires(permission)(view)


def _plain(values: Values) -> dict[str, Any]:
    """As JSON can hold it."""
    return {name: value.isoformat() if isinstance(value, (date, datetime)) else value for name, value in values.items()}
