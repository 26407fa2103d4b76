"""How long it takes to tell past purchases again under a draft: ``python -m bench.simulation``.

Ten purchases for each member, of one to three lines, over a year in the order of time, with the transfers that they
brought, on a PostgreSQL of our own. Both sides have rates of their own, caps, bonuses, campaigns and the tiers'
multipliers; with ``--budget`` the draft has one that runs out, which takes a second round.
"""

from __future__ import annotations

import argparse
import cProfile
import logging
import pstats
import resource
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask_migrate import upgrade

from app import create_app
from app.config import Settings
from app.foundation import drafts, terms
from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.loyalty.benefits.terms import BenefitTerms
from app.loyalty.earning.terms import EarningTerms
from app.loyalty.simulation import actions, queries
from app.loyalty.simulation.figures import Figures
from app.loyalty.simulation.jobs import run_simulations
from app.loyalty.tiers.actions import install_defaults
from bench import postgres

NOW = datetime(2026, 6, 15, 4, tzinfo=UTC)
MADE = (
    "INSERT INTO unit (code, name, active, created_at)"
    " VALUES ('mall', '{}', true, now()), ('cinema', '{}', true, now())",
    "INSERT INTO member (code, name, gender, session_epoch, created_at)"
    " SELECT 'M' || n, '', '', 0, now() FROM generate_series(1, :members) AS n",
    "INSERT INTO wallet (member_id, ledger, balance, held, on_the_way, debt, sequence, sliding, secret, head)"
    " SELECT id, ledger, 0, 0, 0, 0, 0, false, '', '' FROM member, (VALUES ('points'), ('growth')) AS l (ledger)",
    "INSERT INTO membership (member_id, tier_id, since, recheck) SELECT id, 1, '2024-01-01', false FROM member",
    "INSERT INTO tier_change (member_id, from_tier_id, to_tier_id, reason, evidence, at)"
    " SELECT id, NULL, 1, 'enrolled', '{}', '2024-01-01' FROM member",
    # The n-th purchase is made at its n-th part of the year, by members far apart.
    "INSERT INTO purchase"
    " (unit_id, order_no, member_id, source, currency, amount, points, growth, occurred_at, recorded_at)"
    " SELECT 1 + n % 2, n, 1 + n * 7919 % :members, 'pos', 'CNY', (1 + n % 3) * (n * 31 % 300 * 100 + 99), 50, 50,"
    " at, at FROM"
    " (SELECT n, timestamptz '2025-06-15' + interval '365 days' * (CAST(n AS float8) / (10 * :members)) AS at"
    " FROM generate_series(1, CAST(10 * :members AS bigint)) AS n) AS made",
    "INSERT INTO purchase_line (purchase_id, position, category, sku, quantity, amount, points)"
    " SELECT id, place, (ARRAY['tea', 'coffee', 'cake'])[place], 'S' || id % 97, 1, amount / (1 + (id % 3)), 0"
    " FROM purchase, generate_series(1, 1 + CAST(id % 3 AS int)) AS place",
    "INSERT INTO transfer (wallet_id, sequence, key, account, amount, phase, kind, explanation, balance_after,"
    " debt_change, occurred_at, recorded_at, digest)"
    " SELECT wallet.id, purchase.id, purchase.id, 'issuance', points, 'single', 'purchase', '{}', 0, 0, occurred_at,"
    " recorded_at, '' FROM purchase JOIN wallet ON wallet.member_id = purchase.member_id AND ledger = 'points'"
    " ORDER BY purchase.id",
    "INSERT INTO purchase_return (member_id, purchase_id, return_no, position, amount, points, returned_at)"
    " SELECT member_id, id, 'R', 1, amount / (1 + (id % 3)), 9, occurred_at + interval '3 days'"
    " FROM purchase WHERE id % 20 = 0",
)
NAME = {"en": "A name"}
BENEFITS = [
    {"code": f"times-{tier}", "kind": "multiplier", "name": NAME, "value": times, "tiers": [tier]}
    for tier, times in (("silver", "1.5"), ("gold", "2"), ("diamond", "5"))
]
RULES: dict[str, Any] = {
    "rates": [{"category": "tea", "rate": "1.5"}, {"unit": "cinema", "rate": "2/3"}],
    "caps": {"purchase": 2000, "day": 3000, "month": 8000},
    "campaigns": [{"code": "member-day", "name": NAME, "times": "2", "days": [18]}],
    "bonuses": [{"code": "third", "name": NAME, "nth": 3, "period": "month", "points": 70, "at_least": 2000}],
}


