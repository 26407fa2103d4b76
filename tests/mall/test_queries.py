"""How often pages of the mall ask the database: a dozen times at most, however large catalogue, cart and past are."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from app.entrypoints.cli.setup import install_defaults
from app.foundation import clock
from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.identity.members.actions import add_address
from app.identity.members.models import Member
from app.identity.units.actions import open_unit
from app.loyalty.tiers.actions import enrol
from app.loyalty.tiers.queries import ladder
from app.mall.cart.actions import put_in
from app.mall.catalog import search
from app.mall.catalog.models import Category, Picture, Price, Product, Variant
from app.mall.orders.actions import place
from app.mall.orders.models import Order
from app.mall.orders.queries import Wanted, quote
from bench.catalog import product, write
from tests.cast import sign_in
from tests.conftest import NOON
from tests.factories import make_member
from tests.mall.catalog.shelf import counted
from tests.mall.orders.shop import ADDRESS, fresh_key

MOST = 12


@pytest.fixture
def alice(app) -> int:
    with transaction():
        install_defaults(now=NOON - timedelta(days=400))
    member = make_member(name="Alice Lin", email="alice@example.com", points=10_000_000)
    with transaction():
        enrol([member], now=NOON)
        for street in ("8 Harbour Road", "1 Bund"):
            add_address(db.session.get_one(Member, member), **(ADDRESS | {"line": street}), now=NOON)
    return member


@pytest.fixture
def stock_up(alice) -> Callable[[range], None]:
    """Products as they are at their worst for the number of queries: each with a picture, a limit and a tier."""
    with transaction():
        unit = open_unit(code="mall", name={"en": "Mall"}, by=SYSTEM, now=NOON).id
    categories = list(db.session.scalars(sa.select(Category.id)))
    first = ladder()[0].id

    def stock_up(numbers: range) -> None:
        rows = [product(number, unit, categories, random.Random(number), NOON) for number in numbers]
        bounds = {"limit_pieces": 5, "limit_period": "month", "tier_id": first}
        write([row | bounds for row in rows])
        with transaction() as session:
            session.execute(sa.insert(Picture), [{"product_id": row["id"], "file": "a" * 32} for row in rows])

    return stock_up


def goods_of(numbers: range) -> list[Wanted]:
    """One piece of each, for points and for money in turn."""
    ways = (
        sa.select(Variant.id, sa.func.max(Price.id))
        .join(Price, Price.product_id == Variant.product_id)
        .join(Product, Product.id == Variant.product_id)
        .where(Product.id.in_(numbers))
        .group_by(Variant.id)
        .order_by(Variant.id)
    )
    return [Wanted(variant, price, 1) for variant, price in db.session.execute(ways)]


def fill_cart(member_id: int, numbers: range) -> None:
    with transaction():
        for each in goods_of(numbers):
            assert each.variant_id
            assert each.price_id
            put_in(member_id=member_id, variant_id=each.variant_id, price_id=each.price_id, quantity=1, now=NOON)


def order(member_id: int, numbers: range, *, now: datetime = NOON) -> str:
    wanted = goods_of(numbers)
    with transaction():
        expected = quote(member_id=member_id, wanted=wanted, now=now).figures
        made = place(member_id=member_id, wanted=wanted, address=ADDRESS, key=fresh_key(), expected=expected, now=now)
        return made.number


def ask_all(browser: FlaskClient, number: str, *, lines: list[str], now: datetime) -> dict[str, int]:
    """How many statements each page needs."""
    pages = {
        "list": "/mall",
        "search": "/mall?q=green+teapot&pay=points",
        "product": "/mall/product-2",
        "cart": "/cart",
        "checkout": "/checkout?unit=mall",
        "order": f"/orders/{number}",
        "orders": "/orders",
    }
    with clock.freeze(now):
        browser.get("/mall/product-1")  # So that looking at the other one is news, and written down.
    needed = {}
    with clock.freeze(now + timedelta(minutes=1)):
        for name, address in pages.items():
            with counted() as statements:
                assert browser.get(address).status_code == 200
            needed[name] = len(statements)
        form = {"unit": "mall", "lines": lines, "key": fresh_key(), "offset": "1", "delivery": "express"}
        with counted() as statements:
            assert browser.post("/checkout/quote", data=form).status_code == 200
        needed["quote"] = len(statements)
    return needed


def test_pages_ask_a_dozen_times_at_most_whatever_the_size_of_the_catalogue(alice, stock_up, client, monkeypatch):
    monkeypatch.setattr(search, "FEW", 40)  # So that some hundreds of products are many.
    stock_up(range(1, 21))
    fill_cart(alice, range(1, 4))
    number = order(alice, range(1, 3))
    browser = sign_in(client, db.session.get_one(Member, alice))
    lines = [f"{each.variant_id}-{each.price_id}-1" for each in goods_of(range(1, 4))]
    few = ask_all(browser, number, lines=lines, now=NOON)
    assert max(few.values()) <= MOST, few

    stock_up(range(21, 401))
    fill_cart(alice, range(4, 16))
    for first in range(100, 130, 3):
        number = order(alice, range(first, first + 3))
    lines = [f"{each.variant_id}-{each.price_id}-1" for each in goods_of(range(1, 16))]
    many = ask_all(browser, number, lines=lines, now=NOON + timedelta(minutes=2))
    assert max(many.values()) <= MOST, many
    assert many == few | {"search": few["search"] + 1}  # Where both words are frequent, they are looked for together.
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Order)) == 11
