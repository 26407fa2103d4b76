"""How something is asked for, by a member or by staff for one: a form is typed, looked at with its figures, confirmed.

Each step sends the whole form once more, so nothing is kept in between, and it works in one tab or in three.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf import FlaskForm

from app.extensions import limiter
from app.foundation.actors import Actor
from app.foundation.errors import DomainError
from app.foundation.formtools import refuse
from app.foundation.pages import page, seen
from app.mall.returns import queries
from app.mall.returns.models import ReturnCase

if TYPE_CHECKING:
    from app.mall.orders.models import Order

# Each picture costs some tenths of a second, and lies around for a day if nobody confirms it.
UPLOADS_PER_PERSON = "30 per 15 minutes; 200 per day"
Form = TypeVar("Form", bound=FlaskForm)


@dataclass(slots=True)
class Asked(ABC, Generic[Form]):
    """One form on its way. ``template`` shows it, ``preview`` what it would bring, ``here`` is where it is sent."""

    order: Order
    by: Actor
    form: Form
    pieces: dict[int, int] = field(default_factory=dict)
    status: int = 422  # Of a form that was refused.

    template: ClassVar[str]
    preview: ClassVar[str]
    here: ClassVar[str]

    @abstractmethod
    def read(self, now: datetime) -> bool:
        """Is everything there, and could it be asked for now? What is wrong stands in the form."""

    @abstractmethod
    def confirm(self, now: datetime) -> ReturnCase:
        """Do it. Raises ``DomainError``."""

    @abstractmethod
    def form_shown(self, now: datetime) -> dict[str, Any]:
        """What the form's page needs."""

    @abstractmethod
    def preview_shown(self, now: datetime) -> dict[str, Any]:
        """What the preview's page needs."""


@dataclass(frozen=True, slots=True)
class Side:
    """Of the counter: where its pages lie, and the addresses of an order and of a case there."""

    folder: str
    order_endpoint: str
    after: Callable[[ReturnCase], None] = lambda _case: None

    def show_form(self, asked: Asked[Any], *, now: datetime, status: int = 200) -> ResponseReturnValue:
        return self._page(asked, asked.template, asked.form_shown(now), status=status)

    def take_step(self, asked: Asked[Any], *, now: datetime) -> ResponseReturnValue:
        """First what it would bring, then, with the same form once more, the case."""
        if made := queries.case_of_key(asked.order.member_id, asked.form.key.data or ""):
            return _go_to(made)
        if not asked.read(now):
            return self.show_form(asked, now=now, status=asked.status)
        step = request.form.get("step")
        if step == "change":  # Somebody looked, and wants to change something.
            return self.show_form(asked, now=now)
        if step != "confirm":
            return self._page(asked, asked.preview, asked.preview_shown(now))
        try:
            case = asked.confirm(now)
        except DomainError as error:
            refuse(asked.form, error)
            return self.show_form(asked, now=now, status=error.status)
        self.after(case)
        return _go_to(case)

    def _page(
        self, asked: Asked[Any], template: str, shown: dict[str, Any], *, status: int = 200
    ) -> ResponseReturnValue:
        number = asked.order.number
        return page(
            f"mall/returns/{self.folder}{template}",
            status=status,
            number=number,
            form=asked.form,
            here_url=url_for(f".{asked.here}", number=number),
            back_url=url_for(self.order_endpoint, number=number),
            **shown,
        )


def _go_to(case: ReturnCase) -> ResponseReturnValue:
    return seen(url_for(".show", number=case.number))


def _no_picture() -> bool:
    return not any(upload.filename for upload in request.files.getlist("pictures"))


limit_uploads = limiter.limit(UPLOADS_PER_PERSON, key_func=lambda: str(current_user.get_id()), exempt_when=_no_picture)
