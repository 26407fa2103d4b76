"""Orders 订单: what a member took from the mall, what it cost, and every step since."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, column_property, mapped_column, relationship

from app.foundation.database import Amount, BigId, Id, Json, JsonObject, Model, reference
from app.foundation.money import Money

STATES = (
    "placed",
    "paid",
    "packed",
    "part_shipped",
    "shipped",
    "delivered",
    "completed",
    "cancelled",
    "closed",
)


class Order(Model):
    """``key`` is the form's own: the same form sent twice is the same order.

    Points are held from placing until payment; ``pay_by`` is when an unpaid order closes, at the latest when the
    time begins that was booked with it. ``parcel`` says whether something is, or was, sent to its ``address``: not
    where everything is collected, attended or comes by itself, and not any more once all that was to be sent has
    been given up. Amounts are minor units: ``ordinary`` is what the goods' cash part costs others, ``coupon`` and
    ``offset`` were taken off, ``delivery_fee`` added; ``points`` are all points, and ``offset_points`` those of
    them that pay instead of money. See ``bills``. While a return is open (``return_open``) the order is not
    completed. ``priority``: did its member have priority delivery when it was placed?
    """

    __tablename__ = "order"
    __table_args__ = (
        sa.UniqueConstraint("member_id", "key"),
        sa.CheckConstraint(f"state IN ({', '.join(repr(state) for state in STATES)})", name="state_known"),
        sa.CheckConstraint("points >= 0", name="points_not_negative"),
        sa.CheckConstraint("cash >= 0", name="cash_not_negative"),
        sa.CheckConstraint("offset_points BETWEEN 0 AND points", name="offset_points_within_points"),
        sa.CheckConstraint('coupon >= 0 AND "offset" >= 0 AND delivery_fee >= 0', name="steps_not_negative"),
        sa.Index(None, "state", "pay_by"),
        sa.Index(None, "member_id", "id"),
        sa.Index(None, "unit_id", "id"),
    )

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(sa.String(20), unique=True)
    key: Mapped[str] = mapped_column(sa.String(64))
    member_id: Mapped[int] = reference("member.id")
    unit_id: Mapped[int] = reference("unit.id")
    state: Mapped[str] = mapped_column(sa.String(12))
    parcel: Mapped[bool]
    points: Mapped[Amount]
    cash: Mapped[Amount]
    ordinary: Mapped[Amount]
    coupon: Mapped[Amount] = mapped_column(default=0)
    offset: Mapped[Amount] = mapped_column(default=0)
    offset_points: Mapped[Amount] = mapped_column(default=0)
    delivery: Mapped[str] = mapped_column(sa.String(12), default="")
    delivery_fee: Mapped[Amount] = mapped_column(default=0)
    currency: Mapped[str] = mapped_column(sa.String(3))
    address: Mapped[dict[str, Any] | None] = mapped_column(Json)
    placed_at: Mapped[datetime]
    pay_by: Mapped[datetime]
    return_open: Mapped[bool] = mapped_column(default=False)
    priority: Mapped[bool] = mapped_column(default=False)
    # So that who comes first stands first where the oldest do.
    unhurried: Mapped[bool] = column_property(sa.type_coerce(sa.not_(priority), sa.Boolean), deferred=True)

    lines: Mapped[list[OrderLine]] = relationship(order_by="OrderLine.id")
    steps: Mapped[list[OrderStep]] = relationship(order_by="OrderStep.id")
    shipments: Mapped[list[Shipment]] = relationship(order_by="Shipment.id")

    @property
    def cash_due(self) -> Money:
        return Money(self.cash, self.currency)

    @property
    def goods_paid(self) -> int:
        """Money really paid for the goods, in minor units: what earns points, and what a return gives back."""
        return self.cash - self.delivery_fee


class OrderLine(Model):
    """What was ordered, as it was then: a later change of the product does not change an order.

    ``cash_each`` is the member price; ``coupon``, ``offset`` and ``offset_points`` are the line's parts of the order's.
    Of its pieces so many are ``fulfilled`` (sent, handed out, attended), so many were ``cancelled`` before that, and so
    many are ``returned``: their money and points went back, cancelled ones included. ``grants`` is the product's.
    """

    __tablename__ = "order_line"
    __table_args__ = (
        sa.CheckConstraint("quantity > 0", name="quantity_positive"),
        sa.CheckConstraint('cash_each * quantity >= coupon + "offset"', name="paid_not_negative"),
        sa.CheckConstraint("returned BETWEEN 0 AND quantity", name="returned_within_quantity"),
        sa.CheckConstraint(
            "fulfilled >= 0 AND cancelled >= 0 AND fulfilled + cancelled <= quantity", name="fulfilled_within_quantity"
        ),
        sa.CheckConstraint("cancelled <= returned", name="cancelled_is_returned"),
    )

    id: Mapped[Id]
    order_id: Mapped[int] = reference("order.id", index=True)
    variant_id: Mapped[int] = reference("variant.id", index=True)
    sku: Mapped[str] = mapped_column(sa.String(60))
    category: Mapped[str] = mapped_column(sa.String(32))
    kind: Mapped[str] = mapped_column(sa.String(12))
    name: Mapped[JsonObject]
    variant_name: Mapped[JsonObject]
    picture: Mapped[str | None] = mapped_column(sa.String(80))
    quantity: Mapped[int]
    points_each: Mapped[Amount]
    cash_each: Mapped[Amount]
    ordinary_each: Mapped[Amount]
    coupon: Mapped[Amount] = mapped_column(default=0)
    offset: Mapped[Amount] = mapped_column(default=0)
    offset_points: Mapped[Amount] = mapped_column(default=0)
    returned: Mapped[int] = mapped_column(default=0)
    fulfilled: Mapped[int] = mapped_column(default=0)
    cancelled: Mapped[int] = mapped_column(default=0)
    grants: Mapped[str] = mapped_column(sa.String(60), default="")

    @property
    def open(self) -> int:
        """Pieces that their buyer still waits for."""
        return self.quantity - self.fulfilled - self.cancelled

    @property
    def points_paid(self) -> int:
        """All points for this line."""
        return self.points_each * self.quantity + self.offset_points

    @property
    def cash_paid(self) -> int:
        """Money really paid for the goods of this line, in minor units; without delivery."""
        return self.cash_each * self.quantity - self.coupon - self.offset


class OrderStep(Model):
    """One state that the order reached, when, and by whom; the member sees them all."""

    __tablename__ = "order_step"
    __table_args__ = (sa.UniqueConstraint("order_id", "state"),)

    id: Mapped[Id]
    order_id: Mapped[int] = reference("order.id")
    state: Mapped[str] = mapped_column(sa.String(12))
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(sa.String(120))
    note: Mapped[str] = mapped_column(sa.String(200), default="")


class Shipment(Model):
    """A parcel 包裹 that was handed to a carrier. An order may need several."""

    __tablename__ = "shipment"
    __table_args__ = (sa.UniqueConstraint("order_id", "tracking_number"),)

    id: Mapped[Id]
    order_id: Mapped[int] = reference("order.id")
    carrier: Mapped[str] = mapped_column(sa.String(60))
    tracking_number: Mapped[str] = mapped_column(sa.String(60))
    shipped_at: Mapped[datetime]
    by: Mapped[str] = mapped_column(sa.String(120))

    pieces: Mapped[list[ShipmentPiece]] = relationship(order_by="ShipmentPiece.order_line_id")


class ShipmentPiece(Model):
    """So many pieces of a line that lie in a parcel."""

    __tablename__ = "shipment_piece"
    __table_args__ = (sa.CheckConstraint("quantity > 0", name="quantity_positive"),)

    shipment_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("shipment.id"), primary_key=True)
    order_line_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("order_line.id"), primary_key=True, index=True)
    quantity: Mapped[int]
