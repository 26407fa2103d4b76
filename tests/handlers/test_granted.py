"""What the mall sells instead of goods is given by whoever has it to give: courses, and benefits of the programme."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.community.courses.actions import withdraw_course
from app.community.courses.models import Enrolment
from app.community.courses.queries import course_by_code, standing_of
from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.identity.members.queries import member_by_id
from app.loyalty.benefits.actions import claim
from app.loyalty.benefits.models import BenefitGrant
from app.loyalty.benefits.queries import GIFTS, Kind
from app.loyalty.ledger.queries import standing
from app.mall.catalog.grants import grantor_of, sold_by
from tests.community.courses.making import begin, make_course
from tests.conftest import NOON
from tests.factories import make_member
from tests.loyalty.benefits.having import entry, offer

LATER = NOON + timedelta(hours=1)
LINE = "order:J1:line:7"
CAKE = entry("coupon_pack", gifts=[{"points": 50}], series="cake", period="once")
PRICE = entry("discount", value=10)
VALUES = {Kind.DISCOUNT: 10, Kind.MULTIPLIER: 2, Kind.EARLY_ACCESS: 1, Kind.RETURN_WINDOW: 5, Kind.WARRANTY: 6}


@pytest.fixture
def alice(app):
    return make_member()


def give(kind, member, code, *, pieces=1, key=LINE, now=NOON):
    db.session.rollback()
    with transaction():
        return grantor_of(kind).give(member_id=member, code=code, pieces=pieces, key=key, now=now)


def take_back(kind, member, code, *, key=LINE, now=LATER):
    db.session.rollback()
    with transaction():
        return grantor_of(kind).take_back(member_id=member, code=code, key=key, now=now)


def rows(model):
    return db.session.scalar(sa.select(sa.func.count()).select_from(model))


# --- courses --------------------------------------------------------------------------------


def may_read(member):
    db.session.rollback()
    return standing_of(course_by_code("tea").id, member).may_read


def test_courses_for_some_are_sold_and_those_for_all_or_in_the_making_are_not(app):
    assert "course" not in {each.kind for each in sold_by(None)}
    for code, fields in {"free": {}, "draft": {"published": False, "open_to_all": False}}.items():
        make_course(code, **fields)
    course = make_course(open_to_all=False)
    grantor = grantor_of("course")
    assert [(each.code, each.name) for each in grantor.choices()] == [("tea", "Brewing tea")]
    with app.test_request_context():
        assert grantor.link("tea") == "/courses/tea"
    with transaction():
        withdraw_course(course_id=course.id, by=SYSTEM, now=NOON)
    assert grantor.choices() == []


def test_three_pieces_are_one_access_and_the_same_line_gives_once(alice):
    make_course(open_to_all=False)
    for _ in range(2):
        give("course", alice, "tea", pieces=3)
    assert rows(Enrolment) == 1
    assert may_read(alice)
    assert not may_read(make_member())


def test_access_comes_back_until_the_course_is_begun(alice):
    make_course(open_to_all=False)
    give("course", alice, "tea")
    give("course", alice, "tea", key="order:J2:line:9")
    assert take_back("course", alice, "tea") is True
    assert may_read(alice)  # By the other order.
    begin(alice, now=LATER)
    assert take_back("course", alice, "tea", key="order:J2:line:9") is False
    assert take_back("course", alice, "tea") is True
    assert may_read(alice)


# --- benefits -------------------------------------------------------------------------------


def claim_one(member, grant_id, *, now=NOON):
    with transaction():
        return claim(member=member_by_id(member), code="coupon-pack", period=f"given-{grant_id}", now=now)


def grants(member):
    db.session.rollback()
    mine = sa.select(BenefitGrant).where(BenefitGrant.member_id == member).order_by(BenefitGrant.id)
    return db.session.scalars(mine.execution_options(populate_existing=True)).all()


def test_gifts_of_the_programme_are_sold_and_lead_to_ones_benefits(app):
    assert "coupon" not in {each.kind for each in sold_by(None)}
    offer(CAKE, PRICE)
    grantor = grantor_of("coupon")
    assert [each.code for each in grantor.choices()] == ["coupon-pack"]
    with app.test_request_context():
        assert grantor.link("coupon-pack") == "/benefits"


def test_each_piece_is_a_gift_to_claim_and_the_same_line_gives_once(alice):
    offer(CAKE, days_by_rule=30)
    for _ in range(2):
        give("coupon", alice, "coupon-pack", pieces=2)
    first, second = grants(alice)
    assert {first.key, second.key} == {f"{LINE}:1", f"{LINE}:2"}
    assert (second.last_day - second.first_day).days == 29
    for grant in (first, second):
        claim_one(alice, grant.id)
    assert int(standing(alice, now=NOON).available) == 100


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in GIFTS])
def test_what_is_used_without_a_trace_is_not_sold_and_who_bought_it_before_waits(alice, kind):
    offer(entry(kind, value=VALUES.get(kind, 0)))
    assert grantor_of("coupon").choices() == []
    assert not give("coupon", alice, kind.replace("_", "-"))
    assert rows(BenefitGrant) == 0


def test_a_gift_that_was_claimed_cannot_be_taken_back_and_then_nothing_is(alice):
    offer(CAKE)
    give("coupon", alice, "coupon-pack", pieces=2)
    claim_one(alice, grants(alice)[1].id)
    assert take_back("coupon", alice, "coupon-pack") is False
    assert [grant.ended_at for grant in grants(alice)] == [None, None]


def test_what_another_line_gave_stays_also_where_its_number_begins_alike(alice):
    offer(CAKE)
    for key in (LINE, f"{LINE}1"):
        give("coupon", alice, "coupon-pack", key=key)
    other = grants(alice)[1]
    claim_one(alice, other.id)
    assert take_back("coupon", alice, "coupon-pack") is True
    assert [grant.ended_at for grant in grants(alice)] == [LATER, None]


def test_nobody_takes_back_what_somebody_else_bought(alice):
    offer(CAKE)
    give("coupon", alice, "coupon-pack")
    assert take_back("coupon", make_member(), "coupon-pack") is True
    assert grants(alice)[0].ended_at is None


def test_what_has_left_the_programme_is_not_given_and_waits(alice):
    offer(CAKE)
    assert not give("coupon", alice, "no-such-benefit")
    assert rows(BenefitGrant) == 0
