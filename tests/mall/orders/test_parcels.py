"""Orders are sent parcel by parcel: from the form, from two desks at once, and under a number that can be corrected."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from app.foundation.actors import Actor
from app.foundation.audit import AuditEntry
from app.foundation.database import db, transaction
from app.foundation.errors import InvalidInput
from app.foundation.money import Money
from app.foundation.points import Points
from app.identity.members.models import Member
from app.identity.members.queries import member_by_id
from app.identity.units.queries import unit_by_code
from app.mall.orders import actions, sending, steps
from app.mall.orders.models import Order, OrderLine, OrderStep, Shipment
from app.mall.orders.parcels import CARRIERS, carrier_called, read_carrier, read_number, tracking_page
from app.mall.orders.queries import order_by_id
from app.mall.orders.quotes import Wanted
from app.mall.orders.rules import Figures
from tests.cast import employ, sign_in
from tests.conftest import NOON
from tests.mall.orders.shop import make_goods, make_unit, order_some, state_of
from tests.racing import ON_POSTGRESQL, at_once, barrier, meet_after, refusals, without_lock

MEI = Actor("staff", 1, "Mei the merchant")
LABEL = {"carrier": "sf", "tracking_number": "SF1234567890"}


@pytest.fixture
def desk(client, app):
    make_unit("shop")
    return sign_in(client, employ("merchant", "Mei Zhao", (unit_by_code("shop"),)))


@pytest.fixture
def tea(app):
    return make_goods("Tea", points=10)


@pytest.fixture
def order(alice, tea):
    """Three teas and a cup, packed."""
    cup = make_goods("Cup", points=20)
    wanted = [Wanted(tea.variant_id, tea.price_id, 3), Wanted(cup.variant_id, cup.price_id, 1)]
    order_id = order_some(alice, tea, wanted=wanted, expected=Figures(Points(50), Money(0, "CNY")))
    with transaction():
        actions.pack(order_id=order_id, by=MEI, now=NOON)
    return order_id


def url_of(order_id, what=""):
    number = db.session.scalars(sa.select(Order.number).where(Order.id == order_id)).one()
    return f"/backoffice/orders/{number}{what}"


def lines_of(order_id):
    query = sa.select(OrderLine.id).where(OrderLine.order_id == order_id).order_by(OrderLine.id)
    return list(db.session.scalars(query))


def sent_of(order_id):
    """By parcel, what lies in it."""
    db.session.rollback()
    parcels = order_by_id(order_id).shipments
    return [{piece.order_line_id: piece.quantity for piece in parcel.pieces} for parcel in parcels]


def form(order_id, *pieces, seen=0, **label):
    counts = {f"pieces-{line}": count for line, count in zip(lines_of(order_id), pieces, strict=False)}
    return {**LABEL, "seen": seen, **counts, **label}


def ship(order_id, number="SF1234567890", **more):
    with transaction():
        return actions.ship(
            order_id=order_id, carrier=CARRIERS["sf"].name, tracking_number=number, by=MEI, now=NOON, **more
        ).id


def test_a_part_is_sent_and_then_the_rest(app, desk, alice, order):
    tea, cup = lines_of(order)
    page = desk.get(url_of(order)).text
    assert re.search(rf'name="pieces-{tea}" value="3" min="0" max="3"', page)
    assert desk.post(url_of(order, "/shipment"), data=form(order, "２", 0)).status_code == 303
    assert state_of(order) == "part_shipped"
    page = desk.get(url_of(order)).text
    assert "2 pieces are still to be sent" in page
    assert re.search(rf'name="pieces-{tea}" value="1"', page)
    member = sign_in(app.test_client(), db.session.get_one(Member, alice))
    seen = member.get(url_of(order).removeprefix("/backoffice")).text
    for words in ("Partly shipped", "Tea · Tin × 2", "Still to come", "Tea · Tin × 1", "Cup · Tin × 1"):
        assert words in seen
    assert "once everything has been sent" in seen
    assert "I have received it" not in seen
    link = "https://www.sf-express.com/chn/sc/waybill/waybill-detail/SF1234567890"
    assert f'href="{link}" target="_blank" rel="noopener noreferrer"' in seen
    rest = form(order, 1, 1, seen=1, carrier="other", other="Rowing boat", tracking_number="7")
    assert desk.post(url_of(order, "/shipment"), data=rest).status_code == 303
    assert state_of(order) == "shipped"
    assert sent_of(order) == [{tea: 2}, {tea: 1, cup: 1}]
    seen = member.get(url_of(order).removeprefix("/backoffice")).text
    assert "I have received it" in seen
    assert "Still to come" not in seen
    assert seen.count("Track it at the carrier") == 1


def test_a_double_click_sends_one_parcel(desk, order):
    for _click in range(2):
        assert desk.post(url_of(order, "/shipment"), data=form(order, 1, 0)).status_code == 303
    assert [sum(parcel.values()) for parcel in sent_of(order)] == [1]
    entries = sa.select(sa.func.count()).select_from(AuditEntry).where(AuditEntry.action == "order.shipped")
    assert db.session.scalar(entries) == 1


def test_a_form_from_before_the_latest_parcel_is_refused(desk, order):
    desk.post(url_of(order, "/shipment"), data=form(order, 1, 0))
    answer = desk.post(url_of(order, "/shipment"), data=form(order, 1, 0, tracking_number="SF9999999999"))
    assert answer.status_code == 409
    assert "sent meanwhile" in answer.text
    assert len(sent_of(order)) == 1


def test_no_two_parcels_of_an_order_share_a_number(desk, order):
    desk.post(url_of(order, "/shipment"), data=form(order, 1, 0))
    again = form(order, 1, 0, seen=1, tracking_number="sf１２３ 4567\u200b890")
    answer = desk.post(url_of(order, "/shipment"), data=again)
    assert answer.status_code == 422
    assert "travels under SF1234567890 already" in answer.text
    assert len(sent_of(order)) == 1


@pytest.mark.parametrize(
    "pieces", [("0", "0"), ("-1", "1"), ("4", "0"), ("1000000000", "0"), ("9" * 400, "0"), ("x", "1")]
)
def test_pieces_that_cannot_lie_in_it_are_refused(desk, order, pieces):
    answer = desk.post(url_of(order, "/shipment"), data=form(order, *pieces))
    assert answer.status_code == 422
    assert (state_of(order), sent_of(order)) == ("packed", [])


def test_lines_of_other_orders_and_made_up_ones_are_refused(desk, alice, order, tea):
    foreign = lines_of(order_some(alice, tea))[0]
    for line in (foreign, 999_999_999, 10**17):
        data = form(order) | {f"pieces-{line}": 1}
        assert desk.post(url_of(order, "/shipment"), data=data).status_code == 422
    assert sent_of(order) == []


@pytest.mark.parametrize("state", ["placed", "paid", "delivered", "completed", "cancelled", "closed"])
def test_only_what_is_packed_is_sent(desk, order, state):
    with transaction():
        db.session.execute(sa.update(Order).where(Order.id == order).values(state=state))
        if state not in ("placed", "paid"):  # Where it has been already.
            db.session.add(OrderStep(order_id=order, state=state, at=NOON, by="Test"))
    assert desk.post(url_of(order, "/shipment"), data=form(order, 1, 1)).status_code == 409
    assert sent_of(order) == []


# --- labels -----------------------------------------------------------------------------------


def test_a_label_typed_wrong_is_corrected_and_both_are_on_record(desk, order):
    parcel = ship(order, pieces={lines_of(order)[0]: 1})
    right = {f"parcel-{parcel}-carrier": "ups", f"parcel-{parcel}-tracking_number": " 1z 999aa10123456784 "}
    assert desk.post(url_of(order, f"/parcels/{parcel}"), data=right).status_code == 303
    entry = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "order.parcel-corrected")).one()
    assert entry.before == {"carrier": "SF Express 顺丰", "tracking_number": "SF1234567890"}
    assert entry.after == {"carrier": "UPS", "tracking_number": "1Z999AA10123456784"}
    assert state_of(order) == "part_shipped"


def test_a_label_is_not_corrected_to_nonsense_nor_to_anothers_nor_after_delivery(desk, alice, order):
    first, second = ship(order, pieces={lines_of(order)[0]: 1}), ship(order, "SF0000000002")

    def correct(parcel, number, where=order):
        data = {f"parcel-{parcel}-carrier": "sf", f"parcel-{parcel}-tracking_number": number}
        return desk.post(url_of(where, f"/parcels/{parcel}"), data=data).status_code

    assert correct(first, "SF0000000002") == 422
    assert correct(first, "12") == 422
    assert correct(999_999, "SF0000000003") == 404
    assert correct(second, "SF0000000003", where=order_some(alice, make_goods())) == 404
    with transaction():
        actions.confirm_delivery(order_id=order, by=member_by_id(alice).actor, now=NOON)
    assert correct(first, "SF0000000003") == 409
    numbers = db.session.scalars(sa.select(Shipment.tracking_number).order_by(Shipment.id)).all()
    assert numbers == ["SF1234567890", "SF0000000002"]


def test_carriers_are_known_by_what_people_call_them():
    for words in ("sf", "SF Express", "顺丰", "sf express 顺丰"):
        assert read_carrier(words) == "SF Express 顺丰"
    assert read_carrier(" Rowing  boat ") == "Rowing boat"
    assert carrier_called("Rowing boat") is None
    assert tracking_page("Rowing boat", "7") is None
    assert all(tracking_page(carrier.name, "A/1?&").startswith("https://") for carrier in CARRIERS.values())
    assert "A%2F1%3F%26" in tracking_page("DHL", "A/1?&")


@pytest.mark.parametrize(
    ("carrier", "typed", "read"),
    [("sf", "ＳＦ１２３４５６７８９０１２３", "SF1234567890123"), ("jd", "jd0012345678–1–1", "JD0012345678-1-1")],
)
def test_numbers_are_tidied(carrier, typed, read):
    assert read_number(typed, carrier) == read


@pytest.mark.parametrize(("carrier", "typed"), [("sf", "http://x"), ("ups", "1Z"), ("dhl", "\u200b"), ("x", "9" * 61)])
def test_what_is_no_tracking_number_is_refused(carrier, typed):
    with pytest.raises(InvalidInput):
        read_number(typed, carrier)


# --- two desks at once --------------------------------------------------------------------------


@ON_POSTGRESQL
def test_two_colleagues_at_once_never_send_more_than_was_ordered(app, order):
    tea = lines_of(order)[0]
    answers = at_once(
        app, [lambda place=place: ship(order, f"SF000000000{place}", pieces={tea: 2}) for place in range(4)]
    )
    assert refusals(answers) == 3
    assert sent_of(order) == [{tea: 2}]


@ON_POSTGRESQL
def test_the_same_form_from_five_clicks_at_once_is_one_parcel(app, order):
    tea = lines_of(order)[0]
    answers = at_once(app, [lambda: ship(order, pieces={tea: 1}, seen=0)] * 5)
    assert len(set(answers)) == 1
    assert sent_of(order) == [{tea: 1}]


@ON_POSTGRESQL
def test_without_the_lock_the_last_line_is_the_databases(app, order, monkeypatch):
    """This is what the lock is for: both would believe that two pieces are left for them."""
    tea = lines_of(order)[0]
    monkeypatch.setattr(steps, "lock", without_lock)
    meet_after(monkeypatch, sending, "_check", barrier(2))
    tasks = [lambda place=place: ship(order, f"SF000000000{place}", pieces={tea: 2}) for place in range(2)]
    answers = at_once(app, tasks, refusal=sa.exc.IntegrityError)
    assert sum(isinstance(answer, sa.exc.IntegrityError) for answer in answers) == 1
    assert sent_of(order) == [{tea: 2}]
