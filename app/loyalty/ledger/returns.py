"""Taking back: spent points go home to their lots, earned points are clawed back.

In a return of goods, call ``give_back`` for what was spent before ``claw_back`` for what
was earned, so that a clawback finds what the member is entitled to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.foundation.database import any_of, db
from app.foundation.points import UNITS, Quantity
from app.foundation.terms import current
from app.loyalty.ledger import book
from app.loyalty.ledger.book import Booked, LockedWallet, Posting
from app.loyalty.ledger.errors import InsufficientPoints, InvalidAmount, KeyReused, NotReversible, UnknownTransfer
from app.loyalty.ledger.expiry import expired_lots, live_lots
from app.loyalty.ledger.models import Lot, Pending, Transfer
from app.loyalty.ledger.rules import Part, last_parts, spread, without
from app.loyalty.ledger.terms import LedgerTerms
from app.loyalty.ledger.writing import Entry, NewLot, taking


def give_back(
    *,
    spent_key: str,
    amount: Quantity,
    key: str,
    kind: str,
    explanation: dict[str, Any],
    now: datetime,
    shop_caused: bool = False,
) -> Posting:
    """Put points of a debit back into the lots they came from, with their original expiry.

    The points drawn last come back first. Where a lot has expired meanwhile they come back
    expired, unless the shop caused the return: then they live for a grace period. Several
    partial returns of one debit are fine up to its amount; beyond that raises ``NotReversible``.
    """
    spent, wallet = _lock_original(spent_key)
    content = {"amount": amount.value, "reverses_id": spent.id, "kind": kind, "phase": "single"}
    if earlier := _booked_before(key, wallet, spent, content):
        return earlier
    if spent.amount >= 0 or spent.account == "expiry" or not _moved(spent) or amount.ledger != wallet.ledger:
        raise NotReversible(spent_key)
    returned = _sum_reversed(spent)
    if amount.value <= 0:
        raise InvalidAmount(key, amount)
    if returned + amount.value > -spent.amount:
        raise NotReversible(spent_key)
    entry = Entry(_row_against(spent, wallet, amount=amount.value, key=key, kind=kind, why=explanation, now=now))
    parts = last_parts(book.drawn_by([spent.id])[spent.id], skip=returned, take=amount.value)
    _refill(entry, parts, fill=-entry.row["debt_change"], shop_caused=shop_caused, now=now)
    transfer_id = book.write([entry], [wallet])[key]
    book.write(expired_lots([wallet], now=now), [wallet])  # What came back expired goes at once.
    return Posting(transfer_id, key, amount, created=True)


def would_expire(*, spent_key: str, amount: Quantity, now: datetime) -> int:
    """How many of so many points of a debit would come back expired; for previews. Takes no lock."""
    spent = book.booked([spent_key])[spent_key]
    parts = last_parts(book.drawn_by([spent.id])[spent.id], skip=_sum_reversed(spent), take=amount.value)
    found = sa.select(Lot).where(any_of(Lot.id, [part.lot_id for part in parts]))
    expired = {lot.id for lot in db.session.scalars(found) if _expired(lot, now)}
    return sum(part.amount for part in parts if part.lot_id in expired)


def _refill(entry: Entry, parts: Sequence[Part], *, fill: int, shop_caused: bool, now: datetime) -> None:
    """Put ``parts`` back, except that ``fill`` of them pays off the wallet's debt."""
    wanted = [part.lot_id for part in parts]
    # Read anew: the session may hold lots from before a posting of this transaction moved their expiry.
    found = sa.select(Lot).where(any_of(Lot.id, wanted)).execution_options(populate_existing=True)
    lots = {lot.id: lot for lot in db.session.scalars(found)}
    dead = [part for part in parts if shop_caused and _expired(lots[part.lot_id], now)]
    home, rest = without([part for part in parts if part not in dead], fill)
    entry.draws = [Part(part.lot_id, -part.amount) for part in home]
    entry.move(home, remaining=+1)
    grace = now + timedelta(days=current(LedgerTerms).return_grace_days)
    for part in dead:
        lot, paid = lots[part.lot_id], min(rest, part.amount)
        rest -= paid
        stand_in = NewLot(
            origin_id=lot.id,
            unit_id=lot.unit_id,
            amount=part.amount,
            fill=paid,
            earned_at=lot.earned_at,
            expires_at=grace,
        )
        entry.lots.append(stand_in)


def _expired(lot: Lot, now: datetime) -> bool:
    return lot.expires_at is not None and lot.expires_at <= now


