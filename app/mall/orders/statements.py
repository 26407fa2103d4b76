"""Orders as pages show them: plain values, ready to show. Templates decide nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from babel.dates import format_skeleton
from flask import url_for
from flask_babel import get_locale, get_timezone, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.formats import day, moment, money, points
from app.foundation.languages import translated
from app.foundation.money import Money
from app.mall.catalog.actions import grantor_of
from app.mall.catalog.statements import picture_of
from app.mall.orders import states, telling
from app.mall.orders.bills import Bill
from app.mall.orders.delivery import Delivery
from app.mall.orders.histories import HAPPENED, history, surplus_notice
from app.mall.orders.models import Order, OrderLine
from app.mall.orders.parcels import tracking_page
from app.mall.orders.queries import OpenOrder
from app.mall.orders.terms import OrderTerms
from app.mall.slots.queries import Booked, booking_of_lines

if TYPE_CHECKING:
    from app.mall.payments.models import Payment

TONES = {
    "placed": "gold",
    "paid": "info",
    "packed": "info",
    "part_shipped": "info",
    "shipped": "info",
    "delivered": "brand",
    "completed": "brand",
    "cancelled": "neutral",
    "closed": "neutral",
}
_STEP = {**HAPPENED, "closed": _l("Closed"), "completed": _l("Done")}  # Six of them stand side by side on a phone.


@dataclass(frozen=True, slots=True)
class LineShown:
    name: str
    picture: str
    meta: str
    price: str
    price_meta: str | None
    sku: str
    off: str | None
    reached: str | None = None


@dataclass(frozen=True, slots=True)
class Granted:
    """What a line gave instead of goods, and where to find it."""

    name: str
    picture: str
    url: str
    label: str


@dataclass(frozen=True, slots=True)
class Row:
    """An order in a member's list."""

    number: str
    name: str
    picture: str
    meta: str
    state: str
    tone: str
    price: str
    price_meta: str | None


@dataclass(frozen=True, slots=True)
class Underway:
    """An order that a member still waits for, or has to pay."""

    name: str
    url: str
    picture: str
    state: str
    tone: str


@dataclass(frozen=True, slots=True)
class ParcelShown:
    """A parcel on its way. ``goods`` is what lies in it, ``page`` where its carrier tells how far it has come."""

    id: int
    title: str
    carrier: str
    tracking_number: str
    page: str | None
    shipped: str
    goods: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderShown:
    """``figures``, ``progress`` and ``history`` are in the shape that the house's parts take.

    ``booked``: is it a time that was booked? ``coming`` is what is still awaited once a part has come;
    ``confirm_later`` says when the receipt can be confirmed.
    """

    number: str
    placed: str
    state: str
    state_label: str
    tone: str
    lines: list[LineShown]
    figures: list[tuple[str, ...]]
    progress: list[dict[str, Any]]
    history: list[dict[str, Any]]
    address: list[str]
    parcels: list[ParcelShown]
    granted: list[Granted]
    coming: list[str]
    next_title: str
    next_text: str
    next_picture: str
    cash: str
    time_left: str | None
    can_pay: bool
    can_cancel: bool
    can_confirm: bool
    confirm_later: str | None
    was_paid: bool
    booked: bool
    over: bool
    surplus: str | None


def short_day(value: datetime) -> str:
    """``15 Jun``: a day without its year, as the reader writes it."""
    return format_skeleton("MMMd", value, tzinfo=get_timezone(), locale=get_locale())


def price_of(points_: int, cash: Money) -> tuple[str, str | None]:
    """The points, and the cash as a second line if there is any; without points the cash alone."""
    if not points_:
        return money(cash), None
    return _("%(points)s points", points=points(points_)), f"+ {money(cash)}" if cash else None


def price_line(order: Order) -> str:
    """Points and cash in one line: ``200 points + ¥12.00``."""
    return " ".join(filter(None, price_of(order.points, order.cash_due)))


