"""The fourth chapter: people redeem. Some of it is long done, some is under way, some came to nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from flask import url_for

from app.entrypoints.demo import content, times
from app.entrypoints.demo.diary import Act
from app.entrypoints.demo.people import address_of
from app.entrypoints.demo.world import Goods, Living, World
from app.foundation import clock
from app.foundation.database import transaction
from app.loyalty.ledger.actions import InsufficientPoints
from app.loyalty.ledger.queries import standing
from app.mall.cart import actions as cart
from app.mall.catalog.errors import LimitReached, OutOfStock
from app.mall.orders import actions as orders
from app.mall.orders.jobs import close_unpaid
from app.mall.orders.parcels import CARRIERS
from app.mall.orders.queries import order_by_id
from app.mall.orders.quotes import Wanted, quote
from app.mall.payments.sandbox import decide, notify
from app.mall.slots.queries import TimeFull, TimeGone, booking_of_lines

if TYPE_CHECKING:
    from app.mall.orders.models import Order

STAGES = ("placed", "paid", "packed", "shipped", "delivered", "completed")
# When each step follows, counted from the moment of placing. Completion is left to the regular job.
PAYING = timedelta(minutes=2)
PACKING = timedelta(hours=16)
SHIPPING = timedelta(hours=22)
ARRIVING = timedelta(days=3, hours=5)
SERVING = timedelta(minutes=5)  # From the booked time on.
UPCOMING = timedelta(hours=40)
GIVING_UP = timedelta(minutes=11)
CLOSING = timedelta(minutes=35)

PERIOD = 380  # Days over which the crowd's redemptions are spread.
HOW_MANY = {"diamond": 4, "gold": 3, "silver": 2, "regular": 1, "newish": 0, "imported": 0}

# Days ago, product, way to pay, and where it ends for now.
ALICE = (
    (400, "AC-TICKET", 2, "completed"),
    (330, "CB-CAKE", 0, "completed"),
    (200, "CB-LATTE", 1, "completed"),
    (95, "RS-UMBRELLA", 1, "completed"),
    (20, "RS-BATH", 1, "completed"),
    (12, "RS-WATCH", 1, "closed"),
    (9, "HS-LAUNDRY", 2, "delivered"),
    (7, "RS-BOOKS", 1, "delivered"),
    (6, "CB-CLASS", 1, "cancelled"),
    (3, "RS-PLANT", 1, "part_shipped"),
    (2, "HS-YOGA", 2, "paid"),
)
# One of them is of several things, which come in two parcels, and points pay a part of its money.
SEVERAL = {"RS-PLANT": ((("RS-NOTEBOOK", 0), ("RS-POSTCARD", 0)), 1_000)}
# What lies in her cart: product, way to pay, pieces.
CART = (("RS-BATH", 1, 1), ("RS-POSTCARD", 0, 2), ("CB-BEANS", 1, 1), ("CB-LATTE", 1, 2))
# The latest orders of the crowd: hours ago, with cash or for points alone, and where they stand now.
LATEST = (
    (168, True, "delivered"),
    (150, True, "delivered"),
    (126, True, "cancelled"),
    (120, False, "delivered"),
    (100, True, "closed"),
    (76, True, "shipped"),
    (52, False, "shipped"),
    (40, True, "packed"),
    (27, False, "packed"),
    (14, True, "paid"),
    (7, False, "paid"),
    (3, True, "paid"),
    (2, False, "paid"),
)
Choice = Callable[[World, Living, datetime], Goods | None]


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody orders something; ``ending`` is the state in which the order stands when the story ends.

    ``more`` goes with it, by SKU and way to pay; ``offset`` points pay instead of money.
    """

    person: Living
    choose: Choice
    ending: str
    more: tuple[tuple[str, int], ...] = ()
    offset: int = 0


