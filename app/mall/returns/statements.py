"""Returns as pages show them: plain values, ready to show. Templates decide nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.foundation.actors import SYSTEM
from app.foundation.formats import day, moment, money, points
from app.foundation.money import Money
from app.mall.catalog.statements import picture_of
from app.mall.codes.queries import codes_by_ids
from app.mall.codes.statements import shortened
from app.mall.orders.statements import LineShown, goods_name, line_shown, price_of
from app.mall.returns.models import ReturnCase
from app.mall.returns.queries import Outcome, endings, has_parcel
from app.mall.returns.rules import ASKED

if TYPE_CHECKING:
    from app.mall.codes.models import PoolCode
    from app.mall.orders.models import Order
    from app.mall.payments.models import Refund

KIND_LABELS = {
    "return": _l("Return"),
    "exchange": _l("Exchange"),
    "warranty": _l("Warranty claim"),
    "cancellation": _l("Cancellation"),
}
CANCELLING_LABELS = {
    "unavailable": _l("It cannot be delivered"),
    "unwanted": _l("No longer wanted"),
    "too_many": _l("Too much was ordered"),
    "other": _l("Another reason"),
}
REASON_LABELS = {
    "defective": _l("It does not work"),
    "wrong": _l("It is not what I ordered"),
    "damaged": _l("It arrived damaged"),
    "late": _l("It came too late"),
    "unavailable": _l("It cannot be delivered"),
    "unwanted": _l("I do not like it"),
    "too_many": _l("I ordered too much"),
    "other": _l("Another reason"),
}
STATE_LABELS = {
    "requested": (_l("Being looked at"), "gold"),
    "approved": (_l("Approved"), "info"),
    "settled": (_l("Done"), "brand"),
    "rejected": (_l("Not accepted"), "danger"),
    "withdrawn": (_l("Withdrawn"), "neutral"),
}
HAPPENED = {
    "requested": _l("Asked for"),
    "approved": _l("Approved"),
    "settled": _l("Settled"),
    "rejected": _l("Not accepted"),
    "withdrawn": _l("Withdrawn"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A case in a list."""

    number: str
    title: str
    meta: str
    picture: str
    state: str
    tone: str
    asked: str


@dataclass(frozen=True, slots=True)
class CodeChoice:
    id: int
    text: str
    chosen: bool


def code_choice(code: PoolCode, *, masked: bool, chosen: Collection[int]) -> CodeChoice:
    return CodeChoice(code.id, shortened(code) if masked else code.code, code.id in chosen)


@dataclass(frozen=True, slots=True)
class Choosable:
    """A line of which pieces can be chosen; ``value`` is what stands in the field.

    Where several ``codes`` of it were looked at, it is they that are chosen.
    """

    field: str
    line: LineShown
    left: int
    note: str
    value: str
    codes: Sequence[CodeChoice] = ()


@dataclass(frozen=True, slots=True)
class Way:
    """Something that can be asked for."""

    kind: str
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Goods:
    name: str
    picture: str
    meta: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseShown:
    """``figures`` and ``history`` are in the shape that the house's parts take."""

    number: str
    kind: str
    kind_label: str
    state: str
    state_label: str
    tone: str
    asked: str
    next_title: str
    next_text: str
    next_picture: str
    goods: list[Goods]
    figures: list[tuple[str, ...]]
    figures_title: str
    history: list[dict[str, Any]]
    reason: str
    note: str
    answer: str
    open: bool
    gives_back: bool
    cancelled: bool
    parcel: bool


def row(case: ReturnCase, order: Order) -> Row:
    label, tone = STATE_LABELS[case.state]
    pieces = sum(piece.quantity for piece in case.pieces)
    return Row(
        number=case.number,
        title=goods_name(order),
        meta=" · ".join(filter(None, (str(KIND_LABELS[case.kind]), f"× {points(pieces)}", _went_back(case, order)))),
        picture=picture_of(order.lines[0].picture),
        state=str(label),
        tone=tone,
        asked=day(case.steps[0].at),
    )


def _went_back(case: ReturnCase, order: Order) -> str:
    """``4,000 points + ¥298.00``, or one of the two; nothing where nothing moved."""
    if not (case.cash or case.points):
        return ""
    return " ".join(filter(None, price_of(case.points, Money(case.cash, order.currency))))


_OFFERED = {
    "return": _l("You get back what you paid, in money and in points. Until %(moment)s."),
    "exchange": _l("We send you the same once more, for nothing. Until %(moment)s."),
    "warranty": _l("It does not work: you get the same once more, for nothing. Until %(moment)s."),
}


# --- asking ---------------------------------------------------------------------------------


def ways(possible: Mapping[str, datetime]) -> list[Way]:
    """What can be asked for, with until when."""
    return [
        Way(kind, str(KIND_LABELS[kind]), str(_OFFERED[kind]) % {"moment": _until(kind, possible[kind])})
        for kind in ASKED
        if kind in possible
    ]


