"""What a day and a month's review cost a large programme, and how that grows: ``python -m bench.daily``.

On a PostgreSQL of our own: members with ten transfers, three purchases and nine lots each, spread over a year, half of
the lots used up. On the day a month's end has just passed, so that a twelfth of the lots expires; another one comes
into view of the reminders; awards of a day mature; people have their birthday and the anniversary of joining. Every
job is the one that the worker runs. ``--members 20000 40000`` does it at two sizes and tells the ratio of their times.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import sqlalchemy as sa
from flask_migrate import upgrade

from app import create_app
from app.config import Settings
from app.engagement.reminders import actions as reminders
from app.engagement.reminders.jobs import BATCH, look_ahead
from app.foundation.database import db, transaction
from app.loyalty.earning.jobs import reward_special_days
from app.loyalty.ledger.jobs import expire_points, settle_pending
from app.loyalty.tiers.actions import install_defaults
from app.loyalty.tiers.jobs import review_tiers
from bench import postgres, tiers

NOW = datetime(2026, 6, 3, 4, tzinfo=UTC)  # Noon of a day in Shanghai on which the month's review is due.
ROOM = 3_000  # Bytes of disk that a transfer takes in all, with its lot, its indexes and what is logged of it.

MEMBERS = (
    # A birth date in fifty years, joined in the three years before.
    "INSERT INTO member (code, name, email, gender, birth_date, birthday, session_epoch, created_at, claimed_at)"
    " SELECT 'M' || n, '', 'm' || n || '@example.com', '', born,"
    " extract(month FROM born) * 100 + extract(day FROM born), 0, joined, joined FROM (SELECT n,"
    " date '1960-01-01' + CAST(n * 7919 % 18250 AS int) AS born,"
    " timestamptz '2023-06-01' + interval '3 years' * (CAST(n AS float8) / :members) AS joined"
    " FROM generate_series(1, CAST(:members AS bigint)) AS n) AS made"
)
WALLETS = (
    "INSERT INTO wallet (member_id, ledger, balance, held, on_the_way, debt, sequence, sliding, secret, head)"
    " SELECT id, ledger, 0, 0, 0, 0, 20 * :members, false, sha256(CAST('secret' || id AS bytea)),"
    " sha256(CAST('head' || id AS bytea)) FROM member, (VALUES ('points'), ('growth')) AS l (ledger)"
)
LOTS_AND_AWARDS = (
    # One award in thirty waited for a month until it came.
    "UPDATE transfer SET phase = 'pending' WHERE id % 30 = 7 AND (id - 1) / :members % 2 = 0",
    "UPDATE transfer SET phase = 'post', pending_id = id - :members"
    " WHERE (id - :members) % 30 = 7 AND (id - 1) / :members % 2 = 1",
    # Points live to the end of the eleventh month after that in which they were earned. Half of them are spent.
    "INSERT INTO lot (transfer_id, wallet_id, amount, remaining, held, earned_at, expires_at)"
    " SELECT id, wallet_id, amount, CASE WHEN id / 10 % 2 = 0 THEN amount ELSE 0 END, 0, occurred_at,"
    " (date_trunc('month', occurred_at AT TIME ZONE 'Asia/Shanghai') + interval '1 year') AT TIME ZONE 'Asia/Shanghai'"
    " FROM transfer WHERE account = 'issuance' AND phase <> 'pending' AND amount > 0"
    " ORDER BY id",
    # One member in thirty has an award that matures every day, for the next seven days.
    "INSERT INTO transfer (wallet_id, sequence, key, account, amount, phase, deadline, kind, explanation,"
    " balance_after, debt_change, occurred_at, recorded_at, digest)"
    " SELECT wallet.id, 10 * :members + n, 'pending:' || n, 'issuance', 100, 'pending', due, 'purchase', '{}', 0, 0,"
    " due - interval '7 days', due - interval '7 days', '' FROM (SELECT n, 1 + n * 7919 % :members AS member,"
    " timestamptz '2026-06-02 04:00Z' + interval '7 days' * (n * 30 / (7.0 * :members)) AS due"
    " FROM generate_series(1, CAST(:members * 7 / 30 AS bigint)) AS n) AS made"
    " JOIN wallet ON wallet.member_id = member AND ledger = 'points' ORDER BY n",
    "INSERT INTO pending_transfer (transfer_id, wallet_id, amount, deadline, expires_at)"
    " SELECT id, wallet_id, amount, deadline, deadline + interval '1 year' FROM transfer WHERE deadline IS NOT NULL",
    "UPDATE wallet SET balance = coalesce(l.total, 0), on_the_way = coalesce(p.total, 0) FROM wallet AS w"
    " LEFT JOIN (SELECT wallet_id, sum(remaining) AS total FROM lot GROUP BY 1) AS l ON l.wallet_id = w.id"
    " LEFT JOIN (SELECT wallet_id, sum(amount) AS total FROM pending_transfer GROUP BY 1) AS p ON p.wallet_id = w.id"
    " WHERE w.id = wallet.id AND wallet.ledger = 'points' AND (l.total > 0 OR p.total > 0)",
)
UNIT, _member, _wallet, *FACTS = tiers.MADE
MADE = (UNIT, MEMBERS, WALLETS, *FACTS, *LOTS_AND_AWARDS)


def fill(members: int) -> None:
    """Not durably, and foreign keys are not looked up one by one: the rows fit together by how they are made."""
    begin = time.monotonic()
    configure("ALTER SYSTEM SET max_wal_size = '16GB'", "ALTER SYSTEM SET checkpoint_timeout = '1h'")
    for statement in MADE:
        with transaction() as session:
            session.execute(sa.text("SET LOCAL synchronous_commit = off"))
            session.execute(sa.text("SET LOCAL session_replication_role = replica"))
            session.execute(sa.text("SET LOCAL work_mem = '256MB'"))
            session.execute(sa.text(statement), {"members": members})
        print(f"{time.monotonic() - begin:6.0f} s  {statement[:70]} …", flush=True)
    configure(
        "ALTER SYSTEM RESET max_wal_size", "ALTER SYSTEM RESET checkpoint_timeout", "VACUUM ANALYZE", "CHECKPOINT"
    )


def configure(*commands: str) -> None:
    """What stands outside of transactions."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for command in (*commands, "SELECT pg_reload_conf()"):
            connection.execute(sa.text(command))


