"""What was bought comes back: at the next review, or at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.foundation import terms
from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.loyalty.earning.returns import return_purchase
from app.loyalty.ledger import queries as ledger
from app.loyalty.tiers.models import Membership
from app.loyalty.tiers.queries import progress
from app.loyalty.tiers.terms import TierTerms
from tests.factories import buy, make_member
from tests.loyalty.tiers.climbing import earn, latest, on, put_on, reasons, review, tier

JUNE_10 = on(2026, 6, 10)


@pytest.fixture
def lin(app):
    return make_member(at=on(2026, 1, 1))


def send_back(order_no="1", *, return_no="R1", at=JUNE_10 + timedelta(days=2), **more):
    with transaction():
        return return_purchase(unit_code="mall", order_no=order_no, return_no=return_no, now=at, **more)


@pytest.fixture
def at_once(app):
    with transaction():
        terms.change(TierTerms, {"returns": "at_once"}, by=SYSTEM, now=JUNE_10)


def test_two_tiers_by_one_purchase_that_comes_back_are_lost_at_the_reviews_step_by_step(lin, mall):
    buy(lin, 6_000_00, unit=mall, at=JUNE_10)
    assert tier(lin) == "gold"
    send_back()
    assert tier(lin) == "gold"
    found = []
    for month in (7, 8, 9):
        review(on(2026, month, 3))
        found.append(tier(lin))
    assert found == ["silver", "regular", "regular"]
    assert reasons(lin)[:3] == ["return", "return", "upgrade"]
    assert latest(lin).evidence["conditions"][0] == {"metric": "spend", "at_least": 500_00, "reached": 0}


def test_or_at_once_if_the_terms_say_so(lin, mall, at_once):
    buy(lin, 6_000_00, unit=mall, at=JUNE_10)
    send_back()
    assert tier(lin) == "regular"
    assert reasons(lin)[:2] == ["return", "upgrade"]


@pytest.mark.parametrize("when", ["review", "at_once"])
def test_who_reaches_the_tier_without_what_came_back_stays(lin, mall, when):
    with transaction():
        terms.change(TierTerms, {"returns": when}, by=SYSTEM, now=JUNE_10)
    buy(lin, 600_00, unit=mall, at=JUNE_10)
    buy(lin, 5_000_00, unit=mall, order_no="2", at=JUNE_10)
    send_back("2")
    review(on(2026, 7, 3))
    review(on(2026, 8, 3))
    assert tier(lin) == "silver"
    assert not db.session.get(Membership, lin).recheck


def test_a_return_takes_nobody_below_where_their_climb_began(lin, mall, at_once):
    """Silver, kept for long without reaching it anew; Gold by one purchase, and back."""
    buy(lin, 500_00, unit=mall, at=on(2024, 5, 10))
    review(on(2026, 6, 3))  # Whatever it says, the next line sets the scene.
    put_on("silver", lin, since=on(2024, 5, 10))
    with transaction() as session:
        session.query(Membership).filter_by(member_id=lin).update({"counts_from": None})
    history_floor(lin, "silver")
    buy(lin, 6_000_00, unit=mall, order_no="2", at=JUNE_10)
    assert tier(lin) == "gold"
    send_back("2")
    assert tier(lin) == "silver"


def history_floor(member_id, code):
    """A step of history that is no upgrade: here the member stood before."""
    from app.loyalty.tiers.ladder import Move, remember
    from app.loyalty.tiers.queries import ladder

    with transaction():
        tier_id = next(each.id for each in ladder() if each.code == code)
        remember([Move(member_id, tier_id, tier_id, "review")], now=on(2026, 6, 5))


def test_points_earned_and_money_spent_both_go_and_a_returned_purchase_is_none(lin, mall):
    buy(lin, 400_00, unit=mall, at=JUNE_10)
    assert send_back().value == 400
    reached = [each.reached for each in progress(lin, now=JUNE_10 + timedelta(days=3)).conditions]
    assert reached == [0, 0]


def test_what_comes_back_after_the_month_counts_against_the_month_it_was_earned_in(lin, mall):
    put_on("silver", lin, since=on(2025, 1, 1))
    buy(lin, 400_00, unit=mall, at=on(2026, 5, 31))
    send_back(at=on(2026, 6, 2))
    review(on(2026, 6, 3))
    assert tier(lin) == "regular"


def test_a_later_return_does_not_eat_what_this_month_earned(lin, mall):
    buy(lin, 400_00, unit=mall, at=on(2026, 1, 10))
    put_on("silver", lin, since=on(2025, 1, 1))
    buy(lin, 300_00, unit=mall, order_no="2", at=on(2026, 4, 10))
    send_back(at=on(2026, 5, 2))
    review(on(2026, 6, 3))
    assert tier(lin) == "silver"


def test_lines_that_come_back_one_by_one_sum_exactly(lin, mall):
    earned = buy(lin, 111_11, 111_11, 111_11, unit=mall, at=JUNE_10)
    assert earned == 333
    back = [
        send_back(return_no=f"R{place}", amounts={place: 111_11}, at=JUNE_10 + timedelta(days=place)).value
        for place in (1, 2, 3)
    ]
    assert sum(back) == 333
    assert ledger.standing(lin, now=JUNE_10 + timedelta(days=5)).available.value == 0


def test_the_same_return_told_twice_counts_once(lin, mall):
    buy(lin, 100_00, unit=mall, at=JUNE_10)
    assert [send_back(amounts={1: 40_00}).value for _ in range(2)] == [40, 40]
    assert progress(lin, now=JUNE_10 + timedelta(days=3)).conditions[0].reached == 60_00


def test_more_than_was_bought_does_not_come_back(lin, mall):
    from app.foundation.errors import InvalidInput, NotFound

    buy(lin, 100_00, unit=mall, at=JUNE_10)
    send_back(amounts={1: 60_00})
    for amounts in ({1: 40_01}, {2: 1}, {1: -5}, {}):
        with pytest.raises(InvalidInput):
            send_back(return_no="R2", amounts=amounts)
    with pytest.raises(NotFound):
        send_back("unknown")
    assert progress(lin, now=JUNE_10 + timedelta(days=3)).conditions[0].reached == 40_00


def test_whoever_keeps_the_tier_by_the_last_months_does_not_lose_it_by_a_return(lin, mall):
    put_on("silver", lin, since=on(2025, 1, 1))
    with transaction() as session:
        session.query(Membership).filter_by(member_id=lin).update({"counts_from": on(2026, 6, 1)})
    buy(lin, 300_00, unit=mall, at=on(2026, 5, 10))
    buy(lin, 50_00, unit=mall, order_no="2", at=JUNE_10)
    earn(lin, 10, at=JUNE_10, key="e")
    send_back("2")
    review(on(2026, 7, 3))
    assert tier(lin) == "silver"
