"""How fast purchases come in under rules of every kind, against pgbench in the same run: ``python -m bench.purchases``.

Each purchase has two lines and is valued with the tier's multiplier, a campaign with a budget, caps, a
bonus for the third of a month and a milestone, writes points and growth into the ledger, and lets tiers rise. Batches
are as large as those of ``flask purchases import``, which is one stream. pgbench runs its TPC-B-like transaction on the
same server with the same number of clients. With several, the budgets' locks let imports pass one after the other.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import random
import statistics
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from uuid import uuid4

import sqlalchemy as sa

from app.entrypoints.cli.setup import install_defaults
from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.foundation.terms import change
from app.identity.units.actions import open_unit
from app.loyalty.earning.actions import PurchaseReport, ReportedLine, record_purchases
from app.loyalty.earning.terms import EarningTerms
from app.loyalty.ledger.verify import verify
from app.loyalty.tiers.actions import enrol
from bench import postgres
from bench.ledger import NOW, enter, make_members

MEMBERS = 20_000
BATCH = 500
RULES = {
    "rates": [{"unit": "mall", "category": "tea", "rate": "3/2"}],
    "caps": {"purchase": 5_000, "day": 20_000, "month": 200_000, "budget": 1_000_000_000},
    "campaigns": [
        {"code": "day", "name": {"en": "Member day"}, "times": "2", "weekdays": [0, 3], "budget": 1_000_000_000}
    ],
    "bonuses": [{"code": "third", "name": {"en": "Third"}, "nth": 3, "period": "month", "points": 50}],
    "milestones": [{"code": "much", "name": {"en": "Much"}, "earn": 5_000, "period": "month", "points": 100}],
}


def prepare(url: str) -> None:
    enter(url)
    make_members(MEMBERS)
    early = NOW - timedelta(days=400)
    with transaction():
        install_defaults(now=early)
        change(EarningTerms, RULES, by=SYSTEM, now=early)
        open_unit(code="mall", name={"en": "Mall"}, by=SYSTEM, now=early)
        enrol(range(1, MEMBERS + 1), now=early)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))
    db.session.remove()
    db.engine.dispose()


def report(order_no: str, member_id: int, at: datetime) -> PurchaseReport:
    lines = tuple(
        ReportedLine(category, category.upper(), 1, random.randint(100, 50_000)) for category in ("tea", "home")
    )
    return PurchaseReport(1, "mall", order_no, member_id, at, "CNY", "import", lines)


def import_batches(url: str) -> Callable[[], None]:
    enter(url)
    name, turn = uuid4().hex[:12], count()

    def take() -> None:
        at = NOW - timedelta(minutes=random.randint(0, 60 * 24 * 300))
        members = random.sample(range(1, MEMBERS + 1), BATCH)
        with transaction():
            record_purchases([report(f"{name}-{next(turn)}", member, at) for member in members], now=NOW)

    return take


def profile(url: str) -> None:
    take = import_batches(url)
    take()
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(10):
        take()
    profiler.disable()
    pstats.Stats(profiler).sort_stats("cumulative").print_stats(45)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true", help="show where one client's time goes, and nothing else")
    options = parser.parse_args()
    with postgres.server() as server:
        tpcb, ours = postgres.database(server, "tpcb"), postgres.database(server, "jifen")
        child = postgres.Process(target=prepare, args=(ours,))
        child.start()
        child.join()
        if options.profile:
            profile(ours)
            return
        postgres.fill(tpcb)
        same = {"clients": options.clients, "seconds": options.seconds}
        rounds = []
        for _ in range(options.rounds):
            yardstick = postgres.pgbench_rate(tpcb, **same)
            rounds.append((yardstick, BATCH * postgres.rate(import_batches, ours, **same)))
        median = [statistics.median(each) for each in zip(*rounds, strict=True)]
        ratio = statistics.median(mine / yardstick for yardstick, mine in rounds)
        print(f"{options.clients} clients, {options.rounds} rounds of {options.seconds} s; median per second")
        verdict = "met" if ratio >= 1 else "MISSED"
        print(f"pgbench {median[0]:,.0f}, purchases {median[1]:,.0f}: {ratio:.2f} (bar 1: {verdict})")
        enter(ours)
        print(f"verify: {'clean' if verify().clean else 'NOT CLEAN'}")
        db.session.remove()
        db.engine.dispose()


if __name__ == "__main__":
    main()