def note_orders(world: World) -> None:
    alice = world.members[0]
    for days_ago, sku, way, ending in ALICE:
        more, offset = SEVERAL.get(sku, ((), 0))
        note_wish(world, world.diary.at(days_ago, 12, 20), Wish(alice, just(sku, way), ending, more, offset))
    world.diary.note(world.diary.end - timedelta(hours=2), lambda now: _fill_cart(world, alice, now))
    # A few minutes ago, so that the page still waits for the payment.
    note_wish(world, world.diary.end - timedelta(minutes=4), Wish(alice, just("AC-IMAX", 1), "placed"))
    for person in world.members[2:]:
        for _ in range(HOW_MANY[person.habit]):
            moment = world.diary.at(world.random.randint(13, PERIOD), world.random.randint(9, 21))
            if moment > person.joins + timedelta(days=45):
                note_wish(world, moment, Wish(person, _anything(), "completed"))
    wealthy = [person for person in world.members[2:] if person.habit in ("diamond", "gold", "silver")]
    for place, (hours_ago, cash, ending) in enumerate(LATEST):
        moment = world.diary.end - timedelta(hours=hours_ago, minutes=7 * place)
        note_wish(world, moment, Wish(wealthy[place % len(wealthy)], _parcel(cash=cash), ending))


def note_wish(world: World, moment: datetime, wish: Wish) -> None:
    world.diary.note(moment, lambda now: _order(world, wish, now))


# --- choosing -----------------------------------------------------------------------------


def just(sku: str, way: int) -> Choice:
    """This product: the first way to pay it is for points alone."""
    return lambda world, _person, _now: next(each for each in world.goods if each.sku == sku and each.way == way)


def _anything() -> Choice:
    return lambda world, person, now: _affordable(world, person, now, lambda each: True)


def _parcel(*, cash: bool) -> Choice:
    def fits(each: Goods) -> bool:
        return each.kind == "physical" and bool(each.cash) is cash

    return lambda world, person, now: _affordable(world, person, now, fits)


def _affordable(world: World, person: Living, now: datetime, fits: Callable[[Goods], bool]) -> Goods | None:
    """One of what this person can pay now, rather something larger; ``None`` if there is nothing."""
    available = int(standing(person.id, now=now).available)
    found = [each for each in world.goods if each.points <= available and fits(each) and each.cash < 200_000]
    if not found:
        return None
    return max((world.random.choice(found) for _ in range(2)), key=lambda each: each.points)


# --- ordering -----------------------------------------------------------------------------


def _order(world: World, wish: Wish, now: datetime) -> None:
    goods = wish.choose(world, wish.person, now)
    if goods is None:
        return
    with suppress(OutOfStock, LimitReached, InsufficientPoints, TimeGone, TimeFull):  # Then they just leave it.
        order = _place(world, wish, goods, now)
        payment = _go_to_the_gateway(order, now) if order.cash else ""
        _note_what_follows(world, wish, goods, order.id, payment)


def _place(world: World, wish: Wish, goods: Goods, now: datetime) -> Order:
    person = wish.person
    together = [goods, *(just(sku, way)(world, person, now) for sku, way in wish.more)]
    wanted = [Wanted(each.variant_id, each.price_id, 1, _time_of(world, wish, each, now)) for each in together if each]
    with transaction():
        return orders.place(
            member_id=person.id,
            wanted=wanted,
            offset_points=wish.offset,
            address=address_of(world, person),
            key=f"demo-{person.number}-{now:%Y%m%d%H%M%S}-{goods.variant_id:06}",
            # Some pay a member price.
            expected=quote(member_id=person.id, wanted=wanted, offset_points=wish.offset, now=now).figures,
            now=now,
        )


def _time_of(world: World, wish: Wish, goods: Goods, now: datetime) -> int | None:
    """A service is given from tomorrow on; what is to come when the story ends, some days later."""
    if goods.kind != "service":
        return None
    after = world.diary.end + UPCOMING if wish.ending == "paid" else now + times.NOTICE
    slot = times.next_time(world, goods, after=after, now=now)
    if slot is None:
        raise TimeGone
    return slot.id


