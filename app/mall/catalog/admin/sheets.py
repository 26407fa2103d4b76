"""Products as sheets: taken home, sent back, tried out, imported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from flask import Response, abort, flash, request, send_file, stream_with_context, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from app.extensions import limiter
from app.foundation import clock, jobs
from app.foundation.database import transaction
from app.foundation.formats import moment, points
from app.foundation.formtools import refuse
from app.foundation.languages import translated
from app.foundation.listing import first_url, next_url
from app.foundation.money import programme_currency
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, allowed, requires
from app.foundation.sheets import UnusableFile, shortened
from app.identity.session import current_staff
from app.identity.staff.queries import unit_scope
from app.mall.catalog import stockroom
from app.mall.catalog.admin.door import filters_in, me, products, wanted_by
from app.mall.catalog.models import Product
from app.mall.catalog.office import choices
from app.mall.catalog.sheets import actions, queries, reading, steps, writing
from app.mall.catalog.sheets.columns import COLUMNS, Setting
from app.mall.catalog.sheets.jobs import NAME
from app.mall.catalog.sheets.models import (
    CANCELLED,
    CHECKED,
    CHECKING,
    CREATE,
    DONE,
    FAILED,
    IMPORTING,
    REFUSED,
    SAME,
    UPDATE,
    SheetImport,
    SheetRow,
)
from app.mall.catalog.small_forms import SheetForm

ROWS = 50
UPLOADS_PER_PERSON = "20 per 10 minutes"  # A large sheet takes seconds to read.
LONGEST_XLSX = 10_000  # Products; a workbook is made whole before it is sent.
SHOWN = 90  # Characters of an old or new value.
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


# --- taking home --------------------------------------------------------------------------


@products.get("/sheets")
@requires(Permission.CATALOG_READ)
def sheets() -> Response:
    return _sheets_page(SheetForm(formdata=None))


def _sheets_page(form: SheetForm, *, status: int = 200) -> Response:
    filters, names = filters_in(request.args), choices()
    many = stockroom.how_many_products(unit_scope(current_staff()), wanted_by(filters, names))
    may_write = allowed(Permission.CATALOG_WRITE)
    return page(
        "mall/catalog/office/sheets.html",
        status=status,
        form=form,
        may_write=may_write,
        how_many=ngettext("%(num)s product", "%(num)s products", many),
        filtered=bool(filters),
        all_url=url_for(".sheets"),
        csv_url=url_for(".export_csv", **filters) if many else None,
        xlsx_url=url_for(".export_xlsx", **filters) if 0 < many <= LONGEST_XLSX else None,
        longest_xlsx=points(LONGEST_XLSX),
        columns=_columns(),
        most_rows=points(reading.MOST_ROWS),
        most_megabytes=reading.MOST_BYTES >> 20,
        upload_url=url_for(".create_sheet"),
        entries=[_entry(each) for each in queries.latest_sheets(current_staff().id)] if may_write else [],
        back_url=url_for(".index", **filters),
    )


def _columns() -> list[dict[str, Any]]:
    """What the page says about them; those that differ by language only stand together."""
    together: dict[str, dict[str, Any]] = {}
    for name, column in COLUMNS.items():
        told = together.setdefault(str(column.about) + name.partition("_")[0], {"names": [], "about": column.about})
        told["names"].append(name)
        told.setdefault("example", column.example)
    return list(together.values())


def _entry(sheet: SheetImport) -> dict[str, Any]:
    label, tone = _state(sheet)
    return {
        "file": sheet.file,
        "url": url_for(".show_sheet", key=sheet.key),
        "at": moment(sheet.sent_at),
        "label": label,
        "tone": tone,
    }


def _state(sheet: SheetImport) -> tuple[str, str]:
    return {
        CHECKING: (_("Being checked"), "info"),
        CHECKED: (_("Checked, not imported"), "gold"),
        IMPORTING: (_("Being imported"), "info"),
        DONE: (_("Imported"), "brand"),
        FAILED: (_("Stopped by an error"), "danger"),
        CANCELLED: (_("Cancelled"), "neutral"),
    }[sheet.state]


@products.get("/sheets/products.csv")
@requires(Permission.CATALOG_READ)
def export_csv() -> Response:
    return csv_answer(_asked_for())


@products.get("/sheets/products.xlsx")
@requires(Permission.CATALOG_READ)
def export_xlsx() -> BaseResponse:
    filters, names = filters_in(request.args), choices()
    if stockroom.how_many_products(unit_scope(current_staff()), wanted_by(filters, names)) > LONGEST_XLSX:
        flash(_("That is too much for a workbook. Take it as CSV, or filter the list first."), "warning")
        return seen(url_for(".sheets", **filters))
    rows = writing.cells_of(_asked_for(), Setting(names, programme_currency()))
    return send_file(
        writing.as_xlsx(rows), mimetype=XLSX, as_attachment=True, download_name=_file_name("xlsx"), max_age=0
    )


def _asked_for() -> Iterator[Product]:
    wanted = wanted_by(filters_in(request.args), choices())
    return stockroom.all_products(unit_scope(current_staff()), wanted)


def csv_answer(found: Iterable[Product]) -> Response:
    """These products as a file."""
    rows = writing.cells_of(found, Setting(choices(), programme_currency()))
    return _csv(writing.as_csv(rows))


def _csv(lines: Iterator[str]) -> Response:
    name = _file_name("csv")
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return Response(stream_with_context(lines), mimetype="text/csv", headers=headers)


def _file_name(kind: str) -> str:
    return f"products-{clock.local_date(clock.now(), clock.programme_zone())}.{kind}"


# --- sending back -------------------------------------------------------------------------


def _no_sheet() -> bool:
    return not request.files.get("sheet")


@products.post("/sheets")
@limiter.limit(UPLOADS_PER_PERSON, key_func=lambda: str(current_user.get_id()), exempt_when=_no_sheet)
@requires(Permission.CATALOG_WRITE)
def create_sheet() -> BaseResponse:
    """Keep what stands in the file and try it out; nothing of the catalogue changes."""
    form, upload, staff = SheetForm(), request.files.get("sheet"), current_staff()
    form.validate()
    if upload is None or not upload.filename:
        form.sheet.errors = [_("Please choose a file first.")]
        return _sheets_page(form, status=422)
    try:
        table = reading.read(upload.stream)
    except UnusableFile as error:
        refuse(form, error, "sheet")
        return _sheets_page(form, status=422)
    with transaction():
        sheet = actions.receive(
            table=table, file=upload.filename, staff_id=staff.id, units=unit_scope(staff), now=clock.now()
        )
    _go_on(sheet)
    return seen(url_for(".show_sheet", key=sheet.key))


def _go_on(sheet: SheetImport) -> None:
    """A short sheet now, a long one in the background."""
    if sheet.rows <= steps.SELF_SERVED:
        steps.run(sheet.id, now=clock.now())
    else:
        jobs.ask(NAME, now=clock.now())


@products.get("/sheets/<key>")
@requires(Permission.CATALOG_WRITE)
def show_sheet(key: str) -> Response:
    sheet = _own_sheet_or_404(key)
    asked = request.args.get("verdict", "")
    verdict = asked if asked in (CREATE, UPDATE, SAME, REFUSED) else ""
    busy = sheet.state in (CHECKING, IMPORTING)
    tally = queries.tally(sheet)
    part = queries.rows_of(sheet, verdict=verdict, after=request.args.get("after"), limit=ROWS)
    known = queries.slugs_by_id([row.product_id for row in part.items if row.product_id])
    label, tone = _state(sheet)
    good = tally.get(CREATE, 0) + tally.get(UPDATE, 0)
    return page(
        "mall/catalog/office/sheet.html",
        fragments={"state"},
        sheet=sheet,
        state_label=label,
        state_tone=tone,
        busy=busy,
        checked=sheet.state == CHECKED,
        done=sheet.state == DONE,
        failed=sheet.state == FAILED,
        cancelled=sheet.state == CANCELLED,
        importing=sheet.state == IMPORTING,
        progress={"done": sheet.position, "all": sheet.parts, "text": f"{sheet.position * 100 // sheet.parts} %"},
        progress_hint=_("%(done)s of %(all)s products", done=points(sheet.position), all=points(sheet.parts)),
        waiting=sheet.alive_at is None,
        figures=_figures(sheet, tally, verdict),
        good=good,
        import_label=ngettext("Import %(num)s row", "Import %(num)s rows", good),
        refused=tally.get(REFUSED, 0),
        same=tally.get(SAME, 0),
        rows=[] if busy else [_line(sheet, row, known) for row in part.items],
        verdict=verdict,
        next_url=next_url(part),
        first_url=first_url(),
        here_url=url_for(".show_sheet", key=key),
        import_url=url_for(".create_sheet_import", key=key),
        cancel_url=url_for(".create_sheet_cancellation", key=key),
        refused_url=url_for(".refused_rows", key=key),
        back_url=url_for(".sheets"),
    )


def _figures(sheet: SheetImport, tally: dict[str, int], chosen: str) -> list[dict[str, Any]]:
    """What becomes of how many rows; each is a filter of the list."""
    over = sheet.state == DONE
    told = [
        ("", _("All rows"), sheet.rows),
        (CREATE, _("Was created") if over else _("To be created"), tally.get(CREATE, 0)),
        (UPDATE, _("Was changed") if over else _("To be changed"), tally.get(UPDATE, 0)),
        (SAME, _("As they were"), tally.get(SAME, 0)),
        (REFUSED, _("Refused"), tally.get(REFUSED, 0)),
    ]
    return [
        {
            "label": label,
            "count": points(many),
            "active": verdict == chosen,
            "url": url_for(".show_sheet", key=sheet.key, verdict=verdict or None),
        }
        for verdict, label, many in told
    ]


def _line(sheet: SheetImport, row: SheetRow, known: dict[int, tuple[str, dict[str, str]]]) -> dict[str, Any]:
    over = sheet.state == DONE
    badges = {
        CREATE: (_("Was created") if over else _("To be created"), "brand"),
        UPDATE: (_("Was changed") if over else _("To be changed"), "info"),
        SAME: (_("As it was"), "neutral"),
        REFUSED: (_("Refused"), "danger"),
        "": (_("Not looked at"), "neutral"),
    }
    slug, name = known.get(row.product_id or 0, ("", {}))
    named = next((text for column, text in row.cells.items() if column.startswith("name_") and text), "")
    label, tone = badges[row.verdict]
    return {
        "number": row.number,
        "name": shortened(translated(name) if name else named or row.cells.get("product", "") or "—"),
        "url": url_for(".show", slug=slug) if slug else None,
        "sku": shortened(row.cells.get("sku", "")),
        "label": label,
        "tone": tone,
        "refused": row.verdict == REFUSED,
        "reasons": row.reasons,
        "changes": [(column, _short(old), _short(new)) for column, old, new in row.changes],
    }


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


# --- importing ----------------------------------------------------------------------------


@products.post("/sheets/<key>/import")
@requires(Permission.CATALOG_WRITE)
def create_sheet_import(key: str) -> BaseResponse:
    """A second click finds it begun, and only looks."""
    with transaction():
        sheet = _own_sheet_or_404(key)
        begun = actions.start(sheet=sheet, by=me(), now=clock.now())
    if begun:
        _go_on(sheet)
    return seen(url_for(".show_sheet", key=key))


@products.post("/sheets/<key>/cancellation")
@requires(Permission.CATALOG_WRITE)
def create_sheet_cancellation(key: str) -> BaseResponse:
    with transaction():
        actions.stop(sheet=_own_sheet_or_404(key), by=me(), now=clock.now())
    return seen(url_for(".show_sheet", key=key))


@products.get("/sheets/<key>/refused.csv")
@requires(Permission.CATALOG_WRITE)
def refused_rows(key: str) -> Response:
    """Those rows alone, with the columns they came with, to be put right and sent again."""
    sheet = _own_sheet_or_404(key)
    refused = queries.rows_of(sheet, verdict=REFUSED, limit=sheet.rows).items
    columns = [column for column in COLUMNS if column in sheet.columns]
    reasons = ({**row.cells, "problem": " ".join(row.reasons)} for row in refused)
    return _csv(writing.as_csv(reasons, [*columns, "problem"]))


def _own_sheet_or_404(key: str) -> SheetImport:
    return queries.sheet_of(current_staff().id, key) or abort(404)
