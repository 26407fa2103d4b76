"""Code pools in the back office: how full they are, adding codes, withdrawing them. Only of one's own units."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, abort, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.errors import DomainError
from app.foundation.formtools import refuse
from app.foundation.languages import translated
from app.foundation.listing import first_url, next_url
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, allowed, requires
from app.foundation.terms import current
from app.identity.members.queries import members_by_ids
from app.identity.session import current_staff
from app.identity.staff.queries import unit_scope
from app.identity.units.queries import unit_names
from app.mall.codes import actions, queries
from app.mall.codes.forms import SheetForm, WithdrawalForm, written
from app.mall.codes.queries import Pool
from app.mall.codes.rules import MOST_BYTES, MOST_LINES, Sheet
from app.mall.codes.statements import STATES, batch_shown, code_row, pool_shown, sheet_shown
from app.mall.codes.terms import CodeTerms

codes = Blueprint("codes", __name__, url_prefix="/codes")
PAGE = 20
LONGEST_SKU = 60
CODE_ID = re.compile(r"[0-9]{1,18}", re.ASCII)


def pool_or_404(sku: str) -> Pool:
    """The pool of a variant of this colleague's units; others are not there."""
    pool = queries.pool_of(unit_scope(current_staff()), sku) if len(sku) <= LONGEST_SKU else None
    return pool or abort(404)


def _unit_names() -> dict[int, str]:
    return {id_: translated(name) for id_, name in unit_names().items()}


# --- all of them ------------------------------------------------------------------------------------


@codes.get("")
@requires(Permission.CATALOG_READ)
def index() -> ResponseReturnValue:
    names = _unit_names()
    rows = [pool_shown(pool, names) for pool in queries.pools(unit_scope(current_staff()))]
    return page("mall/codes/office/index.html", rows=rows, products_url=url_for("backoffice.products.index"))


# --- one pool ---------------------------------------------------------------------------------------


@codes.get("/<sku>")
@requires(Permission.CATALOG_READ)
def show(sku: str) -> ResponseReturnValue:
    return _pool_page(pool_or_404(sku), SheetForm(formdata=None))