def _fill_cart(world: World, person: Living, now: datetime) -> None:
    with transaction():
        for place, (sku, way, pieces) in enumerate(CART):
            goods = just(sku, way)(world, person, now)
            if goods:
                cart.put_in(
                    member_id=person.id,
                    variant_id=goods.variant_id,
                    price_id=goods.price_id,
                    quantity=pieces,
                    now=now - timedelta(minutes=place),
                )


def _go_to_the_gateway(order: Order, now: datetime) -> str:
    """As the page does it after placing. Returns the payment's reference."""
    with transaction():
        attempt = orders.begin_payment(order_id=order.id, now=now)
    page = url_for("portal.orders.show", number=order.number)
    attempt.ask(description=order.number, return_url=page, cancel_url=page)
    return attempt.reference


def _note_what_follows(world: World, wish: Wish, goods: Goods, order_id: int, payment: str) -> None:
    placed = clock.now()

    def after(delay: timedelta, act: Act) -> None:
        world.diary.note(placed + delay, act)

    if wish.ending == "closed":
        after(CLOSING, lambda now: close_unpaid(now=now))
        return
    if wish.ending == "cancelled":
        after(PAYING, lambda now: _press(payment, "declined", now))
        after(GIVING_UP, lambda now: _cancel(order_id, wish.person, now))
        return
    in_parts = wish.ending == "part_shipped"
    reached = STAGES[: STAGES.index("packed" if in_parts else wish.ending) + 1]
    if payment and "paid" in reached:
        after(PAYING, lambda now: _press(payment, "paid", now))
    if goods.kind == "service" and "delivered" in reached:
        booked = booking_of_lines([line.id for line in order_by_id(order_id).lines])
        if booked:
            world.diary.note(booked.starts_at + SERVING, lambda now: _serve(world, goods, order_id, now))
    if goods.kind != "physical":
        return  # A code is delivered on payment.
    if "packed" in reached:
        after(PACKING, lambda now: _pack(world, goods, order_id, now))
    if in_parts:
        after(SHIPPING, lambda now: _ship_a_part(world, goods, order_id, now))
    if "shipped" in reached:
        after(SHIPPING, lambda now: _ship(world, goods, order_id, now))
    # Two of three confirm that the parcel has come; for the others the regular job does it some days later.
    if "delivered" in reached and (wish.ending == "delivered" or order_id % 3):
        after(ARRIVING, lambda now: _confirm(order_id, wish.person, now))


def _press(payment: str, wish: str, now: datetime) -> None:
    """A button of the gateway's page; the gateway then tells us."""
    decide(reference=payment, wish=wish)
    notify(reference=payment, now=now)


def _cancel(order_id: int, person: Living, now: datetime) -> None:
    with transaction():
        orders.cancel(order_id=order_id, by=person.actor, now=now)


def _serve(world: World, goods: Goods, order_id: int, now: datetime) -> None:
    with transaction():
        orders.serve(order_id=order_id, by=world.fulfiller(goods.unit), now=now)


def _pack(world: World, goods: Goods, order_id: int, now: datetime) -> None:
    with transaction():
        orders.pack(order_id=order_id, by=world.fulfiller(goods.unit), now=now)


def _ship(world: World, goods: Goods, order_id: int, now: datetime) -> None:
    carrier = world.random.choice(content.carriers(world.locale))
    tracking = f"RX{world.random.randrange(10**10):010}"
    with transaction():
        orders.ship(
            order_id=order_id, carrier=carrier, tracking_number=tracking, by=world.fulfiller(goods.unit), now=now
        )


def _ship_a_part(world: World, goods: Goods, order_id: int, now: datetime) -> None:
    """The first thing of it, by a carrier that has a page to look it up."""
    with transaction():
        orders.ship(
            order_id=order_id,
            carrier=CARRIERS["sf"].name,
            tracking_number=f"SF{world.random.randrange(10**13):013}",
            pieces={order_by_id(order_id).lines[0].id: 1},
            by=world.fulfiller(goods.unit),
            now=now,
        )


def _confirm(order_id: int, person: Living, now: datetime) -> None:
    with transaction():
        orders.confirm_delivery(order_id=order_id, by=person.actor, now=now)
