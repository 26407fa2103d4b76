"""``flask ledger verify``: does everything in the books agree with everything else?

Each check is one set-based query in plain SQL that returns ``(place, found, expected)``
for what breaks an invariant, so a clean book costs a few scans and no row leaves the database.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from app.foundation.database import db

SHOWN = 20
TABLES = ("wallet", "transfer", "lot", "lot_draw", "pending_transfer")


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken invariant: which check, where, what the books say and what they should."""

    check: str
    place: str
    found: int
    expected: int

    def __str__(self) -> str:
        return f"{self.check}: {self.place} has {self.found}, expected {self.expected}"


@dataclass(frozen=True, slots=True)
class Report:
    """``counts`` is what was looked at, ``findings`` what is wrong (at most ``SHOWN`` per check)."""

    counts: dict[str, int]
    checks: int
    findings: list[Finding]

    @property
    def clean(self) -> bool:
        return not self.findings


def verify() -> Report:
    """Check every wallet, transfer, lot, draw, hold and key. Reads only."""
    with whole_tables():
        findings = [
            Finding(name, str(place), int(found or 0), int(expected or 0))
            for name, query in CHECKS.items()
            for place, found, expected in db.session.execute(sa.text(f"{query} LIMIT {SHOWN}"))
        ]
    counts = {
        table: int(db.session.scalar(sa.select(sa.func.count()).select_from(sa.table(table))) or 0) for table in TABLES
    }
    return Report(counts, len(CHECKS), findings)


@contextmanager
def whole_tables() -> Iterator[None]:
    """Tell PostgreSQL that each check reads whole tables: without statistics, after a large import, it would guess
    that there are few rows and look up each by itself."""
    postgresql = db.session.connection().dialect.name == "postgresql"
    if postgresql:
        db.session.execute(sa.text("SET LOCAL enable_nestloop = off"))
    yield
    if postgresql:
        db.session.execute(sa.text("SET LOCAL enable_nestloop = DEFAULT"))


def _wallet_total(figure: str, source: str, total: str, where: str = "TRUE") -> str:
    """Wallets whose ``figure`` differs from ``total`` over their rows of ``source``."""
    return f"""
        SELECT 'wallet ' || w.id, {figure}, COALESCE(s.total, 0)
        FROM wallet w
        LEFT JOIN (SELECT wallet_id, SUM({total}) AS total FROM {source} WHERE {where} GROUP BY wallet_id) s
               ON s.wallet_id = w.id
        WHERE {figure} <> COALESCE(s.total, 0)
        ORDER BY w.id"""


def _lot_total(figure: str, drawn: str) -> str:
    """Lots whose ``figure`` differs from what the draws of some transfers say; ``drawn`` picks those transfers."""
    return f"""
        SELECT 'lot ' || l.id, {figure}, COALESCE(s.total, 0)
        FROM lot l
        LEFT JOIN (SELECT d.lot_id, SUM(d.amount) AS total FROM lot_draw d JOIN transfer t ON t.id = d.transfer_id
                   {drawn} GROUP BY d.lot_id) s ON s.lot_id = l.id
        WHERE {figure} <> COALESCE(s.total, 0)
        ORDER BY l.id"""


# A void moves no points, but the points that it releases may pay off a debt.
MOVED = "phase IN ('single', 'post', 'void')"

