"""A checkout as plain values: lines, ways of delivery, addresses, every figure, and what stands in the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from app.foundation.formats import money, points
from app.foundation.languages import translated
from app.foundation.points import Points
from app.mall.cart.statements import price_in_lines
from app.mall.catalog.statements import full, picture_of
from app.mall.checkout.drafts import Draft, Obstacle, name_of
from app.mall.checkout.rules import step_of
from app.mall.orders.actions import Figures
from app.mall.orders.errors import in_words
from app.mall.orders.statements import cash_steps, points_steps
from app.mall.slots.statements import whole_time

if TYPE_CHECKING:
    from app.identity.members.models import Address
    from app.mall.orders.queries import QuoteLine

NEW = "new"  # The choice of an address that is not in the book yet.


@dataclass(frozen=True, slots=True)
class Change:
    """What something costs now, beside what the person saw."""

    name: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Blocked:
    """An obstacle as a page names it, and what the buttons beside it send. ``time``: can another time be chosen?"""

    name: str
    why: str
    without: str
    fewer: str | None
    left: int
    time: bool


@dataclass(frozen=True, slots=True)
class Way:
    """A choice: of a delivery or of an address."""

    value: str
    title: str
    text: str | None = None
    price: str | None = None
    before: str | None = None
    badge: str | None = None


@dataclass(frozen=True, slots=True)
class Offset:
    """How many points may pay instead of money, and how many do. ``top`` is where the slider ends."""

    chosen: int
    largest: int
    step: int
    top: int
    text: str


def rows(draft: Draft) -> list[dict[str, Any]]:
    """The goods, each with its sum at this member's price."""
    return [_row(line) for line in draft.quote.lines]


def _row(line: QuoteLine) -> dict[str, Any]:
    way, ordinary = line.way, line.ordinary
    price, meta = price_in_lines(int(way.points) * line.quantity, way.cash * line.quantity)
    variant = translated(line.offer.variant_name)
    each = f" · {_('%(price)s each', price=full(way))}" if line.quantity > 1 else ""
    return {
        "name": translated(line.offer.name),
        "picture": picture_of(line.offer.picture),
        "meta": (f"{variant} · × {line.quantity}" if variant else f"× {line.quantity}") + each,
        "time": whole_time(line.slot.starts_at, line.slot.ends_at) if line.slot else None,
        "place": line.slot.place if line.slot else "",
        "price": price,
        "price_meta": meta,
        "before": money(ordinary.cash * line.quantity) if ordinary.cash != way.cash else None,
    }


def hidden_lines(draft: Draft) -> list[str]:
    """The lines as the form carries them, with what this page shows; refused ones stay until somebody drops them."""
    shown = {(line.offer.variant_id, line.price_id): line.way for line in draft.quote.lines}
    return [
        str(replace(line, points=int(way.points), cash=way.cash.amount) if (way := shown.get(line.key)) else line)
        for line in draft.asked.lines
    ]


# --- what stands in the way -----------------------------------------------------------------


def blocked(obstacles: Sequence[Obstacle]) -> list[Blocked]:
    return [
        Blocked(
            each.name or _("Something that is gone"),
            each.why,
            f"{each.line.variant_id}-{each.line.price_id}-0",
            f"{each.line.variant_id}-{each.line.price_id}-{each.left}" if each.left else None,
            each.left,
            each.time,
        )
        for each in obstacles
    ]


def changes(draft: Draft) -> list[Change]:
    """Lines whose price is not what the person saw; and at the end the whole, where that differs as well."""
    found = []
    for line in draft.quote.lines:
        seen = draft.seen_of.get((line.offer.variant_id, line.price_id))
        if seen is None or seen.points is None or seen.cash is None:
            continue
        if (seen.points, seen.cash) != (int(line.way.points), line.way.cash.amount):
            old = in_words(Figures(Points(seen.points), draft.quote.money(seen.cash)))
            found.append(Change(name_of(line.offer.name, line.offer.variant_name), old, full(line.way)))
    seen_sum, new = draft.asked.seen, draft.quote.figures
    if seen_sum is not None and seen_sum != new:
        found.append(Change(_("Altogether"), in_words(seen_sum), in_words(new)))
    return found


def lacking(draft: Draft) -> dict[str, Any] | None:
    """How far the points reach, where they do not reach."""
    need, have = draft.quote.bill.points, max(0, int(draft.standing.available))
    if need <= have:
        return None
    return {
        "have": have,
        "need": need,
        "label": _("%(points)s points are missing", points=points(need - have)),
        "text": f"{points(have)} / {points(need)}",
    }


# --- choices --------------------------------------------------------------------------------


def ways_of_delivery(draft: Draft) -> list[Way]:
    reasons = {"benefit": _("Free by your tier"), "amount": _("Free for an order of this size")}
    texts = {"pickup": _("At the counter; no address is needed.")}
    return [
        Way(
            each.code,
            each.label,
            reasons.get(each.waived_by) or texts.get(each.code),
            money(draft.quote.money(each.fee)) if each.fee else _("free"),
            money(draft.quote.money(each.ordinary)) if each.ordinary > each.fee else None,
        )
        for each in draft.quote.deliveries
    ]


def address_choices(book: Sequence[Address]) -> list[Way]:
    found = [
        Way(
            str(each.id),
            each.recipient,
            f"{each.phone} · {_place(each)}",
            badge=_("Default") if each.is_default else None,
        )
        for each in book
    ]
    return [*found, Way(NEW, _("Another address"))] if found else []


def _place(address: Address) -> str:
    """Shanghai lies in Shanghai: a place named twice is written once."""
    return " ".join(dict.fromkeys(filter(None, (address.line, address.postcode, address.city, address.region))))


def offset(draft: Draft) -> Offset | None:
    """``None`` where points pay nothing but what is priced in points."""
    if not draft.largest:
        return None
    step = step_of(draft.largest)
    most = draft.quote.with_offset(draft.largest).bill
    text = _(
        "Up to %(points)s points for %(money)s",
        points=points(most.offset_points),
        money=money(draft.quote.money(most.offset)),
    )
    return Offset(draft.quote.bill.offset_points, draft.largest, step, -(-draft.largest // step) * step, text)


# --- figures --------------------------------------------------------------------------------


def cash_figures(draft: Draft) -> list[tuple[str, ...]]:
    quoted = draft.quote
    cash = quoted.figures.cash
    steps = cash_steps(quoted.bill, quoted.currency, quoted.delivery)
    return [*steps, (_("To pay in cash"), money(cash) if cash else _("nothing"), "total")]


def points_figures(draft: Draft, earned: Points) -> list[tuple[str, ...]]:
    """Points before, during and after: what is earned comes when the order is completed, so it is named by itself."""
    made, have = draft.quote.bill, max(0, int(draft.standing.available))
    found: list[tuple[str, ...]] = []
    if made.points:
        found += points_steps(made)
        found.append((_("Points you have"), _("%(points)s points", points=points(have))))
        found.append((_("Points for this order"), f"−{points(made.points)}", "minus"))
        if have >= made.points:
            found.append((_("Points you keep"), _("%(points)s points", points=points(have - made.points)), "total"))
    if earned:
        found.append((_("You will earn"), f"+{points(earned)}", "plus"))
    return found