def remind_all() -> int:
    """Every mail that would leave over the next days, each batch as the worker makes it."""
    told = 0
    while True:
        with transaction():
            queued = reminders.remind_some(now=NOW, begin=NOW, every=timedelta(seconds=1), limit=BATCH)
        if queued is None:
            return told
        told += queued


JOBS: tuple[tuple[str, str, Callable[[], object]], ...] = (
    ("settle-pending", "SELECT count(*) FROM pending_transfer WHERE deadline <= :now", lambda: settle_pending(now=NOW)),
    (
        "expire-points",
        "SELECT count(*) FROM lot WHERE remaining > 0 AND expires_at <= :now",
        lambda: expire_points(now=NOW),
    ),
    ("reward-special-days", "SELECT -count(*) FROM rewarded", lambda: reward_special_days(now=NOW)),
    ("remind-of-expiry: looking", "SELECT -count(*) FROM expiry_reminder", lambda: look_ahead(now=NOW)),
    ("remind-of-expiry: mails", "SELECT count(*) FROM expiry_reminder WHERE at IS NULL", remind_all),
    (
        "review-tiers",
        "SELECT -coalesce(sum(reviewed), 0) FROM tier_review",
        lambda: review_tiers(now=NOW),
    ),
)


@dataclass(frozen=True)
class Figure:
    """What a job did, and in how many seconds. ``busy`` are those of processor time, its own and that of the server
    process at the other end of its connection; other programs on the machine do not lengthen them. ``peak`` is the
    most memory of this process, in MB.
    """

    done: int
    seconds: float
    busy: float
    peak: int


def measure(server: str, members: int) -> dict[str, Figure]:
    folder = tempfile.mkdtemp(prefix="jifen-bench-")
    url = postgres.database(server, f"daily_{members}")
    app = create_app(Settings(environment="testing", instance_path=Path(folder), database_url=url))
    with app.app_context():
        upgrade()
        with transaction():
            install_defaults()
        begin = time.monotonic()
        fill(members)
        size = db.session.scalar(sa.text("SELECT pg_size_pretty(pg_database_size(current_database()))"))
        print(f"\n{members:,} members, {10 * members:,} transfers: made in {time.monotonic() - begin:.0f} s, {size}")
        print(f"{'':26}{'rows':>10}{'seconds':>10}{'busy':>10}{'s a million':>13}{'MB':>6}", flush=True)
        figures = {name: _measured(name, counted, job) for name, counted, job in JOBS}
        print(f"{'together':26}{'':>10}{sum(each.seconds for each in figures.values()):>10.1f}", flush=True)
        db.session.remove()
        db.engine.dispose()
    shutil.rmtree(folder)
    return figures


def _measured(name: str, counted: str, job: Callable[[], object]) -> Figure:
    before = _count(counted)
    server = db.session.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
    db.session.rollback()
    forget_peak()
    begin, busy = time.monotonic(), _busy(server)
    job()
    seconds, busy = time.monotonic() - begin, _busy(server) - busy
    figure = Figure(before - _count(counted), seconds, busy, peak())
    each = 1e6 * seconds / max(figure.done, 1)
    print(f"{name:26}{figure.done:>10,}{seconds:>10.1f}{busy:>10.1f}{each:>13.1f}{figure.peak:>6}", flush=True)
    return figure


def _busy(server: int) -> float:
    """Processor seconds of this process and of the server's for the one connection that the jobs use."""
    times = Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()
    return time.process_time() + (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")


def _count(counted: str) -> int:
    db.session.rollback()
    found = int(db.session.execute(sa.text(counted), {"now": NOW} if ":now" in counted else {}).scalar_one())
    db.session.rollback()
    return found


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def peak() -> int:
    """The most memory since ``forget_peak``, in MB, as Linux counts it."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found.group(1)) // 1024 if found else 0


def compare(small: dict[str, Figure], large: dict[str, Figure]) -> None:
    """How many times as much; ``each`` is processor time for a row: 1 is linear."""
    print(f"\n{'':26}{'× rows':>10}{'× seconds':>10}{'× busy':>10}{'× each':>13}{'× MB':>6}")
    for name, before in small.items():
        after = large[name]
        rows, seconds, busy = after.done / before.done, after.seconds / before.seconds, after.busy / before.busy
        more = after.peak / before.peak
        print(f"{name:26}{rows:>10.2f}{seconds:>10.2f}{busy:>10.2f}{busy / rows:>13.2f}{more:>6.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, nargs="+", default=[20_000, 40_000], help="one size, or several")
    sizes = parser.parse_args().members
    needed, free = 10 * max(sizes) * ROOM, shutil.disk_usage(tempfile.gettempdir()).free
    if free < 2 * needed:
        parser.error(f"this takes some {needed / 1e9:.0f} GB of disk, and there are {free / 1e9:.0f} GB")
    with postgres.server() as server:
        figures = [measure(server, members) for members in sizes]
    for small, large in pairwise(figures):
        compare(small, large)


if __name__ == "__main__":
    main()