def line_shown(line: OrderLine, currency: str) -> LineShown:
    price, price_meta = price_of(line.points_each * line.quantity, Money(line.cash_each, currency) * line.quantity)
    variant = translated(line.variant_name)
    return LineShown(
        name=translated(line.name),
        picture=picture_of(line.picture),
        meta=f"{variant} · × {line.quantity}" if variant else f"× {line.quantity}",
        price=price,
        price_meta=price_meta,
        sku=line.sku,
        off=_share(line, currency),
    )


def _granted(order: Order) -> list[Granted]:
    found = []
    for line in order.lines:
        grantor = grantor_of(line.kind)
        if grantor and line.fulfilled:
            label = str(grantor.invitation)
            picture = "graduation-cap" if line.kind == "course" else "gift"
            found.append(Granted(translated(line.name), picture, grantor.link(line.grants), label))
    return found


def _share(line: OrderLine, currency: str) -> str | None:
    """What was taken off this line, and what is left of its price: what a return of it gives back."""
    if not (line.coupon or line.offset):
        return None
    paid = money(Money(line.cash_paid, currency))
    if not line.offset:
        return _("Coupon −%(money)s: %(paid)s paid", money=money(Money(line.coupon, currency)), paid=paid)
    instead = {"points": points(line.offset_points), "money": money(Money(line.offset, currency)), "paid": paid}
    if not line.coupon:
        return _("%(points)s points instead of %(money)s: %(paid)s paid", **instead)
    coupon = money(Money(line.coupon, currency))
    return _("Coupon −%(coupon)s, %(points)s points instead of %(money)s: %(paid)s paid", coupon=coupon, **instead)


def goods_name(order: Order) -> str:
    """``Green tea and 2 more``"""
    first, more = translated(order.lines[0].name), len(order.lines) - 1
    if not more:
        return first
    return ngettext("%(name)s and %(num)s more", "%(name)s and %(num)s more", more, name=first)


def row(order: Order) -> Row:
    price, price_meta = price_of(order.points, order.cash_due)
    first = order.lines[0]
    return Row(
        number=order.number,
        name=goods_name(order),
        picture=picture_of(first.picture),
        meta=f"{day(order.placed_at)} · × {sum(line.quantity for line in order.lines)}",
        state=label_of(order),
        tone=TONES[order.state],
        price=price,
        price_meta=price_meta,
    )


def underway(order: OpenOrder) -> Underway:
    return Underway(
        name=translated(order.name),
        url=url_for("portal.orders.show", number=order.number),
        picture=picture_of(order.picture),
        state=_label(order.state, usable=order.state == "paid" and not (order.parcel or order.coming)),
        tone=TONES[order.state],
    )


def label_of(order: Order) -> str:
    """What the order waits for, or how it ended, in two words."""
    if telling.was_given_back(order):
        return _("Given back")
    if order.state == "paid" and any(line.kind == "service" for line in order.lines):
        return _("Time booked")
    usable = "delivered" if all(line.kind == "code" for line in telling.kept(order)) else "paid"
    here = order.state == usable and not order.parcel and not telling.coming_by_itself(order)
    return _label(order.state, usable=here)


def _label(state: str, *, usable: bool) -> str:
    return _("Ready to use") if usable else str(states.LABELS[state])


