"""How long the monthly review of all tiers takes, and whether that grows in proportion: ``python -m bench.tiers``.

Members, ten times as many transfers and three times as many purchases are made on a PostgreSQL of our own, in the
order of time, so that a member's rows lie scattered as they do in life. Two members in five stand on the first step.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

import sqlalchemy as sa
from flask_migrate import upgrade

from app import create_app
from app.config import Settings
from app.foundation.database import db, transaction
from app.loyalty.tiers import reviews
from app.loyalty.tiers.actions import install_defaults
from app.loyalty.tiers.jobs import review_tiers
from app.loyalty.tiers.models import TierReview
from bench import postgres

REVIEW = datetime(2026, 6, 3, 4, tzinfo=UTC)
MADE = (
    "INSERT INTO unit (code, name, active, created_at) VALUES ('mall', '{}', true, now())",
    "INSERT INTO member (code, name, gender, session_epoch, created_at)"
    " SELECT 'M' || n, '', '', 0, now() FROM generate_series(1, :members) AS n",
    "INSERT INTO wallet (member_id, ledger, balance, held, on_the_way, debt, sequence, sliding, secret, head)"
    " SELECT id, ledger, 0, 0, 0, 0, 0, false, '', '' FROM member, (VALUES ('points'), ('growth')) AS l (ledger)",
    "INSERT INTO membership (member_id, tier_id, since, recheck)"
    " SELECT id, (ARRAY[1, 1, 1, 1, 2, 2, 2, 2, 3, 4])[1 + id % 10], '2024-01-01', false FROM member",
    # Facts are spread over a year and over the members, the n-th at its n-th part.
    "INSERT INTO purchase"
    " (unit_id, order_no, member_id, source, currency, amount, points, growth, occurred_at, recorded_at)"
    " SELECT 1, n, 1 + n * 7919 % :members, 'pos', 'CNY', n * 31 % 500 * 100, 0, 0, at, at FROM (SELECT n,"
    " timestamptz '2025-06-01' + interval '366 days' * (CAST(n AS float8) / (3 * :members)) AS at"
    " FROM generate_series(1, CAST(3 * :members AS bigint)) AS n) AS made",
    "INSERT INTO transfer (wallet_id, sequence, key, account, amount, phase, kind, explanation, balance_after,"
    " debt_change, occurred_at, recorded_at, digest)"
    " SELECT wallet.id, n, n, CASE WHEN n % 10 = 0 THEN 'redemption' ELSE 'issuance' END, 1 + n * 31 % 400,"
    " 'single', 'purchase', '{}', 0, 0, at, at, '' FROM (SELECT n, 1 + n * 7919 % :members AS member,"
    " timestamptz '2025-06-01' + interval '366 days' * (CAST(n AS float8) / (10 * :members)) AS at"
    " FROM generate_series(1, CAST(10 * :members AS bigint)) AS n) AS made"
    " JOIN wallet ON wallet.member_id = member AND ledger = 'points' ORDER BY n",
    # Two in a hundred take something back of the same member's transfer before it; one purchase in twenty comes back.
    "UPDATE transfer SET reverses_id = id - :members, kind = 'clawback', amount = -1"
    " WHERE id % 50 = 0 AND id > :members",
    "INSERT INTO purchase_return (member_id, purchase_id, return_no, position, amount, points, returned_at)"
    " SELECT member_id, id, 'R', 1, amount, 0, occurred_at FROM purchase WHERE id % 20 = 0 AND amount > 0",
)


def fill(members: int) -> None:
    for statement in MADE:
        with transaction() as session:
            session.execute(sa.text(statement), {"members": members})
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))


def measure(server: str, members: int, explain: bool) -> float:
    url = postgres.database(server, f"members_{members}")
    app = create_app(Settings(environment="testing", instance_path=Path(tempfile.mkdtemp()), database_url=url))
    with app.app_context():
        upgrade()
        with transaction():
            install_defaults()
        begin = time.monotonic()
        fill(members)
        print(f"{members:>9,} members, {10 * members:,} transfers made in {time.monotonic() - begin:.0f} s")
        if explain:
            show_plans()
        begin = time.monotonic()
        batches = review_tiers(now=REVIEW)
        seconds = time.monotonic() - begin
        done = db.session.get(TierReview, date(2026, 6, 1))
        assert done is not None
        print(
            f"{'':>9} {done.reviewed:,} reviewed and {done.lowered:,} lowered in {seconds:.1f} s, {batches} batches:"
            f" {members / seconds:,.0f} members per second; {peak()} MB at most"
        )
        db.session.remove()
        db.engine.dispose()
    return seconds


def show_plans() -> None:
    """What PostgreSQL does for one batch."""
    statements: list[tuple[str, object]] = []

    @sa.event.listens_for(db.engine, "before_cursor_execute")
    def listen(_connection: object, _cursor: object, statement: str, parameters: object, *_more: object) -> None:
        statements.append((statement, parameters))

    session = db.session()
    try:
        with transaction():
            reviews.begin_review(date(2026, 6, 1), now=REVIEW)
            reviews.review_some(date(2026, 6, 1), now=REVIEW)
            raise InterruptedError
    except InterruptedError:
        sa.event.remove(db.engine, "before_cursor_execute", listen)
    for statement, parameters in statements:
        if statement.startswith("SELECT") and (
            "purchase" in statement or "transfer" in statement or "FOR UPDATE" in statement
        ):
            cursor = session.connection().connection.cursor()
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {statement}", parameters)
            print("\n".join(line[0][:180] for line in cursor.fetchall()), "\n")
    session.rollback()


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--members", type=int, default=50_000, help="the smaller of the two sizes; the other is twice it"
    )
    parser.add_argument("--explain", action="store_true", help="show what PostgreSQL does for one batch")
    options = parser.parse_args()
    with postgres.server() as server:
        small = measure(server, options.members, explain=False)
        large = measure(server, 2 * options.members, explain=options.explain)
    print(f"twice the members take {large / small:.2f} times as long")


if __name__ == "__main__":
    main()
