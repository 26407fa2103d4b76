"""Cancelling what was paid: what a member and the desk see before, after, and what neither of them can do."""

from __future__ import annotations

import html
import re

import pytest
import sqlalchemy as sa

from app.foundation.database import db, transaction
from app.identity.members.models import Member
from app.mall.orders.actions import pack
from app.mall.orders.models import Order, OrderLine
from app.mall.returns.models import ReturnCase
from tests.cast import employ, sign_in
from tests.conftest import NOON
from tests.factories import make_member
from tests.mall.orders.shop import make_goods, order_some, state_of, stock_of
from tests.mall.returns.parcels import STAFF, bought, points_of, refunded


@pytest.fixture
def kettle(app):
    return make_goods("Kettle", points=0, cash=100_00)


@pytest.fixture
def order(alice, kettle):
    """¥200 of goods, ¥60 of them paid with points, and express delivery."""
    return bought(alice.id, kettle, offset=6_000, delivery="express", quantity=2)


@pytest.fixture
def browser(client, alice):
    return sign_in(client, alice)


@pytest.fixture
def desk(app, merchant):
    return sign_in(app.test_client(), merchant)


def number_of(order_id):
    return db.session.scalars(sa.select(Order.number).where(Order.id == order_id)).one()


def send(who, order_id, *, office="", **changes):
    line = db.session.scalars(sa.select(OrderLine.id).where(OrderLine.order_id == order_id)).first()
    filled = {"reason": "unwanted", f"pieces-{line}": "2", "key": "a_key-of_the-form-1"} | changes
    form = {name if name != "pieces" else f"pieces-{line}": value for name, value in filled.items()}
    return who.post(f"{office}/orders/{number_of(order_id)}/cancellations", data=form)


def cases():
    db.session.rollback()
    return list(db.session.scalars(sa.select(ReturnCase).order_by(ReturnCase.id)))


def text_of(answer):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def test_the_order_leads_to_its_cancellation_and_everything_is_chosen_already(browser, order):
    number = number_of(order)
    assert f"/orders/{number}/returns" in browser.get(f"/orders/{number}").text
    page = browser.get(f"/orders/{number}/returns")
    assert f'href="/orders/{number}/cancellations/new"' in page.text
    assert "As long as it is not packed" in page.text
    form = browser.get(f"/orders/{number}/cancellations/new")
    assert form.status_code == 200
    assert 'value="2" min="0" max="2"' in form.text
    assert "It cannot be delivered" not in form.text


def test_figures_first_then_all_of_it_goes_back_at_once(browser, order, kettle, alice):
    preview = send(browser, order)
    for words in ("¥140.00", "¥152.00", "6,000 points", "−140", "The whole order is cancelled"):
        assert words in text_of(preview)
    assert (cases(), state_of(order)) == ([], "paid")
    answer = send(browser, order, step="confirm")
    assert answer.status_code == 303
    [case] = cases()
    assert answer.location == f"/returns/{case.number}"
    assert (state_of(order), stock_of(kettle), points_of(alice.id)) == ("cancelled", 10, (10_000, 0))
    page = text_of(browser.get(answer.location))
    for words in ("Cancellation", "It is cancelled", "¥152.00 are on their way", "No longer wanted", "Cancelled on"):
        assert words in page
    assert "What you wrote" not in page
    page = text_of(browser.get(f"/orders/{number_of(order)}/returns"))
    assert "Cancellation · × 2 · 6,000 points + ¥152.00" in page
    assert "Cancel this order" not in page
    assert "Cancellation" in text_of(browser.get("/returns"))


def test_a_part_of_it_leaves_the_rest_as_it_is(browser, order):
    assert "the rest of the order stays as it is" in text_of(send(browser, order, pieces="1"))
    send(browser, order, pieces="1", step="confirm")
    assert (state_of(order), refunded(order)) == ("paid", [70_00])


def test_a_double_click_cancels_once(browser, order):
    first, second = (send(browser, order, step="confirm") for _ in range(2))
    assert first.location == second.location
    assert refunded(order) == [152_00]


