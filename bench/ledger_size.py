"""Does the ledger stay fast when it is large? ``python -m bench.ledger_size``

On a PostgreSQL of its own: a balance and a first page of history for a wallet with a million
transfers against one with a hundred; expiring lots, and verifying the books, at a tenth of the size
and at full size. A ratio of the times near the ratio of the sizes means linear.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from app.foundation.database import db, transaction
from app.foundation.points import Points
from app.loyalty.ledger import actions, history, queries
from app.loyalty.ledger.actions import Award, Debit
from app.loyalty.ledger.expiry import expire_some
from app.loyalty.ledger.verify import verify
from app.loyalty.ledger.verify_chain import verify_chain
from bench import postgres
from bench.ledger import NOW, WHY, enter, make_members

BATCH = 1_000
LOTS_EACH = 5
EXPIRY = NOW + timedelta(days=300)


def batches(total: int) -> Iterator[range]:
    for first in range(0, total, BATCH):
        yield range(first, min(first + BATCH, total))


def long_history(member_id: int, transfers: int) -> None:
    """As many awards as redemptions, so that the wallet ends with a few open lots like any other."""
    for turns in batches(transfers // 2):
        with transaction():
            actions.award_many([_award(member_id, f"long:{member_id}:{n}") for n in turns], now=NOW)
            actions.debit_many([_debit(member_id, f"long:{member_id}:{n}:spent") for n in turns], now=NOW)
    with transaction():
        actions.award_many([_award(member_id, f"long:{member_id}:last:{n}") for n in range(5)], now=NOW)


def _award(member_id: int, key: str, **fields: Any) -> Award:
    return Award(
        member_id=member_id,
        amount=Points(1),
        key=key,
        kind="purchase",
        explanation=WHY,
        occurred_at=NOW,
        **{"expires_at": EXPIRY, **fields},
    )


def _debit(member_id: int, key: str) -> Debit:
    return Debit(member_id=member_id, amount=Points(1), key=key, kind="redemption", explanation=WHY)


def many_lots(first_member: int, members: int, *, expires_in: timedelta) -> None:
    """``LOTS_EACH`` lots for each member, all of which die together."""
    for numbers in batches(members * LOTS_EACH):
        awards = [
            _award(first_member + n // LOTS_EACH, f"lot:{first_member}:{n}", expires_at=NOW + expires_in)
            for n in numbers
        ]
        with transaction():
            actions.award_many(awards, now=NOW)


def timed(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def median_ms(work: Callable[[], Any], repeat: int = 200) -> float:
    def fresh() -> None:
        db.session.rollback()
        work()

    for _ in range(10):
        fresh()
    return 1000 * statistics.median(timed(fresh) for _ in range(repeat))


def reads(small: int, large: int, transfers: int) -> None:
    def balance(member_id: int) -> Any:
        return queries.standing(member_id, now=NOW)

    def first_page(member_id: int) -> Any:
        return history.find(member_id, history.Wanted(), limit=20)

    for name, read in (("balance", balance), ("first page of history", first_page)):
        few, many = median_ms(lambda read=read: read(small)), median_ms(lambda read=read: read(large))
        print(f"{name}: {few:.2f} ms at 100 transfers, {many:.2f} ms at {transfers:,}: × {many / few:.2f}", end=" ")
        print(f"(bar 1.5: {'met' if many / few <= 1.5 else 'MISSED'})")


def expire_all(now: Any) -> int:
    total = 0
    while True:
        with transaction():
            wallets = expire_some(now=now)
        if not wallets:
            return total
        total += wallets


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1_000_000, help="transfers of the large wallet, and lots to expire")
    size = parser.parse_args().size
    with postgres.server() as server:
        enter(postgres.database(server, "jifen"))
        small_lots, large_lots = size // 10, size - size // 10
        members = size // LOTS_EACH
        make_members(members + 10)
        small, large, first = members + 1, members + 2, small_lots // LOTS_EACH
        long_history(small, 100)
        checks("verify", size // 10, lambda: many_lots(1, first, expires_in=timedelta(days=1)))
        checks("verify", size, lambda: many_lots(first + 1, members - first, expires_in=timedelta(days=2)))
        few = timed(lambda: expire_all(NOW + timedelta(days=1)))
        many = timed(lambda: expire_all(NOW + timedelta(days=2)))
        print(f"expiry: {few:.1f} s for {small_lots:,} lots, {many:.1f} s for {large_lots:,}:", end=" ")
        each = (many / large_lots) / (few / small_lots)
        print(f"{1e6 * many / large_lots:.1f} s a million, × {each:.2f} each (bar 60 s a million)")
        long_history(large, size)
        db.session.execute(sa.text("ANALYZE"))
        db.session.commit()
        reads(small, large, size)
        print(f"verify: {'clean' if verify().clean else 'NOT CLEAN'}")
        db.session.remove()
        db.engine.dispose()


def checks(name: str, size: int, fill: Callable[[], None]) -> None:
    took = timed(fill)
    transfers = db.session.scalar(sa.text("SELECT count(*) FROM transfer"))
    db.session.execute(sa.text("ANALYZE"))
    db.session.commit()
    plain, chained = timed(verify), timed(verify_chain)
    db.session.rollback()
    print(f"{name}: {transfers:,} transfers (filled in {took:.0f} s): {plain:.1f} s, --chain {chained:.1f} s")


if __name__ == "__main__":
    main()
