from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.identity.members.models import Member
from app.identity.tags.actions import tag
from app.identity.units.queries import unit_by_code
from app.mall.orders.models import Order
from app.mall.orders.queries import office_orders
from tests.cast import employ, join, sign_in
from tests.conftest import NOON
from tests.factories import make_member
from tests.loyalty.benefits.having import entry, offer
from tests.loyalty.tiers.climbing import put_on
from tests.mall.orders.shop import let_the_time_pass, make_goods, make_unit, order_some, state_of


@pytest.fixture
def alice(app):
    return make_member(name="Alice Lin", email="alice@example.com", points=1_000)


@pytest.fixture
def merchant(app):
    make_unit("shop")
    return employ("merchant", "Mei Zhao", (unit_by_code("shop"),))


@pytest.fixture
def desk(client, merchant):
    return sign_in(client, merchant)


@pytest.fixture
def parcel(alice):
    return order_some(alice, make_goods(points=100))


def number_of(order_id):
    return db.session.scalars(sa.select(Order.number).where(Order.id == order_id)).one()


SHIPMENT = {"carrier": "sf", "tracking_number": "SF1234567890"}


def test_a_merchant_packs_and_ships(desk, parcel):
    number = number_of(parcel)
    assert "It is packed" in desk.get(f"/backoffice/orders/{number}").text
    assert desk.post(f"/backoffice/orders/{number}/packing").status_code == 303
    assert "It is on its way" in desk.get(f"/backoffice/orders/{number}").text
    assert desk.post(f"/backoffice/orders/{number}/shipment", data=SHIPMENT).status_code == 303
    assert state_of(parcel) == "shipped"
    page = desk.get(f"/backoffice/orders/{number}").text
    assert "SF1234567890" in page
    assert "Mei Zhao" in page


def test_the_member_does_not_read_who_packed(app, desk, alice, parcel):
    number = number_of(parcel)
    desk.post(f"/backoffice/orders/{number}/packing")
    db.session.rollback()
    member = sign_in(app.test_client(), db.session.get_one(Member, alice))
    page = member.get(f"/orders/{number}").text
    assert "Packed" in page
    assert "Mei Zhao" not in page


@pytest.mark.parametrize(
    "form",
    [
        {"carrier": "sf", "tracking_number": ""},
        {"carrier": "sf", "tracking_number": "x" * 61},
        {"carrier": "pigeon", "tracking_number": "1"},
        {"carrier": "other", "other": "", "tracking_number": "1"},
    ],
)
def test_an_unusable_shipment_answers_422(desk, parcel, form):
    number = number_of(parcel)
    desk.post(f"/backoffice/orders/{number}/packing")
    assert desk.post(f"/backoffice/orders/{number}/shipment", data=form).status_code == 422
    assert state_of(parcel) == "packed"


def test_another_carrier_can_be_named(desk, parcel):
    number = number_of(parcel)
    desk.post(f"/backoffice/orders/{number}/packing")
    desk.post(
        f"/backoffice/orders/{number}/shipment",
        data={"carrier": "other", "other": "Rowing boat", "tracking_number": "7"},
    )
    assert "Rowing boat" in desk.get(f"/backoffice/orders/{number}").text


def test_shipping_before_packing_is_refused(desk, parcel):
    assert desk.post(f"/backoffice/orders/{number_of(parcel)}/shipment", data=SHIPMENT).status_code == 409
    assert state_of(parcel) == "paid"


def test_a_service_is_handed_out(desk, alice):
    massage = make_goods("Massage", points=10, kind="service")
    order_id = order_some(alice, massage, address=None)
    url = f"/backoffice/orders/{number_of(order_id)}"
    assert "The member has had it" not in desk.get(url).text
    assert desk.post(f"{url}/handover").status_code == 409
    assert state_of(order_id) == "paid"
    let_the_time_pass(massage)
    assert "The member has had it" in desk.get(url).text
    assert desk.post(f"{url}/handover").status_code == 303
    assert state_of(order_id) == "delivered"


@pytest.mark.parametrize("verb", ["packing", "shipment", "handover"])
def test_orders_of_other_units_are_not_there(desk, alice, verb):
    foreign = order_some(alice, make_goods(points=10, unit="cinema"))
    number = number_of(foreign)
    assert desk.get(f"/backoffice/orders/{number}").status_code == 404
    assert desk.post(f"/backoffice/orders/{number}/{verb}", data=SHIPMENT).status_code == 404
    assert number not in desk.get("/backoffice/orders").text
    assert number not in desk.get("/backoffice/orders?unit=cinema").text
    assert "Nothing found" in desk.get(f"/backoffice/orders?q={number}").text
    assert state_of(foreign) == "paid"


