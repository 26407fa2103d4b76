"""With the selected: what it would change is shown first, then it is done, once."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from typing import Any

from flask import Response, flash, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as BaseResponse
from wtforms import SelectChoice

from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.errors import InvalidInput
from app.foundation.formats import points
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, allowed, requires
from app.identity.session import current_staff
from app.identity.staff.queries import unit_scope
from app.mall.catalog import stockroom
from app.mall.catalog.admin.door import FILTERS, filters_in, me, products, wanted_by
from app.mall.catalog.admin.sheets import csv_answer
from app.mall.catalog.errors import ProductChanged
from app.mall.catalog.fields import blame, chosen, reads
from app.mall.catalog.models import Product
from app.mall.catalog.office import Choices, choices
from app.mall.catalog.selections import (
    ARCHIVE,
    LIST,
    MOST_SELECTED,
    MOVE,
    PARTS,
    PRICE,
    SCHEDULE,
    Outcome,
    SelectionChanged,
    Wish,
    bulk_actions,
    carry_out,
    name_of,
    outcomes,
    percent_of,
    seal,
)
from app.mall.catalog.small_forms import BulkForm

KEY = re.compile(r"[A-Za-z0-9_-]{16,32}")


@products.post("/selection")
@requires(Permission.CATALOG_READ)
def create_selection() -> BaseResponse:
    """Where the list's checkboxes lead to: nothing is changed yet."""
    action = request.form.get("action", "")
    selected = _selected()
    if not selected:
        flash(_("No product was chosen. Tick some in the list first."), "warning")
        return seen(_list_url())
    if action == "export":
        return csv_answer(selected)
    if action not in dict(bulk_actions()) or not allowed(Permission.CATALOG_WRITE):
        flash(_("Please choose what to do with the selected products."), "warning")
        return seen(_list_url())
    return _confirmation(action, selected, BulkForm(formdata=None), asked=False)


@products.post("/selection/preview")
@requires(Permission.CATALOG_WRITE)
def create_selection_preview() -> BaseResponse:
    """The same with the moment, category or percentage that was asked for."""
    action = request.form.get("action", "")
    selected = _selected()
    if action not in (SCHEDULE, MOVE, PRICE) or not selected:
        return seen(_list_url())
    return _confirmation(action, selected, BulkForm(), asked=True)


@products.post("/selection/change")
@requires(Permission.CATALOG_WRITE)
def create_selection_change() -> BaseResponse:
    action, key = request.form.get("action", ""), request.form.get("key", "")
    names, form = choices(), BulkForm()
    if action not in (LIST, SCHEDULE, ARCHIVE, MOVE, PRICE) or not KEY.fullmatch(key):
        return seen(_list_url())
    _offer(form, names)
    wish = _wish(action, form, names)
    if wish is None:
        return _confirmation(action, _selected(), form, asked=True)
    now = clock.now()
    try:
        with transaction():
            done = carry_out(
                found=outcomes(_selected(), wish, names, now=now),
                wish=wish,
                shown=request.form.get("seal", ""),
                key=key,
                staff_id=current_staff().id,
                by=me(),
                now=now,
            )
    except (SelectionChanged, ProductChanged):
        return _confirmation(action, _selected(), form, asked=True, surprised=True)
    if done is None:
        flash(_("This was done already; nothing was done twice."), "info")
    else:
        flash(ngettext("%(num)s product was changed.", "%(num)s products were changed.", done), "success")
    return seen(_list_url())


# --- which products -----------------------------------------------------------------------


def _selected() -> Sequence[Product]:
    """Those that were ticked, or all that the list's filters find; some hundreds at most."""
    units = unit_scope(current_staff())
    if request.form.get("all"):
        return stockroom.products_of_units(units, wanted_by(_filters(), choices()), limit=MOST_SELECTED).items
    return stockroom.products_named(units, request.form.getlist("slug")[:MOST_SELECTED])


def _filters() -> dict[str, Any]:
    return filters_in({name: request.form.get(f"filter_{name}", "") for name in FILTERS})


def _list_url() -> str:
    return url_for(".index", **_filters())


# --- the page -----------------------------------------------------------------------------


def _offer(form: BulkForm, names: Choices) -> None:
    form.category.choices = [SelectChoice(*category) for category in names.names["category"].items()]


def _wish(action: str, form: BulkForm, names: Choices) -> Wish | None:
    """What was asked for; ``None`` where that makes no sense, with a sentence beside the field."""
    form.validate()
    wish: Callable[[BulkForm, Choices], Wish | None] = {
        SCHEDULE: _scheduling,
        MOVE: _moving,
        PRICE: _pricing,
    }.get(action, lambda _form, _names: Wish(action=action))
    return wish(form, names)


def _scheduling(form: BulkForm, _names: Choices) -> Wish | None:
    if not reads(form.at):
        return None
    if form.at.moment is None or form.at.moment <= clock.now():
        blame(form.at, _("Please choose a moment to come."))
        return None
    return Wish(action=SCHEDULE, at=form.at.moment)


def _moving(form: BulkForm, names: Choices) -> Wish | None:
    if not chosen(form.category):
        return None
    return Wish(action=MOVE, category_id=names.ids["category"][form.category.data])


def _pricing(form: BulkForm, _names: Choices) -> Wish | None:
    try:
        percent = percent_of(form.percent.data or "")
    except InvalidInput as error:
        blame(form.percent, str(error))
        return None
    return Wish(action=PRICE, percent=percent, part=form.part.data if form.part.data in PARTS else "both")


def _confirmation(
    action: str, selected: Sequence[Product], form: BulkForm, *, asked: bool, surprised: bool = False
) -> Response:
    names = choices()
    _offer(form, names)
    needs = action in (SCHEDULE, MOVE, PRICE)
    wish = _wish(action, form, names) if asked or not needs else None
    found = outcomes(selected, wish, names, now=clock.now()) if wish else []
    possible = [each for each in found if not each.refusal]
    return page(
        "mall/catalog/office/bulk.html",
        status=409 if surprised else 422 if asked and wish is None else 200,
        form=form,
        title=dict(bulk_actions())[action],
        action=action,
        fields={SCHEDULE: ["at"], MOVE: ["category"], PRICE: ["percent", "part"]}.get(action, []),
        wish=wish,
        selected=[(product.slug, name) for product, name in zip(selected, map(_name, selected), strict=True)],
        how_many=ngettext("%(num)s product", "%(num)s products", len(selected)),
        possible=[_line(each) for each in possible],
        impossible=[_line(each) for each in found if each.refusal],
        submit_label=ngettext("Change %(num)s product", "Change %(num)s products", len(possible)),
        surprise=str(SelectionChanged()) if surprised else None,
        seal=seal(wish, found) if wish else "",
        key=secrets.token_urlsafe(16),
        filters=_filters(),
        most=points(MOST_SELECTED),
        full=len(selected) == MOST_SELECTED,
        preview_url=url_for(".create_selection_preview"),
        change_url=url_for(".create_selection_change"),
        back_url=_list_url(),
    )


def _name(product: Product) -> str:
    return name_of(Outcome(product))


def _line(each: Outcome) -> dict[str, Any]:
    return {
        "name": name_of(each),
        "url": url_for(".show", slug=each.product.slug),
        "before": each.before,
        "after": each.after,
        "refusal": each.refusal,
    }
