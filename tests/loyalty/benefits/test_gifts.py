"""Gifts: claimed once in their time, by whoever holds them at that moment, and handed out once."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.foundation.errors import NotFound
from app.foundation.terms import change
from app.identity.members.models import Member
from app.identity.members.queries import member_by_id
from app.loyalty.benefits.actions import Gift, claim, give_benefit, give_by_rule, hand_out
from app.loyalty.benefits.errors import ClaimedBefore, HandedOut, NothingToClaim
from app.loyalty.benefits.models import BenefitClaim, Voucher
from app.loyalty.benefits.queries import gifts_waiting
from app.loyalty.benefits.statements import my_benefits
from app.loyalty.earning.queries import EarningTerms
from app.loyalty.ledger.explanations import explain
from app.loyalty.ledger.models import Transfer
from app.loyalty.ledger.queries import standing
from app.loyalty.tiers.queries import tiers_of
from tests.conftest import NOON
from tests.factories import buy, make_member
from tests.loyalty.benefits.having import defaults, entry, offer
from tests.loyalty.tiers.climbing import on, put_on

JUNE = "2026-06"
COFFEE = {"text": {"en": "A coffee", "zh_Hans": "一杯咖啡"}}


def somebody(tier="gold", born=None, since=NOON):
    member_id = make_member(birth_date=born)
    put_on(tier, member_id, since=since)
    return member_id


def take(member_id, code, period, *, now=NOON):
    with transaction():
        return claim(member=member_by_id(member_id), code=code, period=period, now=now)


def waiting(member_id, *, now=NOON):
    db.session.rollback()
    db.session.expire_all()
    tier = tiers_of([member_id]).get(member_id)
    found = gifts_waiting(member_by_id(member_id), tier=tier.code if tier else None, now=now)
    assert [each.code for each in my_benefits(member_by_id(member_id), now=now).gifts] == [
        each.benefit.code for each in found
    ]
    return [(each.benefit.code, each.period) for each in found]


def balance(member_id):
    return int(standing(member_id, now=NOON).available)


def claims():
    return db.session.scalar(sa.select(sa.func.count()).select_from(BenefitClaim))


def test_a_monthly_gift_is_claimed_once_a_month(app):
    defaults()
    lin = somebody()
    assert waiting(lin) == [("monthly-gift-gold", JUNE)]
    take(lin, "monthly-gift-gold", JUNE)
    with pytest.raises(ClaimedBefore):
        take(lin, "monthly-gift-gold", JUNE)
    assert (balance(lin), claims(), waiting(lin)) == (30, 1, [])
    july = on(2026, 7, 1, "00:00")
    assert waiting(lin, now=july - timedelta(seconds=1)) == []
    assert waiting(lin, now=july) == [("monthly-gift-gold", "2026-07")]
    with pytest.raises(NothingToClaim):
        take(lin, "monthly-gift-gold", JUNE, now=july)


def test_a_gift_of_points_says_why(app):
    defaults()
    lin = somebody()
    take(lin, "monthly-gift-gold", JUNE)
    transfer = db.session.scalars(sa.select(Transfer).where(Transfer.kind == "gift")).one()
    assert transfer.key == f"benefit:monthly:{lin}:{JUNE}"
    assert explain(transfer.explanation) == ["“Monthly gift” for 2026-06: a gift of 30 points."]


def test_whoever_climbs_within_the_month_has_had_the_gift_of_the_month(app):
    defaults()
    lin = somebody()
    take(lin, "monthly-gift-gold", JUNE)
    put_on("diamond", lin, since=NOON + timedelta(hours=1))
    later = NOON + timedelta(hours=2)
    assert waiting(lin, now=later) == []
    with pytest.raises(ClaimedBefore):
        take(lin, "monthly-gift-diamond", JUNE, now=later)
    assert balance(lin) == 30


def test_after_a_fall_an_unclaimed_gift_is_gone_and_a_claimed_one_stays(app):
    defaults()
    lin, wu = somebody(), somebody()
    take(lin, "monthly-gift-gold", JUNE)
    put_on("silver", lin, wu, since=NOON + timedelta(hours=1))
    later = NOON + timedelta(hours=2)
    assert waiting(wu, now=later) == []
    with pytest.raises(NothingToClaim):
        take(wu, "monthly-gift-gold", JUNE, now=later)
    assert (balance(lin), balance(wu)) == (30, 0)


def test_nobody_claims_what_belongs_to_another_tier(app):
    defaults()
    lin = somebody("silver")
    for code in ("monthly-gift-gold", "monthly-gift-diamond", "birthday-gift-silver", "nonsense", ""):
        with pytest.raises(NothingToClaim):
            take(lin, code, JUNE)
    assert (balance(lin), claims()) == (0, 0)


@pytest.mark.parametrize(
    ("born", "offered"),
    [
        (date(1990, 6, 15), True),  # Today, and joined today.
        (date(1990, 6, 22), True),  # In 7 days.
        (date(1990, 6, 23), False),
        (date(1990, 5, 16), True),  # 30 days ago.
        (date(1990, 5, 15), False),
        (None, False),
    ],
)
def test_a_birthday_gift_has_its_time_also_for_whoever_joined_today(app, born, offered):
    defaults()
    lin = somebody("regular", born)
    assert waiting(lin) == ([("birthday-gift-regular", "2026")] if offered else [])


def test_another_date_of_birth_brings_no_second_gift(app):
    defaults()
    lin = somebody("regular", date(1990, 6, 15))
    take(lin, "birthday-gift-regular", "2026")
    october = on(2026, 10, 9)
    with transaction():
        db.session.get(Member, lin).birth_date = date(1990, 10, 9)
    assert waiting(lin, now=october) == []
    with pytest.raises(ClaimedBefore):
        take(lin, "birthday-gift-regular", "2026", now=october)
    assert balance(lin) == 20


def test_a_birthday_that_moves_over_new_year_brings_no_second_gift(app):
    defaults()
    lin = somebody("regular", date(1990, 12, 20))
    take(lin, "birthday-gift-regular", "2026", now=on(2026, 12, 20))
    with transaction():
        db.session.get(Member, lin).birth_date = date(1991, 1, 3)
    later = on(2026, 12, 28)
    assert waiting(lin, now=later) == []
    with pytest.raises(ClaimedBefore):
        take(lin, "birthday-gift-regular", "2027", now=later)
    assert (balance(lin), claims()) == (20, 1)
    assert waiting(lin, now=on(2028, 1, 3)) == [("birthday-gift-regular", "2028")]


def test_whoever_claims_late_one_year_and_early_the_next_has_both_birthday_gifts(app):
    defaults()
    lin = somebody("regular", date(1990, 6, 15))
    for moment, year in ((on(2026, 7, 15), "2026"), (on(2027, 6, 8), "2027")):
        assert waiting(lin, now=moment) == [("birthday-gift-regular", year)]
        take(lin, "birthday-gift-regular", year, now=moment)
    assert claims() == 2


def test_the_gift_for_a_birthday_in_january_is_that_years_also_in_december(app):
    defaults()
    lin = somebody("regular", date(1990, 1, 2))
    december = on(2026, 12, 28)
    assert waiting(lin, now=december) == [("birthday-gift-regular", "2027")]
    take(lin, "birthday-gift-regular", "2027", now=december)
    assert waiting(lin, now=on(2027, 1, 2)) == []


def test_a_text_is_handed_out_once_for_its_code(app):
    offer(entry("coupon_pack", "pack", tiers=["gold"], gifts=[COFFEE, COFFEE, {"points": 5}]))
    lin, other = somebody(), somebody()
    done = take(lin, "pack", "once")
    assert (balance(lin), len(done.vouchers)) == (5, 2)
    first, second = (voucher.code for voucher in done.vouchers)

    def hand(member_id, code):
        with transaction():
            return hand_out(member=member_by_id(member_id), voucher_code=code, by=SYSTEM, now=NOON)

    with pytest.raises(NotFound):
        hand(other, first)
    hand(lin, first.lower())
    with pytest.raises(HandedOut):
        hand(lin, first)
    db.session.rollback()
    still_open = db.session.scalars(sa.select(Voucher.code).where(Voucher.redeemed_at.is_(None))).all()
    assert still_open == [second]


def test_a_pack_that_is_given_again_can_be_claimed_again(app):
    offer(entry("coupon_pack", "pack", gifts=[{"points": 5}]))
    lin = make_member()
    for times in (1, 2):
        with transaction():
            give_benefit(
                member=member_by_id(lin),
                code="pack",
                first_day=date(2026, 6, 15),
                last_day=date(2026, 6, 20),
                reason="Sorry",
                by=SYSTEM,
                now=NOON,
            )
        [(code, period)] = waiting(lin)
        take(lin, code, period)
        assert (balance(lin), waiting(lin)) == (5 * times, [])


def test_a_milestones_pack_is_claimed_beside_the_one_that_the_tier_brings(app):
    offer(entry("coupon_pack", "pack", tiers=["gold"], gifts=[{"points": 5}]))
    lin = somebody()
    take(lin, "pack", "once")
    assert waiting(lin) == []
    with transaction():
        give_by_rule([Gift(lin, "pack", f"milestone:{lin}", "A hundred")], now=NOON)
    [(code, period)] = waiting(lin)
    take(lin, code, period)
    for again in ("once", period):
        with pytest.raises(ClaimedBefore):
            take(lin, code, again)
    assert (balance(lin), waiting(lin)) == (10, [])


def test_what_a_milestone_brings_is_there_for_the_days_of_the_terms(app):
    offer(entry("coupon_pack", "pack", gifts=[{"points": 5}]), days_by_rule=3)
    lin = make_member()
    with transaction():
        give_by_rule([Gift(lin, "pack", f"milestone:{lin}", "A hundred")], now=NOON)
    [(code, period)] = waiting(lin, now=on(2026, 6, 17, "23:59"))
    assert waiting(lin, now=on(2026, 6, 18, "00:00")) == []
    with pytest.raises(NothingToClaim):
        take(lin, code, period, now=on(2026, 6, 18, "00:00"))


def test_a_pack_given_by_hand_cannot_be_claimed_after_its_last_day(app):
    offer(entry("coupon_pack", "pack", gifts=[{"points": 5}]))
    lin = make_member()
    with transaction():
        give_benefit(
            member=member_by_id(lin),
            code="pack",
            first_day=date(2026, 6, 15),
            last_day=date(2026, 6, 15),
            reason="Sorry",
            by=SYSTEM,
            now=NOON,
        )
    [(code, period)] = waiting(lin)
    midnight = on(2026, 6, 16, "00:00")
    assert waiting(lin, now=midnight) == []
    with pytest.raises(NothingToClaim):
        take(lin, code, period, now=midnight)
    assert claims() == 0


def test_the_home_page_asks_once_for_gifts_and_not_at_all_without_any(app):
    statements = []
    lin = somebody()
    member = member_by_id(lin)
    sa.event.listen(db.engine, "after_cursor_execute", lambda *args: statements.append(args[2]))
    for prepare, expected in ((lambda: None, 0), (defaults, 1)):
        prepare()
        db.session.rollback()
        assert member.birth_date is None
        statements.clear()
        gifts_waiting(member, tier="gold", now=NOON)
        asked = [each for each in statements if each.startswith("SELECT") and "terms_version" not in each]
        assert len(asked) == expected


def test_a_gift_lifts_a_member_whom_nothing_else_was_missing(app, alice, unit):
    buy(alice.id, 475_00, unit=unit)  # And 20 for joining: five short of Silver.
    offer(entry("coupon_pack", "pack", tiers=["regular"], gifts=[{"points": 5}]))
    take(alice.id, "pack", "once")
    assert tiers_of([alice.id])[alice.id].code == "silver"


def test_a_milestone_brings_a_pack_to_claim_each_time(app, unit):
    lin = make_member()
    offer(entry("coupon_pack", "pack", gifts=[{"points": 5}]))
    milestone = {"code": "hundred", "name": {"en": "A hundred"}, "earn": 100, "period": "month", "benefit": "pack"}
    with transaction():
        change(EarningTerms, {"milestones": [milestone]}, by=SYSTEM, now=NOON)
    assert waiting(lin) == []
    buy(lin, 100_00, unit=unit)
    [(code, period)] = waiting(lin)
    take(lin, code, period)
    assert (balance(lin), waiting(lin)) == (105, [])
    july = on(2026, 7, 3)
    buy(lin, 100_00, unit=unit, order_no="2", at=july)
    assert [each[0] for each in waiting(lin, now=july)] == ["pack"]
