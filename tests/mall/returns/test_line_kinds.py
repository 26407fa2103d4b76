"""What can be sent back, exchanged, claimed or cancelled of an order depends on what its lines are."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.foundation.database import db, transaction
from app.loyalty.ledger.verify import verify
from app.mall.codes.actions import show_code
from app.mall.codes.models import PoolCode
from app.mall.codes.queries import mismatches
from app.mall.orders.actions import NotToBeGivenUp, confirm_delivery
from app.mall.orders.models import Order
from app.mall.orders.queries import order_by_id
from app.mall.returns.actions import cancel
from app.mall.returns.errors import NotReturnable, ReplacedBefore, WhichCodes
from app.mall.returns.models import ReturnCase
from app.mall.returns.queries import ways_back
from tests.cast import sign_in
from tests.conftest import NOON
from tests.mall.orders.shop import fresh_key, let_the_time_pass, make_goods, state_of, stock_of
from tests.mall.returns.parcels import STAFF, bought, delivered, me, points_of, refunded, take, wish


@pytest.fixture
def ticket(app):
    return make_goods("Ticket", kind="code", points=0, cash=30_00)


@pytest.fixture
def mixed(alice, ticket):
    """A kettle and two tickets, here since noon; one of the tickets was looked at."""
    order = delivered(alice.id, make_goods("Kettle", points=0, cash=100_00), ticket, quantity=2)
    with transaction():
        show_code(code_id=codes_of(order)[0].id, member_id=alice.id, now=NOON)
    return order


def codes_of(order):
    db.session.rollback()
    [line] = [line.id for line in order_by_id(order).lines if line.kind == "code"]
    mine = sa.select(PoolCode).where(PoolCode.order_line_id == line).order_by(PoolCode.id)
    return db.session.scalars(mine).all()


def number_of(order):
    return db.session.scalars(sa.select(Order.number).where(Order.id == order)).one()


def text_of(answer):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


@pytest.mark.parametrize("kind", ["return", "exchange"])
def test_of_a_mixed_order_only_what_was_sent_can_be_sent_back(alice, mixed, kind):
    with pytest.raises(NotReturnable):
        wish(mixed, alice.id, 1, 1, kind=kind)
    with pytest.raises(NotReturnable):
        wish(mixed, alice.id, 0, 1, kind=kind)
    assert wish(mixed, alice.id, 1, kind=kind)


def test_a_code_that_does_not_work_is_exchanged_for_another_one(alice, ticket, mixed):
    [seen, unseen] = codes_of(mixed)
    case = take(wish(mixed, alice.id, 0, 1, kind="warranty", reason="defective"))
    assert state_of(case.replacement_id) == "delivered"
    [another] = codes_of(case.replacement_id)
    assert another.code not in (seen.code, unseen.code)
    assert [code.withdrawn_at for code in codes_of(mixed)] == [NOON, None]
    assert (stock_of(ticket), mismatches(), refunded(mixed)) == (7, [], [])


def test_one_code_is_claimed_once_and_not_paid_back_on_top(alice, ticket):
    order = bought(alice.id, ticket)
    take(wish(order, alice.id, 1, kind="warranty", reason="defective"))
    for asked in ({"kind": "warranty"}, {"by": STAFF}, {"by": STAFF, "kind": "warranty"}):
        with pytest.raises(ReplacedBefore):
            wish(order, alice.id, 1, reason="defective", **asked)
    assert ways_back(order_by_id(order), now=NOON) == {}
    assert (stock_of(ticket), refunded(order)) == (8, [])


@pytest.fixture
def two_seen(alice, mixed):
    """Both tickets were looked at, the second one last: their ids."""
    [first, second] = codes_of(mixed)
    with transaction():
        show_code(code_id=second.id, member_id=alice.id, now=NOON + timedelta(minutes=1))
    return first.id, second.id


def test_whoever_claims_one_of_two_codes_says_which(alice, mixed, two_seen):
    first, second = two_seen
    foreign = codes_of(bought(alice.id, make_goods("Tea voucher", kind="code", points=100)))[0].id
    for which in ((), (first, second), (foreign,), (first, foreign)):
        with pytest.raises(WhichCodes):
            wish(mixed, alice.id, 0, 1, kind="warranty", reason="defective", codes=which)
    take(wish(mixed, alice.id, 0, 1, kind="warranty", reason="defective", codes=[first]))
    assert [code.id for code in codes_of(mixed) if code.withdrawn_at] == [first]
    take(wish(mixed, alice.id, 0, 1, kind="warranty", reason="defective"))  # Only one is left.
    assert all(code.withdrawn_at for code in codes_of(mixed))


def test_a_code_that_is_looked_at_after_the_claim_is_not_the_one_that_is_withdrawn(alice, mixed):
    second = codes_of(mixed)[1].id
    claim = wish(mixed, alice.id, 0, 1, kind="warranty", reason="defective")
    with transaction():
        show_code(code_id=second, member_id=alice.id, now=NOON + timedelta(hours=1))
    take(claim)
    assert [bool(code.withdrawn_at) for code in codes_of(mixed)] == [True, False]


def test_the_form_asks_which_codes_and_colleagues_see_their_ends_only(app, alice, merchant, mixed, two_seen):
    member, desk = sign_in(app.test_client(), alice), sign_in(app.test_client(), merchant)
    codes = {code.id: code.code for code in codes_of(mixed)}
    [line] = {code.order_line_id for code in codes_of(mixed)}
    url = f"/orders/{number_of(mixed)}/returns"
    mine, theirs = member.get(f"{url}/new?kind=warranty"), desk.get(f"/backoffice{url}/new")
    for page in (mine, theirs):
        assert "Which of these codes do not work?" in page.text
        assert f'name="pieces-{line}"' not in page.text
    assert all(code in mine.text and code not in theirs.text for code in codes.values())
    typed = {"kind": "warranty", "reason": "defective", "key": fresh_key(), "codes": two_seen[0]}
    seen = member.post(url, data=typed)
    assert "× 1 · ••••" in text_of(seen)
    assert f'name="codes" value="{two_seen[0]}"' in seen.text
    assert member.post(url, data=typed | {f"pieces-{line}": 1, "step": "confirm"}).status_code == 303
    case = db.session.scalars(sa.select(ReturnCase)).one()
    assert [piece.codes for piece in case.pieces] == [[two_seen[0]]]
    page = desk.get(f"/backoffice/returns/{case.number}").text
    assert "••••" in page
    assert not any(code in page for code in codes.values())


def test_the_other_one_that_nobody_looked_at_is_cancelled(alice, ticket, mixed):
    line = codes_of(mixed)[0].order_line_id
    asked = {"reason": "unwanted", "by": me(alice.id), "now": NOON}
    with pytest.raises(NotToBeGivenUp), transaction():
        cancel(order_id=mixed, pieces={line: 2}, key=fresh_key(), **asked)
    with transaction():
        assert cancel(order_id=mixed, pieces={line: 1}, key=fresh_key(), **asked).cash == 30_00
    assert [code.shown_at for code in codes_of(mixed)] == [NOON]
    assert (state_of(mixed), stock_of(ticket), mismatches()) == ("delivered", 9, [])


def test_staff_who_pay_for_a_code_withdraw_it_and_no_shelf_has_more(alice, ticket, mixed):
    assert take(wish(mixed, alice.id, 0, 1, by=STAFF, reason="defective")).cash == 30_00
    assert [bool(code.withdrawn_at) for code in codes_of(mixed)] == [True, False]
    assert (stock_of(ticket), mismatches()) == (8, [])
    assert verify().clean


def test_a_service_that_was_given_is_paid_back_by_staff_only(alice):
    massage = make_goods("Massage", kind="service", points=200)
    order = bought(alice.id, massage)
    let_the_time_pass(massage)
    with transaction():
        confirm_delivery(order_id=order, by=me(alice.id), now=NOON)
    assert ways_back(order_by_id(order), now=NOON) == {}
    with pytest.raises(NotReturnable):
        wish(order, alice.id, 1)
    with pytest.raises(NotReturnable):
        wish(order, alice.id, 1, by=STAFF, kind="exchange")
    take(wish(order, alice.id, 1, by=STAFF, reason="defective"))
    assert (points_of(alice.id), stock_of(massage)) == ((10_000, 0), 9)


def test_its_pages_say_which_and_the_desk_is_not_asked_about_a_shelf(app, alice, merchant, mixed):
    member, desk = sign_in(app.test_client(), alice), sign_in(app.test_client(), merchant)
    page = text_of(member.get(f"/orders/{number_of(mixed)}/returns"))
    for words in ("have not looked at", "You can send it back until", "Warranty claim", "Cancel this order"):
        assert words in page
    case = db.session.get_one(ReturnCase, wish(mixed, alice.id, 0, 1, kind="warranty", reason="defective")).number
    page = desk.get(f"/backoffice/returns/{case}")
    assert "Can it be sold again?" not in page.text
    assert "the code does not work" in text_of(page)
    assert desk.post(f"/backoffice/returns/{case}/settlement").status_code == 303
    assert "Another code is yours" in member.get(f"/returns/{case}").text
    assert text_of(member.get("/codes")).count("Withdrawn") == 1