def fill(members: int) -> None:
    for statement in MADE:
        with transaction() as session:
            session.execute(sa.text(statement), {"members": members})
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))


def measure(server: str, purchases: int, *, budget: bool, profile: bool) -> float:
    url = postgres.database(server, f"purchases_{purchases}")
    app = create_app(Settings(environment="testing", instance_path=Path(tempfile.mkdtemp()), database_url=url))
    with app.app_context():
        upgrade()
        with transaction():
            install_defaults()
        begin = time.monotonic()
        fill(purchases // 10)
        print(f"{purchases:>10,} purchases of {purchases // 10:,} members made in {time.monotonic() - begin:.0f} s")
        ask(purchases, budget=budget)
        before = peak()
        profiler = cProfile.Profile()
        begin, processor = time.monotonic(), time.process_time()
        if profile:
            profiler.enable()
        while queries.under_way() is not None:
            run_simulations(now=NOW)
        profiler.disable()
        seconds = time.monotonic() - begin
        tell(purchases, seconds, time.process_time() - processor, before)
        if profile:
            pstats.Stats(profiler).sort_stats("tottime").print_stats(30)
        db.session.remove()
        db.engine.dispose()
    return seconds


def ask(purchases: int, *, budget: bool) -> None:
    early = datetime(2024, 1, 1, tzinfo=UTC)
    draft = RULES | {"rate": "1.2"}
    if budget:
        draft["campaigns"] = [RULES["campaigns"][0] | {"budget": purchases}]
    with transaction():
        terms.change(EarningTerms, RULES, by=SYSTEM, now=early)
        terms.change(BenefitTerms, {"benefits": BENEFITS}, by=SYSTEM, now=early)
        terms.forget()
        drafts.save_draft(EarningTerms, draft, by=SYSTEM, now=NOW)
        actions.ask(first_day=date(2025, 6, 15), last_day=date(2026, 6, 14), by=SYSTEM, now=NOW)


def tell(purchases: int, seconds: float, processor: float, before: int) -> None:
    [done] = queries.latest()
    figures = Figures.load(done.figures)
    told = purchases * done.round
    rate, alone = f"{told / seconds:,.0f}", f"{told / processor:,.0f}"
    print(f"{'':>10} {done.state} in {seconds:.1f} s and {done.round} rounds: {rate} purchases a second on both sides,")
    print(f"{'':>10} {alone} a second of the processor; {peak()} MB at most, {peak() - before} more than before")
    print(f"{'':>10} {figures.now.points:,} points in force, {figures.draft.points:,} under the draft")


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--purchases", type=int, default=50_000, help="the smaller of the two sizes; the other is twice it"
    )
    parser.add_argument("--budget", action="store_true", help="let a budget of the draft run out")
    parser.add_argument("--once", action="store_true", help="this size only")
    parser.add_argument("--profile", action="store_true", help="show where the time goes, for the smaller size only")
    options = parser.parse_args()
    logging.getLogger("alembic").setLevel(logging.WARNING)
    with postgres.server() as server:
        small = measure(server, options.purchases, budget=options.budget, profile=options.profile)
        if not options.profile and not options.once:
            large = measure(server, 2 * options.purchases, budget=options.budget, profile=False)
            print(f"twice the purchases take {large / small:.2f} times as long")


if __name__ == "__main__":
    main()
