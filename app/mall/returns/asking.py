"""How a return is asked for, by a member or by staff for one: the form, what it would bring, and the case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask import request

from app.foundation.actors import Actor
from app.foundation.database import transaction
from app.foundation.errors import DomainError
from app.foundation.formtools import refuse
from app.mall.returns import actions, pictures, queries
from app.mall.returns.forms import AskForm, pieces_of, take_pictures
from app.mall.returns.models import ReturnCase
from app.mall.returns.statements import KIND_LABELS, REASON_LABELS, choosable, goods, nothing_moves, preview, ways

if TYPE_CHECKING:
    from app.mall.orders.models import Order


@dataclass(slots=True)
class Asking:
    """One form on its way: typed, looked at, confirmed. ``tokens`` name the pictures that are uploaded already."""

    order: Order
    by: Actor
    form: AskForm
    tokens: list[str]
    pieces: dict[int, int]
    status: int = 422  # Of a form that was refused.

    @classmethod
    def begin(cls, order: Order, by: Actor) -> Asking:
        form = AskForm()
        if request.method == "GET":
            form.kind.data = request.args.get("kind")
        return cls(order, by, form, [], {})

    @property
    def owner(self) -> str:
        return f"{self.by.kind}:{self.by.id}:{self.order.id}"

    def read(self, now: datetime) -> bool:
        """Is everything there, and could it be asked for now? What is wrong stands in the form."""
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
            self.pieces = pieces_of(request.form)
            if fine:
                actions.check(order=self.order, kind=self.form.kind.data, pieces=self.pieces, by=self.by, now=now)
        except DomainError as error:
            refuse(self.form, error)
            self.status = error.status
            return False
        return fine

    @property
    def confirmed(self) -> bool:
        return request.form.get("step") == "confirm"

    @property
    def changed(self) -> bool:
        """Somebody looked, and wants to change something."""
        return request.form.get("step") == "change"

    def ask(self, now: datetime) -> ReturnCase:
        """Raises what ``actions.ask`` raises."""
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
                key=self.form.key.data or "",
                by=self.by,
                now=now,
            )

    # --- pages -----------------------------------------------------------------------------

    def form_shown(self, now: datetime) -> dict[str, Any]:
        possible = queries.endings(self.order) if self.by.kind == "staff" else queries.ways_back(self.order, now=now)
        chosen = self.form.kind.data if self.form.kind.data in possible else next(iter(possible), "")
        return {
            "form": self.form,
            "lines": choosable(self.order, request.form),
            "ways": [{"value": way.kind, "title": way.label, "text": way.text} for way in ways(possible)],
            "kind": chosen,
            "tokens": self.tokens,
            "most": pictures.MOST,
        }

    def preview_shown(self, now: datetime) -> dict[str, Any]:
        returns = self.form.kind.data == "return"
        figures = (
            preview(queries.outcome(self.order, self.pieces, kind="return", reason=self.form.reason.data, now=now))
            if returns
            else nothing_moves()
        )
        return {
            "form": self.form,
            "goods": goods(self.order, self.pieces),
            "pieces": {f"pieces-{line}": count for line, count in self.pieces.items()},
            "figures": figures,
            "kind": self.form.kind.data,
            "kind_label": str(KIND_LABELS[self.form.kind.data]),
            "reason": str(REASON_LABELS[self.form.reason.data]),
            "tokens": self.tokens,
        }