CHECKS = {
    "balance is the sum of its transfers": _wallet_total("w.balance", "transfer", "amount", MOVED),
    "balance is the sum of its lots, less debt": _wallet_total("w.balance + w.debt", "lot", "remaining"),
    "held is the sum of the open holds": _wallet_total("w.held", "pending_transfer", "-amount", "amount < 0"),
    "held is what the lots have set aside": _wallet_total("w.held", "lot", "held"),
    "on the way is the sum of the pending awards": _wallet_total(
        "w.on_the_way", "pending_transfer", "amount", "amount > 0"
    ),
    "sequence counts the transfers": _wallet_total("w.sequence", "transfer", "1"),
    "no debt beside free points": """
        SELECT 'wallet ' || w.id, w.debt, 0
        FROM wallet w JOIN lot l ON l.wallet_id = w.id AND l.remaining > l.held
        WHERE w.debt > 0 ORDER BY w.id""",
    "balance after is the running sum": f"""
        SELECT 'transfer ' || r.id, r.balance_after, r.running
        FROM (SELECT id, balance_after,
                     SUM(CASE WHEN {MOVED} THEN amount ELSE 0 END)
                         OVER (PARTITION BY wallet_id ORDER BY sequence) AS running
              FROM transfer) r
        WHERE r.balance_after <> r.running ORDER BY r.id""",
    "sequence has no gap": """
        SELECT 'wallet ' || wallet_id, MAX(sequence), COUNT(*)
        FROM transfer GROUP BY wallet_id HAVING MAX(sequence) <> COUNT(*) OR MIN(sequence) <> 1""",
    "debt is the sum of its changes": _wallet_total("w.debt", "transfer", "debt_change", MOVED),
    "a lot is drawn as far as its draws say": _lot_total("l.amount - l.remaining", f"WHERE t.{MOVED}"),
    "a lot sets aside what open holds drew": _lot_total("l.held", "JOIN pending_transfer p ON p.transfer_id = t.id"),
    "a transfer is what it brought less what it drew": f"""
        SELECT 'transfer ' || t.id, t.amount,
               COALESCE(l.total, 0) - COALESCE(d.total, 0) - t.debt_change
        FROM transfer t
        LEFT JOIN (SELECT transfer_id, SUM(amount) AS total FROM lot GROUP BY transfer_id) l ON l.transfer_id = t.id
        LEFT JOIN (SELECT transfer_id, SUM(amount) AS total FROM lot_draw GROUP BY transfer_id) d
               ON d.transfer_id = t.id
        WHERE t.{MOVED} AND t.amount <> COALESCE(l.total, 0) - COALESCE(d.total, 0) - t.debt_change
        ORDER BY t.id""",
    "a hold sets aside what it takes": """
        SELECT 'transfer ' || t.id, COALESCE(SUM(d.amount), 0), -t.amount
        FROM transfer t LEFT JOIN lot_draw d ON d.transfer_id = t.id
        WHERE t.phase = 'pending' AND t.amount < 0 GROUP BY t.id, t.amount
        HAVING COALESCE(SUM(d.amount), 0) <> -t.amount ORDER BY t.id""",
    "a lot comes from a credit": f"""
        SELECT 'lot ' || l.id, l.amount, COALESCE(t.amount, 0)
        FROM lot l LEFT JOIN transfer t ON t.id = l.transfer_id AND t.amount > 0 AND t.{MOVED}
        WHERE t.id IS NULL ORDER BY l.id""",
    "draws stay within one wallet": """
        SELECT 'transfer ' || t.id, l.wallet_id, t.wallet_id
        FROM lot_draw d JOIN transfer t ON t.id = d.transfer_id JOIN lot l ON l.id = d.lot_id
        WHERE l.wallet_id <> t.wallet_id ORDER BY t.id""",
    "what is open is listed": """
        SELECT 'transfer ' || t.id, COALESCE(p.amount, 0), t.amount + COALESCE(c.total, 0)
        FROM transfer t
        LEFT JOIN transfer r ON r.pending_id = t.id AND r.phase IN ('post', 'void')
        LEFT JOIN (SELECT pending_id, SUM(amount) AS total FROM transfer WHERE phase = 'reduce' GROUP BY pending_id) c
               ON c.pending_id = t.id
        LEFT JOIN pending_transfer p ON p.transfer_id = t.id AND p.wallet_id = t.wallet_id
        WHERE t.phase = 'pending' AND r.id IS NULL AND COALESCE(p.amount, 0) <> t.amount + COALESCE(c.total, 0)
        ORDER BY t.id""",
    "what is listed is open": """
        SELECT 'transfer ' || p.transfer_id, p.amount, 0
        FROM pending_transfer p
        JOIN transfer t ON t.id = p.transfer_id
        LEFT JOIN transfer r ON r.pending_id = t.id AND r.phase IN ('post', 'void')
        WHERE t.phase <> 'pending' OR r.id IS NOT NULL ORDER BY p.transfer_id""",
    "a resolution fits what was pending": """
        SELECT 'transfer ' || r.id, r.amount,
               CASE WHEN r.phase = 'post' THEN t.amount + COALESCE(c.total, 0) ELSE 0 END
        FROM transfer r
        JOIN transfer t ON t.id = r.pending_id
        LEFT JOIN (SELECT pending_id, SUM(amount) AS total FROM transfer WHERE phase = 'reduce' GROUP BY pending_id) c
               ON c.pending_id = t.id
        WHERE r.phase IN ('post', 'void')
          AND (t.phase <> 'pending' OR t.wallet_id <> r.wallet_id
               OR r.amount <> CASE WHEN r.phase = 'post' THEN t.amount + COALESCE(c.total, 0) ELSE 0 END)
        ORDER BY r.id""",
    "a draw joins a transfer and a lot": """
        SELECT 'transfer ' || d.transfer_id || ' and lot ' || d.lot_id, d.amount, 0
        FROM lot_draw d LEFT JOIN transfer t ON t.id = d.transfer_id LEFT JOIN lot l ON l.id = d.lot_id
        WHERE t.id IS NULL OR l.id IS NULL ORDER BY d.transfer_id""",
    "a lot is in the wallet of its transfer": """
        SELECT 'lot ' || l.id, l.wallet_id, t.wallet_id
        FROM lot l JOIN transfer t ON t.id = l.transfer_id WHERE l.wallet_id <> t.wallet_id ORDER BY l.id""",
    "a key is booked once": """
        SELECT 'key ' || key, COUNT(*), 1 FROM transfer GROUP BY key HAVING COUNT(*) > 1 ORDER BY key""",
    # The house's accounts are the other side of every transfer, so each ledger sums to zero
    # exactly if the wallets hold what the transfers gave them.
    "all accounts of a ledger sum to zero": f"""
        SELECT w.ledger, SUM(w.balance), SUM(COALESCE(s.total, 0))
        FROM wallet w
        LEFT JOIN (SELECT wallet_id, SUM(amount) AS total FROM transfer WHERE {MOVED} GROUP BY wallet_id) s
               ON s.wallet_id = w.id
        GROUP BY w.ledger HAVING SUM(w.balance) <> SUM(COALESCE(s.total, 0))""",
    # What a unit's accounts gave and took is what came into lots, out of lots and upon debts there.
    "all accounts of a unit sum to zero": f"""
        SELECT w.ledger || ' in unit ' || COALESCE(t.unit_id, 0), SUM(t.amount),
               SUM(COALESCE(l.total, 0) - COALESCE(d.total, 0) - t.debt_change)
        FROM transfer t
        JOIN wallet w ON w.id = t.wallet_id
        LEFT JOIN (SELECT transfer_id, SUM(amount) AS total FROM lot GROUP BY transfer_id) l ON l.transfer_id = t.id
        LEFT JOIN (SELECT transfer_id, SUM(amount) AS total FROM lot_draw GROUP BY transfer_id) d
               ON d.transfer_id = t.id
        WHERE t.{MOVED}
        GROUP BY w.ledger, t.unit_id
        HAVING SUM(t.amount) <> SUM(COALESCE(l.total, 0) - COALESCE(d.total, 0) - t.debt_change)""",
}