def _until(kind: str, ends: datetime) -> str:
    """A window ends at the minute, a warranty with its last day."""
    return day(ends - timedelta(seconds=1), "long") if kind == "warranty" else moment(ends)


def offer(order: Order, possible: Mapping[str, datetime], *, left: Mapping[int, int]) -> str:
    """What the order's page says about giving it up and sending it back. ``left`` is what can still be given up."""
    if order.state == "cancelled":
        return ""
    said = " ".join(filter(None, (_giving_up(order, left), _sending_back(order, possible))))
    return said or _("Nothing of this order can be sent back any more.")


def _giving_up(order: Order, left: Mapping[int, int]) -> str:
    kinds = {line.kind for line in order.lines if line.id in left}
    if "physical" in kinds:
        return _("As long as it is not packed, you can cancel it, or a part of it: everything comes back at once.")
    if "service" in kinds:
        return _("You can still cancel it: everything comes back at once.")
    if kinds:
        return _("What you have not looked at or used yet can be cancelled: everything comes back at once.")
    if order.state in ("packed", "part_shipped", "shipped"):
        return _("It can no longer be cancelled. As soon as you have received it, you can send it back here.")
    if order.state == "paid":
        return _("It can no longer be cancelled here. If something is wrong, please tell us.")
    return ""


def _sending_back(order: Order, possible: Mapping[str, datetime]) -> str:
    ends = endings(order)
    if not ends:
        return ""
    window, warranty = _until("return", ends["return"]), _until("warranty", ends["warranty"])
    if "exchange" in possible:
        return _(
            "You can send it back until %(window)s. The warranty lasts until %(warranty)s.",
            window=window,
            warranty=warranty,
        )
    if "warranty" not in possible:
        return ""
    if not any(line.kind == "physical" for line in order.lines):
        return _("If a code does not work, please tell us until %(warranty)s: you get another one.", warranty=warranty)
    return _(
        "The time for sending it back ended on %(window)s. The warranty lasts until %(warranty)s.",
        window=window,
        warranty=warranty,
    )


def choosable(
    order: Order,
    left: Mapping[int, int],
    typed: Mapping[str, str],
    *,
    all_of_it: bool = False,
    codes: Mapping[int, Sequence[CodeChoice]] | None = None,
) -> list[Choosable]:
    """The lines of which something is ``left``. A single piece is chosen already, and so is everything if asked for."""
    all_of_it = all_of_it or list(left.values()) == [1]
    return [
        Choosable(
            field=f"pieces-{line.id}",
            line=line_shown(line, order.currency),
            left=left[line.id],
            note=ngettext("%(num)s piece can be chosen", "%(num)s pieces can be chosen", left[line.id]),
            value=typed.get(f"pieces-{line.id}", str(left[line.id]) if all_of_it else "0"),
            codes=(codes or {}).get(line.id, ()),
        )
        for line in order.lines
        if left.get(line.id)
    ]


def goods(
    order: Order, pieces: Mapping[int, int], *, meant: Mapping[int, Collection[int]] | None = None
) -> list[Goods]:
    """With the ends of the codes that are ``meant``, by line."""
    ids = [code_id for codes in (meant or {}).values() for code_id in codes]
    ends: dict[int | None, list[str]] = {}
    for code in codes_by_ids(ids) if ids else ():
        ends.setdefault(code.order_line_id, []).append(shortened(code))
    shown = [(line_shown(line, order.currency), line.id) for line in order.lines if line.id in pieces]
    return [
        Goods(line.name, line.picture, " · ".join([f"× {points(pieces[line_id])}", *ends.get(line_id, ())]))
        for line, line_id in shown
    ]


# --- what it brings -------------------------------------------------------------------------


def preview(made: Outcome) -> list[tuple[str, ...]]:
    return _figures(made.cash, made.delivery, made.points.value, made.expired.value, made.taken_back.value)


def _figures(cash: Money, delivery: Money, back: int, expired: int, taken_back: int) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    if delivery:
        rows.append((_("Goods"), money(cash - delivery)))
        rows.append((_("Delivery"), f"+{money(delivery)}", "plus"))
    if cash or not back:
        rows.append((_("Money back"), money(cash), "total"))
    if back:
        rows.append((_("Points back"), _("%(points)s points", points=points(back)), "total"))
    if expired:
        rows.append((_("of them expired meanwhile"), f"−{points(expired)}", "minus"))
    if taken_back:
        rows.append((_("Earned points taken back"), f"−{points(taken_back)}", "minus"))
    return rows


def settled_figures(case: ReturnCase, currency: str) -> list[tuple[str, ...]]:
    """What went back, as the books have it."""
    delivery = case.cash - sum(piece.cash for piece in case.pieces)
    return _figures(Money(case.cash, currency), Money(delivery, currency), case.points, case.expired, case.taken_back)


