"""How fast orders are placed, against pgbench in the same run: ``python -m bench.orders``.

Members with an address and points enough order from a catalogue by the house's own action, each in a transaction and an
application context of its own as a request has: for points alone, which is an order paid at once, and for points with
cash, which is a hold of points and an order that waits for its payment; one line and three. pgbench runs its
TPC-B-like transaction on the same server with the same number of clients, and so does the same transaction by hand with
psycopg. In the end the books must prove themselves: the ledger, what is on the shelves, and what is held for whom.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import sqlalchemy as sa
from flask import Flask, current_app

from app.foundation import clock
from app.foundation.database import db, transaction
from app.foundation.points import Points
from app.loyalty.ledger import actions as ledger
from app.loyalty.ledger.actions import Award
from app.loyalty.ledger.verify import verify
from app.loyalty.tiers.actions import enrol
from app.mall.catalog.models import Price, Variant
from app.mall.orders.actions import Figures, place
from app.mall.orders.queries import Wanted, quote
from bench import catalog, postgres
from bench.ledger import BATCH, WHY, enter, make_members
from bench.pages import counted

MEMBERS = 5_000
PRODUCTS = 2_000
STOCK = 1_000_000
PURSE = 100_000_000
CASH = 500
ADDRESS = {
    "recipient": "Alice Lin",
    "phone": "+8613800132210",
    "region": "Shanghai",
    "city": "Shanghai",
    "line": "8 Harbour Road",
    "postcode": "200000",
}


@dataclass(frozen=True)
class Kind:
    """How orders are paid, and how many lines they have."""

    cash: int
    lines: int

    def __str__(self) -> str:
        return f"{'points + cash' if self.cash else 'points'}, {self.lines} line{'s' if self.lines > 1 else ''}"


KINDS = [Kind(cash, lines) for cash in (0, CASH) for lines in (1, 3)]


# --- a shop -----------------------------------------------------------------------------------


def prepare(url: str) -> None:
    enter(url)
    make_members(MEMBERS)
    catalog.fill(PRODUCTS)
    now = clock.now() - timedelta(days=1)
    people = range(1, MEMBERS + 1)
    with transaction() as session:
        session.execute(sa.update(Variant).values(stock=STOCK))
        session.execute(sa.delete(Price).where(Price.points == 0))
        both = sa.select(Price.product_id, Price.points, sa.literal(CASH))
        session.execute(sa.insert(Price).from_select(["product_id", "points", "cash"], both))
        columns = ", ".join(ADDRESS)
        places = f"INSERT INTO address (member_id, is_default, {columns}) SELECT id, true, "
        places += ", ".join(f":{part}" for part in ADDRESS) + " FROM member"
        session.execute(sa.text(places), ADDRESS)
        enrol(people, now=now)
    for first in people[::BATCH]:
        purses = [
            Award(
                member_id=member,
                amount=Points(PURSE),
                key=f"open:{member}",
                kind="purchase",
                explanation=WHY,
                occurred_at=now,
            )
            for member in people[first - 1 : first - 1 + BATCH]
        ]
        with transaction():
            ledger.award_many(purses, now=now)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))
    db.session.remove()
    db.engine.dispose()


def placing(url: str, kind: Kind) -> Callable[[], None]:
    """Places an order each time: other members, other products, as chance has it."""
    enter(url)
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    which = sa.select(Variant.id, Price.id, Price.points).join(Price, Price.product_id == Variant.product_id)
    goods = db.session.execute(which.where(Price.cash == kind.cash).order_by(Variant.id)).all()
    one = quote(member_id=1, wanted=[Wanted(*goods[0][:2])], now=clock.now()).figures.cash  # At the member price.
    db.session.remove()

    def order() -> None:
        chosen = random.sample(goods, kind.lines)
        expected = Figures(Points(sum(each[2] for each in chosen)), one * kind.lines)
        with app.app_context(), transaction():
            place(
                member_id=random.randint(1, MEMBERS),
                wanted=[Wanted(variant, price) for variant, price, _points in chosen],
                address=ADDRESS,
                key=uuid4().hex,
                expected=expected,
                now=clock.now(),
            )

    return order


# --- what must be true afterwards ---------------------------------------------------------------

CHECKS = {
    "pieces on the shelves and in orders": (
        "SELECT (SELECT sum(stock) FROM variant) + (SELECT coalesce(sum(quantity), 0) FROM order_line),"
        " (SELECT count(*) FROM variant) * CAST(:stock AS bigint)"
    ),
    "pieces moved": (
        "SELECT (SELECT -coalesce(sum(change), 0) FROM stock_movement), (SELECT sum(quantity) FROM order_line)"
    ),
    "points held": (
        "SELECT (SELECT sum(held) FROM wallet), (SELECT coalesce(sum(points), 0) FROM \"order\" WHERE state = 'placed')"
    ),
    "points left": (
        "SELECT (SELECT sum(balance) FROM wallet WHERE ledger = 'points'),"
        " (SELECT sum(amount) FROM transfer JOIN wallet ON wallet.id = wallet_id"
        " WHERE ledger = 'points' AND account = 'issuance')"
        " - (SELECT coalesce(sum(points), 0) FROM \"order\" WHERE state <> 'placed')"
    ),
    "points of lines": (
        'SELECT (SELECT sum(points_each * quantity + offset_points) FROM order_line), (SELECT sum(points) FROM "order")'
    ),
    "cash of lines": (
        'SELECT (SELECT sum(cash_each * quantity - coupon - "offset") FROM order_line),'
        ' (SELECT sum(cash - delivery_fee) FROM "order")'
    ),
}


def prove(url: str) -> bool:
    """Says whether the books agree."""
    enter(url)
    clean = verify().clean
    print(f"verify: {'clean' if clean else 'NOT CLEAN'}")
    for name, query in CHECKS.items():
        facts = {"stock": STOCK} if ":stock" in query else {}
        found, expected = db.session.execute(sa.text(query), facts).one()
        print(f"{name}: {found:,}{'' if found == expected else f', EXPECTED {expected:,}'}")
        clean = clean and found == expected
    db.session.remove()
    db.engine.dispose()
    return clean


# --- measuring ----------------------------------------------------------------------------------


def measure(tpcb: str, ours: str, clients: int, seconds: int) -> dict[str, float]:
    """One round, everything in turn, so that a slow moment of the machine hits all alike."""
    same = {"clients": clients, "seconds": seconds}
    yardsticks = {
        "pgbench": postgres.pgbench_rate(tpcb, **same),
        "psycopg": postgres.rate(postgres.psycopg_client, tpcb, **same),
    }
    return yardsticks | {str(kind): postgres.rate(placing, ours, kind, **same) for kind in KINDS}


def report(rounds: list[dict[str, float]], clients: int, seconds: int) -> None:
    print(f"{clients} client{'s' if clients > 1 else ''}, {len(rounds)} rounds of {seconds} s; median per second")
    for name in rounds[0]:
        words = f"  {name:24} {statistics.median(each[name] for each in rounds):>8,.0f}"
        for yardstick in ("pgbench", "psycopg"):
            if name not in ("pgbench", "psycopg"):
                words += f"   / {yardstick} = {statistics.median(each[name] / each[yardstick] for each in rounds):.3f}"
        print(words, flush=True)


def profile(url: str, kind: Kind, times: int = 200) -> None:
    """Where one client's time goes: processor time of this process, statements sent, and functions."""
    order = placing(url, kind)
    for _ in range(20):
        order()
    with counted(current_app._get_current_object()) as seen:  # type: ignore[attr-defined]
        order()
    for statement, count in Counter(" ".join(each.split())[:150] for each in seen).items():
        print(f"{count:3} × {statement}")
    wall, processor = time.perf_counter(), time.process_time()
    for _ in range(times):
        order()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    print(
        f"{kind}: {len(seen)} statements, {1000 * wall / times:.1f} ms, {1000 * processor / times:.1f} ms of processor"
    )
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(times):
        order()
    profiler.disable()
    for by in ("cumulative", "tottime"):
        pstats.Stats(profiler).sort_stats(by).print_stats(60)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, nargs="*", default=(1, 4))
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--profile", type=int, choices=range(len(KINDS)), help="where the time of one kind of order goes"
    )
    options = parser.parse_args()
    with postgres.server() as server:
        tpcb, ours = postgres.database(server, "tpcb"), postgres.database(server, "jifen")
        child = postgres.Process(target=prepare, args=(ours,))
        child.start()
        child.join()
        if child.exitcode:
            raise SystemExit("The shop could not be prepared.")
        if options.profile is not None:
            profile(ours, KINDS[options.profile])
            return
        postgres.fill(tpcb)
        for clients in options.clients:
            rounds = [measure(tpcb, ours, clients, options.seconds) for _ in range(options.rounds)]
            report(rounds, clients, options.seconds)
        if not prove(ours):
            raise SystemExit("The books do not agree.")


if __name__ == "__main__":
    main()
