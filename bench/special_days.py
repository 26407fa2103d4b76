"""How long points for birthdays and anniversaries take: ``python -m bench.special_days``.

Birthdays and joinings are spread over the year. The job looks a week back, so its first look is for eight days; the
second finds that all have theirs.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from flask_migrate import upgrade

from app import create_app
from app.config import Settings
from app.foundation.database import db, transaction
from app.loyalty.earning.jobs import reward_special_days
from app.loyalty.tiers.actions import install_defaults
from bench import postgres

NOW = datetime(2026, 6, 15, 4, tzinfo=UTC)
MADE = (
    "INSERT INTO member (code, name, gender, session_epoch, created_at, claimed_at, birth_date)"
    " SELECT 'M' || n, '', '', 0, at, at, date '1960-01-01' + CAST(n * 7919 % 16000 AS int)"
    " FROM (SELECT n, timestamptz '2022-01-01' + interval '1460 days' * (CAST(n AS float8) / :members) AS at"
    " FROM generate_series(1, CAST(:members AS bigint)) AS n) AS made",
    "UPDATE member SET birthday = extract(month FROM birth_date) * 100 + extract(day FROM birth_date)",
    "INSERT INTO wallet (member_id, ledger, balance, held, on_the_way, debt, sequence, sliding, secret, head)"
    " SELECT id, ledger, 0, 0, 0, 0, 0, false, sha256(convert_to(id || ledger, 'UTF8')), sha256('')"
    " FROM member, (VALUES ('points'), ('growth')) AS l (ledger)",
    "INSERT INTO membership (member_id, tier_id, since, recheck) SELECT id, 1, '2024-01-01', false FROM member",
)


def measure(server: str, members: int) -> None:
    url = postgres.database(server, f"members_{members}")
    app = create_app(Settings(environment="testing", instance_path=Path(tempfile.mkdtemp()), database_url=url))
    with app.app_context():
        upgrade()
        with transaction():
            install_defaults()
        for statement in MADE:
            with transaction() as session:
                session.execute(sa.text(statement), {"members": members})
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("VACUUM ANALYZE"))
        for name in ("first look", "second look"):
            start = time.perf_counter()
            given = reward_special_days(now=NOW)
            print(f"{members:>9,} members, {name}: {given:,} rewarded in {time.perf_counter() - start:.1f} s")
        print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")
        db.engine.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("members", type=int, nargs="*", default=[100_000, 1_000_000])
    chosen = parser.parse_args()
    with postgres.server() as server:
        for members in chosen.members:
            measure(server, members)


if __name__ == "__main__":
    main()
