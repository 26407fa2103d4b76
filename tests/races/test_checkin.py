"""Two tabs and ten clicks on make-up cards. PostgreSQL only: SQLite has one writer at a time anyway."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from app.engagement.checkin import actions, queries
from app.engagement.checkin.actions import make_up
from app.engagement.checkin.errors import NoCardLeft
from app.engagement.checkin.models import CheckIn
from app.foundation.database import db, transaction
from app.foundation.points import Points
from app.loyalty.ledger.models import Transfer
from app.loyalty.ledger.queries import standing
from app.loyalty.ledger.verify import verify
from tests.conftest import NOON
from tests.factories import make_member
from tests.racing import ON_POSTGRESQL, at_once, barrier, meet_after, refusals

pytestmark = ON_POSTGRESQL
LONG_AGO = date(2026, 1, 1)


@pytest.fixture
def alice(app):
    return make_member(points=1_000)


def click(member, day):
    with transaction():
        return make_up(member_id=member, day=date(2026, 6, day), since=LONG_AGO, price=Points(50), now=NOON)


def made_up_days():
    db.session.rollback()
    return sorted(day.day for day in db.session.scalars(sa.select(CheckIn.day).where(CheckIn.card.is_not(None))))


def paid_for():
    return db.session.scalar(sa.select(sa.func.count()).where(Transfer.kind == "make_up_card"))


@contextmanager
def without_card_numbers() -> Iterator[None]:
    """Take away what makes a member's cards unique; afterwards empty the table and put it back."""
    with db.engine.begin() as connection:
        definition = connection.scalar(
            sa.text("SELECT indexdef FROM pg_indexes WHERE indexname = 'uq_check_in_member_id_card'")
        )
        connection.execute(sa.text("DROP INDEX uq_check_in_member_id_card"))
    yield
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(sa.text("TRUNCATE check_in"))
        connection.execute(sa.text(definition))


def test_without_numbers_on_the_cards_ten_clicks_make_up_ten_days(app, alice, monkeypatch):
    """All have counted the cards before any of them buys one."""
    meet_after(monkeypatch, queries, "days_of", barrier(10))
    with without_card_numbers():
        answers = at_once(app, [lambda day=day: click(alice, day) for day in range(1, 11)])
        assert refusals(answers) == 0
        assert len(made_up_days()) == 10


def test_ten_clicks_for_ten_days_make_up_two(app, alice, monkeypatch):
    meet_after(monkeypatch, queries, "days_of", barrier(10))
    answers = at_once(app, [lambda day=day: click(alice, day) for day in range(1, 11)])
    assert len(made_up_days()) == paid_for() == 2
    assert sum(isinstance(answer, NoCardLeft) for answer in answers) == 8
    assert standing(alice, now=NOON).available == Points(900)
    assert verify().findings == []


def test_ten_clicks_for_one_day_pay_for_one_card(app, alice, monkeypatch):
    meet_after(monkeypatch, queries, "days_of", barrier(10))
    answers = at_once(app, [lambda: click(alice, 12)] * 10)
    assert refusals(answers) == 0
    assert [answer.streak for answer in answers] == [0] * 10
    assert sum(answer.created for answer in answers) == 1
    assert made_up_days() == [12]
    assert paid_for() == 1
    assert standing(alice, now=NOON).available == Points(950)


def test_around_midnight_a_day_is_checked_in_or_made_up_and_never_both(app, alice, monkeypatch):
    """The check-in of the last second is still under way when the card for that day is bought in the first one."""
    midnight = datetime(2026, 6, 14, 16, tzinfo=UTC)  # In Shanghai.

    def last_second():
        with transaction():
            return actions.check_in(member_id=alice, now=midnight - timedelta(seconds=1))

    meet_after(monkeypatch, queries, "days_of", barrier(2))
    answers = at_once(app, [last_second, lambda: click(alice, 14)])
    db.session.rollback()
    assert sorted(answer.created for answer in answers) == [False, True]
    assert db.session.scalars(sa.select(CheckIn.day)).all() == [date(2026, 6, 14)]
    assert standing(alice, now=NOON).available in (Points(1_005), Points(950))


def test_points_for_one_card_buy_one(app, monkeypatch):
    """Two tabs, two days, and points for one of them."""
    bob = make_member(points=60)
    meet_after(monkeypatch, queries, "days_of", barrier(2))
    answers = at_once(app, [lambda: click(bob, 12), lambda: click(bob, 13)])
    assert refusals(answers) == 1
    assert len(made_up_days()) == paid_for() == 1
    assert standing(bob, now=NOON).available == Points(10)