def order_shown(
    order: Order,
    payments: Sequence[Payment],
    *,
    unit: Mapping[str, Any],
    terms: OrderTerms,
    with_codes: bool = False,
    now: datetime,
) -> OrderShown:
    """``unit`` is the name, by language, of who sells it. ``with_codes``: did it bring codes out of a pool?"""
    at = {step.state: step.at for step in order.steps}
    unpaid = order.state == "placed" and now < order.pay_by
    services = [line.id for line in order.lines if line.kind == "service"]
    booked = booking_of_lines(services) if services else None
    title, text, picture = telling.what_next(
        order, unit=translated(unit), terms=terms, price=price_line(order), with_codes=with_codes, booked=booked
    )
    return OrderShown(
        number=order.number,
        placed=_("Ordered on %(moment)s", moment=moment(order.placed_at)),
        state=order.state,
        state_label=label_of(order),
        tone=TONES[order.state],
        lines=[replace(line_shown(line, order.currency), reached=_reached(order, line)) for line in order.lines],
        figures=_figures(order),
        progress=_progress(order, at),
        history=history(order, payments, at),
        address=address_of(order),
        parcels=[_parcel_shown(order, place) for place in range(len(order.shipments))],
        granted=_granted(order),
        coming=_coming(order),
        next_title=title,
        next_text=text,
        next_picture=picture,
        cash=money(order.cash_due),
        time_left=_time_left(order.pay_by - now) if unpaid else None,
        can_pay=unpaid and bool(order.cash),
        can_cancel=order.state == "placed",
        can_confirm=_can_confirm(order, booked, now),
        confirm_later=_confirm_later(order),
        was_paid="paid" in at,
        booked=bool(services),
        over=order.state in ("completed", *states.ENDED),
        surplus=surplus_notice(payments),
    )


def _can_confirm(order: Order, booked: Booked | None, now: datetime) -> bool:
    if not states.may(order.state, "delivered", who="member", parcel=order.parcel):
        return False
    if not order.parcel and telling.coming_by_itself(order):
        return False
    return booked is None or booked.state != "booked" or booked.starts_at <= now


def _parcel_shown(order: Order, place: int) -> ParcelShown:
    parcel, names = order.shipments[place], {line.id: name_of(line) for line in order.lines}
    several = len(order.shipments) > 1 or order.state == "part_shipped"
    return ParcelShown(
        id=parcel.id,
        title=_("Parcel %(number)s", number=place + 1) if several else _("Parcel"),
        carrier=parcel.carrier,
        tracking_number=parcel.tracking_number,
        page=tracking_page(parcel.carrier, parcel.tracking_number),
        shipped=day(parcel.shipped_at),
        goods=[f"{names[piece.order_line_id]} × {piece.quantity}" for piece in parcel.pieces],
    )


def _reached(order: Order, line: OrderLine) -> str | None:
    """How far a line has come, where the order's own state does not tell it."""
    if line.cancelled == line.quantity:
        return _("Cancelled")
    if order.state not in (*states.OPEN, "shipped"):
        return None
    wanted = line.quantity - line.cancelled
    if line.kind == "physical" and order.parcel:
        apart = order.state == "part_shipped" or any(other.kind != "physical" for other in order.lines)
        return _sent(line.fulfilled, wanted) if apart else None
    if line.kind != "code" or not line.open:
        return None
    if line.fulfilled:
        return _("%(here)s of %(all)s codes are here, the rest follows", here=line.fulfilled, all=wanted)
    return ngettext("The code follows", "The codes follow", wanted)


def _sent(sent: int, wanted: int) -> str:
    if not sent:
        return _("Not sent yet")
    return _("Sent") if sent == wanted else _("%(sent)s of %(all)s sent", sent=sent, all=wanted)


def _coming(order: Order) -> list[str]:
    """What is still awaited, once something else of the order has come."""
    if order.state in ("placed", *states.ENDED) or not any(line.fulfilled for line in order.lines):
        return []
    return [f"{name_of(line)} × {line.open}" for line in order.lines if line.open]


def _confirm_later(order: Order) -> str | None:
    if order.state != "part_shipped":
        return None
    return _("You can confirm that you have it once everything has been sent. Nothing runs out until then.")


def name_of(line: OrderLine) -> str:
    """``Green tea · Tin``"""
    return " · ".join(filter(None, (translated(line.name), translated(line.variant_name))))


