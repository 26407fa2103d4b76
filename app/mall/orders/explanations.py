"""“Why these points?”, as far as orders are the reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.foundation.formats import money, points
from app.foundation.languages import translated
from app.foundation.money import Money
from app.loyalty.ledger.explanations import explanation, kind_label, sentence, step

if TYPE_CHECKING:
    from app.mall.orders.quotes import Quote

KIND = "redemption"
kind_label(KIND, _l("Redeemed"))


def redeeming(*, number: str, quoted: Quote) -> dict[str, Any]:
    """One step per line that is priced in points, and one for the points that pay instead of money."""
    steps = [
        step(
            "order.pieces",
            name=dict(line.offer.name),
            quantity=line.quantity,
            each=int(line.way.points),
            total=int(line.way.points) * line.quantity,
        )
        for line in quoted.lines
        if line.way.points
    ]
    if quoted.bill.offset_points:
        steps.append(
            step("order.offset", points=quoted.bill.offset_points, money=quoted.bill.offset, currency=quoted.currency)
        )
    return explanation(
        "order.redeem", number=number, name=dict(quoted.lines[0].offer.name), more=len(quoted.lines) - 1, steps=steps
    )


def releasing(*, number: str) -> dict[str, Any]:
    return explanation("order.release", number=number)


@sentence("order.redeem")
def _redeem(facts: Mapping[str, Any]) -> str:
    more, name = facts.get("more", 0), translated(facts["name"])
    if not more:
        return _("Order %(number)s: %(name)s.", number=facts["number"], name=name)
    return ngettext(
        "Order %(number)s: %(name)s and %(num)s more.",
        "Order %(number)s: %(name)s and %(num)s more.",
        more,
        number=facts["number"],
        name=name,
    )


@sentence("order.pieces")
def _pieces(facts: Mapping[str, Any]) -> str:
    figures = {"quantity": facts["quantity"], "each": points(facts["each"]), "total": points(facts["total"])}
    if "name" in facts:
        return _(
            "%(name)s: %(quantity)s × %(each)s points = %(total)s points.", name=translated(facts["name"]), **figures
        )
    return _("%(quantity)s × %(each)s points = %(total)s points.", **figures)


@sentence("order.offset")
def _offset(facts: Mapping[str, Any]) -> str:
    return _(
        "%(points)s points instead of %(money)s.",
        points=points(facts["points"]),
        money=money(Money(facts["money"], facts["currency"])),
    )


@sentence("order.release")
def _release(facts: Mapping[str, Any]) -> str:
    return _("Order %(number)s was not paid; the points set aside for it are yours again.", number=facts["number"])
