"""What a member sees of their codes, and what staff do not."""

from __future__ import annotations

import re
from datetime import date
from io import BytesIO

import pytest

from app.foundation.database import db, transaction
from app.identity.members.queries import member_by_id
from app.identity.units.queries import unit_by_code
from app.mall.catalog.models import Variant
from app.mall.codes.models import PoolCode
from app.mall.orders.models import OrderLine
from app.mall.orders.queries import order_by_id
from tests.cast import employ, sign_in
from tests.conftest import NOON
from tests.factories import make_member
from tests.mall.catalog.shelf import counted
from tests.mall.codes.pools import add, figures, owned, withdraw
from tests.mall.orders.shop import attempt, make_goods, order_some, report


@pytest.fixture
def ice(app):
    goods = make_goods("Sea salt ice", points=10, stock=0, kind="code")
    add(goods, "ICE-7K3M-9QXP", "ICE-2222-8888", last_day=date(2026, 6, 25))
    return goods


@pytest.fixture
def order(lin, ice):
    return order_by_id(order_some(lin, ice, address=None))


@pytest.fixture
def browser(client, lin):
    return sign_in(client, member_by_id(lin))


@pytest.fixture
def mei(client, app):
    return employ("merchant", "Mei Zhao", (unit_by_code("shop"),))


@pytest.fixture
def office(app, ice, mei):
    return sign_in(app.test_client(), mei)


# --- its owner ------------------------------------------------------------------------------------


def test_a_code_is_hidden_until_its_owner_asks_for_it(browser, lin, order):
    page = browser.get(f"/orders/{order.number}").text
    [code] = owned(lin)
    assert "Ready to use" in page
    assert "cannot be given back" in page
    assert code.code not in page
    assert browser.get(f"/codes/{code.id}/picture.svg").status_code == 404
    assert code.code not in browser.get("/codes").text + browser.get(f"/codes/{code.id}").text
    answer = browser.post(f"/codes/{code.id}/opening", data={"back": f"/orders/{order.number}"})
    assert (answer.status_code, answer.location) == (303, f"/orders/{order.number}#code-{code.id}")
    for address in (f"/orders/{order.number}", "/codes", f"/codes/{code.id}"):
        assert code.code in browser.get(address).text
    picture = browser.get(f"/codes/{code.id}/picture.svg")
    assert (picture.mimetype, picture.headers["Cache-Control"]) == ("image/svg+xml", "private, no-store")
    assert "style=" not in picture.text
    assert owned(lin)[0].shown_at == NOON


def test_nobody_else_comes_near_it(app, lin, order):
    [code] = owned(lin)
    thief = sign_in(app.test_client(), member_by_id(make_member(name="Mallory Wu")))
    for address in (f"/codes/{code.id}", f"/codes/{code.id}/picture.svg", f"/orders/lines/{code.order_line_id}"):
        assert thief.get(address).status_code == 404
    assert thief.post(f"/codes/{code.id}/opening").status_code == 404
    assert code.code not in thief.get("/codes").text
    assert owned(lin)[0].shown_at is None


def test_after_showing_nobody_is_led_off_the_site(browser, lin, order):
    [code] = owned(lin)
    for back in ("https://evil.example/", "//evil.example", "/\\evil.example"):
        answer = browser.post(f"/codes/{code.id}/opening", data={"back": back})
        assert answer.location == f"/codes/{code.id}#code-{code.id}"


def test_my_codes_say_what_ends_soon_and_what_has_ended(browser, lin, app, ice):
    make = order_some(lin, ice, address=None)
    page = browser.get("/codes").text
    assert "1 code ends soon, on Jun 25, 2026." in page
    assert "Usable" in page
    with transaction():
        db.session.execute(db.update(PoolCode).values(last_day=date(2026, 6, 14)))
    page = browser.get("/codes").text
    assert "Ended on Jun 14, 2026" in page
    assert "ends soon" not in page
    [code] = owned(lin)
    assert browser.get(f"/orders/lines/{code.order_line_id}").location == f"/orders/{order_by_id(make).number}"


