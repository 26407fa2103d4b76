"""How fast the ledger is, against two yardsticks in the same run: ``python -m bench.ledger``.

``pgbench`` and the same TPC-B-like transaction by hand with psycopg run on the same PostgreSQL
with the same number of clients. Machines differ and are noisy: the ratios are what counts.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from uuid import uuid4

import sqlalchemy as sa
from flask_migrate import upgrade

from app import create_app
from app.config import Settings
from app.foundation.database import db, transaction
from app.foundation.points import Points
from app.loyalty.ledger import actions
from app.loyalty.ledger.actions import Award
from app.loyalty.ledger.explanations import explanation
from app.loyalty.ledger.verify import verify
from bench import postgres

MEMBERS = 20_000
BATCH = 500
WHY = explanation("opening")
NOW = datetime(2026, 6, 15, 4, tzinfo=UTC)


def enter(url: str) -> None:
    """Make this process an application with a database, for good."""
    folder = Path(tempfile.mkdtemp(prefix="jifen-bench-"))
    app = create_app(Settings(environment="testing", instance_path=folder, database_url=url))
    app.app_context().push()


def prepare(url: str) -> None:
    enter(url)
    make_members(MEMBERS)
    for first in range(1, MEMBERS + 1, BATCH):
        with transaction():
            actions.award_many([award(member, f"open:{member}") for member in range(first, first + BATCH)], now=NOW)
    db.session.remove()
    db.engine.dispose()


def make_members(count: int) -> None:
    """Tables, and members 1 to ``count`` with their wallets."""
    upgrade()
    people = (
        "INSERT INTO member (code, name, gender, session_epoch, created_at)"
        " SELECT 'M' || n, '', '', 0, now() FROM generate_series(1, :count) AS n"
    )
    with transaction() as session:
        session.execute(sa.text(people), {"count": count})
    for first in range(1, count + 1, 5_000):
        with transaction():
            actions.open_wallets(member_ids=range(first, min(first + 5_000, count + 1)))


def award(member_id: int, key: str) -> Award:
    return Award(member_id=member_id, amount=Points(100), key=key, kind="purchase", explanation=WHY, occurred_at=NOW)


def single_awards(url: str) -> Callable[[], None]:
    enter(url)
    name, turn = uuid4().hex, count()

    def post() -> None:
        with transaction():
            actions.award_many([award(random.randint(1, MEMBERS), f"{name}:{next(turn)}")], now=NOW)

    return post


def single_spends(url: str) -> Callable[[], None]:
    enter(url)
    name, turn = uuid4().hex, count()

    def post() -> None:
        member, key = random.randint(1, MEMBERS), f"{name}:{next(turn)}"
        with transaction():
            actions.spend(member_id=member, amount=Points(1), key=key, kind="redemption", explanation=WHY, now=NOW)

    return post


def bulk_awards(url: str) -> Callable[[], None]:
    enter(url)
    name, turn = uuid4().hex, count()

    def post() -> None:
        members = random.sample(range(1, MEMBERS + 1), BATCH)
        with transaction():
            actions.award_many([award(member, f"{name}:{next(turn)}") for member in members], now=NOW)

    return post


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    with postgres.server() as server:
        tpcb, ours = postgres.database(server, "tpcb"), postgres.database(server, "jifen")
        postgres.fill(tpcb)
        prepare_in_child(ours)
        rounds = [measure(tpcb, ours, options.clients, options.seconds) for _ in range(options.rounds)]
        report(rounds, options)
        enter(ours)
        print(f"verify: {'clean' if verify().clean else 'NOT CLEAN'}")
        db.session.remove()
        db.engine.dispose()


def prepare_in_child(url: str) -> None:
    """In a process of its own, so that no open connection is inherited by the clients."""
    child = postgres.Process(target=prepare, args=(url,))
    child.start()
    child.join()
    if child.exitcode:
        raise SystemExit("The ledger could not be prepared.")


def measure(tpcb: str, ours: str, clients: int, seconds: int) -> dict[str, float]:
    """One round, everything in turn, so that a slow moment of the machine hits all alike."""
    same = {"clients": clients, "seconds": seconds}
    return {
        "pgbench": postgres.pgbench_rate(tpcb, **same),
        "psycopg": postgres.rate(postgres.psycopg_client, tpcb, **same),
        "awards": postgres.rate(single_awards, ours, **same),
        "spends": postgres.rate(single_spends, ours, **same),
        "bulk": BATCH * postgres.rate(bulk_awards, ours, **same),
    }


def report(rounds: list[dict[str, float]], options: argparse.Namespace) -> None:
    print(f"{options.clients} clients, {options.rounds} rounds of {options.seconds} s; median per second")
    for name in rounds[0]:
        print(f"{name:>10} {statistics.median(each[name] for each in rounds):>12,.0f}")
    for name, yardstick, bar in (("awards", "psycopg", 0.7), ("spends", "psycopg", 0.7), ("bulk", "pgbench", 3.0)):
        ratio = statistics.median(each[name] / each[yardstick] for each in rounds)
        verdict = "met" if ratio >= bar else "MISSED"
        print(f"{name} / {yardstick} = {ratio:.2f} (bar {bar}: {verdict})")


if __name__ == "__main__":
    main()
