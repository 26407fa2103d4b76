"""The same balances brought by several at the same moment."""

from __future__ import annotations

import sqlalchemy as sa

from app.foundation.database import db, transaction
from app.foundation.points import Growth, Points
from app.loyalty.ledger.models import Transfer, Wallet
from app.loyalty.ledger.verify import verify
from app.loyalty.openings.imports import Opening, Taken
from app.loyalty.openings.rows import Row
from tests.conftest import NOON
from tests.racing import at_once

ROWS = [
    Row(line, f"m{line % 20}@example.com", unit(10), "", None, None, False, f"K-{line}")
    for line, unit in enumerate([Points, Growth] * 20, start=2)
]


def test_imports_of_one_file_at_once_bring_each_balance_once(app):
    def bring(rows):
        with transaction():
            return Opening(create_members=True, now=NOON).take_in(rows)

    answers = at_once(app, [lambda: bring(ROWS), lambda: bring(ROWS[::-1]), lambda: bring(ROWS)])
    total = Taken()
    for answer in answers:
        total.add(answer)
    assert (total.new, total.known, total.errors) == (40, 80, [])
    assert (total.points, total.growth, len(total.created)) == (200, 200, 20)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Transfer)) == 40
    assert db.session.scalar(sa.select(sa.func.sum(Wallet.balance))) == 400
    assert verify().clean
