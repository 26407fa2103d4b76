"""Whoever decides about returns sees what moves, moves it once, and only for their own units."""

from __future__ import annotations

import html
import re

import pytest
import sqlalchemy as sa

from app.foundation.audit import AuditEntry, action_label
from app.foundation.database import db, transaction
from app.mall.orders.models import Order
from app.mall.payments import actions as payments
from app.mall.payments.gateways import RefundAnswer
from app.mall.payments.models import Refund
from app.mall.payments.queries import payments_of
from app.mall.returns.actions import withdraw
from app.mall.returns.models import ReturnCase
from tests.cast import employ, sign_in
from tests.conftest import NOON
from tests.mall.orders.shop import make_goods, stock_of
from tests.mall.returns.parcels import counted, delivered, me, place_code, points_of, refunded, wish


@pytest.fixture
def kettle(app):
    return make_goods("Kettle", points=0, cash=100_00)


@pytest.fixture
def order(alice, kettle):
    return delivered(alice.id, kettle, offset=3_000)


@pytest.fixture
def case(order, alice):
    return number_of(wish(order, alice.id, 1))


@pytest.fixture
def desk(client, merchant):
    return sign_in(client, merchant)


def number_of(case_id):
    return db.session.scalars(sa.select(ReturnCase.number).where(ReturnCase.id == case_id)).one()


def state_of(number):
    db.session.rollback()
    return db.session.scalars(sa.select(ReturnCase.state).where(ReturnCase.number == number)).one()


def order_no(order_id):
    return db.session.scalars(sa.select(Order.number).where(Order.id == order_id)).one()


def text_of(answer):
    return html.unescape(re.sub(r"<[^>]+>", " ", answer.text))


def test_both_sides_see_the_same_figures_before_anybody_confirms(desk, case):
    page = text_of(desk.get(f"/backoffice/returns/{case}"))
    for words in ("What goes back to the member", "¥70.00", "3,000 points", "−70", "Alice Lin"):
        assert words in page


def test_approved_arrived_and_settled(desk, case, order, alice, kettle):
    assert desk.post(f"/backoffice/returns/{case}/approval", data={"answer": "Pier 3"}).status_code == 303
    assert state_of(case) == "approved"
    assert desk.post(f"/backoffice/returns/{case}/settlement", data={"shelf": "yes"}).status_code == 303
    assert state_of(case) == "settled"
    assert (refunded(order), points_of(alice.id), stock_of(kettle)) == ([70_00], (10_000, 0), 10)
    page = desk.get(f"/backoffice/returns/{case}").text
    assert "Mei Zhao" in page
    assert "Settle it" not in page
    actions = db.session.scalars(
        sa.select(AuditEntry.action).where(AuditEntry.subject_id == case).order_by(AuditEntry.id)
    ).all()
    assert actions == ["return.approved", "return.settled"]
    assert all(action_label(action) != action for action in actions)


def test_what_cannot_be_sold_again_stays_off_the_shelf(desk, case, kettle):
    desk.post(f"/backoffice/returns/{case}/settlement", data={"shelf": "no"})
    assert (state_of(case), stock_of(kettle)) == ("settled", 9)


@pytest.mark.parametrize(
    ("verb", "form"),
    [
        ("settlement", {}),
        ("settlement", {"shelf": "perhaps"}),
        ("rejection", {"why": "  "}),
        ("rejection", {"why": "x" * 501}),
        ("rejection", {}),
        ("approval", {"answer": "x" * 501}),
    ],
)
def test_an_unusable_decision_answers_422_and_moves_nothing(desk, case, order, verb, form):
    assert desk.post(f"/backoffice/returns/{case}/{verb}", data=form).status_code == 422
    assert (state_of(case), refunded(order)) == ("requested", [])


def test_a_rejection_is_read_by_the_member(desk, app, case, alice):
    assert desk.post(f"/backoffice/returns/{case}/rejection", data={"why": "It was <used>."}).status_code == 303
    assert "It was &lt;used&gt;." in sign_in(app.test_client(), alice).get(f"/returns/{case}").text


def test_a_second_decision_is_refused_with_a_sentence(desk, case, order):
    for status in (303, 409):
        assert desk.post(f"/backoffice/returns/{case}/settlement", data={"shelf": "yes"}).status_code == status
    assert refunded(order) == [70_00]
    answer = desk.post(f"/backoffice/returns/{case}/rejection", data={"why": "No."})
    assert answer.status_code == 409
    assert "This was decided already" in answer.text


def test_what_the_member_withdrew_cannot_be_settled(desk, case, order, alice):
    with transaction():
        withdraw(case_id=db.session.scalars(sa.select(ReturnCase.id)).one(), by=me(alice.id), now=NOON)
    assert desk.post(f"/backoffice/returns/{case}/settlement", data={"shelf": "yes"}).status_code == 409
    assert refunded(order) == []


def test_money_that_went_back_by_hand_is_not_paid_twice(desk, case, order):
    [payment] = payments_of(order)
    with transaction():
        payments.refund(
            payment_id=payment.id, amount=payment.money, key="by-hand", reason="staff", by=payments.SYSTEM, now=NOON
        )
    answer = desk.post(f"/backoffice/returns/{case}/settlement", data={"shelf": "yes"})
    assert answer.status_code == 409
    assert "it was paid back by hand" in answer.text
    assert (state_of(case), refunded(order)) == ("requested", [70_00])


