"""Many parcels at once, as carriers' systems tell of them: one row for a parcel, or for each SKU that lies in it.

A list is looked at before anything happens. Sent twice, it does nothing more: a parcel is known by its order and its
tracking number.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from flask_babel import gettext as _
from flask_babel import ngettext

from app.foundation.actors import Actor
from app.foundation.database import transaction
from app.foundation.errors import DomainError, InvalidInput
from app.foundation.sheets import Findings, Line, LineError, UnusableFile, open_sheet, shortened, unguarded
from app.mall.orders import states
from app.mall.orders.errors import TrackingNumberTaken
from app.mall.orders.models import Order, OrderLine, Shipment
from app.mall.orders.parcels import read_carrier, read_number, tidy_number
from app.mall.orders.rules import is_number
from app.mall.orders.sending import contents, ship, to_send
from app.mall.orders.worklist import orders_numbered

COLUMNS = ("order", "carrier", "tracking_number")
OPTIONAL = ("sku", "pieces")
MOST_ROWS = 2_000
READY = ("packed", "part_shipped")


@dataclass(frozen=True, slots=True)
class Row:
    """``sku`` is empty for everything that is left, ``pieces`` is ``None`` for all that is left of it."""

    line: int
    order: str
    carrier: str
    number: str
    sku: str
    pieces: int | None


@dataclass(frozen=True, slots=True)
class Planned:
    """A parcel that can be sent; ``goods`` says by SKU what would lie in it."""

    order_id: int
    order: str
    carrier: str
    number: str
    pieces: dict[int, int]
    goods: str
    rows: tuple[int, ...]


@dataclass(slots=True)
class Plan:
    """What a list would do. ``known`` parcels were sent before, and stay as they are."""

    parcels: list[Planned] = field(default_factory=list)
    known: int = 0
    errors: list[LineError] = field(default_factory=list)


# --- reading --------------------------------------------------------------------------------


def text_of(path: Path) -> str:
    """The list as somebody can read and correct it. Raises ``UnusableFile``."""
    return path.read_text(open_sheet(path, columns=COLUMNS, optional=OPTIONAL).encoding)


def plan(path: Path, *, units: Collection[int] | None) -> Plan:
    """What would be sent of the list in this file. Raises ``UnusableFile``."""
    lines = list(_some(open_sheet(path, columns=COLUMNS, optional=OPTIONAL).lines()))
    made, groups = Plan(), _groups(lines)
    numbers = {key[0] for key in groups if is_number(key[0])}
    found = {order.number: order for order in orders_numbered(numbers, units=units)}
    left = {order.id: {line.id: line.open for line in to_send(order)} for order in found.values()}
    for (number, _tracking), group in groups.items():
        _plan_one(group, found.get(number), left, made)
    made.errors.sort(key=lambda error: error.line)
    return made


def _some(lines: Iterator[Line]) -> Iterator[Line]:
    for place, line in enumerate(lines):
        if place == MOST_ROWS:
            raise UnusableFile(_("The list has more than %(most)s rows. Please send it in parts.", most=MOST_ROWS))
        yield line


def _groups(lines: Sequence[Line]) -> dict[tuple[str, str], list[Line]]:
    """Rows of one parcel belong together, wherever they stand."""
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        key = tidy_number(_cell(line, "order")), tidy_number(_cell(line, "tracking_number"))
        groups.setdefault(key, []).append(line)
    return groups


def _cell(line: Line, name: str) -> str:
    return unguarded(line.cells.get(name, ""))


def _read(line: Line, findings: Findings) -> Row:
    if line.broken:
        findings.errors.append(LineError(line.number, line.broken))
    carrier = findings.value(read_carrier, _cell(line, "carrier"), default="")
    return Row(
        line=line.number,
        order=tidy_number(_cell(line, "order")),
        carrier=carrier,
        number=findings.value(read_number, _cell(line, "tracking_number"), carrier, default=""),
        sku=_cell(line, "sku"),
        pieces=findings.value(_pieces, _cell(line, "pieces"), _cell(line, "sku"), default=None),
    )


def _pieces(text: str, sku: str) -> int | None:
    typed = unicodedata.normalize("NFKC", text).strip()
    if not typed:
        return None
    if not sku:
        raise InvalidInput(_("So many pieces of what? Please name the SKU."))
    if not re.fullmatch(r"0*[1-9][0-9]{0,8}", typed, re.ASCII):
        raise InvalidInput(_("“%(text)s” is no number of pieces.", text=shortened(typed)))
    return int(typed)


# --- planning -------------------------------------------------------------------------------


def _plan_one(group: Sequence[Line], order: Order | None, left: dict[int, dict[int, int]], made: Plan) -> None:
    """A parcel is sent as a whole or not at all."""
    rows, errors = [], []
    for line in group:
        findings = Findings(line.number)
        rows.append(_read(line, findings))
        errors += findings.errors
    if not errors:
        try:
            _add(rows, order, left, made)
            return
        except DomainError as error:
            errors.append(LineError(rows[0].line, str(error)))
    wrong = {error.line for error in errors}
    apart = _("Left out, because line %(line)s of the same parcel has an error.", line=min(wrong))
    made.errors += errors + [LineError(row.line, apart) for row in rows if row.line not in wrong]


def _add(rows: Sequence[Row], order: Order | None, left: dict[int, dict[int, int]], made: Plan) -> None:
    first = rows[0]
    if order is None:
        raise InvalidInput(_("There is no order “%(number)s”.", number=shortened(first.order)))
    if len({row.carrier for row in rows}) > 1:
        raise InvalidInput(_("The rows of this parcel name several carriers."))
    earlier = next((parcel for parcel in order.shipments if parcel.tracking_number == first.number), None)
    if earlier is not None:
        _check_known(earlier, rows, order)
        made.known += 1
        return
    if order.state not in READY:
        raise InvalidInput(
            _("This order is “%(state)s”. Only what is packed can be sent.", state=states.LABELS[order.state])
        )
    pieces = _wanted(rows, order, left[order.id])
    for line_id, count in pieces.items():
        left[order.id][line_id] -= count
    skus = {line.id: line.sku for line in order.lines}
    goods = ", ".join(f"{skus[line_id]} × {count}" for line_id, count in pieces.items())
    lines = tuple(row.line for row in rows)
    made.parcels.append(Planned(order.id, order.number, first.carrier, first.number, pieces, goods, lines))


def _check_known(parcel: Shipment, rows: Sequence[Row], order: Order) -> None:
    """The same parcel as before, or another one under its number?"""
    inside = contents(parcel)
    everything = all(not row.sku for row in rows)
    if parcel.carrier != rows[0].carrier or not (everything or _wanted(rows, order, dict(inside)) == inside):
        raise TrackingNumberTaken(parcel.tracking_number)


def _wanted(rows: Sequence[Row], order: Order, left: dict[int, int]) -> dict[int, int]:
    """How many of which line lie in the parcel. ``left`` is what could."""
    if any(not row.sku for row in rows):
        if len(rows) > 1:
            raise InvalidInput(_("Please write one row for the whole parcel, or one for each SKU in it."))
        found = {line_id: count for line_id, count in left.items() if count}
    else:
        rest, found = dict(left), {}
        for row in rows:
            for line_id, count in _share_out(row, order, rest):
                rest[line_id] -= count
                found[line_id] = found.get(line_id, 0) + count
    if not found:
        raise InvalidInput(_("Nothing of this order is left to send."))
    return found


def _share_out(row: Row, order: Order, rest: dict[int, int]) -> Iterator[tuple[int, int]]:
    """Over the lines of the order that have this SKU: one product may be paid in two ways."""
    lines = [line for line in order.lines if _is(line, row.sku)]
    if not lines:
        raise InvalidInput(_("Nothing with the SKU “%(sku)s” was ordered.", sku=shortened(row.sku)))
    there = sum(rest.get(line.id, 0) for line in lines)
    wanted = there if row.pieces is None else row.pieces
    if not 1 <= wanted <= there:
        raise InvalidInput(
            ngettext(
                "Of “%(sku)s” %(num)s piece is left to send.",
                "Of “%(sku)s” %(num)s pieces are left to send.",
                there,
                sku=shortened(row.sku),
            )
        )
    for line in lines:
        if count := min(wanted, rest.get(line.id, 0)):
            wanted -= count
            yield line.id, count


def _is(line: OrderLine, sku: str) -> bool:
    return line.kind == "physical" and line.sku.casefold() == sku.casefold()


# --- sending --------------------------------------------------------------------------------


def send(made: Plan, *, by: Actor, now: datetime) -> list[Planned]:
    """Send what was planned, each parcel by itself. What is refused meanwhile joins the errors of the plan."""
    sent = []
    for parcel in made.parcels:
        try:
            with transaction():
                ship(
                    order_id=parcel.order_id,
                    carrier=parcel.carrier,
                    tracking_number=parcel.number,
                    pieces=parcel.pieces,
                    by=by,
                    now=now,
                )
        except DomainError as error:
            made.errors += [LineError(line, str(error)) for line in parcel.rows]
        else:
            sent.append(parcel)
    return sent
