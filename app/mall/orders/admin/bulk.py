"""Many parcels at once: the list that a carrier's system gave, looked at first and then sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.foundation import clock
from app.foundation.errors import DomainError, InvalidInput
from app.foundation.formtools import refuse
from app.foundation.pages import page
from app.foundation.permissions import Permission, requires
from app.identity.session import current_staff
from app.mall.orders import parcel_lists
from app.mall.orders.admin.door import orders, scope
from app.mall.orders.forms import ParcelListForm
from app.mall.orders.parcel_lists import COLUMNS, OPTIONAL, Plan, Planned

LARGEST = 512 * 1024  # Bytes; with as many rows as are taken, a list is smaller.


@orders.get("/parcels")
@requires(Permission.ORDER_FULFIL)
def new_parcels() -> ResponseReturnValue:
    return _page(ParcelListForm(formdata=None))


@orders.post("/parcels")
@requires(Permission.ORDER_FULFIL)
def create_parcels() -> ResponseReturnValue:
    """Looks, or sends. Reloading the answer sends the same list again, and that does nothing more."""
    form = ParcelListForm()
    if not form.validate():
        return _page(form, status=422)
    try:
        with _as_file() as path:
            form.rows.data = parcel_lists.text_of(path)
            made = parcel_lists.plan(path, units=scope())
    except DomainError as error:
        refuse(form, error)
        return _page(form, status=error.status)
    if request.form.get("do") != "send":
        return _page(form, plan=made)
    sent = parcel_lists.send(made, by=current_staff().actor, now=clock.now())
    return _page(form, plan=made, sent=sent)


@contextmanager
def _as_file() -> Iterator[Path]:
    """The file that was chosen, else what was typed. Raises ``InvalidInput``."""
    upload, typed = request.files.get("file"), request.form.get("rows", "")
    content = upload.stream.read(LARGEST + 1) if upload and upload.filename else typed.encode()
    if not content.strip():
        raise InvalidInput(_("Please choose a file, or paste its rows."))
    if len(content) > LARGEST:
        raise InvalidInput(_("The list is larger than %(most)s KB. Please send it in parts.", most=LARGEST // 1024))
    with TemporaryDirectory(prefix="parcels-") as folder:
        path = Path(folder) / "parcels.csv"
        path.write_bytes(content)
        yield path


def _page(
    form: ParcelListForm, *, plan: Plan | None = None, sent: list[Planned] | None = None, status: int = 200
) -> ResponseReturnValue:
    values: dict[str, Any] = {
        "form": form,
        "columns": ",".join((*COLUMNS, *OPTIONAL)),
        "parcels": sent if sent is not None else plan.parcels if plan else [],
        "known": plan.known if plan else 0,
        "errors": sorted(plan.errors, key=lambda error: error.line) if plan else [],
        "looked": plan is not None and sent is None,
        "done": sent is not None,
    }
    return page(
        "mall/orders/office/parcels.html",
        status=status,
        index_url=url_for(".index", state="packed"),
        parcels_url=url_for(".create_parcels"),
        **values,
    )
