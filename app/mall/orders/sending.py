"""What is handed to a carrier: parcel by parcel, each under its own number, never more than was ordered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext as _

from app.foundation import audit, events
from app.foundation.actors import Actor
from app.foundation.database import db
from app.foundation.errors import InvalidInput
from app.mall.orders import states
from app.mall.orders.errors import NothingToShip, SentMeanwhile, TrackingNumberTaken
from app.mall.orders.events import OrderShipped, ParcelShipped
from app.mall.orders.fulfilling import note_fulfilled
from app.mall.orders.models import Order, OrderLine, Shipment, ShipmentPiece
from app.mall.orders.steps import lines_of, locked, note_by_staff, step

UNDERWAY = ("part_shipped", "shipped")


def ship(
    *,
    order_id: int,
    carrier: str,
    tracking_number: str,
    pieces: Mapping[int, int] | None = None,
    seen: int | None = None,
    by: Actor,
    now: datetime,
) -> Shipment:
    """A parcel was handed to a carrier: with these pieces by line, or (``None``) with everything that is left.

    The order is shipped with its last parcel. ``seen`` is how many parcels its sender knew of: the same form sent
    twice is the same parcel, and one that does not know the latest parcel is refused. Raises ``StepRefused``,
    ``NothingToShip``, ``TrackingNumberTaken``, ``SentMeanwhile`` or ``InvalidInput``.
    """
    order = locked(order_id)
    parcels = _parcels_of(order)
    if twin := _twin(parcels, carrier, tracking_number, pieces, seen):
        return twin
    lines = {line.id: line for line in lines_of(order) if line.kind == "physical"}
    left = {line.id: line.open for line in lines.values() if line.open}
    in_it = left if pieces is None else {line_id: count for line_id, count in pieces.items() if count}
    before, whole = order.state, in_it == left
    if not (before == "part_shipped" and not whole):
        # A further part of it changes nothing about where the order stands.
        states.check(before, "shipped" if whole else "part_shipped", who="merchant", parcel=order.parcel)
    if seen is not None and seen != len(parcels):
        raise SentMeanwhile
    if any(parcel.tracking_number == tracking_number for parcel in parcels):
        raise TrackingNumberTaken(tracking_number)
    _check(in_it, left)
    parcel = _send(order, in_it, carrier=carrier, tracking_number=tracking_number, by=by, now=now)
    if whole:
        step(order, "shipped", who="merchant", by=by, now=now)
    elif before != "part_shipped":
        step(order, "part_shipped", who="merchant", by=by, now=now)
    facts = {"carrier": carrier, "tracking_number": tracking_number}
    if not whole or before == "part_shipped":
        facts["goods"] = _goods(in_it, lines)
    note_by_staff(order, "shipped", before=before, by=by, now=now, **facts)
    events.publish(ParcelShipped(order.id, now, parcel.id))
    if whole:
        events.publish(OrderShipped(order.id, now))
    return parcel


def _parcels_of(order: Order) -> list[Shipment]:
    mine = sa.select(Shipment).where(Shipment.order_id == order.id).order_by(Shipment.id)
    return list(db.session.scalars(mine.execution_options(populate_existing=True)))


def _twin(
    parcels: list[Shipment], carrier: str, tracking_number: str, pieces: Mapping[int, int] | None, seen: int | None
) -> Shipment | None:
    """The parcel that this very form has sent already: a double click sends two identical requests."""
    if seen is None or not 0 <= seen < len(parcels):
        return None
    parcel = parcels[seen]
    if (parcel.carrier, parcel.tracking_number) != (carrier, tracking_number):
        return None
    same = pieces is None or contents(parcel) == {line_id: count for line_id, count in pieces.items() if count}
    return parcel if same else None


def to_send(order: Order) -> list[OrderLine]:
    """Its lines of which something still has to be sent."""
    return [line for line in order.lines if line.kind == "physical" and line.open]


def contents(parcel: Shipment) -> dict[int, int]:
    """What lies in it, by line."""
    return {piece.order_line_id: piece.quantity for piece in parcel.pieces}


def _check(in_it: Mapping[int, int], left: Mapping[int, int]) -> None:
    if not in_it:
        raise NothingToShip
    if any(line_id not in left or not 1 <= count <= left[line_id] for line_id, count in in_it.items()):
        raise InvalidInput(_("So many pieces are not left to send. Nothing was changed; please check the figures."))


def _send(
    order: Order, in_it: Mapping[int, int], *, carrier: str, tracking_number: str, by: Actor, now: datetime
) -> Shipment:
    parcel = Shipment(order_id=order.id, carrier=carrier, tracking_number=tracking_number, shipped_at=now, by=by.label)
    parcel.pieces = [ShipmentPiece(order_line_id=line_id, quantity=count) for line_id, count in in_it.items()]
    db.session.add(parcel)
    db.session.flush()
    note_fulfilled(order=order, pieces=in_it)
    return parcel


def _goods(in_it: Mapping[int, int], lines: Mapping[int, OrderLine]) -> str:
    return ", ".join(f"{lines[line_id].sku} × {count}" for line_id, count in in_it.items())


def correct_parcel(
    *, order_id: int, parcel_id: int, carrier: str, tracking_number: str, by: Actor, now: datetime
) -> None:
    """The label was typed wrong. What lies in the parcel stays as it is, and what was received is history.

    Raises ``StepRefused``, ``InvalidInput`` or ``TrackingNumberTaken``.
    """
    order = locked(order_id)
    if order.state not in UNDERWAY:
        raise states.StepRefused(_("Only a parcel that is on its way can be corrected. Nothing was changed."))
    parcels = {parcel.id: parcel for parcel in _parcels_of(order)}
    if parcel_id not in parcels:
        raise InvalidInput(_("This parcel is not one of this order. Nothing was changed."))
    if any(each.tracking_number == tracking_number for each in parcels.values() if each.id != parcel_id):
        raise TrackingNumberTaken(tracking_number)
    parcel = parcels[parcel_id]
    before = {"carrier": parcel.carrier, "tracking_number": parcel.tracking_number}
    parcel.carrier, parcel.tracking_number = carrier, tracking_number
    db.session.flush()
    audit.record(
        "order.parcel-corrected",
        subject=("order", order.number, order.number),
        by=by,
        now=now,
        before=before,
        after={"carrier": carrier, "tracking_number": tracking_number},
    )
