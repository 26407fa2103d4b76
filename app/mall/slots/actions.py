"""Verbs of time slots. Locks: the variant first (stock), then its slots by id. The order's row is locked by the caller.

The stock of a service is the sum of the free places of its open slots: who books or gives back changes both by the
same number (the order the stock, ``book`` and ``release`` the slot); everything else lets the stock follow.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation import audit
from app.foundation.actors import SYSTEM, Actor
from app.foundation.database import LockOrder, any_of, db, lock
from app.foundation.errors import InvalidInput
from app.foundation.formats import moment
from app.mall.catalog import actions as catalog
from app.mall.slots import queries
from app.mall.slots.errors import (
    NotBooked,
    TimeFull,
    TimeGone,
    TimePassed,
    TimesOverlap,
    TooFewPlaces,
)
from app.mall.slots.models import Booking, ServiceSlot
from app.mall.slots.rules import FURTHEST, LONGEST_PLACE, MOST_AT_ONCE, MOST_PLACES, Spell, clashes

audit.describe(
    "slot",
    _l("Time slot"),
    {
        "slot.create": _l("Times added"),
        "slot.places": _l("Places changed"),
        "slot.close": _l("Time closed"),
        "slot.reopen": _l("Time opened again"),
        "slot.cancel": _l("Time cancelled"),
    },
)

catalog.tie_to_kind(queries.any_slots)


# --- what orders do --------------------------------------------------------------------------------


def book(
    *,
    slot_id: int,
    variant_id: int,
    order_line_id: int,
    order_number: str,
    member_id: int,
    places: int,
    now: datetime,
) -> Booking:
    """Take so many places of a slot for a line of an order. Raises ``TimeGone`` or ``TimeFull``."""
    slot = db.session.scalars(_locking(slot_id)).one_or_none()
    if slot is None or slot.variant_id != variant_id or slot.closed or slot.starts_at <= now:
        raise TimeGone
    if slot.free < places:
        raise TimeFull(slot.free)
    _change_taken(slot, places)
    booking = Booking(
        slot_id=slot.id,
        order_line_id=order_line_id,
        order_number=order_number,
        member_id=member_id,
        places=places,
        state="booked",
        booked_at=now,
        changed_at=now,
    )
    db.session.add(booking)
    db.session.flush()
    return booking


def release(*, order_line_id: int, places: int, now: datetime) -> None:
    """Give so many places of a line's booking back. A line from before times were booked has none to give.

    The caller has locked the variant, puts as many pieces back into the stock, and lets it follow: ``level_stock``.
    """
    mine = lock(LockOrder.STOCK, _booked([order_line_id]))
    booking = db.session.scalars(mine).one_or_none()
    if booking is None:
        return
    slot = db.session.scalars(_locking(booking.slot_id)).one()
    _change_taken(slot, -places)
    booking.places -= places
    booking.changed_at = now
    if not booking.places:
        booking.state = "cancelled"
    db.session.flush()


def level_stock(*, variant_id: int, by: Actor, now: datetime) -> None:
    """The stock becomes the sum of the free places of open slots. The caller has locked the variant.

    A slot counts until it is closed, by hand or by the job that closes those that have begun: whether that comes a
    minute late changes nothing.
    """
    db.session.flush()
    places = queries.free_places([variant_id]).get(variant_id, 0)
    catalog.set_stock(variant_id=variant_id, pieces=places, reason="slots", by=by, now=now)


def attend(*, order_line_ids: Collection[int], now: datetime) -> None:
    """Whoever booked for these lines has come."""
    _end(order_line_ids, "attended", now=now)


def miss(*, order_line_ids: Collection[int], now: datetime) -> None:
    """Whoever booked for these lines did not come. Raises ``NotBooked``."""
    if not _end(order_line_ids, "missed", now=now):
        raise NotBooked


def _end(order_line_ids: Collection[int], state: str, *, now: datetime) -> int:
    booked = any_of(Booking.order_line_id, order_line_ids), Booking.state == "booked"
    ended = db.session.execute(
        sa.update(Booking)
        .where(*booked)
        .values(state=state, changed_at=now)
        .execution_options(synchronize_session=False)
    )
    return int(ended.rowcount)  # type: ignore[attr-defined]


def move(*, order_line_id: int, slot_id: int, now: datetime) -> None:
    """Another time of the same service for a line's booking. The caller has locked the order, and decides until when.

    Raises ``NotBooked``, ``TimeGone`` or ``TimeFull``.
    """
    found = db.session.execute(
        sa.select(Booking.slot_id, ServiceSlot.variant_id)
        .join(ServiceSlot, ServiceSlot.id == Booking.slot_id)
        .where(Booking.order_line_id == order_line_id)
    ).one_or_none()
    if found is None:
        raise NotBooked
    variant_id = found.variant_id
    catalog.lock_shelves(variant_ids=[variant_id])
    booking = db.session.scalars(lock(LockOrder.STOCK, _booked([order_line_id]))).one_or_none()
    if booking is None:
        raise NotBooked
    both = sa.select(ServiceSlot).where(any_of(ServiceSlot.id, [booking.slot_id, slot_id])).order_by(ServiceSlot.id)
    slots = {slot.id: slot for slot in db.session.scalars(lock(LockOrder.STOCK, both))}
    old, new = slots[booking.slot_id], slots.get(slot_id)
    if new is None or new.variant_id != variant_id or new.closed or new.starts_at <= now:
        raise TimeGone
    if new.free < booking.places:
        raise TimeFull(new.free)
    _change_taken(old, -booking.places)
    _change_taken(new, booking.places)
    booking.slot_id, booking.changed_at = new.id, now
    db.session.flush()
    level_stock(variant_id=variant_id, by=SYSTEM, now=now)


# --- what merchants do -----------------------------------------------------------------------------


def add_times(
    *, variant_id: int, spells: Sequence[Spell], places: int, place: str = "", by: Actor, now: datetime
) -> int:
    """Times at which a service is given, all or none; returns how many. Audited.

    One that was closed and that nobody has booked is opened again. Raises ``TimesOverlap``, ``TimePassed`` and
    ``InvalidInput``.
    """
    service = _service_with_its_neighbours_locked(variant_id, place)
    _refuse_nonsense(spells, places, place, now)
    if any(spell.starts_at <= now for spell in spells):
        raise TimePassed
    spells = sorted(spells, key=lambda spell: spell.starts_at)
    taken = queries.spells_at(variant_ids=service.sharing, place=place, between=(spells[0], spells[-1]))
    for clash in sorted(clashes(spells, taken)):
        raise TimesOverlap(spells[clash].starts_at)
    closed = _closed_at(variant_id, place, spells)
    for spell in spells:
        slot = closed.get(spell.starts_at) or ServiceSlot(variant_id=variant_id, place=place, taken=0)
        slot.starts_at, slot.ends_at, slot.places, slot.closed = spell.starts_at, spell.ends_at, places, False
        db.session.add(slot)
    db.session.flush()
    level_stock(variant_id=variant_id, by=by, now=now)
    audit.record(
        "slot.create",
        subject=("slot", service.sku, service.sku),
        by=by,
        now=now,
        after={
            "times": len(spells),
            "first": spells[0].starts_at.isoformat(),
            "last": spells[-1].starts_at.isoformat(),
            "places": places,
            "place": place,
        },
    )
    return len(spells)


def change_places(*, slot_id: int, places: int, by: Actor, now: datetime) -> None:
    """So many people at once from now on. Audited. Raises ``TimePassed``, ``TooFewPlaces`` or ``InvalidInput``."""
    slot = _slot_locked(slot_id)
    if slot.starts_at <= now:
        raise TimePassed
    if not 1 <= places <= MOST_PLACES:
        raise InvalidInput(_("There can be between 1 and %(most)s places at a time.", most=MOST_PLACES))
    if places < slot.taken:
        raise TooFewPlaces(slot.taken)
    before, slot.places = slot.places, places
    _follow_and_note(slot, "slot.places", {"places": before}, {"places": places}, by=by, now=now)


def close(*, slot_id: int, by: Actor, now: datetime) -> None:
    """No more bookings; those that are there stay. Closing twice changes nothing. Audited."""
    slot = _slot_locked(slot_id)
    before, slot.closed = slot.closed, True
    _follow_and_note(slot, "slot.close", {"closed": before}, {"closed": True}, by=by, now=now)


def reopen(*, slot_id: int, by: Actor, now: datetime) -> None:
    """It can be booked again. Audited. Raises ``TimePassed`` or ``TimesOverlap``."""
    place, variant_id = db.session.execute(
        sa.select(ServiceSlot.place, ServiceSlot.variant_id).where(ServiceSlot.id == slot_id)
    ).one()
    service = _service_with_its_neighbours_locked(variant_id, place)
    slot = db.session.scalars(_locking(slot_id)).one()
    if slot.starts_at <= now:
        raise TimePassed
    mine = Spell(slot.starts_at, slot.ends_at)
    taken = queries.spells_at(variant_ids=service.sharing, place=place, between=(mine, mine), but_of=slot_id)
    if clashes([mine], taken):
        raise TimesOverlap(slot.starts_at)
    before, slot.closed = slot.closed, False
    _follow_and_note(slot, "slot.reopen", {"closed": before}, {"closed": False}, by=by, now=now)


def note_called_off(*, slot_id: int, reason: str, bookings: int, by: Actor, now: datetime) -> None:
    """Into the audit log: a colleague cancels a time, and with it so many bookings."""
    slot = db.session.get_one(ServiceSlot, slot_id)
    _note(slot, "slot.cancel", None, {"reason": reason, "bookings": bookings}, by=by, now=now)


# --- what time does --------------------------------------------------------------------------------


def close_begun(*, variant_id: int, now: datetime) -> int:
    """Slots of a service that have begun take no more bookings; their free places leave the stock. Returns how many."""
    catalog.lock_shelves(variant_ids=[variant_id])
    begun = sa.select(ServiceSlot).where(
        ServiceSlot.variant_id == variant_id, ServiceSlot.closed.is_(False), ServiceSlot.starts_at <= now
    )
    slots = db.session.scalars(lock(LockOrder.STOCK, begun.order_by(ServiceSlot.id))).all()
    for slot in slots:
        slot.closed = True
    db.session.flush()
    if slots:
        level_stock(variant_id=variant_id, by=SYSTEM, now=now)
    return len(slots)


# --- what they share -------------------------------------------------------------------------------


def _locking(slot_id: int) -> sa.Select[ServiceSlot]:
    return lock(LockOrder.STOCK, sa.select(ServiceSlot).where(ServiceSlot.id == slot_id))


def _booked(order_line_ids: Collection[int]) -> sa.Select[Booking]:
    return sa.select(Booking).where(any_of(Booking.order_line_id, order_line_ids), Booking.state == "booked")


def _slot_locked(slot_id: int) -> ServiceSlot:
    """The variant's row first."""
    variant_id = db.session.scalars(sa.select(ServiceSlot.variant_id).where(ServiceSlot.id == slot_id)).one()
    catalog.lock_shelves(variant_ids=[variant_id])
    return db.session.scalars(_locking(slot_id)).one()


