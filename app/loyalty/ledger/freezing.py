"""Freezing a wallet: it goes on receiving, but nothing is spent from it until somebody lifts the freeze.

Only the points wallet is frozen: growth counts for status and is never spent. What was spent
before stays spent: a hold of an order that waits for its payment is posted or released as ever, and
expiry, returns and corrections by staff go on as well.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from app.foundation.database import LockOrder, db, lock
from app.foundation.points import Points
from app.loyalty.ledger.errors import NoWallet
from app.loyalty.ledger.models import Wallet


def freeze(*, member_id: int, reason: str, now: datetime) -> bool:
    """``False`` where it was frozen before: then it stays so, since then and for that reason. Raises ``NoWallet``."""
    wallet = _locked(member_id)
    if wallet.frozen_at is not None:
        return False
    wallet.frozen_at, wallet.frozen_reason = now, reason
    return True


def unfreeze(*, member_id: int) -> bool:
    """``False`` where it was not frozen. Raises ``NoWallet``."""
    wallet = _locked(member_id)
    if wallet.frozen_at is None:
        return False
    wallet.frozen_at = wallet.frozen_reason = None
    return True


def _locked(member_id: int) -> Wallet:
    """Whoever spends holds this lock too, so a purchase comes wholly before the freeze or is refused."""
    own = sa.select(Wallet).where(Wallet.member_id == member_id, Wallet.ledger == Points.ledger)
    wallet = db.session.scalar(lock(LockOrder.WALLET, own))
    if wallet is None:
        raise NoWallet(member_id)
    return wallet
