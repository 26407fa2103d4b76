"""A house with people in it is rebuilt: what was booked before there were chains is chained, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import downgrade, upgrade

from app.foundation.database import db
from app.foundation.points import Points
from app.foundation.terms import at, current, editions, forget
from app.loyalty.earning.terms import EarningTerms
from app.loyalty.ledger.queries import standing
from app.loyalty.ledger.terms import LedgerTerms
from app.loyalty.ledger.verify import verify
from app.loyalty.ledger.verify_chain import verify_chain
from app.loyalty.purchases.terms import PurchaseTerms
from tests.conftest import NOON
from tests.loyalty.ledger.conftest import Teller

MOMENT = NOON.replace(tzinfo=None)


@pytest.fixture
def first_house(app: Flask) -> Iterator[None]:
    """The tables of the first version; whatever happens, the test leaves those of today."""
    downgrade(revision="0001house")
    try:
        yield
    finally:
        db.session.rollback()
        upgrade()


def insert(table: str, **values: Any) -> None:
    known = sa.Table(table, sa.MetaData(), autoload_with=db.session.connection())
    moments = {column.name for column in known.columns if isinstance(column.type, sa.DateTime)}
    moment = NOON if db.engine.dialect.name == "postgresql" else MOMENT
    db.session.execute(known.insert().values({name: moment if name in moments else v for name, v in values.items()}))


def transfer(number: int, amount: int, balance: int, **more: Any) -> None:
    row = {
        "account": "issuance",
        "phase": "single",
        "kind": "purchase",
        "explanation": {"code": "opening", "steps": []},
    }
    times = {"occurred_at": None, "recorded_at": None}
    figures = {"amount": amount, "balance_after": balance, "debt_change": 0, "sequence": number, "key": f"old:{number}"}
    insert("transfer", id=number, wallet_id=1, **row | times | figures | more)


def test_what_was_booked_before_there_were_chains_is_chained(first_house):
    insert("member", id=1, code="OLD", name="Olga", gender="", session_epoch=0, created_at=None)
    insert("wallet", id=1, member_id=1, ledger="points", balance=70, held=0, on_the_way=0, debt=0, sequence=2)
    insert("wallet", id=2, member_id=1, ledger="growth", balance=0, held=0, on_the_way=0, debt=0, sequence=0)
    transfer(1, 100, 100)
    insert("lot", id=1, transfer_id=1, wallet_id=1, amount=100, remaining=70, held=0, earned_at=None)
    transfer(2, -30, 70, account="redemption", kind="redemption")
    insert("lot_draw", transfer_id=2, lot_id=1, amount=30)
    db.session.commit()
    upgrade()
    assert standing(1, now=NOON).available == Points(70)
    assert verify().findings == []
    assert verify_chain().findings == []
    if db.engine.dialect.name == "postgresql":  # The numbers given by hand are not the sequence's.
        for table in ("wallet", "transfer", "lot"):
            db.session.execute(sa.text(f"SELECT setval('{table}_id_seq', 100)"))
        db.session.commit()
    Teller(1).spend(70)
    assert verify().findings == []
    assert verify_chain().findings == []


def test_what_an_owner_had_decided_still_holds(first_house):
    """Terms and rules become versions: the numbers that explanations name stay, the first holds from the beginning."""
    week = timedelta(days=7)
    insert("terms", domain="ledger", values={"expiring_soon_days": 30}, updated_at=None)
    insert("terms", domain="earning", values={"largest_line": 500}, updated_at=None)
    insert("earning_rule", id=1, kind="joining", version=1, starts_at=None, terms={"points": 20})
    insert("earning_rule", id=2, kind="purchase", version=1, starts_at=None, terms={"rate": "1"})
    db.session.commit()
    rules = sa.Table("earning_rule", sa.MetaData(), autoload_with=db.session.connection())
    later = NOON + week if db.engine.dialect.name == "postgresql" else MOMENT + week
    db.session.execute(rules.insert().values(id=3, kind="purchase", version=2, starts_at=later, terms={"rate": "2"}))
    db.session.commit()
    upgrade()
    assert current(LedgerTerms).expiring_soon_days == 30
    assert current(PurchaseTerms).largest_line == 500
    assert [(each.version, each.terms.rate) for each in editions(EarningTerms)] == [(1, "1"), (2, "2")]
    assert [at(EarningTerms, NOON + week * weeks).version for weeks in (-9, 0, 1)] == [1, 1, 2]
    assert at(EarningTerms, NOON).terms.by_kind["joining"].points == 20
    db.session.rollback()
    downgrade(revision="0006tiers")
    upgrade()
    forget()
    assert current(LedgerTerms).expiring_soon_days == 30
    assert [(each.version, each.terms.rate) for each in editions(EarningTerms)] == [(1, "1"), (2, "2")]