def nothing_moves() -> list[tuple[str, ...]]:
    return [(_("To pay"), _("nothing"), "total"), (_("Your points"), _("stay as they are"))]


# --- one case -------------------------------------------------------------------------------


def case_shown(case: ReturnCase, order: Order, *, made: Outcome | None, refund: Refund | None) -> CaseShown:
    """``made`` is what it would bring, as long as it is open; ``refund`` the money on its way, once settled."""
    label, tone = STATE_LABELS[case.state]
    title, text, picture = _what_next(case, order, refund)
    open_ = case.state in ("requested", "approved")
    gives_back, cancelled = case.kind in ("return", "cancellation"), case.kind == "cancellation"
    if not gives_back:
        figures, heading = nothing_moves(), _("What it costs you")
    elif made is not None:
        figures, heading = preview(made), _("What it will bring you")
    elif case.state == "settled":
        figures, heading = settled_figures(case, order.currency), _("What went back to you")
    else:
        figures, heading = [], ""
    at, parcel = moment(case.steps[0].at), has_parcel(case, order)
    return CaseShown(
        number=case.number,
        kind=case.kind,
        kind_label=str(KIND_LABELS[case.kind]),
        state=case.state,
        state_label=str(label),
        tone=tone,
        asked=_("Cancelled on %(moment)s", moment=at) if cancelled else _("Asked for on %(moment)s", moment=at),
        next_title=title,
        next_text=text,
        next_picture=picture,
        goods=goods(
            order,
            {piece.order_line_id: piece.quantity for piece in case.pieces},
            meant={piece.order_line_id: piece.codes for piece in case.pieces},
        ),
        figures=figures if open_ or case.state == "settled" else [],
        figures_title=heading,
        history=_history(case),
        reason=str((CANCELLING_LABELS if cancelled else REASON_LABELS)[case.reason]),
        note=case.note,
        answer=case.answer,
        open=open_,
        gives_back=gives_back,
        cancelled=cancelled,
        parcel=parcel,
    )


def _history(case: ReturnCase) -> list[dict[str, Any]]:
    """Newest first. ``who`` did it is for colleagues only, so it is not called ``by`` yet."""
    newest_first: Sequence[Any] = case.steps[::-1]
    return [
        {
            "title": str(_("Cancelled, and given back") if case.kind == "cancellation" else HAPPENED[step.state]),
            "time": moment(step.at),
            "who": _("system") if step.by == SYSTEM.label else step.by,
            "tone": "brand" if place == 0 else None,
        }
        for place, step in enumerate(newest_first)
    ]


def _what_next(case: ReturnCase, order: Order, refund: Refund | None) -> tuple[str, str, str]:
    """(title, text, picture)"""
    if case.state == "approved" and not has_parcel(case, order):
        return _("We are seeing to it"), _("You need not send anything. We settle it as soon as we can."), "hourglass"
    if case.state == "approved":
        text = _(
            "Please pack it well, write %(number)s on the parcel and send it to us. As soon as it has arrived, "
            "we settle it.",
            number=case.number,
        )
        return _("Please send it back"), text, "truck"
    if case.state == "settled":
        return _settled(case, order, refund)
    return {
        "requested": (
            _("We are looking at it"),
            _("The shop will answer you here. Until then please keep everything as it is."),
            "hourglass",
        ),
        "rejected": (_("We could not accept this"), case.answer, "speech"),
        "withdrawn": (_("You are keeping it"), _("Nothing was changed. Enjoy it!"), "gift"),
    }[case.state]


def _settled(case: ReturnCase, order: Order, refund: Refund | None) -> tuple[str, str, str]:
    if case.kind == "warranty" and not has_parcel(case, order):
        return _("Another code is yours"), _("It is an order of its own, and the old code is withdrawn."), "ticket"
    if case.kind in ("exchange", "warranty"):
        text = _("We are sending you the same once more. You can follow it as an order of its own.")
        return _("A new one is on its way to you"), text, "gift"
    title = _("It is cancelled") if case.kind == "cancellation" else _("It is settled")
    return title, *_on_its_way(Money(refund.amount, order.currency) if refund else None, refund.state if refund else "")


def _on_its_way(amount: Money | None, state: str) -> tuple[str, str]:
    """(text, picture) about the money that goes back."""
    if amount is None:
        return _("Your points are back."), "coin"
    shown = money(amount)
    if state == "done":
        return _("%(amount)s were paid back the way you paid.", amount=shown), "check"
    if state == "failed":
        return _("%(amount)s could not be paid back; we are seeing to it.", amount=shown), "warning"
    return _(
        "%(amount)s are on their way to you, the way you paid. That may take some days.", amount=shown
    ), "money-bag"


def picture_urls(case: ReturnCase, endpoint: str) -> list[dict[str, str]]:
    return [
        {
            "small": url_for(endpoint, number=case.number, place=place, size="small"),
            "large": url_for(endpoint, number=case.number, place=place, size="large"),
        }
        for place in range(len(case.pictures))
    ]
