"""Time slots 可约时段 of services, and who booked them."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.foundation.database import Id, Model, reference

STATES = ("booked", "attended", "missed", "cancelled")


class ServiceSlot(Model):
    """A time at which a service (a variant of a product of that kind) is given, to so many people at once.

    ``taken`` places are booked; the database lets nobody take more than there are. A slot that is ``closed``, or has
    begun, takes no more bookings. The variant's stock is the sum of the free places of its open slots.
    """

    __tablename__ = "service_slot"
    __table_args__ = (
        sa.UniqueConstraint("variant_id", "starts_at", "place"),
        sa.CheckConstraint("starts_at < ends_at", name="begins_before_it_ends"),
        sa.CheckConstraint("places > 0", name="places_positive"),
        sa.CheckConstraint("taken BETWEEN 0 AND places", name="taken_within_places"),
        sa.Index(None, "closed", "starts_at"),
    )

    id: Mapped[Id]
    variant_id: Mapped[int] = reference("variant.id")
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    place: Mapped[str] = mapped_column(sa.String(120), default="")
    places: Mapped[int]
    taken: Mapped[int] = mapped_column(default=0)
    closed: Mapped[bool] = mapped_column(default=False)

    @property
    def free(self) -> int:
        return self.places - self.taken


class Booking(Model):
    """So many places of a slot for one line of an order; at most one per line.

    It is made when the order is placed and ends with it; ``places`` of a cancelled one are none.
    """

    __tablename__ = "booking"
    __table_args__ = (
        sa.CheckConstraint(f"state IN ({', '.join(map(repr, STATES))})", name="state_known"),
        sa.CheckConstraint("places >= 0 AND (places > 0) = (state <> 'cancelled')", name="places_unless_cancelled"),
        sa.Index(None, "member_id", "id"),
    )

    id: Mapped[Id]
    slot_id: Mapped[int] = reference("service_slot.id", index=True)
    order_line_id: Mapped[int] = reference("order_line.id", unique=True)
    order_number: Mapped[str] = mapped_column(sa.String(20))
    member_id: Mapped[int] = reference("member.id")
    places: Mapped[int]
    state: Mapped[str] = mapped_column(sa.String(10), default="booked")
    booked_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    slot: Mapped[ServiceSlot] = relationship(viewonly=True)

    @property
    def starts_at(self) -> datetime:
        return self.slot.starts_at
