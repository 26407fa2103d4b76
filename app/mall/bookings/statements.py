"""Bookings as plain values, for members and for whoever waits for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.foundation.formats import moment
from app.foundation.languages import translated
from app.foundation.pages import public_url
from app.foundation.permissions import Permission, allowed
from app.mall.bookings.calendars import calendar_file
from app.mall.catalog.queries import Label, labels_of
from app.mall.catalog.statements import picture_of
from app.mall.slots.queries import Booked, SlotTerms
from app.mall.slots.statements import hours, local_day, whole_time

if TYPE_CHECKING:
    from app.identity.members.models import Member

STATES = {
    "booked": _l("Time booked"),
    "attended": _l("Attended"),
    "missed": _l("Not attended"),
    "cancelled": _l("Cancelled"),
}
TONES = {"booked": "brand", "attended": "info", "missed": "gold", "cancelled": "neutral"}


def name_of(label: Label) -> str:
    return " · ".join(filter(None, (translated(label.name), translated(label.variant_name))))


def where(booked: Booked, unit: Mapping[str, Any]) -> str:
    """``Harbour Spa · Room 2``"""
    return " · ".join(filter(None, (translated(unit), booked.place)))


def places_text(places: int) -> str:
    return ngettext("%(num)s place", "%(num)s places", places)


# --- for members -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """A booking in a member's list."""

    url: str
    name: str
    picture: str
    when: str
    where: str
    places: str
    state: str
    tone: str


def rows(booked: Sequence[Booked], units: Mapping[int, Mapping[str, Any]], *, now: datetime) -> list[Row]:
    labels = labels_of({each.variant_id for each in booked}) if booked else {}
    return [_row(each, labels[each.variant_id], units, now=now) for each in booked]


def _row(booked: Booked, label: Label, units: Mapping[int, Mapping[str, Any]], *, now: datetime) -> Row:
    state, tone = state_of(booked, now=now)
    return Row(
        url=url_for("portal.orders.show", number=booked.order_number),
        name=name_of(label),
        picture=picture_of(label.picture),
        when=whole_time(booked.starts_at, booked.ends_at),
        where=where(booked, units.get(label.unit_id, {})),
        places=places_text(booked.places) if booked.places else "",
        state=state,
        tone=tone,
    )


def state_of(booked: Booked, *, now: datetime) -> tuple[str, str]:
    """(in words, tone)"""
    if booked.state == "booked" and booked.starts_at <= now:
        return (_("Going on now"), "info") if booked.ends_at > now else (_("Over"), "neutral")
    return str(STATES[booked.state]), TONES[booked.state]


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingShown:
    """A booking on its order's page. What cannot be done any more has no address, and says until when it could."""

    name: str
    picture: str
    when: str
    where: str
    places: str
    state: str
    tone: str
    move_url: str | None
    cancel_url: str | None
    file_url: str | None
    text: str | None


def booking_shown(
    booked: Booked, label: Label, unit: Mapping[str, Any], *, terms: SlotTerms, paid: bool, now: datetime
) -> BookingShown:
    number = booked.order_number
    ahead = booked.state == "booked" and paid and booked.starts_at > now
    move_until, cancel_until = booked.starts_at - terms.to_move, booked.starts_at - terms.to_cancel
    state, tone = state_of(booked, now=now)
    return BookingShown(
        name=name_of(label),
        picture=picture_of(label.picture),
        when=whole_time(booked.starts_at, booked.ends_at),
        where=where(booked, unit),
        places=places_text(booked.places) if booked.places else "",
        state=state,
        tone=tone,
        move_url=url_for("portal.bookings.edit", number=number) if ahead and now < move_until else None,
        cancel_url=url_for("portal.returns.new_cancellation", number=number) if ahead and now < cancel_until else None,
        file_url=url_for("portal.bookings.show_file", number=number) if ahead else None,
        text=_until_when(move_until, cancel_until, now) if ahead else None,
    )


def _until_when(move_until: datetime, cancel_until: datetime, now: datetime) -> str:
    """Whoever can move it can cancel it: see ``SlotTerms``."""
    if move_until == cancel_until and now < move_until:
        return _(
            "It can be moved, or cancelled for all your money and points, until %(moment)s.", moment=moment(move_until)
        )
    if now < move_until:
        return _(
            "It can be moved until %(move)s, and cancelled for all your money and points until %(cancel)s.",
            move=moment(move_until),
            cancel=moment(cancel_until),
        )
    if now < cancel_until:
        text = _("It can be cancelled for all your money and points until %(moment)s, and not be moved any more.")
        return text % {"moment": moment(cancel_until)}
    return _("It is too late to move or to cancel it here. If something comes in between, please call the shop.")


def file_of(booked: Booked, label: Label, unit: Mapping[str, Any], *, now: datetime) -> bytes:
    url = public_url("portal.orders.show", number=booked.order_number)
    return calendar_file(
        uid=f"booking-{booked.id}@{url.split('/')[2]}",
        stamp=now,
        starts_at=booked.starts_at,
        ends_at=booked.ends_at,
        title=name_of(label),
        place=where(booked, unit),
        text=_("Order %(number)s", number=booked.order_number) + "\n" + places_text(booked.places),
        url=url,
    )


# --- for colleagues --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """Somebody who comes, or came. The addresses are there where this colleague may say so now."""

    name: str
    code: str
    order: str
    order_url: str
    places: str
    state: str
    tone: str
    attended_url: str | None
    missed_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """A time of a day, and who comes."""

    url: str
    time: str
    name: str
    where: str
    guests: list[Guest]


def hours_of(
    booked: Sequence[Booked],
    labels: Mapping[int, Label],
    units: Mapping[int, Mapping[str, Any]],
    members: Mapping[int, Member],
    paid: Collection[str],
    *,
    now: datetime,
) -> list[Hour]:
    """In the order of the bookings, which is that of the clock. ``paid`` are the numbers of orders that are."""
    found: dict[int, Hour] = {}
    for each in booked:
        label = labels[each.variant_id]
        hour = found.setdefault(
            each.slot_id,
            Hour(
                url=url_for("backoffice.bookings.show_slot", slot_id=each.slot_id),
                time=hours(each.starts_at, each.ends_at),
                name=name_of(label),
                where=where(each, units.get(label.unit_id, {})),
                guests=[],
            ),
        )
        hour.guests.append(guest(each, members[each.member_id], paid=each.order_number in paid, now=now))
    return list(found.values())


def guest(booked: Booked, member: Member, *, paid: bool, now: datetime) -> Guest:
    may = allowed(Permission.ORDER_FULFIL) and booked.state == "booked" and paid
    unpaid = booked.state == "booked" and not paid
    number = booked.order_number
    here = may and local_day(booked.starts_at) <= local_day(now)
    return Guest(
        name=member.label,
        code=member.code,
        order=number,
        order_url=url_for("backoffice.orders.show", number=number),
        places=places_text(booked.places) if booked.places else "",
        state=_("Not paid yet") if unpaid else str(STATES[booked.state]),
        tone="gold" if unpaid else TONES[booked.state],
        attended_url=url_for("backoffice.bookings.create_attendance", number=number) if here else None,
        missed_url=url_for("backoffice.bookings.create_absence", number=number)
        if may and booked.starts_at <= now
        else None,
    )