def _service_with_its_neighbours_locked(variant_id: int, place: str) -> queries.Sharing:
    """Whoever adds times at a place waits for whoever adds others there."""
    service = queries.sharing(variant_id, place)
    catalog.lock_shelves(variant_ids=service.sharing)
    return service


def _refuse_nonsense(spells: Sequence[Spell], places: int, place: str, now: datetime) -> None:
    if not spells:
        raise InvalidInput(_("There is no time left to add. Please choose at least one."))
    if len(spells) > MOST_AT_ONCE:
        raise InvalidInput(_("At most %(most)s times can be added at once.", most=MOST_AT_ONCE))
    if not 1 <= places <= MOST_PLACES:
        raise InvalidInput(_("There can be between 1 and %(most)s places at a time.", most=MOST_PLACES))
    if max(spell.starts_at for spell in spells) > now + FURTHEST:
        raise InvalidInput(_("A time can lie at most two years ahead. Please check the dates."))
    if len(place) > LONGEST_PLACE:
        raise InvalidInput(_("Please use at most %(most)s characters for the place.", most=LONGEST_PLACE))


def _closed_at(variant_id: int, place: str, spells: Sequence[Spell]) -> dict[datetime, ServiceSlot]:
    """Closed slots that nobody has booked, at exactly these times."""
    there = sa.select(ServiceSlot).where(
        ServiceSlot.variant_id == variant_id,
        ServiceSlot.place == place,
        ServiceSlot.closed,
        ServiceSlot.starts_at.between(spells[0].starts_at, spells[-1].starts_at),
    )
    return {slot.starts_at: slot for slot in db.session.scalars(lock(LockOrder.STOCK, there))}


def _change_taken(slot: ServiceSlot, places: int) -> None:
    """As a step from where the database is: its constraint is the last line."""
    db.session.execute(
        sa.update(ServiceSlot)
        .where(ServiceSlot.id == slot.id)
        .values(taken=ServiceSlot.taken + places)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(slot, ["taken"])


def _follow_and_note(
    slot: ServiceSlot, action: str, before: dict[str, object], after: dict[str, object], *, by: Actor, now: datetime
) -> None:
    level_stock(variant_id=slot.variant_id, by=by, now=now)
    _note(slot, action, before, after, by=by, now=now)


def _note(
    slot: ServiceSlot,
    action: str,
    before: dict[str, object] | None,
    after: dict[str, object],
    *,
    by: Actor,
    now: datetime,
) -> None:
    label = " · ".join(filter(None, (moment(slot.starts_at), slot.place)))
    audit.record(action, subject=("slot", slot.id, label), by=by, now=now, before=before, after=after)
