"""Orders of which something is still awaited: a code whose pool is empty, beside a parcel or instead of one."""

from __future__ import annotations

import pytest

from app.foundation.actors import Actor
from app.foundation.database import db, transaction
from app.identity.members.models import Member
from app.identity.units.queries import unit_by_code
from app.mall.orders import actions
from app.mall.orders.queries import order_by_id
from app.mall.orders.states import StepRefused
from app.mall.returns.actions import cancel
from tests.cast import employ, sign_in
from tests.conftest import NOON
from tests.mall.codes.pools import add, owned, withdraw
from tests.mall.orders.shop import fresh_key, make_goods, state_of, steps_of, wallet_of
from tests.mall.returns.parcels import bought, me

MEI = Actor("staff", 1, "Mei the merchant")


@pytest.fixture
def ticket(app):
    return make_goods("Ticket", kind="code", points=0, cash=1_000, stock=1)


@pytest.fixture
def waiting(alice, ticket):
    """A parcel to send, and a code that is paid and missing in its pool."""
    kettle = make_goods("Kettle", points=100)
    return bought(alice, kettle, ticket, before_paying=lambda: withdraw(ticket, "Test"))


def pack(order_id):
    with transaction():
        actions.pack(order_id=order_id, by=MEI, now=NOON)


def give_up_parcel(order_id, *, by=MEI):
    sent = {line.id: line.quantity for line in order_by_id(order_id).lines if line.kind == "physical"}
    db.session.rollback()
    reason = "unavailable" if by is MEI else "unwanted"
    with transaction():
        cancel(order_id=order_id, pieces=sent, reason=reason, key=fresh_key(), by=by, now=NOON)


@pytest.fixture
def without_parcel(waiting):
    """It was packed before the shop gave its parcel up."""
    pack(waiting)
    give_up_parcel(waiting)
    return waiting


def test_a_packed_order_without_its_parcel_is_paid_again_and_its_code_still_comes(alice, ticket, without_parcel):
    assert state_of(without_parcel) == "paid"
    add(ticket, "FRESH-1")
    assert [code.code for code in owned(alice)] == ["FRESH-1"]
    assert steps_of(without_parcel) == ["placed", "paid", "packed", "delivered"]


def test_its_member_may_give_the_awaited_code_up(alice, without_parcel):
    with transaction():
        cancel(order_id=without_parcel, reason="unwanted", key=fresh_key(), by=me(alice), now=NOON)
    assert state_of(without_parcel) == "cancelled"
    assert wallet_of(alice) == (1_000, 0)


def test_everybody_can_look_at_it(app, alice, without_parcel):
    number = order_by_id(without_parcel).number
    member = sign_in(app.test_client(), db.session.get_one(Member, alice))
    assert member.get(f"/orders/{number}").status_code == 200
    office = sign_in(app.test_client(), employ("merchant", "Mei Zhao", (unit_by_code("shop"),)))
    assert office.get(f"/backoffice/orders/{number}").status_code == 200


def test_a_packed_order_that_is_given_up_as_a_whole_is_cancelled(alice):
    kettle = bought(alice, make_goods("Kettle", points=100))
    pack(kettle)
    give_up_parcel(kettle)
    assert steps_of(kettle) == ["placed", "paid", "packed", "cancelled"]


def test_nobody_hands_over_what_comes_by_itself(without_parcel):
    assert not actions.can_be_served(order_by_id(without_parcel), now=NOON)
    with pytest.raises(StepRefused), transaction():
        actions.serve(order_id=without_parcel, by=MEI, now=NOON)