def _pool_page(pool: Pool, form: SheetForm, *, status: int = 200) -> ResponseReturnValue:
    asked, now = _filters(), clock.now()
    part = queries.codes_of_pool(
        pool.variant_id,
        state=asked.get("state", ""),
        batch=asked.get("batch"),
        sought=asked.get("q", ""),
        after=request.args.get("after"),
        limit=PAGE,
    )
    members = members_by_ids({each.member_id for each in part.items if each.member_id})
    rows = [code_row(each, pool.sku, now=now) for each in part.items]
    return page(
        "mall/codes/office/show.html",
        status=status,
        pool=pool_shown(pool, _unit_names()),
        rows=[(row, members[row.member_id] if row.member_id else None) for row in rows],
        chips=_chips(pool, asked),
        filters=asked,
        batches=[batch_shown(each, pool.sku) for each in queries.batches(pool.variant_id)],
        form=form,
        may_write=allowed(Permission.CATALOG_WRITE),
        limits={"lines": MOST_LINES, "size": MOST_BYTES // 1024},
        here_url=url_for(".show", sku=pool.sku),
        index_url=url_for(".index"),
        product_url=url_for("backoffice.products.show", slug=pool.slug),
        sheet_url=url_for(".create_sheet", sku=pool.sku),
        levelling_url=url_for(".create_levelling", sku=pool.sku),
        first_url=first_url(),
        next_url=next_url(part),
    )


def _filters() -> dict[str, str]:
    """``batch`` may be empty, and then means codes of a batch without a name."""
    asked = {name: request.args[name].strip()[:80] for name in ("q", "state", "batch") if name in request.args}
    if asked.get("state") not in STATES:
        asked.pop("state", None)
    if not asked.get("q") or not asked["q"].isprintable():
        asked.pop("q", None)
    if not asked.get("batch", "").isprintable():
        asked.pop("batch")
    return asked


def _chips(pool: Pool, asked: dict[str, str]) -> list[dict[str, Any]]:
    kept: dict[str, Any] = {name: text for name, text in asked.items() if name != "state"}
    chosen = asked.get("state")
    labels = [(None, _("All")), *((state, str(label)) for state, (label, _tone) in STATES.items())]
    return [
        {"label": label, "url": url_for(".show", sku=pool.sku, **kept, state=state), "active": state == chosen}
        for state, label in labels
    ]


# --- adding -----------------------------------------------------------------------------------------


@codes.post("/<sku>/sheet")
@requires(Permission.CATALOG_WRITE)
def create_sheet(sku: str) -> ResponseReturnValue:
    """First a look at what would be added; with ``step=confirm`` it is."""
    pool, form, now = pool_or_404(sku), SheetForm(), clock.now()
    today = clock.local_date(now, clock.programme_zone())
    sheet = form.read(first_day=current(CodeTerms).sold_until(today))
    if sheet is None:
        return _pool_page(pool, form, status=422)
    batch = form.batch.data or today.isoformat()
    if request.form.get("step") != "confirm":
        return _preview(pool, form, sheet, batch)
    staff = current_staff()
    with transaction():
        added = actions.add_codes(variant_id=pool.variant_id, codes=sheet.codes, batch=batch, by=staff.actor, now=now)
    if added:
        said = ngettext(
            "%(num)s code was added, and as much to the stock.",
            "%(num)s codes were added, and as much to the stock.",
            added,
        )
        flash(said, "success")
    else:
        flash(_("The pool had all of these codes already. Nothing was changed."), "info")
    return seen(url_for(".show", sku=pool.sku))


def _preview(pool: Pool, form: SheetForm, sheet: Sheet, batch: str) -> ResponseReturnValue:
    known = queries.known_codes(pool.variant_id, [new.code for new in sheet.codes])
    return page(
        "mall/codes/office/preview.html",
        pool=pool_shown(pool, _unit_names()),
        sheet=sheet_shown(sheet, known),
        form=form,
        batch=batch,
        codes=written(new for new in sheet.codes if new.code not in known),
        sheet_url=url_for(".create_sheet", sku=pool.sku),
        back_url=url_for(".show", sku=pool.sku),
    )


@codes.post("/<sku>/levelling")
@requires(Permission.CATALOG_WRITE)
def create_levelling(sku: str) -> ResponseReturnValue:
    """Bring a stock that was typed in before there were pools in line with the pool."""
    pool, staff = pool_or_404(sku), current_staff()
    with transaction():
        actions.level_stock(variant_id=pool.variant_id, by=staff.actor, now=clock.now())
    flash(_("The stock is what the pool says."), "success")
    return seen(url_for(".show", sku=pool.sku))


# --- withdrawing ------------------------------------------------------------------------------------


@codes.get("/<sku>/withdrawals/new")
@requires(Permission.CATALOG_WRITE)
def new_withdrawal(sku: str) -> ResponseReturnValue:
    return _withdrawal_page(pool_or_404(sku), WithdrawalForm(formdata=None), request.args)


@codes.post("/<sku>/withdrawals")
@requires(Permission.CATALOG_WRITE)
def create_withdrawal(sku: str) -> ResponseReturnValue:
    pool, form, staff = pool_or_404(sku), WithdrawalForm(), current_staff()
    if not form.validate_on_submit():
        return _withdrawal_page(pool, form, request.form, status=422)
    what = {"variant_id": pool.variant_id, "reason": form.reason.data, "by": staff.actor, "now": clock.now()}
    try:
        with transaction():
            if "batch" in request.form:
                withdrawn = actions.withdraw_batch(**what, batch=_readable(request.form["batch"]))
            else:
                withdrawn = actions.withdraw_code(**what, code_id=_code_id(request.form))
    except DomainError as error:
        refuse(form, error)
        return _withdrawal_page(pool_or_404(sku), form, request.form, status=error.status)
    flash(ngettext("%(num)s code was withdrawn.", "%(num)s codes were withdrawn.", withdrawn), "success")
    return seen(url_for(".show", sku=pool.sku))


def _readable(text: str) -> str:
    return text if text.isprintable() else abort(404)  # No column takes what cannot be printed.


def _code_id(values: Any) -> int:
    text = values.get("code", "")
    return int(text) if CODE_ID.fullmatch(text) else abort(404)


def _withdrawal_page(pool: Pool, form: WithdrawalForm, values: Any, *, status: int = 200) -> ResponseReturnValue:
    if "batch" in values:
        [batch] = queries.batches(pool.variant_id, name=_readable(values["batch"])) or abort(404)
        what, free, fields = batch_shown(batch, pool.sku).name, batch.free, {"batch": batch.name}
    else:
        code = queries.code_in_pool(pool.variant_id, _code_id(values)) or abort(404)
        row = code_row(code, pool.sku, now=clock.now())
        what, free, fields = row.code, int(row.withdrawal_url is not None), {"code": str(code.id)}
    return page(
        "mall/codes/office/withdrawal.html",
        status=status,
        pool=pool_shown(pool, _unit_names()),
        what=what,
        free=free,
        relied_on=max(0, free - pool.stock),
        fields=fields,
        form=form,
        withdrawal_url=url_for(".create_withdrawal", sku=pool.sku),
        back_url=url_for(".show", sku=pool.sku),
    )
