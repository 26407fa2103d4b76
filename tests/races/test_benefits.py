"""Many clicks at once: a gift is claimed once, and handed out once."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.identity.members.queries import member_by_id
from app.loyalty.benefits import actions
from app.loyalty.benefits.actions import Gift, claim, give_by_rule, hand_out, take_back_unclaimed
from app.loyalty.benefits.errors import ClaimedBefore, HandedOut, NothingToClaim
from app.loyalty.benefits.models import BenefitClaim, BenefitGrant, Voucher
from app.loyalty.ledger.queries import standing
from tests.conftest import NOON
from tests.factories import make_member
from tests.loyalty.benefits.having import defaults, entry, offer
from tests.loyalty.tiers.climbing import put_on
from tests.racing import ON_POSTGRESQL, at_once, barrier, lifted, meet_after, unlock_wallets

pytestmark = ON_POSTGRESQL
MANY = 6


@pytest.fixture
def lin(app):
    defaults()
    member_id = make_member()
    put_on("gold", member_id, since=NOON)
    return member_id


def click(member_id, code="monthly-gift-gold", period="2026-06"):
    def do():
        with transaction():
            claim(member=member_by_id(member_id), code=code, period=period, now=NOON)

    return do


def claims():
    return db.session.scalar(sa.select(sa.func.count()).select_from(BenefitClaim))


@pytest.mark.tampering
def test_the_race_itself_without_lock_and_constraint_there_is_a_claim_for_every_click(app, lin, monkeypatch):
    offer(entry("monthly_gift", tiers=["gold"], gifts=[{"text": {"en": "A coffee"}}]))
    unlock_wallets(monkeypatch)
    meet_after(monkeypatch, actions, "unclaimed", barrier(MANY))
    monkeypatch.setattr(actions, "insert_new", insert_whatever_is_there)
    monkeypatch.setattr(actions, "_made", lambda *_key: db.session.scalars(sa.select(BenefitClaim).limit(1)).one())
    monkeypatch.setattr(actions, "_vouchers", lambda *_all: [])
    with lifted("uq_benefit_claim_member_id_series_period"):
        at_once(app, [click(lin, "monthly-gift")] * MANY)
        assert claims() == MANY


def insert_whatever_is_there(table, rows, *, returning, **_unless):
    return db.session.execute(sa.insert(table).values(rows).returning(*returning)).all()


def test_parallel_clicks_claim_once(app, lin):
    answers = at_once(app, [click(lin)] * MANY)
    assert answers.count(None) == 1
    assert sum(isinstance(answer, ClaimedBefore) for answer in answers) == MANY - 1
    assert (claims(), int(standing(lin, now=NOON).available)) == (1, 30)


def test_parallel_clicks_claim_once_even_if_nobody_waits(app, lin, monkeypatch):
    """The database's own constraint is the last line."""
    unlock_wallets(monkeypatch)
    meet_after(monkeypatch, actions, "unclaimed", barrier(MANY))
    answers = at_once(app, [click(lin)] * MANY)
    assert answers.count(None) == 1
    assert (claims(), int(standing(lin, now=NOON).available)) == (1, 30)


def test_two_colleagues_hand_a_gift_out_once(app, lin):
    offer(entry("monthly_gift", tiers=["gold"], gifts=[{"text": {"en": "A coffee"}}]))
    click(lin, "monthly-gift")()
    code = db.session.scalars(sa.select(Voucher.code)).one()

    def hand():
        with transaction():
            hand_out(member=member_by_id(lin), voucher_code=code, by=SYSTEM, now=NOON)

    answers = at_once(app, [hand] * MANY)
    assert answers.count(None) == 1
    assert sum(isinstance(answer, HandedOut) for answer in answers) == MANY - 1


def test_a_bought_gift_is_claimed_or_taken_back_and_never_both(app):
    offer(entry("coupon_pack", gifts=[{"points": 50}], period="once"))
    members = [make_member() for _ in range(4)]
    with transaction():
        give_by_rule([Gift(member, "coupon-pack", f"line:{member}:1", "Bought") for member in members], now=NOON)
    grants = dict(db.session.execute(sa.select(BenefitGrant.member_id, BenefitGrant.id)).all())
    db.session.rollback()

    def send_back(member):
        def do():
            with transaction():
                return take_back_unclaimed(member_id=member, key=f"line:{member}:", now=NOON)

        return do

    tasks = [
        task for each in members for task in (click(each, "coupon-pack", f"given-{grants[each]}"), send_back(each))
    ]
    answers = at_once(app, tasks)
    for claimed, taken in zip(answers[::2], answers[1::2], strict=True):
        assert isinstance(claimed, NothingToClaim) is taken
    assert claims() == answers[1::2].count(False)