def _figures(order: Order) -> list[tuple[str, ...]]:
    spent = any(step.state == "paid" for step in order.steps)
    goods = sum(line.cash_each * line.quantity for line in order.lines)
    made = Bill(
        ordinary=order.ordinary,
        member_discount=order.ordinary - goods,
        goods=goods,
        coupon=order.coupon,
        offset=order.offset,
        offset_points=order.offset_points,
        delivery=order.delivery_fee,
        price_points=order.points - order.offset_points,
        shares=(),
    )
    rows = cash_steps(made, order.currency, way_of(order))
    if order.cash:
        rows.append((_("Cash paid") if spent else _("Cash"), money(order.cash_due), "total"))
    if order.points:
        rows += points_steps(made)
        label = _("Points spent") if spent else _("Points")
        rows.append((label, _("%(points)s points", points=points(order.points)), "total"))
    return rows


def way_of(order: Order) -> Delivery | None:
    """How it is sent, where it is."""
    return Delivery(order.delivery, order.delivery_fee, order.delivery_fee) if order.delivery else None


def cash_steps(made: Bill, currency: str, delivery: Delivery | None) -> list[tuple[str, ...]]:
    """How the money to pay comes about, up to the sum: nothing where there is only one figure anyway."""

    def cash(amount: int) -> str:
        return money(Money(amount, currency))

    rows: list[tuple[str, ...]] = []
    if made.member_discount:
        rows.append((_("Goods at ordinary prices"), cash(made.ordinary)))
        rows.append((_("Your member price"), f"−{cash(made.member_discount)}", "minus"))
    if made.goods and (made.member_discount or made.coupon or made.offset or made.delivery):
        rows.append((_("Goods"), cash(made.goods)))
    if made.coupon:
        rows.append((_("Coupon"), f"−{cash(made.coupon)}", "minus"))
    if made.offset:
        label = _("%(points)s points instead of money", points=points(made.offset_points))
        rows.append((label, f"−{cash(made.offset)}", "minus"))
    if delivery and (rows or made.delivery):
        rows.append((delivery.label, f"+{cash(made.delivery)}" if made.delivery else _("free")))
    return rows


def points_steps(made: Bill) -> list[tuple[str, ...]]:
    """How the points to pay come about, up to the sum."""
    if not (made.price_points and made.offset_points):
        return []
    return [
        (_("Points for the goods"), _("%(points)s points", points=points(made.price_points))),
        (_("Points instead of money"), f"+{points(made.offset_points)}"),
    ]


def _progress(order: Order, at: Mapping[str, datetime]) -> list[dict[str, Any]]:
    if order.state in states.ENDED:
        before = [state for state in ("placed", "paid") if state in at]
        return [*(_dot(state, "done", at) for state in before), _dot(order.state, "failed", at)]
    path: tuple[str, ...] = states.WITH_PARCEL if order.parcel else states.WITHOUT_PARCEL
    reached = path.index("packed" if order.state == "part_shipped" else order.state)
    # What is reached is done; the first step ahead is what everybody waits for.
    marks = ["done" if place <= reached else "now" if place == reached + 1 else "next" for place in range(len(path))]
    if order.state == "part_shipped":
        path = tuple("part_shipped" if state == "shipped" else state for state in path)
    return [_dot(state, mark, at) for state, mark in zip(path, marks, strict=True)]


def _dot(state: str, mark: str, at: Mapping[str, datetime]) -> dict[str, Any]:
    return {"label": str(_STEP[state]), "state": mark, "time": short_day(at[state]) if state in at else None}


def _time_left(rest: timedelta) -> str:
    minutes = max(1, -(-int(rest.total_seconds()) // 60))
    return ngettext("%(num)s minute left", "%(num)s minutes left", minutes)


def address_of(order: Order) -> list[str]:
    if order.address is None:
        return []
    address = order.address
    # Shanghai lies in Shanghai: a place named twice is written once.
    place = " ".join(dict.fromkeys(part for part in (address["postcode"], address["city"], address["region"]) if part))
    return [address["recipient"], address["phone"], address["line"], place]
