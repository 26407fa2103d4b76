"""A return, an exchange or a claim, on its way from the form to the case."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from flask import request

from app.foundation.actors import Actor
from app.foundation.database import transaction
from app.foundation.errors import DomainError
from app.foundation.formtools import refuse
from app.mall.returns import actions, pictures, queries
from app.mall.returns.forms import AskForm, codes_of, hidden, pieces_of, take_pictures
from app.mall.returns.models import ReturnCase
from app.mall.returns.naming import codes_meant, pieces_named, shown_codes
from app.mall.returns.statements import (
    KIND_LABELS,
    REASON_LABELS,
    CodeChoice,
    choosable,
    code_choice,
    goods,
    nothing_moves,
    preview,
    ways,
)
from app.mall.returns.walk import Asked

if TYPE_CHECKING:
    from app.mall.orders.models import Order


@dataclass(slots=True)
class Asking(Asked[AskForm]):
    """``tokens`` name the pictures that are uploaded already, ``codes`` by their ids those that do not work."""

    tokens: list[str] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)

    template = "new.html"
    preview = "preview.html"
    here = "create"

    @classmethod
    def begin(cls, order: Order, by: Actor) -> Self:
        form = AskForm()
        if request.method == "GET":
            form.kind.data = request.args.get("kind")
        return cls(order, by, form)

    @property
    def owner(self) -> str:
        return f"{self.by.kind}:{self.by.id}:{self.order.id}"

    def read(self, now: datetime) -> bool:
        # A picture that was uploaded is kept whatever else is wrong; a browser would not send it again.
        kept = request.form.getlist("kept")
        self.tokens = [token for token in kept if pictures.names_of([token], owner=self.owner)][: pictures.MOST]
        fine = self.form.validate_on_submit()
        try:
            self.tokens = take_pictures(request.files.getlist("pictures"), self.tokens, owner=self.owner)
        except DomainError as error:
            refuse(self.form, error, "pictures")
            fine = False
        try:
            self.codes = codes_of(request.form.getlist("codes"))
            self.pieces = pieces_of(request.form) | pieces_named(self.order, self.codes)
            if fine:
                asked = {"kind": self.form.kind.data, "pieces": self.pieces, "codes": self.codes}
                actions.check(order=self.order, **asked, by=self.by, now=now)
        except DomainError as error:
            refuse(self.form, error)
            self.status = error.status
            return False
        return fine

    def confirm(self, now: datetime) -> ReturnCase:
        names = pictures.names_of(self.tokens, owner=self.owner)
        pictures.keep(names)
        with transaction():
            return actions.ask(
                order_id=self.order.id,
                kind=self.form.kind.data,
                pieces=self.pieces,
                reason=self.form.reason.data,
                note=self.form.note.data or "",
                pictures=names,
                codes=self.codes,
                key=self.form.key.data or "",
                by=self.by,
                now=now,
            )

    def form_shown(self, now: datetime) -> dict[str, Any]:
        possible = queries.endings(self.order) if self.by.kind == "staff" else queries.ways_back(self.order, now=now)
        chosen = self.form.kind.data if self.form.kind.data in possible else next(iter(possible), "")
        left: dict[int, int] = {}
        for kind in possible:
            left |= queries.returnable(self.order, kind, self.by.kind)
        return {
            "lines": choosable(self.order, left, request.form, codes=self._codes_shown()),
            "ways": [{"value": way.kind, "title": way.label, "text": way.text} for way in ways(possible)],
            "kind": chosen,
            "parcel": any(line.kind == "physical" and left.get(line.id) for line in self.order.lines),
            "tokens": self.tokens,
            "most": pictures.MOST,
        }

    def _codes_shown(self) -> dict[int, list[CodeChoice]]:
        """Those to choose from, by line; colleagues see no more than their ends."""
        return {
            line_id: [code_choice(code, masked=self.by.kind != "member", chosen=self.codes) for code in codes]
            for line_id, codes in shown_codes(self.order).items()
            if len(codes) > 1
        }

    def preview_shown(self, now: datetime) -> dict[str, Any]:
        kind, reason = self.form.kind.data, self.form.reason.data
        figures = nothing_moves()
        if kind == "return":
            figures = preview(queries.outcome(self.order, self.pieces, kind=kind, reason=reason, now=now))
        return {
            "goods": goods(self.order, self.pieces, meant=codes_meant(self.order, self.pieces, self.codes)),
            "hidden": hidden(self.form, self.pieces),
            "codes": self.codes,
            "figures": figures,
            "kind": kind,
            "kind_label": str(KIND_LABELS[kind]),
            "reason": str(REASON_LABELS[reason]),
            "tokens": self.tokens,
        }