@dataclass(frozen=True, slots=True)
class Clawback:
    """What was really taken: off the award on its way, out of the balance, as debt; and what was let go."""

    from_on_the_way: Quantity
    from_balance: Quantity
    as_debt: Quantity
    forgone: Quantity


def claw_back(*, award_key: str, amount: Quantity, key: str, explanation: dict[str, Any], now: datetime) -> Clawback:
    """Take back points that an award brought, or would have brought.

    An award still on its way is reduced. Otherwise available points are taken, those of
    the award's own lot first; what is missing then becomes debt that later earnings fill, or is
    forgone, as the programme's terms say. Several partial clawbacks of one award are fine up
    to its amount; beyond that raises ``NotReversible``.
    """
    awarded, wallet = _lock_original(award_key)
    if earlier := book.booked([key]).get(key):
        if earlier.reverses_id != awarded.id or earlier.explanation.get("wanted") != amount.value:
            raise KeyReused(key)
        return _clawback_of(earlier, wallet)
    is_award = awarded.amount > 0 and awarded.phase in ("single", "pending") and awarded.reverses_id is None
    if not is_award or amount.ledger != wallet.ledger:
        raise NotReversible(award_key)
    if amount.value <= 0:
        raise InvalidAmount(key, amount)
    if _sum_wanted(awarded) + amount.value > awarded.amount:
        raise NotReversible(award_key)
    why = {**explanation, "wanted": amount.value}
    on_the_way = db.session.scalar(sa.select(Pending.amount).where(Pending.transfer_id == awarded.id))
    if on_the_way is not None:
        return _claw_pending(wallet, awarded, on_the_way, amount.value, key=key, why=why, now=now)
    return _claw_balance(wallet, awarded, amount.value, key=key, why=why, now=now)


def _claw_pending(
    wallet: LockedWallet,
    awarded: Booked,
    on_the_way: int,
    wanted: int,
    *,
    key: str,
    why: dict[str, Any],
    now: datetime,
) -> Clawback:
    whole = wanted == on_the_way
    row = _row_against(
        awarded,
        wallet,
        amount=0 if whole else -wanted,
        key=key,
        kind="clawback",
        why=why,
        now=now,
        phase="void" if whole else "reduce",
        pending_id=awarded.id,
    )
    wallet.on_the_way -= wanted
    entry = Entry(row)
    if whole:
        entry.closes = awarded.id
    else:
        entry.reduces = (awarded.id, wanted)
    book.write([entry], [wallet])
    unit = UNITS[wallet.ledger]
    return Clawback(unit(wanted), unit(0), unit(0), unit(0))


def _claw_balance(
    wallet: LockedWallet, awarded: Booked, wanted: int, *, key: str, why: dict[str, Any], now: datetime
) -> Clawback:
    alive, entries = live_lots([wallet], now=now)
    lots = _own_lot_first(awarded, alive[wallet.id])
    taken = min(wanted, sum(free for _, free in lots))
    debt = wanted - taken if current(LedgerTerms).clawback == "negative" else 0
    row = _row_against(
        awarded, wallet, amount=-(taken + debt), key=key, kind="clawback", why=why, now=now, debt_change=debt
    )
    book.write([*entries, taking(row, spread(taken, lots))], [wallet])
    unit = UNITS[wallet.ledger]
    return Clawback(unit(0), unit(taken), unit(debt), unit(wanted - taken - debt))