def test_without_codes_the_page_says_where_they_come_from(browser):
    assert "No codes yet" in browser.get("/codes").text


def test_a_waiting_order_says_what_happens_next(browser, lin, ticket):
    order = order_some(lin, ticket, address=None)
    payment = attempt(order)
    withdraw(ticket, "Test")
    report(order, payment)
    number = order_by_id(order).number
    page = browser.get(f"/orders/{number}").text
    assert "Your code is being prepared" in page
    assert "I have received it" not in page
    assert "Show my code" not in page
    add(ticket, "N1")
    page = browser.get(f"/orders/{number}").text
    assert "being prepared" not in page
    assert "Show my code" in page


def test_an_order_from_before_there_were_pools_keeps_its_number_as_the_voucher(browser, lin, order):
    with transaction():
        db.session.execute(db.delete(PoolCode).where(PoolCode.member_id == lin))
        assert db.session.get_one(OrderLine, order.lines[0].id).fulfilled == 1
    page = browser.get(f"/orders/{order.number}").text
    assert f"order number {order.number}" in page
    assert "Show my code" not in page


# --- the office -----------------------------------------------------------------------------------


def sku_of(goods):
    return db.session.get_one(Variant, goods.variant_id).sku


def pool_url(goods):
    return f"/backoffice/codes/{sku_of(goods)}"


def test_staff_see_codes_by_their_last_signs_only(office, order, ice):
    page = office.get(pool_url(ice)).text
    assert "•••• 9QXP" in page
    for code in ("ICE-7K3M-9QXP", "ICE-2222-8888"):
        assert code not in page
    assert "ICE-7K3M" not in office.get(f"/backoffice/orders/{order.number}").text


def test_a_code_is_found_whole_or_by_the_signs_that_lists_show_never_sign_by_sign(office, ice):
    def found(text):
        page = office.get(f"{pool_url(ice)}?q={text}").text
        return re.findall(r"•••• (\w{4})", page)

    assert found("ICE-7K3M-9QXP") == found("9QXP") == ["9QXP"]
    assert found("-9QXP") == found("M-9QXP") == found("ICE-") == found("%25") == found("____") == []


def test_a_pool_of_another_unit_is_not_there(app, office, mei):
    other = make_goods("Foreign", stock=1, kind="code", unit="other")
    assert office.get(pool_url(other)).status_code == 404
    assert office.post(f"{pool_url(other)}/sheet", data={"codes": "A1", "step": "confirm"}).status_code == 404
    assert office.post(f"{pool_url(other)}/withdrawals", data={"batch": "Test", "reason": "x"}).status_code == 404
    assert "Foreign" not in office.get("/backoffice/codes").text
    assert figures(other) == (1, 1, 0)


def test_a_sheet_is_looked_at_before_anything_is_added(office, ice):
    sheet = "ICE-7K3M-9QXP\nNEW-1\nNEW-2,2027-01-31\n=SUM(A1)\nNEW-1\nOLD,2020-01-01"
    look = office.post(f"{pool_url(ice)}/sheet", data={"codes": sheet, "batch": "Summer"})
    assert look.status_code == 200
    assert figures(ice) == (2, 2, 0)
    for said in ("Add 2 codes", "formula", "line 2 already", "too soon", "Summer"):
        assert said in look.text
    kept = re.search(r'<textarea name="codes" hidden>\n(.*?)</textarea>', look.text, re.DOTALL)
    assert kept
    again = {"codes": kept[1], "batch": "Summer", "step": "confirm"}
    assert office.post(f"{pool_url(ice)}/sheet", data=again).status_code == 303
    assert figures(ice) == (4, 4, 0)
    assert (
        "had all of these codes already"
        in office.post(f"{pool_url(ice)}/sheet", data=again, follow_redirects=True).text
    )
    assert figures(ice) == (4, 4, 0)
    added = db.session.execute(db.select(PoolCode.code, PoolCode.last_day).where(PoolCode.batch == "Summer")).all()
    assert sorted(added) == [("NEW-1", None), ("NEW-2", date(2027, 1, 31))]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no code yet"),
        (b"PK\x03\x04more", "spreadsheet"),
        (b"A" * (256 * 1024 + 1), "larger than"),
        (b"\xff\xff\xff", "neither UTF-8"),
        (b"\n".join(b"C%d" % each for each in range(5_100)), "more than 5000 lines"),
    ],
)
def test_a_file_that_is_no_sheet_is_refused_with_a_sentence(office, ice, content, said):
    answer = office.post(f"{pool_url(ice)}/sheet", data={"sheet": (BytesIO(content), "codes.csv")})
    assert answer.status_code == 422
    assert said in answer.text
    assert figures(ice) == (2, 2, 0)


