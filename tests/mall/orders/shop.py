"""A small shop for tests: one unit, products with one variant, and short ways to order and look."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.foundation.money import Money
from app.foundation.points import Points
from app.identity.units.actions import open_unit
from app.identity.units.queries import unit_by_code
from app.loyalty.ledger.models import Wallet
from app.mall.catalog import actions as catalog
from app.mall.catalog.counted import COUNTED
from app.mall.catalog.models import Product, Variant
from app.mall.catalog.queries import category_by_code
from app.mall.catalog.rules import ProductDraft, VariantDraft, Way
from app.mall.codes.actions import add_codes
from app.mall.codes.rules import NewCode
from app.mall.orders.actions import begin_payment, place, take_payment
from app.mall.orders.models import Order, OrderStep
from app.mall.orders.quotes import Wanted
from app.mall.orders.rules import Figures
from app.mall.payments.models import Payment
from app.mall.slots.actions import add_times
from app.mall.slots.models import ServiceSlot
from app.mall.slots.rules import Spell
from tests.conftest import NOON

ADDRESS = {
    "recipient": "Alice Lin",
    "phone": "+8613800132210",
    "region": "Shanghai",
    "city": "Shanghai",
    "line": "8 Harbour Road",
    "postcode": "200000",
}
_numbers = itertools.count(1)


def fresh_key() -> str:
    return f"form-key-{next(_numbers):08}"


@dataclass(frozen=True)
class Goods:
    """What a test needs to know of a product: ids and the figures of its first price."""

    product_id: int
    slug: str
    variant_id: int
    price_id: int
    figures: Figures
    slot_id: int | None = None


def make_unit(code: str = "shop") -> int:
    if unit := unit_by_code(code):
        return unit.id
    with transaction():
        return open_unit(code=code, name={"en": code.title()}, by=SYSTEM, now=NOON).id


def make_goods(
    name: str = "Green tea",
    *,
    points: int = 100,
    cash: int = 0,
    stock: int = 10,
    kind: str = "physical",
    grants: str = "",
    listed: bool = True,
    unit: str = "shop",
) -> Goods:
    unit_id, number = make_unit(unit), next(_numbers)
    with transaction():
        category = category_by_code("gifts") or catalog.create_category(
            code="gifts", name={"en": "Gifts"}, by=SYSTEM, now=NOON
        )
        draft = ProductDraft(
            unit_id=unit_id,
            category_id=category.id,
            kind=kind,
            grants=grants,
            name={"en": name},
            list_price=Money(9900, "CNY"),
            ways=[Way(Points(points), Money(cash, "CNY"))],
            variants=[VariantDraft(sku=f"SKU-{number}", name={"en": "Tin"}, stock=0 if kind in COUNTED else stock)],
        )
        product = catalog.create_product(draft=draft, by=SYSTEM, now=NOON)
        if listed:
            catalog.list_product(product=product, by=SYSTEM, now=NOON)
        db.session.flush()
        figures = Figures(Points(points), Money(cash, "CNY"))
        variant = product.variants[0]
        slot_id = _furnish(variant, kind, stock)
        return Goods(product.id, product.slug, variant.id, product.prices[0].id, figures, slot_id)


def _furnish(variant: Variant, kind: str, stock: int) -> int | None:
    """As many codes or places as the stock says; a service is given tomorrow. Returns the slot's id."""
    if kind == "code":
        codes = [NewCode(count, f"{variant.sku}-{count}", None) for count in range(stock)]
        add_codes(variant_id=variant.id, codes=codes, batch="Test", by=SYSTEM, now=NOON)
    if kind != "service" or not stock:
        return None
    starts = NOON + timedelta(days=1)
    spell = Spell(starts, starts + timedelta(hours=1))
    add_times(variant_id=variant.id, spells=[spell], places=stock, by=SYSTEM, now=NOON)
    return db.session.scalars(sa.select(ServiceSlot.id).where(ServiceSlot.variant_id == variant.id)).one()


def order_some(member_id: int, goods: Goods, *, quantity: int = 1, now: datetime = NOON, **changes: Any) -> int:
    """Place an order as the form would; returns its id."""
    wanted: dict[str, Any] = {
        "wanted": [Wanted(goods.variant_id, goods.price_id, quantity, goods.slot_id)],
        "address": ADDRESS,
        "key": fresh_key(),
    }
    if "expected" not in changes:
        wanted["expected"] = Figures(goods.figures.points * quantity, goods.figures.cash * quantity)
    with transaction():
        return place(member_id=member_id, now=now, **(wanted | changes)).id


def let_the_time_pass(goods: Goods, *, until: datetime = NOON) -> None:
    """The booked time has come."""
    then = sa.update(ServiceSlot).where(ServiceSlot.id == goods.slot_id)
    with transaction():
        db.session.execute(then.values(starts_at=until - timedelta(hours=2), ends_at=until - timedelta(hours=1)))


def attempt(order_id: int, *, now: datetime = NOON) -> int:
    """Begin to pay; returns the payment's id."""
    with transaction():
        reference = begin_payment(order_id=order_id, now=now).reference
    return db.session.scalars(sa.select(Payment.id).where(Payment.reference == reference)).one()


def report(order_id: int, payment_id: int, outcome: Any = "paid", *, now: datetime = NOON) -> None:
    """The gateway says how it ended."""
    with transaction():
        take_payment(order_id=order_id, payment_id=payment_id, outcome=outcome, now=now)


def state_of(order_id: int) -> str:
    return db.session.scalars(sa.select(Order.state).where(Order.id == order_id)).one()


def steps_of(order_id: int) -> list[str]:
    return list(
        db.session.scalars(sa.select(OrderStep.state).where(OrderStep.order_id == order_id).order_by(OrderStep.id))
    )


def payments_of(order_id: int) -> list[tuple[str, int]]:
    """(state, refunded) of every attempt."""
    query = sa.select(Payment.state, Payment.refunded).where(Payment.order_id == order_id).order_by(Payment.id)
    return [tuple(row) for row in db.session.execute(query)]


def stock_of(goods: Goods) -> int:
    return db.session.scalars(sa.select(Variant.stock).where(Variant.id == goods.variant_id)).one()


def wallet_of(member_id: int) -> tuple[int, int]:
    """(balance, held)"""
    query = sa.select(Wallet.balance, Wallet.held).where(Wallet.member_id == member_id, Wallet.ledger == "points")
    return tuple(db.session.execute(query).one())


def orders_in_all() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(Order)) or 0


def product_of(goods: Goods) -> Product:
    return db.session.get_one(Product, goods.product_id, populate_existing=True)
