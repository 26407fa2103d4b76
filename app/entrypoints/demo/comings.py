"""What comes back in these days: one case is settled, one approved, one not accepted, and Alice waits for an answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from flask_babel import gettext as _

from app.entrypoints.demo.world import World
from app.foundation.actors import Actor
from app.foundation.database import transaction
from app.identity.members.queries import member_by_id
from app.mall.orders.queries import office_orders
from app.mall.returns import actions
from app.mall.returns.queries import ways_back

if TYPE_CHECKING:
    from app.mall.orders.models import Order

LATELY = 200  # Orders among which something may have been a disappointment.
ASKED, ANSWERED, ARRIVED, ALICE_ASKED = (timedelta(hours=hours) for hours in (40, 29, 6, 5))


def note_returns(world: World) -> None:
    world.diary.note(world.diary.end - ASKED, lambda now: _three_ask(world, now))
    world.diary.note(world.diary.end - ALICE_ASKED, lambda now: _alice_asks(world, now))


def _three_ask(world: World, now: datetime) -> None:
    alice, shop = world.members[0].id, world.colleagues["owner"]
    orders = [order for order in islice(_returnable(now), 4) if order.member_id != alice][:3]
    diary = world.diary
    for order, reason in zip(orders, ("wrong", "defective", "other"), strict=False):
        case = _ask(order, reason, _said(reason), now)
        diary.note(diary.end - ANSWERED, partial(_answer, case, reason, shop))
        if reason == "wrong":
            diary.note(diary.end - ARRIVED, partial(_settle, case, shop))


def _said(reason: str) -> str:
    return {
        "wrong": _("There is another colour in the box than the one I ordered."),
        "defective": _("It does not switch on any more."),
        "other": _("It has been used a few times, but I have changed my mind."),
    }[reason]


def _alice_asks(world: World, now: datetime) -> None:
    alice = world.members[0].id
    for order in _returnable(now):
        if order.member_id == alice:
            _ask(order, "unwanted", _("A lovely thing, but we have it already."), now)
            return


def _returnable(now: datetime) -> Iterator[Order]:
    for order in office_orders(units=None, state="delivered", limit=LATELY).items:
        if not order.return_open and "return" in ways_back(order, now=now):
            yield order


def _ask(order: Order, reason: str, note: str, now: datetime) -> int:
    member = member_by_id(order.member_id)
    if member is None:
        raise LookupError(f"Nobody placed order {order.number}.")
    with transaction():
        return actions.ask(
            order_id=order.id,
            kind="return",
            pieces={order.lines[0].id: 1},
            reason=reason,
            note=note,
            key=f"demo-return-{order.number}",
            by=member.actor,
            now=now,
        ).id


def _answer(case_id: int, reason: str, shop: Actor, now: datetime) -> None:
    with transaction():
        if reason == "other":
            refusal = _("We are sorry: what has been used cannot be sold again.")
            actions.reject(case_id=case_id, answer=refusal, by=shop, now=now)
        else:
            actions.approve(case_id=case_id, answer=_("Please bring or send it to any of our shops."), by=shop, now=now)


def _settle(case_id: int, shop: Actor, now: datetime) -> None:
    with transaction():
        actions.settle(case_id=case_id, back_on_shelf=True, by=shop, now=now)
