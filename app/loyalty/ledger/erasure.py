"""What the books forget about a person, and what they keep.

An explanation can hold what staff or the member wrote. Its text goes; the hash by which the chain committed to
it stays in its place, so every digest, checkpoint and receipt remains valid. How much a clawback asked for stays,
too: a figure says no more about the person than the amount beside it, and the next clawback counts on from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from app.foundation.database import db, table_of
from app.loyalty.ledger.chain import ERASED, reason_hash, salt_of
from app.loyalty.ledger.models import Transfer, Wallet

BATCH = 1_000


def erase_reasons(*, member_id: int) -> int:
    """Replace the explanations of all transfers of this member by their hashes. Returns how many were replaced."""
    table, total, after = table_of(Transfer), 0, 0
    change = sa.update(table).where(table.c.id == sa.bindparam("transfer")).values(explanation=sa.bindparam("left"))
    wanted = (
        sa.select(Transfer.id, Transfer.sequence, Transfer.explanation, Wallet.secret)
        .join(Wallet, Wallet.id == Transfer.wallet_id)
        .where(Wallet.member_id == member_id)
        .order_by(Transfer.id)
        .limit(BATCH)
    )
    while rows := db.session.execute(wanted.where(Transfer.id > after)).all():
        left = [
            {"transfer": row.id, "left": {"code": ERASED, "digest": digest, "steps": [], **_figures(row.explanation)}}
            for row in rows
            if row.explanation.get("code") != ERASED
            for digest in [reason_hash(salt_of(row.secret, row.sequence), row.explanation)]
        ]
        if left:
            db.session.connection().execute(change, left)
        total, after = total + len(left), rows[-1].id
    db.session.expire_all()
    return total


def _figures(explanation: Mapping[str, Any]) -> dict[str, int]:
    return {"wanted": int(explanation["wanted"])} if "wanted" in explanation else {}