@pytest.mark.parametrize("role", ["agent", "auditor"])
def test_who_may_only_read_finds_no_buttons(client, app, parcel, role):
    desk = sign_in(client, employ(role, "Aya Sun"))
    number = number_of(parcel)
    page = desk.get(f"/backoffice/orders/{number}")
    assert page.status_code == 200
    assert "It is packed" not in page.text
    assert desk.post(f"/backoffice/orders/{number}/packing").status_code == 403
    assert state_of(parcel) == "paid"


def test_searching_by_number_and_member(desk, alice, parcel):
    bob = make_member(name="Bob Chen", email="bob@example.com", points=100)
    other = number_of(order_some(bob, make_goods(points=1)))
    mine = number_of(parcel)
    for words in (mine, mine.lower(), mine[:9] + mine[9:], "alice@example.com", "Alice"):
        page = desk.get("/backoffice/orders", query_string={"q": words}).text
        assert mine in page
        assert other not in page
    for words in ("nobody", "%", "_", "J%", "x" * 500):
        assert mine not in desk.get("/backoffice/orders", query_string={"q": words}).text


def test_filtering_by_state(desk, alice, parcel):
    number = number_of(parcel)
    assert number in desk.get("/backoffice/orders?state=paid").text
    assert number not in desk.get("/backoffice/orders?state=packed").text
    assert number in desk.get("/backoffice/orders?state=nonsense&after=x").text


def test_the_office_list_pages(desk, alice, monkeypatch):
    monkeypatch.setattr("app.mall.orders.admin.listing.PAGE", 2)
    tea = make_goods(points=1)
    numbers = [number_of(order_some(alice, tea)) for _ in range(3)]
    first = desk.get("/backoffice/orders").text
    assert [number in first for number in numbers] == [False, True, True]
    assert 'rel="next"' in first


def test_members_do_not_enter(client, app, parcel):
    browser = sign_in(client, join("m@example.com", "M"))
    assert browser.get("/backoffice/orders").status_code == 403


# --- who comes first ------------------------------------------------------------------------


def in_list(desk, *numbers, **filters):
    """Of these orders those that the list shows, from the top."""
    page = desk.get("/backoffice/orders", query_string=filters).text
    return sorted((number for number in numbers if number in page), key=page.index)


@pytest.fixture
def first(app):
    """Of three orders the middle one is of a member with priority delivery."""
    offer(entry("priority_delivery", tags=["vip"]))
    goods, numbers = make_goods(points=100, stock=50), []
    for tags in ((), ("vip",), ()):
        member = make_member(points=1_000)
        for word in tags:
            with transaction():
                tag(member=db.session.get_one(Member, member), text=word, by=SYSTEM, now=NOON)
        numbers.append(number_of(order_some(member, goods)))
    return numbers


def test_what_is_to_pack_begins_with_priority_delivery_on_every_page_of_the_list(desk, first):
    old, vip, new = first
    assert in_list(desk, *first, state="paid") == [vip, old, new]
    assert desk.get("/backoffice/orders?state=paid").text.count("Send first") == 1
    assert in_list(desk, *first) == [new, vip, old]
    seen, after = [], None
    for _page in first:
        part = office_orders(units=None, state="paid", after=after, limit=1)
        seen, after = [*seen, part.items[0].number], part.after
    assert (seen, after) == ([vip, old, new], None)


def test_what_is_on_its_way_is_in_no_hurry_any_more(desk, first):
    _old, vip, _new = first
    desk.post(f"/backoffice/orders/{vip}/packing")
    assert "Send first" in desk.get("/backoffice/orders?state=packed").text
    desk.post(f"/backoffice/orders/{vip}/shipment", data=SHIPMENT)
    assert "Send first" not in desk.get("/backoffice/orders").text


def test_priority_delivery_of_one_unit_hurries_nobody_in_another(app, alice):
    offer(entry("priority_delivery", tiers=["gold"], units=["cinema"]))
    put_on("gold", alice, since=NOON)
    here, there = order_some(alice, make_goods()), order_some(alice, make_goods(unit="cinema"))
    assert [db.session.get_one(Order, each).priority for each in (here, there)] == [False, True]
