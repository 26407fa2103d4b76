"""A cancellation on its way from the form to the case, which is settled at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from flask import request

from app.foundation.actors import Actor
from app.foundation.database import transaction
from app.foundation.errors import DomainError
from app.foundation.formtools import refuse
from app.mall.returns import actions, queries
from app.mall.returns.forms import CancelForm, hidden, pieces_of
from app.mall.returns.giveable import check_giveable, giveable
from app.mall.returns.models import ReturnCase
from app.mall.returns.statements import CANCELLING_LABELS, KIND_LABELS, choosable, goods, preview
from app.mall.returns.walk import Asked

if TYPE_CHECKING:
    from app.mall.orders.models import Order


@dataclass(slots=True)
class CallingOff(Asked[CancelForm]):
    template = "cancellation.html"
    preview = "cancellation_preview.html"
    here = "create_cancellation"

    @classmethod
    def begin(cls, order: Order, by: Actor) -> Self:
        return cls(order, by, CancelForm(hand=by.kind))

    def read(self, now: datetime) -> bool:
        fine = self.form.validate_on_submit()
        try:
            self.pieces = pieces_of(request.form)
            check_giveable(self.order, self.pieces, by=self.by, now=now)
        except DomainError as error:
            refuse(self.form, error)
            self.status = error.status
            return False
        return fine

    def confirm(self, now: datetime) -> ReturnCase:
        with transaction():
            return actions.cancel(
                order_id=self.order.id,
                pieces=self.pieces,
                reason=self.form.reason.data,
                note=self.form.note.data or "",
                key=self.form.key.data or "",
                by=self.by,
                now=now,
            )

    def form_shown(self, now: datetime) -> dict[str, Any]:
        left = giveable(self.order, by=self.by, now=now)
        return {"lines": choosable(self.order, left, request.form, all_of_it=True), "tokens": []}

    def preview_shown(self, now: datetime) -> dict[str, Any]:
        reason = self.form.reason.data
        made = queries.outcome(self.order, self.pieces, kind="cancellation", reason=reason, now=now)
        return {
            "goods": goods(self.order, self.pieces),
            "hidden": hidden(self.form, self.pieces),
            "figures": preview(made),
            "kind_label": str(KIND_LABELS["cancellation"]),
            "reason": str(CANCELLING_LABELS[reason]),
            "tokens": [],
            "codes": [],
            "whole": all(line.left == self.pieces.get(line.line_id, 0) for line in queries.sold_lines(self.order)),
        }
