"""The merchants' list: what waits for work, filters, several at once, papers, and the file for spreadsheets."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.foundation.actors import Actor
from app.foundation.database import db, transaction
from app.foundation.money import Money
from app.foundation.points import Points
from app.identity.members.models import Member
from app.identity.units.queries import unit_by_code
from app.mall.codes.models import PoolCode
from app.mall.orders import actions, worklist
from app.mall.orders.models import Order, OrderLine
from app.mall.orders.quotes import Wanted
from app.mall.orders.rules import Figures
from tests.cast import employ, sign_in
from tests.conftest import NOON
from tests.factories import make_member
from tests.mall.catalog.shelf import counted
from tests.mall.orders.shop import ADDRESS, make_goods, make_unit, order_some, state_of

MEI = Actor("staff", 1, "Mei the merchant")


@pytest.fixture
def desk(client, app):
    make_unit("shop")
    return sign_in(client, employ("merchant", "Mei Zhao", (unit_by_code("shop"),)))


@pytest.fixture
def tea(app):
    return make_goods("Tea", points=10, stock=500)


def number_of(order_id):
    return db.session.scalars(sa.select(Order.number).where(Order.id == order_id)).one()


def pack(*order_ids):
    for order_id in order_ids:
        with transaction():
            actions.pack(order_id=order_id, by=MEI, now=NOON)


def listed(desk, *order_ids, **filters):
    """Which of these orders the list shows, from the top."""
    page = desk.get("/backoffice/orders", query_string=filters).text
    numbers = {number_of(order_id): order_id for order_id in order_ids}
    return [numbers[number] for number in sorted(numbers, key=page.find) if number in page]


def handed_out(order_id, pieces):
    with transaction():
        db.session.execute(sa.update(OrderLine).where(OrderLine.order_id == order_id).values(fulfilled=pieces))


def sku_of(order_id):
    return db.session.scalars(sa.select(OrderLine.sku).where(OrderLine.order_id == order_id)).first()


def test_every_kind_of_work_has_its_place(desk, alice, tea):
    to_pack, to_ship, part, done = (order_some(alice, tea, quantity=2) for _ in "1234")
    to_hand_out = order_some(alice, make_goods("Massage", points=1, kind="service"), address=None)
    code = order_some(alice, make_goods("Ticket", points=1, kind="code"), address=None)
    handed_out(code, 0)  # As if its pool had run dry.
    pack(to_ship, part, done)
    for order_id, pieces in ((part, 1), (done, 2)):
        line = db.session.scalars(sa.select(OrderLine.id).where(OrderLine.order_id == order_id)).one()
        with transaction():
            actions.ship(order_id=order_id, carrier="X", tracking_number="1", pieces={line: pieces}, by=MEI, now=NOON)
    everything = (to_pack, to_ship, part, done, to_hand_out, code)
    places = {"paid": to_pack, "packed": to_ship, "part_shipped": part, "shipped": done}
    places |= {"handout": to_hand_out, "codes": code}
    for state, order_id in places.items():
        assert listed(desk, *everything, state=state) == [order_id]
    waiting = worklist.how_many_wait(units=None)
    assert waiting == {"paid": 1, "packed": 1, "part_shipped": 1, "handout": 1, "codes": 1}
    assert worklist.how_many_wait(units=[]) == {}
    handed_out(code, 1)
    assert listed(desk, code, state="codes") == []


def test_who_waits_longest_comes_first_and_the_past_is_newest_first(desk, alice, tea):
    old, new = order_some(alice, tea), order_some(alice, tea)
    assert listed(desk, old, new, state="paid") == [old, new]
    assert listed(desk, old, new) == [new, old]


def test_filters_find_by_product_delivery_and_day(desk, alice, tea):
    cup = make_goods("Porcelain cup", points=5)
    first = order_some(alice, tea, delivery="express", expected=Figures(Points(10), Money(1_200, "CNY")))
    second = order_some(alice, cup, now=NOON + timedelta(days=3))
    both = (first, second)
    assert listed(desk, *both, product="porcelain") == [second]
    assert listed(desk, *both, product=sku_of(first).lower()) == [first]
    assert listed(desk, *both, delivery="express") == [first]
    assert listed(desk, *both, since="2026-06-16") == [second]
    assert listed(desk, *both, until="2026-06-17") == [first]
    assert listed(desk, *both, since="2026-06-15", until="2026-06-18") == [second, first]
    for nothing in ({"product": "%"}, {"product": "nobody's"}, {"unit": "elsewhere"}):
        assert listed(desk, *both, **nothing) == []
    for nonsense in ({"since": "0000-99-99"}, {"until": "9999-12-31"}, {"delivery": "pigeon"}, {"state": "lost"}):
        assert listed(desk, *both, **nonsense) == [second, first]


def test_a_longer_list_asks_no_more_questions(desk, tea):
    def questions(path):
        with counted() as statements:
            assert desk.get(path).status_code == 200
        return len(statements)

    def orders(count):
        return [order_some(make_member(points=100), tea) for _ in range(count)]

    some = orders(2)
    pack(*some[:1])
    papers = "/backoffice/orders/packing-slips?" + "&".join(f"number={number_of(each)}" for each in some)
    few = [questions(path) for path in ("/backoffice/orders", "/backoffice/orders/export.csv", papers)]
    more = orders(6)
    papers += "".join(f"&number={number_of(each)}" for each in more)
    many = [questions(path) for path in ("/backoffice/orders", "/backoffice/orders/export.csv", papers)]
    assert many == few
    assert max(many) <= 12
    assert questions(f"/backoffice/orders/{number_of(some[0])}") <= 14


# --- several at once ----------------------------------------------------------------------------


def choose(desk, do, *order_ids, **more):
    numbers = [number_of(order_id) for order_id in order_ids]
    return desk.post("/backoffice/orders/selection", data={"do": do, "number": numbers, **more})


def test_several_are_packed_and_the_others_do_not_hold_them_up(desk, alice, tea):
    first, second = order_some(alice, tea), order_some(alice, tea)
    pack(second)
    foreign = order_some(alice, make_goods(points=1, unit="cinema"))
    answer = choose(desk, "pack", first, second, foreign, next="/backoffice/orders?state=paid")
    assert answer.location == "/backoffice/orders?state=paid"
    said = desk.get(answer.location).text
    assert "1 order is packed" in said
    assert f"{number_of(second)}: This was already done" in said
    assert [state_of(each) for each in (first, second, foreign)] == ["packed", "packed", "paid"]


def test_nothing_chosen_and_nonsense_change_nothing(desk, alice, tea):
    order_id = order_some(alice, tea)
    assert choose(desk, "pack", next="https://evil.example/").location == "/backoffice/orders"
    assert desk.post("/backoffice/orders/selection", data={"do": "pack", "number": ["'", "x" * 99]}).status_code == 303
    assert choose(desk, "burn", order_id).status_code == 303
    assert state_of(order_id) == "paid"


def test_a_pick_list_adds_up_by_shelf_and_then_tells_the_orders(desk, alice, tea):
    cup = make_goods("Cup", points=5)
    first = order_some(alice, tea, quantity=2)
    wanted = [Wanted(tea.variant_id, tea.price_id, 3), Wanted(cup.variant_id, cup.price_id, 1)]
    second = order_some(alice, tea, wanted=wanted, expected=Figures(Points(35), Money(0, "CNY")))
    foreign = order_some(alice, make_goods(points=1, unit="cinema"))
    answer = choose(desk, "pick", second, foreign, first)
    words = re.sub(r"<[^>]+>|\s+", " ", desk.get(answer.location).text)
    words = re.sub(r"\s+", " ", words)
    assert "6 pieces" in words
    assert f"Gifts {sku_of(first)} Tea · Tin 2 5" in words
    assert words.index(f"{number_of(first)} Alice Lin") < words.index(f"{number_of(second)} Alice Lin")
    assert number_of(foreign) not in words
    assert "1 order is left out" in words


def test_a_packing_slip_speaks_the_members_language_and_keeps_a_present_s_price(desk, alice, tea):
    with transaction():
        db.session.get_one(Member, alice).locale = "zh_Hans"
    chinese = order_some(alice, tea)
    english = order_some(make_member(points=100), tea, address={**ADDRESS, "recipient": "<b>Bob</b>"})
    answer = choose(desk, "slips", chinese, english)
    page = desk.get(answer.location).text
    slips = re.findall(r'<article class="slip" lang="([\w-]+)">(.*?)</article>', page, re.DOTALL)
    assert [lang for lang, _slip in slips] == ["zh-Hans", "en"]
    assert "订单" in slips[0][1]
    assert "Thank you" in slips[1][1]
    assert "&lt;b&gt;Bob" in slips[1][1]
    assert slips[1][1].count("<svg") == 1
    assert "10 points" in slips[1][1]
    assert "10 points" not in desk.get(answer.location + "&prices=none").text
    assert "style=" not in "".join(slip for _lang, slip in slips)
    assert "Nothing to print" in desk.get("/backoffice/orders/packing-slips?number=x").text


# --- as a file ----------------------------------------------------------------------------------


def rows_of(answer):
    text = answer.get_data(as_text=True)
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_the_export_keeps_the_filters_and_is_no_formula(desk, alice, tea, monkeypatch):
    monkeypatch.setattr(worklist, "BATCH", 2)
    with transaction():
        db.session.get_one(Member, alice).name = "=HYPERLINK(1)"
    mine = [order_some(alice, tea, quantity=2, now=NOON + timedelta(minutes=place)) for place in range(5)]
    pack(mine[0])
    foreign = order_some(alice, make_goods(points=1, unit="cinema"))
    everything = rows_of(desk.get("/backoffice/orders/export.csv"))
    assert [row["Order"] for row in everything] == [number_of(each) for each in reversed(mine)]
    assert number_of(foreign) not in [row["Order"] for row in everything]
    to_pack = rows_of(desk.get("/backoffice/orders/export.csv?state=paid"))
    assert [row["Order"] for row in to_pack] == [number_of(each) for each in mine[1:]]
    row = to_pack[0]
    assert row["Member"] == "'=HYPERLINK(1)"
    assert (row["Pieces"], row["Still to come"], row["Points"], row["Recipient"]) == ("2", "2", "20", "Alice Lin")
    assert row["Phone"] == "'+8613800132210"


def test_the_pool_of_codes_is_not_in_the_export(desk, alice):
    order_some(alice, make_goods("Ticket", points=1, kind="code"), address=None)
    text = desk.get("/backoffice/orders/export.csv").get_data(as_text=True)
    assert not [code for code in db.session.scalars(sa.select(PoolCode.code)) if code in text]
