"""Goods come back: spent points go home to their lots, earned points are taken again."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.foundation import terms
from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.foundation.points import Points
from app.loyalty.ledger.erasure import erase_reasons
from app.loyalty.ledger.errors import InsufficientPoints, InvalidAmount, KeyReused, NotReversible, UnknownTransfer
from app.loyalty.ledger.jobs import expire_points
from app.loyalty.ledger.models import Lot, Transfer
from app.loyalty.ledger.terms import LedgerTerms
from tests.conftest import NOON
from tests.loyalty.ledger.conftest import DAY


def lots() -> list[tuple[int, int]]:
    rows = db.session.execute(sa.select(Lot.amount, Lot.remaining).order_by(Lot.id))
    return [(amount, remaining) for amount, remaining in rows]


def test_returned_points_go_home_with_their_own_expiry(alice):
    alice.award(50, expires_at=NOON + 5 * DAY)
    alice.award(50, expires_at=NOON + 9 * DAY)
    alice.spend(70, "order")
    alice.give_back("order", 70)
    assert lots() == [(50, 50), (50, 50)]
    assert alice.available == Points(100)


def test_a_part_comes_back_to_the_lot_that_lives_longest(alice):
    alice.award(50, expires_at=NOON + 5 * DAY)
    alice.award(50, expires_at=NOON + 9 * DAY)
    alice.spend(70, "order")
    alice.give_back("order", 30)
    assert lots() == [(50, 10), (50, 50)]
    alice.give_back("order", 40)
    assert lots() == [(50, 50), (50, 50)]
    with pytest.raises(NotReversible):
        alice.give_back("order", 1)


def test_a_return_is_booked_once(alice):
    alice.award(50)
    alice.spend(40, "order")
    first = alice.give_back("order", 10, "return:1")
    again = alice.give_back("order", 10, "return:1")
    assert (again.transfer_id, again.created) == (first.transfer_id, False)
    with pytest.raises(KeyReused):
        alice.give_back("order", 11, "return:1")
    assert alice.available == Points(20)


def test_points_that_have_expired_meanwhile_come_back_expired(alice):
    alice.award(50, expires_at=NOON + DAY)
    alice.spend(50, "order")
    alice.give_back("order", 50, now=NOON + 2 * DAY)
    assert alice.standing(now=NOON + 2 * DAY).available == Points(0)
    kinds = db.session.scalars(sa.select(Transfer.kind).order_by(Transfer.id)).all()
    assert kinds[-2:] == ["return", "expiry"]


def test_where_the_shop_is_to_blame_they_live_for_a_grace_period(alice):
    alice.award(50, expires_at=NOON + DAY)
    alice.award(50, expires_at=NOON + 9 * DAY)
    alice.spend(80, "order")
    back = NOON + 2 * DAY
    alice.give_back("order", 80, now=back, shop_caused=True)
    assert alice.standing(now=back).available == Points(100)
    grace = db.session.scalars(sa.select(Lot).where(Lot.origin_id.is_not(None))).one()
    assert (grace.amount, grace.expires_at) == (50, back + 30 * DAY)
    expire_points(now=back + 30 * DAY)
    assert alice.standing(now=back + 30 * DAY).available == Points(0)


def test_only_what_was_spent_can_be_given_back(alice):
    alice.award(50, "award")
    alice.hold(10, "hold")
    for key in ("award", "hold"):
        with pytest.raises(NotReversible):
            alice.give_back(key, 5)
    with pytest.raises(UnknownTransfer):
        alice.give_back("nothing", 5)
    alice.spend(10, "order")
    for amount in (0, -1):
        with pytest.raises(InvalidAmount):
            alice.give_back("order", amount)


def test_a_posted_hold_can_be_given_back(alice):
    alice.award(50)
    alice.hold(30, "hold")
    alice.post("hold", "redeem")
    alice.give_back("redeem", 30)
    assert alice.available == Points(50)


def test_an_award_on_its_way_is_reduced_before_anything_else(alice):
    alice.award(10)
    alice.award(100, "earn", pending=True)
    taken = alice.claw_back("earn", 30)
    assert taken.from_on_the_way == Points(30)
    assert (alice.available, alice.standing().on_the_way) == (Points(10), Points(70))
    alice.post("earn", "mature")
    assert alice.available == Points(80)


def test_an_award_on_its_way_that_is_taken_whole_never_arrives(alice):
    alice.award(100, "earn", pending=True)
    alice.claw_back("earn", 40)
    alice.claw_back("earn", 60)
    assert alice.standing().on_the_way == Points(0)
    with pytest.raises(NotReversible):
        alice.claw_back("earn", 1)


def test_available_points_are_taken_and_the_rest_becomes_debt(alice):
    alice.award(100, "earn")
    alice.spend(80)
    taken = alice.claw_back("earn", 100)
    assert (taken.from_balance, taken.as_debt) == (Points(20), Points(80))
    standing = alice.standing()
    assert (standing.available, standing.debt) == (Points(-80), Points(80))
    with pytest.raises(InsufficientPoints):
        alice.spend(1)
    alice.award(100)
    assert alice.available == Points(20)


def test_by_setting_a_clawback_stops_at_zero_and_says_what_it_let_go(alice):
    with transaction():
        terms.change(LedgerTerms, {"clawback": "stop_at_zero"}, by=SYSTEM, now=NOON)
    alice.award(100, "earn")
    alice.spend(100)
    taken = alice.claw_back("earn", 100, "return:1")
    assert (taken.from_balance, taken.as_debt, taken.forgone) == (Points(0), Points(0), Points(100))
    assert alice.claw_back("earn", 100, "return:1") == taken
    assert alice.available == Points(0)


def test_a_clawback_is_booked_once_and_never_beyond_the_award(alice):
    alice.award(100, "earn")
    first = alice.claw_back("earn", 60, "return:1")
    assert alice.claw_back("earn", 60, "return:1") == first
    with pytest.raises(KeyReused):
        alice.claw_back("earn", 61, "return:1")
    with pytest.raises(NotReversible):
        alice.claw_back("earn", 41)
    assert alice.available == Points(40)


def test_a_clawback_takes_the_points_of_that_purchase_first(alice):
    alice.award(50, expires_at=NOON + DAY)
    alice.award(50, "earn", expires_at=NOON + 9 * DAY)
    alice.claw_back("earn", 50)
    assert lots() == [(50, 50), (50, 0)]


def test_points_that_live_for_a_grace_period_still_belong_to_their_purchase(alice):
    alice.award(50, "earn", expires_at=NOON + DAY)
    alice.spend(50, "order")
    alice.award(50, expires_at=NOON + 9 * DAY)
    back = NOON + 2 * DAY
    alice.give_back("order", 50, now=back, shop_caused=True)
    alice.claw_back("earn", 50, now=back)
    assert lots() == [(50, 0), (50, 50), (50, 0)]  # The last one stands in for the first, which had expired.


def test_held_points_are_left_to_their_order_and_pay_the_debt_when_released(alice):
    alice.award(100, "earn")
    alice.hold(100, "hold")
    assert alice.claw_back("earn", 70).as_debt == Points(70)
    assert alice.available == Points(-70)
    alice.void("hold")
    assert (alice.available, alice.standing().debt) == (Points(30), Points(0))


def test_returned_points_pay_off_a_debt_first(alice):
    alice.award(100, "earn")
    alice.spend(100, "order")
    alice.claw_back("earn", 60)
    alice.give_back("order", 100)
    assert (alice.available, alice.standing().debt) == (Points(40), Points(0))


def test_a_mistake_is_taken_back_whole_and_once(alice):
    alice.adjust(100, "mistake")
    first = alice.reverse("mistake", "undo")
    assert alice.reverse("mistake", "undo").transfer_id == first.transfer_id
    with pytest.raises(NotReversible):
        alice.reverse("mistake", "undo again")
    with pytest.raises(NotReversible):
        alice.reverse("undo")
    assert alice.available == Points(0)


def test_a_mistaken_credit_that_was_spent_cannot_simply_be_undone(alice):
    alice.adjust(100, "mistake")
    alice.spend(10)
    with pytest.raises(InsufficientPoints):
        alice.reverse("mistake")
    assert alice.available == Points(90)


def test_a_mistaken_debit_comes_back_even_if_its_points_expired(alice):
    alice.award(100, expires_at=NOON + DAY)
    alice.adjust(-40, "mistake")
    alice.reverse("mistake", now=NOON + 2 * DAY)
    assert alice.standing(now=NOON + 2 * DAY).available == Points(40)


def test_what_came_back_to_a_member_is_no_award_to_claw_back(alice):
    alice.award(50)
    alice.spend(40, "order")
    alice.give_back("order", 40, "return")
    with pytest.raises(NotReversible):
        alice.claw_back("return", 1)
    assert alice.available == Points(50)


@pytest.mark.parametrize("pending", [False, True])
def test_a_credit_is_not_taken_twice_by_a_reversal_and_a_clawback(alice, pending):
    for award in ("one", "two"):
        alice.award(50, award, pending=pending)
        if pending:
            alice.post(award, f"{award}:posted")
    posted = ":posted" if pending else ""
    alice.reverse(f"one{posted}")
    with pytest.raises(NotReversible):
        alice.claw_back("one", 1)
    alice.claw_back("two", 1)
    with pytest.raises(NotReversible):
        alice.reverse(f"two{posted}")
    assert alice.available == Points(49)


def test_what_an_award_lost_on_its_way_does_not_keep_the_rest_from_being_reversed(alice):
    alice.award(50, "award", pending=True)
    alice.claw_back("award", 20)
    alice.post("award", "posted")
    alice.reverse("posted")
    with pytest.raises(NotReversible):
        alice.claw_back("award", 1)
    assert alice.available == Points(0)


def test_goods_come_back_of_somebody_whose_reasons_are_erased(alice):
    alice.award(50, "award")
    first = alice.claw_back("award", 20, "return:1")
    with transaction():
        erase_reasons(member_id=alice.member_id)
    assert alice.claw_back("award", 20, "return:1") == first
    alice.claw_back("award", 30)
    with pytest.raises(NotReversible):
        alice.claw_back("award", 1)
    assert alice.available == Points(0)