def test_a_refund_that_failed_is_shown_to_staff_and_member(desk, app, case, order, alice):
    desk.post(f"/backoffice/returns/{case}/settlement", data={"shelf": "yes"})
    [refund] = db.session.scalars(sa.select(Refund)).all()
    with transaction():
        payments.record_refund(refund_id=refund.id, answer=RefundAnswer("re_1", "failed", "card closed"), now=NOON)
    page = desk.get(f"/backoffice/returns/{case}").text
    assert "card closed" in page
    assert "Failed" in page
    member = sign_in(app.test_client(), alice).get(f"/returns/{case}").text
    assert "we are seeing to it" in member
    assert "card closed" not in member


def test_an_exchange_with_an_empty_shelf_says_so(desk, order, alice, kettle):
    case = number_of(wish(order, alice.id, 1, kind="exchange", reason="wrong"))
    everything = stock_of(kettle)
    delivered(alice.id, kettle, quantity=everything)
    answer = desk.post(f"/backoffice/returns/{case}/settlement", data={"shelf": "no"})
    assert answer.status_code == 409
    assert state_of(case) == "requested"


def test_what_was_exchanged_can_go_back_on_the_shelf(desk, order, alice, kettle):
    case = number_of(wish(order, alice.id, 1, kind="exchange", reason="wrong"))
    desk.post(f"/backoffice/returns/{case}/settlement", data={"shelf": "yes"})
    assert (state_of(case), stock_of(kettle), refunded(order)) == ("settled", 9, [])
    assert "New order" in desk.get(f"/backoffice/returns/{case}").text


VERBS = {"approval": {}, "rejection": {"why": "No."}, "settlement": {"shelf": "yes"}}


def test_cases_and_orders_of_other_units_are_not_there(desk, alice):
    theirs = delivered(alice.id, make_goods(points=100, unit="cinema"))
    case = number_of(wish(theirs, alice.id, 1))
    for verb, form in VERBS.items():
        assert desk.post(f"/backoffice/returns/{case}/{verb}", data=form).status_code == 404
    for path in (f"returns/{case}", f"orders/{order_no(theirs)}/returns", f"orders/{order_no(theirs)}/returns/new"):
        assert desk.get(f"/backoffice/{path}").status_code == 404
    assert desk.post(f"/backoffice/orders/{order_no(theirs)}/returns").status_code == 404
    assert case not in desk.get("/backoffice/returns").text
    assert state_of(case) == "requested"


@pytest.mark.parametrize(("role", "decides"), [("agent", True), ("auditor", False), ("owner", True)])
def test_who_may_decide(app, case, role, decides):
    desk = sign_in(app.test_client(), employ(role, "Arthur Gao"))
    page = desk.get(f"/backoffice/returns/{case}")
    assert page.status_code == 200
    assert ("Settle it" in page.text) is decides
    answer = desk.post(f"/backoffice/returns/{case}/approval", data={})
    assert answer.status_code == (303 if decides else 403)


def test_a_member_decides_nothing(app, case, alice):
    member = sign_in(app.test_client(), alice)
    for verb, form in VERBS.items():
        assert member.post(f"/backoffice/returns/{case}/{verb}", data=form).status_code == 403
    assert state_of(case) == "requested"


def test_the_list_by_state_and_what_waits_on_the_start_page(desk, case):
    assert case in desk.get("/backoffice/returns").text
    assert case in desk.get("/backoffice/returns?state=requested").text
    assert "Nothing here" in desk.get("/backoffice/returns?state=settled").text
    assert case in desk.get("/backoffice/returns?state=%F0%9F%AB%96&after=nonsense").text
    assert "Returns waiting" in desk.get("/backoffice/").text


# --- for a member who calls --------------------------------------------------------------------


def test_staff_open_a_case_after_the_window_and_for_a_code(app, client, alice, agent):
    desk = sign_in(client, agent)
    ticket = make_goods("Ticket", kind="code", points=100)
    order = place_code(alice.id, ticket)
    number = order_no(order)
    assert "Open a case" in desk.get(f"/backoffice/orders/{number}/returns").text
    assert "Ticket" in desk.get(f"/backoffice/orders/{number}/returns/new").text
    [line] = db.session.get_one(Order, order).lines
    form = {"kind": "return", "reason": "defective", f"pieces-{line.id}": "1", "key": "a-key-of-the-office-1"}
    preview = desk.post(f"/backoffice/orders/{number}/returns", data=form)
    assert "What it will bring the member" in text_of(preview)
    answer = desk.post(f"/backoffice/orders/{number}/returns", data=form | {"step": "confirm"})
    assert answer.status_code == 303
    [case] = db.session.scalars(sa.select(ReturnCase)).all()
    assert db.session.scalars(sa.select(AuditEntry.action).where(AuditEntry.subject_id == case.number)).all() == [
        "return.opened"
    ]
    assert "Arthur" not in sign_in(app.test_client(), alice).get(f"/returns/{case.number}").text
    assert desk.post(f"/backoffice/returns/{case.number}/settlement", data={"shelf": "no"}).status_code == 303
    assert points_of(alice.id) == (10_000, 0)


def test_the_pages_take_few_queries(desk, case):
    with counted() as listing:
        desk.get("/backoffice/returns")
    with counted() as page:
        desk.get(f"/backoffice/returns/{case}")
    assert len(listing) <= 12, "\n".join(listing)
    assert len(page) <= 18, "\n".join(page)  # Nine of them tell what an open return would bring.