def test_who_wants_to_change_something_finds_the_form_as_it_was(browser, order):
    page = send(browser, order, step="change", note="Two <many>", pieces="1")
    assert page.status_code == 200
    assert "Two &lt;many&gt;" in page.text
    assert 'value="1" min="0" max="2"' in page.text
    assert cases() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"pieces": "0"},
        {"pieces": "3"},
        {"pieces": "-1"},
        {"pieces": "9" * 30},
        {"pieces": "one"},
        {"reason": "unavailable"},
        {"reason": ""},
        {"note": "x" * 1_001},
        {"key": "short"},
        {"pieces-999999": "1"},
    ],
)
def test_an_unusable_form_is_refused_with_a_sentence_and_moves_nothing(browser, order, changes):
    answer = send(browser, order, step="confirm", **changes)
    assert answer.status_code in (409, 422)
    assert 'role="alert"' in answer.text
    assert (cases(), state_of(order)) == ([], "paid")


def test_who_chooses_nothing_is_asked_to_choose(browser, order):
    answer = send(browser, order, pieces="0")
    assert answer.status_code == 422
    assert "Please choose what you want to cancel" in text_of(answer)


def test_what_is_packed_meanwhile_says_so(browser, order):
    with transaction():
        pack(order_id=order, by=STAFF, now=NOON)
    answer = send(browser, order, step="confirm")
    assert answer.status_code == 409
    assert "already being packed" in text_of(answer)
    assert browser.get(f"/orders/{number_of(order)}/cancellations/new").status_code == 302
    assert "Cancel this order" not in browser.get(f"/orders/{number_of(order)}/returns").text


def test_an_unpaid_order_is_cancelled_where_it_always_was(browser, alice, kettle):
    order = order_some(alice.id, kettle)
    assert browser.get(f"/orders/{number_of(order)}/cancellations/new").status_code == 302
    assert send(browser, order, step="confirm").status_code == 409
    assert state_of(order) == "placed"


def test_nobody_else_cancels_it(app, order):
    mallory = sign_in(app.test_client(), db.session.get_one(Member, make_member(name="Mallory")))
    number = number_of(order)
    assert send(mallory, order, step="confirm").status_code == 404
    assert mallory.get(f"/orders/{number}/cancellations/new").status_code == 404
    assert cases() == []


def test_the_desk_cancels_what_cannot_be_delivered_and_the_member_reads_why(desk, browser, order):
    with transaction():
        pack(order_id=order, by=STAFF, now=NOON)
    assert "Cancel for the member" in desk.get(f"/backoffice/orders/{number_of(order)}/returns").text
    form = desk.get(f"/backoffice/orders/{number_of(order)}/cancellations/new")
    assert "It cannot be delivered" in form.text
    asked = {"office": "/backoffice", "reason": "unavailable", "note": "It broke in our hands.", "pieces": "1"}
    assert "What comes back to the member" in desk_preview(desk, order, asked)
    answer = send(desk, order, step="confirm", **asked)
    assert answer.status_code == 303
    [case] = cases()
    assert (case.cash, state_of(order)) == (70_00, "packed")
    assert "What was paid goes back" in desk.get(answer.location).text
    page = text_of(browser.get(f"/returns/{case.number}"))
    assert "It broke in our hands." in page
    assert "It cannot be delivered" in page


def desk_preview(desk, order, asked):
    return text_of(send(desk, order, **asked))


def test_orders_of_other_units_are_not_there_and_auditors_only_read(app, desk, alice, order):
    theirs = bought(alice.id, make_goods(points=100, unit="cinema"))
    assert desk.get(f"/backoffice/orders/{number_of(theirs)}/cancellations/new").status_code == 404
    assert send(desk, theirs, office="/backoffice", step="confirm").status_code == 404
    auditor = sign_in(app.test_client(), employ("auditor", "Ann"))
    assert "Cancel for the member" not in auditor.get(f"/backoffice/orders/{number_of(order)}/returns").text
    assert send(auditor, order, office="/backoffice", step="confirm").status_code == 403
    assert cases() == []