def _own_lot_first(awarded: Booked, lots: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Its own are what the award itself, or the transfer that posted it, opened, and what stands in for that."""
    own = set(db.session.scalars(sa.select(Lot.id).where(Lot.transfer_id.in_(_award_and_post(awarded)))))
    first = _first_lots([lot_id for lot_id, _ in lots])
    return sorted(lots, key=lambda lot: first[lot[0]] not in own)  # sorted() keeps the drawing order of the rest


def _award_and_post(awarded: Booked) -> sa.Select[int]:
    """The ids of the award itself and, where it was pending, of the transfer that posted it."""
    posted = sa.and_(Transfer.pending_id == awarded.id, Transfer.phase == "post")
    return sa.select(Transfer.id).where(sa.or_(Transfer.id == awarded.id, posted))


def _first_lots(lot_ids: Sequence[int]) -> dict[int, int]:
    """Each lot → itself, or where it stands in for an expired one after a return: the first one of that chain."""
    first = {lot_id: lot_id for lot_id in lot_ids}
    origins = sa.select(Lot.id, Lot.origin_id)
    while rows := db.session.execute(origins.where(Lot.id.in_(set(first.values())), Lot.origin_id.is_not(None))).all():
        found: dict[int, int] = {lot_id: origin_id for lot_id, origin_id in rows if origin_id is not None}
        first = {lot_id: found.get(now_at, now_at) for lot_id, now_at in first.items()}
    return first


def _clawback_of(transfer: Booked, wallet: LockedWallet) -> Clawback:
    unit, wanted = UNITS[wallet.ledger], int(transfer.explanation["wanted"])
    if transfer.pending_id is not None:
        return Clawback(unit(wanted), unit(0), unit(0), unit(0))
    taken = -transfer.amount - transfer.debt_change
    return Clawback(unit(0), unit(taken), unit(transfer.debt_change), unit(wanted + transfer.amount))


def reverse(*, original_key: str, key: str, explanation: dict[str, Any], now: datetime) -> Posting:
    """Take a whole transfer back, as if it had been a mistake.

    A debit is given back as by the shop's fault; a credit is taken back only if it is still
    there (``InsufficientPoints`` otherwise). A reversal is not reversed: ``NotReversible``.
    """
    original, wallet = _lock_original(original_key)
    unit = UNITS[wallet.ledger]
    if original.reverses_id is not None or original.phase == "pending":
        raise NotReversible(original_key)
    if original.amount < 0:
        amount = unit(-original.amount)
        return give_back(
            spent_key=original_key,
            amount=amount,
            key=key,
            kind="reversal",
            explanation=explanation,
            now=now,
            shop_caused=True,
        )
    content = {"amount": -original.amount, "reverses_id": original.id, "kind": "reversal", "phase": "single"}
    if earlier := _booked_before(key, wallet, original, content):
        return earlier
    if _taken_back(original):
        raise NotReversible(original_key)
    alive, entries = live_lots([wallet], now=now)
    if original.amount > wallet.available:
        raise InsufficientPoints(needed=unit(original.amount), available=unit(max(wallet.available, 0)))
    row = _row_against(original, wallet, amount=-original.amount, key=key, kind="reversal", why=explanation, now=now)
    parts = spread(original.amount, _own_lot_first(original, alive[wallet.id]))
    transfer_id = book.write([*entries, taking(row, parts)], [wallet])[key]
    return Posting(transfer_id, key, unit(-original.amount), created=True)


def _row_against(
    original: Booked,
    wallet: LockedWallet,
    *,
    amount: int,
    key: str,
    kind: str,
    why: dict[str, Any],
    now: datetime,
    **more: Any,
) -> dict[str, Any]:
    """The line that takes something of ``original`` back: on the same account of the same unit, and naming it."""
    return book.transfer_row(
        wallet,
        amount=amount,
        key=key,
        account=original.account,
        kind=kind,
        unit_id=original.unit_id,
        explanation=why,
        occurred_at=now,
        now=now,
        reverses_id=original.id,
        **more,
    )


def _lock_original(key: str) -> tuple[Booked, LockedWallet]:
    """The transfer to be taken back, and its wallet, locked. Raises ``UnknownTransfer``."""
    original = book.booked([key]).get(key)
    if original is None:
        raise UnknownTransfer(key)
    return original, book.lock_wallets_by_id([original.wallet_id])[original.wallet_id]


def _booked_before(key: str, wallet: LockedWallet, original: Booked, content: dict[str, Any]) -> Posting | None:
    earlier = book.booked([key]).get(key)
    if earlier is None:
        return None
    whole = {"wallet_id": wallet.id, "account": original.account, "unit_id": original.unit_id, **content}
    book.same_or_refuse(earlier, whole)
    return book.posting_of(earlier, wallet.ledger)


def _moved(transfer: Booked) -> bool:
    return transfer.phase in ("single", "post") and transfer.reverses_id is None


def _sum_reversed(original: Booked) -> int:
    """How much of a transfer has been taken back so far."""
    total = sa.select(sa.func.coalesce(sa.func.sum(Transfer.amount), 0)).where(Transfer.reverses_id == original.id)
    return abs(int(db.session.scalar(total) or 0))


def _taken_back(credit: Booked) -> bool:
    """Has anybody taken of a credit before? What an award lost while it was on the way is not in it any more."""
    whole = (credit.id, credit.pending_id or credit.id)
    return bool(
        db.session.scalar(sa.select(sa.exists().where(Transfer.reverses_id.in_(whole), Transfer.phase == "single")))
    )


def _sum_wanted(awarded: Booked) -> int:
    """How much of an award earlier clawbacks asked for, whether or not they got it, and how much was reversed."""
    earlier = db.session.scalars(sa.select(Transfer).where(Transfer.reverses_id.in_(_award_and_post(awarded))))
    return sum(int(each.explanation["wanted"]) if each.kind == "clawback" else -each.amount for each in earlier)
