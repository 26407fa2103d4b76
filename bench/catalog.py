"""What the shelves cost with many products, against few: ``python -m bench.catalog``.

The mall's list, its orders and filters, and searches for rare words and for frequent ones, in Chinese and in English,
as a member sees them: the whole page with all its queries, and the first products of the list by themselves. Each shop
is made twice, small and large, with the same share of words, categories and prices, on SQLite and on PostgreSQL; they
are asked in turn, and the quickest of the rounds counts, because others on the machine only ever add to it. SQLite
works within this process, so that its CPU time tells everything; PostgreSQL does not, and the clock is asked.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask_migrate import upgrade

from app import create_app
from app.config import Settings
from app.entrypoints.cli.setup import install_defaults
from app.foundation import clock
from app.foundation.actors import SYSTEM
from app.foundation.database import Base, db, table_of, transaction
from app.identity.members.actions import register
from app.identity.units.actions import open_unit
from app.mall.catalog.models import Category, Price, Product, ProductWord, Variant
from app.mall.catalog.words import search_text, words_of
from bench.pages import asking, signed_in
from bench.postgres import database, server

BAR = 1.5
MEMBER = "alice@example.com"
BATCH = 5_000
THINGS = [("teapot", "茶壶"), ("lamp", "台灯"), ("kettle", "水壶"), ("scarf", "围巾"), ("notebook", "笔记本")]
LOOKS = [("green", "绿色"), ("glazed", "釉彩"), ("small", "小号"), ("winter", "冬季"), ("travel", "旅行")]
PAGES = {
    "newest": "/mall",
    "popular": "/mall?sort=popular",
    "fewest points": "/mall?sort=points",
    "by price": "/mall?sort=price&least=40&most=60",
    "one category": "/mall?category=home",
    "money, by price": "/mall?pay=money&sort=price-down",
    "rare word": "/mall?q=model7q",
    "rare Chinese word": "/mall?q=限量",
    "frequent word": "/mall?q=green",
    "frequent Chinese word": "/mall?q=绿色",
    "one character": "/mall?q=壶",
    "two frequent words": "/mall?q=green+teapot",
    "Chinese without spaces": "/mall?q=绿色茶壶",
    "nothing": "/mall?q=unicorn",
    "a product": "/mall/product-17",
}


@dataclass
class Shop:
    """An application over a catalogue of ``size`` products, and how to ask it for each page."""

    app: Flask
    size: int
    asks: dict[str, Callable[[], bytes]]


def open_shop(url: str, folder: Path, size: int) -> Shop:
    folder.mkdir(parents=True, exist_ok=True)
    app = create_app(Settings(environment="testing", instance_path=folder, database_url=url, cheap_passwords=True))
    with app.app_context():
        upgrade()
        fill(size)
        db.session.remove()
    cookie = signed_in(app)
    return Shop(app, size, {name: asking(app, path, cookie=cookie) for name, path in PAGES.items()})


def fill(size: int) -> None:
    now = clock.now() - timedelta(days=1)
    with transaction():
        install_defaults(now=now)
        unit = open_unit(code="mall", name={"en": "Mall"}, by=SYSTEM, now=now).id
        register(email=MEMBER, password="only for the bench", name="Alice Lin", now=now)
    categories = list(db.session.scalars(sa.select(Category.id).order_by(Category.rank)))
    chance = random.Random(size)
    for first in range(1, size + 1, BATCH):
        rows = [product(number, unit, categories, chance, now) for number in range(first, min(first + BATCH, size + 1))]
        write(rows)
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("ANALYZE"))


def product(number: int, unit: int, categories: list[int], chance: random.Random, now: Any) -> dict[str, Any]:
    """A look, a thing and a number; a tenth of a thousandth is limited, and ten of any number are model 7Q."""
    (look, look_zh), (thing, thing_zh) = chance.choice(LOOKS), chance.choice(THINGS)
    rare = number % 97 == 5 and number < 1_000
    name = {
        "en": f"{look} {thing} {number}" + (" model7q" if rare else ""),
        "zh_Hans": f"{look_zh}{thing_zh}" + ("限量版" if rare else ""),
    }
    sku = f"SKU{number:07}"
    return {
        "id": number,
        "slug": f"product-{number}",
        "unit_id": unit,
        "category_id": chance.choice(categories),
        "kind": "physical",
        "status": "listed",
        "name": name,
        "description": {"en": "What it is, and what it is good for. " * 6},
        "list_price": chance.randrange(1_000, 100_000),
        "currency": "CNY",
        "listed_at": now - timedelta(seconds=chance.randrange(30_000_000)),
        "points_from": chance.randrange(10, 100_000),
        "price_from": chance.randrange(1_000, 100_000),
        "popularity": chance.randrange(200),
        "search_text": search_text([name], [sku]),
        "revision": 1,
        "created_at": now,
        "updated_at": now,
    }


def write(rows: list[dict[str, Any]]) -> None:
    variants = [
        {"product_id": row["id"], "sku": f"SKU{row['id']:07}", "name": {}, "stock": 50, "active": True, "rank": 0}
        for row in rows
    ]
    prices = [{"product_id": row["id"], "points": row["points_from"], "cash": 0} for row in rows]
    prices += [{"product_id": row["id"], "points": 0, "cash": row["price_from"]} for row in rows if row["id"] % 2]
    words = [{"product_id": row["id"], "word": word} for row in rows for word in sorted(words_of(row["search_text"]))]
    parts: list[tuple[type[Base], list[dict[str, Any]]]] = [
        (Product, rows), (Variant, variants), (Price, prices), (ProductWord, words)
    ]  # fmt: skip
    with transaction() as session:
        for model, many in parts:
            session.execute(sa.insert(table_of(model)), many)


Timer = Callable[[], float]
TIMERS: dict[str, Timer] = {"sqlite": time.process_time, "postgresql": time.perf_counter}


def milliseconds(ask: Callable[[], bytes], times: int, timer: Timer) -> float:
    start = timer()
    for _ in range(times):
        ask()
    return 1000 * (timer() - start) / times


def measure(small: Shop, large: Shop, rounds: int, timer: Timer) -> Iterator[tuple[str, float, float]]:
    for name in PAGES:
        both = (small.asks[name], large.asks[name])
        for ask in both:
            milliseconds(ask, 10, timer)  # The drivers prepare what they meet again and again.
        turns = [tuple(milliseconds(ask, 3, timer) for ask in both) for _ in range(rounds)]
        yield name, min(turn[0] for turn in turns), min(turn[1] for turn in turns)


@contextmanager
def shops(kind: str, sizes: tuple[int, int]) -> Iterator[list[Shop]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jifen-catalog-")))
        address = stack.enter_context(server()) if kind == "postgresql" else ""
        made = []
        for size in sizes:
            url = (
                database(address, f"shop{size}").replace("postgresql://", "postgresql+psycopg://")
                if address
                else f"sqlite:///{folder}/{size}.db"
            )
            made.append(open_shop(url, folder / str(size), size))
        yield made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs=2, default=(1_000, 100_000), metavar=("FEW", "MANY"))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--on", choices=("sqlite", "postgresql"), nargs="*", default=("sqlite", "postgresql"))
    options = parser.parse_args()
    for kind in options.on:
        start = time.perf_counter()
        with shops(kind, tuple(options.sizes)) as (small, large):
            print(f"{kind}: {small.size:,} and {large.size:,} products, made in {time.perf_counter() - start:.0f} s")
            worst = 0.0
            for name, few, many in measure(small, large, options.rounds, TIMERS[kind]):
                worst = max(worst, many / few)
                print(f"  {name:24} {few:7.2f} ms → {many:7.2f} ms, × {many / few:.2f}", flush=True)
            print(f"  worst × {worst:.2f} (bar {BAR}: {'met' if worst <= BAR else 'MISSED'})", flush=True)


if __name__ == "__main__":
    main()
