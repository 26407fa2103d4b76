"""Orders of which something is still awaited: codes whose pool is empty, grants that nobody can give just now."""

from __future__ import annotations

import re
from html import unescape

import pytest

from app.foundation.actors import Actor
from app.foundation.database import db, transaction
from app.identity.members.models import Member
from app.identity.units.queries import unit_by_code
from app.mall.bookings import actions as bookings
from app.mall.orders import actions, jobs, reaching
from app.mall.orders.queries import office_orders, order_by_id
from app.mall.orders.states import StepRefused
from app.mall.returns.actions import cancel
from app.mall.slots.jobs import close_begun
from tests.cast import employ, sign_in
from tests.community.courses.making import make_course
from tests.conftest import NOON
from tests.mall.codes.pools import add, owned, withdraw
from tests.mall.orders.shop import fresh_key, let_the_time_pass, make_goods, state_of, steps_of, wallet_of
from tests.mall.returns.parcels import DAY, bought, delivered, me, take, wish
from tests.mall.slots.studio import book, yoga

MEI = Actor("staff", 1, "Mei the merchant")


@pytest.fixture
def ticket(app):
    return make_goods("Ticket", kind="code", points=0, cash=1_000, stock=1)


@pytest.fixture
def waiting(alice, ticket):
    """A parcel to send, and a code that is paid and missing in its pool."""
    kettle = make_goods("Kettle", points=100)
    return bought(alice, kettle, ticket, before_paying=lambda: withdraw(ticket, "Test"))


@pytest.fixture
def browser(app, alice):
    return sign_in(app.test_client(), db.session.get_one(Member, alice))


def read(browser, order_id):
    """The page of an order as its member reads it."""
    db.session.rollback()
    page = browser.get(f"/orders/{order_by_id(order_id).number}").text
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


def read_start(browser):
    return unescape(re.sub(r"<[^>]+>", " ", browser.get("/").text))


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


def test_everybody_can_look_at_it(app, browser, without_parcel):
    number = order_by_id(without_parcel).number
    assert browser.get(f"/orders/{number}").status_code == 200
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


# --- what is granted, and cannot be just now --------------------------------------------------------


@pytest.fixture
def course(alice, monkeypatch):
    """A course that is paid, and that nobody could open for its buyer."""
    make_course("tea", open_to_all=False, unit_id=None)
    goods = make_goods("Brewing tea", kind="course", points=100, grants="tea")
    with monkeypatch.context() as patch:
        patch.setattr(reaching, "grantor_of", lambda _kind: None)
        return bought(alice, goods)


def test_a_grant_that_is_awaited_does_not_count_as_received(alice, course, caplog):
    with pytest.raises(StepRefused, match="still awaited"), transaction():
        actions.confirm_delivery(order_id=course, by=me(alice), now=NOON)
    assert jobs.take_as_received(now=NOON + 40 * DAY) == 0
    assert caplog.messages == []
    assert state_of(course) == "paid"
    assert jobs.serve_waiting(now=NOON + 40 * DAY) == 1
    assert state_of(course) == "delivered"


def test_a_grant_that_is_awaited_is_told_and_listed(browser, course):
    page = read(browser, course)
    assert "It is being prepared" in page
    assert "Ready" not in page
    assert [order.id for order in office_orders(units=None, state="codes").items] == [course]


def test_an_awaited_code_holds_up_the_end_of_its_order_alone(alice, waiting, caplog):
    pack(waiting)
    with transaction():
        actions.ship(order_id=waiting, carrier="SF", tracking_number="1", by=MEI, now=NOON)
    assert jobs.take_as_received(now=NOON + 10 * DAY) == 1
    assert jobs.complete_orders(now=NOON + 40 * DAY) == 0
    assert caplog.messages == []
    assert state_of(waiting) == "delivered"


def test_an_order_that_hangs_is_seen_in_the_log(alice, monkeypatch, caplog):
    order = delivered(alice, make_goods("Kettle", points=100))

    def refuse(**_asked):
        raise StepRefused("This order has ended.")

    with monkeypatch.context() as patch:
        patch.setattr(actions, "complete", refuse)
        assert jobs.complete_orders(now=NOON + 40 * DAY) == 0
    assert caplog.messages == [f"order {order} did not take its step: This order has ended."]


# --- what its member is told -------------------------------------------------------------------------


def test_who_waits_for_a_code_alone_is_not_sent_to_the_shop(browser, alice, waiting):
    give_up_parcel(waiting, by=me(alice))
    page = read(browser, waiting)
    assert "Your code is being prepared" in page
    assert "Show the order number" not in page
    assert "Ready to use" not in page
    start = read_start(browser)
    assert "Kettle" in start
    assert "Ready to use" not in start


def test_a_rest_that_is_awaited_is_named_after_the_parcel_has_come(browser, alice, waiting):
    pack(waiting)
    with transaction():
        actions.ship(order_id=waiting, carrier="SF", tracking_number="1", by=MEI, now=NOON)
        actions.confirm_delivery(order_id=waiting, by=me(alice), now=NOON)
    page = read(browser, waiting)
    assert "The rest is still to come" in page
    assert "the order is completed" not in page


def test_codes_that_were_all_given_back_are_not_ready_to_use(browser, alice):
    order = bought(alice, make_goods("Ticket", kind="code", points=100))
    assert "Ready to use" in read(browser, order)
    with transaction():
        cancel(order_id=order, reason="unwanted", key=fresh_key(), by=me(alice), now=NOON)
    page = read(browser, order)
    assert "All of it was given back" in page
    assert "Ready to use" not in page
    assert "show it at" not in page


def test_what_was_all_sent_back_is_not_to_be_enjoyed(browser, alice):
    order = delivered(alice, make_goods("Kettle", points=100))
    take(wish(order, alice, 1))
    for now in (NOON, NOON + 30 * DAY):
        jobs.complete_orders(now=now)
        page = read(browser, order)
        assert "All of it was given back" in page
        assert "njoy it" not in page
    assert state_of(order) == "completed"


def test_who_missed_their_time_is_not_told_to_enjoy_it(browser, alice):
    goods = yoga(1)
    order = book(alice, goods)
    let_the_time_pass(goods)
    with transaction():
        bookings.miss(order_id=order, by=MEI, now=NOON)
    close_begun(now=NOON)
    page = read(browser, order)
    assert "Your time is over" in page
    assert "You have it" not in page
