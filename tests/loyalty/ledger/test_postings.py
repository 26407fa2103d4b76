"""Awards, spending and corrections: what moves, and what does not."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from app.foundation.database import db, transaction
from app.foundation.points import LIMIT, Growth, Points
from app.loyalty.ledger import actions
from app.loyalty.ledger.actions import Award, Correction, Debit, adjust_many, debit_many
from app.loyalty.ledger.errors import (
    InsufficientPoints,
    InvalidAmount,
    InvalidMoment,
    InvalidText,
    KeyReused,
    NoWallet,
    WalletFrozen,
)
from app.loyalty.ledger.freezing import freeze
from app.loyalty.ledger.models import Lot, Transfer, Wallet
from app.loyalty.ledger.queries import house_balances, open_lots
from tests.conftest import NOON
from tests.loyalty.ledger.conftest import DAY, WHY, Teller


def count(model) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(model))


def test_an_award_can_be_spent(alice):
    alice.award(100)
    alice.spend(30)
    assert alice.available == Points(70)


def test_the_house_gives_what_the_wallet_gains(alice):
    alice.award(100)
    alice.spend(30)
    assert {(each.account, each.balance) for each in house_balances()} == {("issuance", -100), ("redemption", 30)}


def test_the_same_key_awards_once(alice):
    first = alice.award(100, "purchase:1")
    again = alice.award(100, "purchase:1")
    assert (again.transfer_id, again.created) == (first.transfer_id, False)
    assert alice.available == Points(100)
    assert count(Lot) == 1


def test_the_same_key_spends_once(alice):
    alice.award(100)
    for _ in range(2):
        alice.spend(60, "order:1")
    assert alice.available == Points(40)


def test_a_key_does_not_come_back_with_other_content(alice, bob):
    alice.award(100, "purchase:1")
    with pytest.raises(KeyReused):
        alice.award(101, "purchase:1")
    with pytest.raises(KeyReused):
        alice.spend(100, "purchase:1")
    with pytest.raises(KeyReused):
        bob.award(100, "purchase:1")
    assert (alice.available, bob.available) == (Points(100), Points(0))


def test_spending_more_than_is_there_is_refused_with_the_figures(alice):
    alice.award(100)
    with pytest.raises(InsufficientPoints, match=r"150 .* 100 .* 50") as refused:
        alice.spend(150)
    assert refused.value.lacking == Points(50)
    assert alice.available == Points(100)
    assert count(Transfer) == 1


@pytest.mark.parametrize("amount", [0, -5])
def test_only_positive_amounts_are_awarded_or_spent(alice, amount):
    with pytest.raises(InvalidAmount):
        alice.award(amount)
    with pytest.raises(InvalidAmount):
        alice.spend(amount)
    assert count(Transfer) == 0


def test_an_amount_beyond_the_ledger_is_refused():
    with pytest.raises(ValueError, match="beyond"):
        Points(2**63)


def test_a_member_without_a_wallet_is_named(app):
    with pytest.raises(NoWallet), transaction():
        actions.award(
            member_id=4711, amount=Points(1), key="k", kind="purchase", explanation=WHY, occurred_at=NOON, now=NOON
        )


def test_points_and_growth_are_kept_apart(alice):
    alice.award(100)
    alice.award(Growth(40))
    wallets = dict(db.session.execute(sa.select(Wallet.ledger, Wallet.balance)).all())
    assert wallets == {"points": 100, "growth": 40}
    with pytest.raises(InsufficientPoints):
        alice.spend(140)


def test_the_soonest_expiring_lot_is_drawn_first(alice):
    alice.award(50, at=NOON - 40 * DAY)
    alice.award(50, expires_at=NOON + DAY)
    alice.award(50, expires_at=None, at=NOON - 90 * DAY)
    alice.spend(70)
    left = db.session.scalars(sa.select(Lot.remaining).order_by(Lot.id)).all()
    assert left == [30, 0, 50]


def test_a_frozen_wallet_receives_but_does_not_spend(alice):
    alice.award(100)
    with transaction() as session:
        session.execute(sa.update(Wallet).values(frozen_at=NOON))
    alice.award(5)
    with pytest.raises(WalletFrozen):
        alice.spend(1)
    with pytest.raises(WalletFrozen):
        alice.hold(1)
    alice.adjust(-5)
    assert alice.available == Points(100)


def test_a_correction_goes_both_ways_and_never_below_zero(alice):
    alice.adjust(20)
    alice.adjust(-15)
    with pytest.raises(InsufficientPoints):
        alice.adjust(-6)
    assert alice.available == Points(5)


def test_many_wallets_are_credited_in_one_batch(alice, bob):
    def batch():
        with transaction():
            return actions.award_many(
                [
                    Award(
                        member_id=member.member_id,
                        amount=Points(n),
                        key=f"purchase:{member.member_id}:{n}",
                        kind="purchase",
                        explanation=WHY,
                        occurred_at=NOON,
                    )
                    for member in (bob, alice)
                    for n in (1, 2, 3)
                ],
                now=NOON,
            )

    assert all(posting.created for posting in batch())
    assert not any(posting.created for posting in batch())
    assert (alice.available, bob.available) == (Points(6), Points(6))
    after = db.session.scalars(sa.select(Transfer.balance_after).order_by(Transfer.wallet_id, Transfer.sequence))
    assert list(after) == [1, 3, 6, 1, 3, 6]


def test_one_key_twice_in_a_batch_is_refused_whole(alice):
    award = Award(
        member_id=alice.member_id, amount=Points(1), key="k", kind="purchase", explanation=WHY, occurred_at=NOON
    )
    with pytest.raises(KeyReused), transaction():
        actions.award_many([award, award], now=NOON)
    assert count(Transfer) == 0


def test_the_database_refuses_a_balance_below_zero(alice):
    """The last line: even code that forgets to look cannot take more than there is."""
    alice.award(10)
    with pytest.raises(sa.exc.IntegrityError), transaction() as session:
        session.execute(sa.update(Wallet).values(balance=Wallet.balance - 11))


def test_a_new_award_pays_off_a_debt_first(alice):
    alice.award(30, "earn")
    alice.spend(30)
    alice.claw_back("earn", 30)
    alice.award(50)
    assert alice.available == Points(20)
    assert db.session.scalars(sa.select(Lot.remaining).order_by(Lot.id)).all() == [0, 20]
    alice.spend(20)


# --- many at once ---------------------------------------------------------------------------


def debit(teller: Teller, amount: int, key: str, **fields: Any) -> Debit:
    return Debit(
        member_id=teller.member_id, amount=Points(amount), key=key, kind="redemption", explanation=WHY, **fields
    )


def correction(teller: Teller, amount: int, key: str) -> Correction:
    return Correction(member_id=teller.member_id, amount=Points(amount), key=key, explanation=WHY)


def test_many_debits_draw_as_if_they_came_one_by_one(alice, bob):
    for teller in (alice, bob):
        teller.award(30, expires_at=NOON + DAY)
        teller.award(30, expires_at=NOON + 9 * DAY)
    with transaction():
        debit_many([debit(alice, 20, "a"), debit(bob, 1, "b"), debit(alice, 25, "c", pending=True)], now=NOON)
    bob.spend(19)
    alice.spend(10)
    assert alice.standing().held == Points(25)
    assert [lot.remaining.value for lot in open_lots(alice.member_id)] == [10, 20], "10 and 15 of them are set aside"
    assert [lot.remaining.value for lot in open_lots(bob.member_id)] == [10, 30]


def test_many_debits_happen_all_or_not_at_all(alice, bob):
    alice.award(30)
    bob.award(5)
    with pytest.raises(InsufficientPoints), transaction():
        debit_many([debit(alice, 20, "a"), debit(bob, 6, "b")], now=NOON)
    assert (alice.available, bob.available) == (Points(30), Points(5))


def test_two_debits_of_one_batch_cannot_spend_the_same_points(alice):
    alice.award(30)
    with pytest.raises(InsufficientPoints), transaction():
        debit_many([debit(alice, 20, "a"), debit(alice, 20, "b")], now=NOON)


def test_many_debits_come_again_and_move_nothing(alice, bob):
    alice.award(20)
    bob.award(20)
    for created in (True, False):
        with transaction():
            postings = debit_many([debit(alice, 20, "a"), debit(bob, 20, "b")], now=NOON)
        assert [posting.created for posting in postings] == [created, created]


def test_a_frozen_wallet_stops_the_whole_batch(alice, bob):
    alice.award(20)
    bob.award(20)
    with transaction():
        freeze(member_id=bob.member_id, reason="lost", now=NOON)
    with pytest.raises(WalletFrozen), transaction():
        debit_many([debit(alice, 1, "a"), debit(bob, 1, "b")], now=NOON)
    assert alice.available == Points(20)


def test_many_corrections_up_and_down_by_one_call(alice, bob):
    alice.award(20)
    with transaction():
        postings = adjust_many([correction(alice, -5, "a"), correction(bob, 7, "b")], now=NOON)
    assert [posting.amount for posting in postings] == [Points(-5), Points(7)]
    assert (alice.available, bob.available) == (Points(15), Points(7))


def test_a_correction_by_nothing_is_refused(alice):
    with pytest.raises(InvalidAmount), transaction():
        adjust_many([correction(alice, 0, "a")], now=NOON)


def test_a_repeated_spend_is_answered_when_the_points_are_gone(alice):
    alice.award(20)
    assert alice.spend(20, "order:1").created
    assert not alice.spend(20, "order:1").created
    with pytest.raises(KeyReused):
        alice.spend(19, "order:1")


# --- what makes no sense ----------------------------------------------------------------------


@pytest.mark.parametrize("days", [-37_000, 400])
def test_a_fact_a_lifetime_away_is_refused(alice, days):
    with pytest.raises(InvalidMoment):
        alice.award(5, at=NOON + days * DAY)
    assert alice.available == Points(0)


def test_a_balance_never_grows_beyond_what_a_ledger_can_hold(alice):
    alice.award(LIMIT, expires_at=None)
    with pytest.raises(InvalidAmount):
        alice.award(1, expires_at=None)
    assert alice.available == Points(LIMIT)


def test_points_on_the_way_never_grow_beyond_it_either(alice):
    alice.award(LIMIT, expires_at=None, pending=True)
    with pytest.raises(InvalidAmount):
        alice.award(1, expires_at=None, pending=True)


@pytest.mark.parametrize("text", ["a\0b", "half a \ud83c"])
def test_a_text_that_no_database_can_keep_is_refused(alice, text):
    alice.award(5)
    with pytest.raises(InvalidText):
        alice.award(5, f"award:{text}")
    with pytest.raises(InvalidText), transaction():
        actions.spend(
            member_id=alice.member_id,
            amount=Points(1),
            key="spend",
            kind="redemption",
            explanation={"code": "x", "note": text},
            now=NOON,
        )
    assert count(Transfer) == 1


def test_a_backslash_is_only_a_backslash(alice):
    assert alice.award(5, r"typed \u0000, and \\u0000").created


def test_a_key_that_is_too_long_is_refused_also_when_its_deadline_would_make_it_so(alice):
    assert alice.award(5, "k" * 160).created
    with pytest.raises(InvalidText):
        alice.award(5, "k" * 161)
    with pytest.raises(InvalidText):
        alice.award(5, "p" * 152, pending=True)
    assert alice.award(5, "p" * 151, pending=True).created
