"""Make-up cards: bought with points for a missed day of this month. The day counts, and nothing is paid twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.engagement.checkin import queries
from app.engagement.checkin.actions import check_in, make_up
from app.engagement.checkin.errors import CannotMakeUp, CardPriceChanged, NoCardLeft
from app.engagement.checkin.models import CheckIn
from app.engagement.checkin.terms import CheckinTerms
from app.foundation import terms
from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.foundation.points import Points
from app.loyalty.ledger.actions import InsufficientPoints
from app.loyalty.ledger.errors import WalletFrozen
from app.loyalty.ledger.explanations import explain
from app.loyalty.ledger.models import Transfer, Wallet
from app.loyalty.ledger.queries import standing
from tests.conftest import NOON
from tests.factories import make_member

DAY = timedelta(days=1)
TODAY = date(2026, 6, 15)
LONG_AGO = date(2026, 1, 1)
CARD = Points(50)


@pytest.fixture
def alice(app):
    """She has 200 points and came by on June 9, 10, 11 and 13, 14."""
    member = make_member(name="Alice Lin", at=NOON - 150 * DAY, points=200)
    for day in (9, 10, 11, 13, 14):
        come_by(member, NOON.replace(day=day))
    return member


def come_by(member, moment):
    with transaction():
        return check_in(member_id=member, now=moment)


def buy(member, day, *, since=LONG_AGO, price=CARD, now=NOON):
    with transaction():
        return make_up(member_id=member, day=day, since=since, price=price, now=now)


def set_terms(**values):
    with transaction():
        terms.change(CheckinTerms, values, by=SYSTEM, now=NOON)


def available(member, now=NOON):
    return int(standing(member, now=now).available)


def rows():
    return db.session.scalar(sa.select(sa.func.count()).select_from(CheckIn))


def cards():
    return list(db.session.scalars(sa.select(CheckIn.card).where(CheckIn.card.is_not(None)).order_by(CheckIn.card)))


def test_a_made_up_day_joins_two_streaks_and_pays_nothing(alice):
    before = available(alice)
    made = buy(alice, date(2026, 6, 12))
    assert (made.streak, made.created) == (6, True)
    assert queries.streak(alice, today=TODAY) == 6
    assert available(alice) == before - 50
    assert cards() == ["2026-06/1"]


def test_it_is_an_ordinary_purchase_that_says_why(alice):
    buy(alice, date(2026, 6, 12))
    transfer = db.session.scalars(sa.select(Transfer).where(Transfer.kind == "make_up_card")).one()
    assert (transfer.account, transfer.amount) == ("redemption", -50)
    assert transfer.key == f"make_up_card:{alice}:2026-06-12"
    assert explain(transfer.explanation) == [
        "A make-up card for June 12, 2026.",
        "Card 1 of 2 in that month.",
        "The day counts for the streak; it pays no points.",
    ]


def test_days_that_were_paid_stay_as_they_are_and_the_next_one_pays_for_the_longer_streak(alice):
    """June 13 and 14 would have been day 5 and 6 of the streak; what they paid is not looked at again."""
    buy(alice, date(2026, 6, 12))
    assert [queries.days_of(alice)[date(2026, 6, day)] for day in (11, 12, 13, 14)] == [5, 0, 5, 5]
    today = come_by(alice, NOON)
    assert (today.streak, today.points) == (7, Points(10))
    transfer = db.session.scalars(sa.select(Transfer).order_by(Transfer.id.desc()).limit(1)).one()
    assert explain(transfer.explanation)[:3] == [
        "Checked in 7 days in a row.",
        "One of these days was made up with a card.",
        "That is day 7 of a cycle of 7.",
    ]


def test_a_bonus_that_the_longer_streak_would_have_brought_is_not_paid_afterwards(alice):
    come_by(alice, NOON)  # Day 3 of her streak; with June 12 it would have been day 7.
    before = available(alice)
    assert buy(alice, date(2026, 6, 12)).streak == 7
    assert available(alice) == before - 50
    assert queries.days_of(alice)[TODAY] == 5


def test_the_same_day_twice_is_paid_once_whatever_it_costs_by_then(alice):
    buy(alice, date(2026, 6, 12))
    before = available(alice)
    set_terms(card_price=70)
    second = buy(alice, date(2026, 6, 12))
    assert (second.created, second.streak) == (False, 6)
    assert available(alice) == before
    assert cards() == ["2026-06/1"]


def test_a_day_that_was_checked_in_needs_no_card(alice):
    before = available(alice)
    assert buy(alice, date(2026, 6, 11)).created is False
    assert (available(alice), cards()) == (before, [])


def test_two_cards_a_month_and_no_third(alice):
    buy(alice, date(2026, 6, 12))
    buy(alice, date(2026, 6, 8))
    before = available(alice)
    with pytest.raises(NoCardLeft, match="all 2 make-up cards"):
        buy(alice, date(2026, 6, 7))
    assert (available(alice), cards()) == (before, ["2026-06/1", "2026-06/2"])


def test_the_next_month_brings_new_cards(alice):
    buy(alice, date(2026, 6, 12))
    buy(alice, date(2026, 6, 8))
    assert buy(alice, date(2026, 7, 1), now=NOON + 30 * DAY).created
    assert cards() == ["2026-06/1", "2026-06/2", "2026-07/1"]


@pytest.mark.parametrize(
    ("day", "sentence"),
    [
        (date(2026, 6, 15), "Only days that are over"),
        (date(2026, 6, 16), "Only days that are over"),
        (date(2026, 5, 31), "days of the current month"),
        (date(2025, 6, 12), "days of the current month"),
        (date(2026, 6, 4), "You joined on Jun 5, 2026"),
    ],
)
def test_days_for_which_there_is_no_card(alice, day, sentence):
    before = available(alice), rows()
    with pytest.raises(CannotMakeUp, match=sentence):
        buy(alice, day, since=date(2026, 6, 5))
    assert (available(alice), rows()) == before


def test_the_first_of_a_month_has_nothing_to_make_up(alice):
    with pytest.raises(CannotMakeUp):
        buy(alice, date(2026, 6, 30), now=NOON.replace(month=7, day=1))


def test_whether_a_day_is_over_is_the_programmes_question(alice):
    """16:30 UTC on June 15 is June 16 in Shanghai, and 15:30 is not."""
    with pytest.raises(CannotMakeUp):
        buy(alice, date(2026, 6, 15), now=datetime(2026, 6, 15, 15, 30, tzinfo=UTC))
    assert buy(alice, date(2026, 6, 15), now=datetime(2026, 6, 15, 16, 30, tzinfo=UTC)).created


def test_too_few_points_buy_nothing_and_leave_no_day(app):
    bob = make_member(name="Bob", points=49)
    with pytest.raises(InsufficientPoints) as refusal:
        buy(bob, date(2026, 6, 12))
    assert refusal.value.lacking == Points(1)
    assert (available(bob), rows()) == (49, 0)


def test_a_frozen_wallet_buys_no_card(alice):
    with transaction():
        db.session.execute(sa.update(Wallet).where(Wallet.member_id == alice).values(frozen_at=NOON))
    before = rows()
    with pytest.raises(WalletFrozen):
        buy(alice, date(2026, 6, 12))
    assert rows() == before


def test_a_price_that_changed_meanwhile_asks_again(alice):
    set_terms(card_price=80)
    before = available(alice)
    with pytest.raises(CardPriceChanged, match="costs 80 points now, no longer 50"):
        buy(alice, date(2026, 6, 12))
    assert (available(alice), cards()) == (before, [])


def test_a_programme_without_cards_has_none(alice):
    set_terms(cards_a_month=0)
    with pytest.raises(CannotMakeUp):
        buy(alice, date(2026, 6, 12))


def test_fewer_cards_from_now_on_count_those_that_were_used(alice):
    buy(alice, date(2026, 6, 12))
    set_terms(cards_a_month=1)
    with pytest.raises(NoCardLeft):
        buy(alice, date(2026, 6, 8))


def test_february_29_can_be_missed_and_made_up(app):
    member = make_member(at=datetime(2028, 1, 1, tzinfo=UTC), points=100)
    leap = datetime(2028, 2, 28, 4, tzinfo=UTC)
    come_by(member, leap)
    come_by(member, leap + 2 * DAY)  # March 1
    assert queries.streak(member, today=date(2028, 3, 1)) == 1
    with pytest.raises(CannotMakeUp):  # The month is over.
        buy(member, date(2028, 2, 29), now=leap + 2 * DAY)
    assert come_by(member, leap + 3 * DAY).streak == 2


@pytest.mark.parametrize("row", [{"points": 5, "card": "2026-06/1"}, {"points": 0, "card": None}])
def test_the_database_itself_keeps_a_card_from_paying(alice, row):
    with pytest.raises(IntegrityError), transaction():
        db.session.execute(sa.insert(CheckIn).values(member_id=alice, day=date(2026, 6, 1), at=NOON, **row))