def test_a_day_that_is_none_is_refused_beside_its_field(office, ice):
    for day in ("soon", "2020-01-01", "2026-02-30"):
        answer = office.post(f"{pool_url(ice)}/sheet", data={"codes": "A1", "last_day": day, "step": "confirm"})
        assert answer.status_code == 422
    assert figures(ice) == (2, 2, 0)


def test_one_code_or_a_whole_batch_is_withdrawn_with_a_reason(office, ice):
    code = db.session.scalars(db.select(PoolCode).order_by(PoolCode.id)).first()
    form = f"{pool_url(ice)}/withdrawals"
    assert "•••• 9QXP" in office.get(f"{form}/new?code={code.id}").text
    assert office.post(form, data={"code": code.id, "reason": " "}).status_code == 422
    assert office.post(form, data={"code": code.id, "reason": "Printed twice"}).status_code == 303
    assert figures(ice) == (1, 1, 0)
    assert office.post(form, data={"code": code.id, "reason": "Printed twice"}).status_code == 409
    assert office.post(form, data={"batch": "May", "reason": "Cancelled"}).status_code == 303
    assert figures(ice) == (0, 0, 0)
    for wrong in ({"code": "x"}, {"code": "9" * 19}, {"batch": "No such"}, {"batch": "\0"}):
        assert office.post(form, data={**wrong, "reason": "x"}).status_code in (400, 404, 409)


def test_the_office_sees_how_many_orders_wait(office, lin, ticket):
    assert "Waiting for codes" not in office.get("/backoffice/").text
    order = order_some(lin, ticket, address=None)
    payment = attempt(order)
    withdraw(ticket, "Test")
    report(order, payment)
    assert "Waiting for codes" in office.get("/backoffice/").text
    assert "1 paid order waits; codes missing: 1" in office.get("/backoffice/codes").text
    add(ticket, "N1")
    assert "Waiting for codes" not in office.get("/backoffice/").text


def test_the_products_page_leads_to_the_pool_instead_of_taking_stock(office, ice):
    page = office.get(f"/backoffice/products/{ice.slug}").text
    assert "Code pool" in page
    assert "Change the stock" not in page
    refused = office.post(
        f"/backoffice/products/{ice.slug}/stock",
        data={"variant": ice.variant_id, "reason": "delivery", "change": "5"},
    )
    assert refused.status_code == 422
    assert "number of codes in its pool" in refused.text


def test_lists_cost_the_same_however_long_they_are(office, browser, lin, ice):
    order_some(lin, ice, address=None)

    def cost():
        with counted() as first:
            browser.get("/codes")
        with counted() as second:
            office.get(pool_url(ice))
        return len(first), len(second)

    browser.get("/codes"), office.get(pool_url(ice))
    few = cost()
    add(ice, *(f"MORE-{number}" for number in range(30)), batch="More")
    order_some(lin, ice, quantity=10, address=None)
    assert cost() == few


def test_the_command_names_what_is_amiss(app, ice):
    verify = app.test_cli_runner().invoke
    assert verify(args=["mall", "verify"]).exit_code == 0
    with transaction():
        db.session.execute(db.update(PoolCode).values(withdrawn_at=NOON))
    told = verify(args=["mall", "verify"])
    assert told.exit_code == 1
    assert f"{sku_of(ice)}: stock 2, but 0 free codes" in told.output
    assert '"clean": false' in verify(args=["mall", "verify", "--json"]).output
    with transaction():
        db.session.execute(db.update(PoolCode).values(withdrawn_at=None))
