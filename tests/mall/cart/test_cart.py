from __future__ import annotations

import re

import pytest

from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.mall.cart.queries import cart_of
from app.mall.cart.rules import Item, together
from app.mall.catalog import actions as catalog
from app.mall.catalog.models import Price, Product, Variant
from tests.cast import PASSWORD, sign_in
from tests.mall.orders.shop import make_goods


def put(browser, goods, quantity=1, **changes):
    wanted = {"variant": goods.variant_id, "price": goods.price_id, "quantity": quantity}
    return browser.post("/cart", data=wanted | changes)


def lying_in(member):
    db.session.rollback()
    return [(item.variant_id, item.quantity) for item in cart_of(member.id)]


def text_of(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def line_of(goods):
    return f"/cart/lines/{goods.variant_id}/{goods.price_id}"


# --- what lies there ------------------------------------------------------------------------


def test_an_empty_cart_leads_to_the_mall(browser):
    page = browser.get("/cart")
    assert "Your cart is empty" in page.text
    assert 'href="/mall"' in page.text


def test_things_of_two_shops_have_a_checkout_each(browser, alice):
    tea, cake = make_goods("Green tea", points=100), make_goods("Cake", points=50, cash=1_000, unit="bakery")
    put(browser, tea, 2)
    answer = put(browser, cake, 3, next="/mall/cake")
    assert answer.status_code == 303
    assert answer.location == "/mall/cake"
    words = text_of(browser.get("/cart"))
    assert "200 points" in words
    assert "150 points + ¥30.00" in words
    links = set(re.findall(r'href="([^"]+)"', browser.get("/cart").text))
    assert {"/checkout?unit=shop", "/checkout?unit=bakery"} <= links
    assert sorted(lying_in(alice)) == [(tea.variant_id, 2), (cake.variant_id, 3)]


def test_the_header_counts_the_pieces(browser):
    tea = make_goods(points=100)
    put(browser, tea, 2)
    assert "Cart: 2 pieces" in browser.get("/mall").text
    put(browser, tea)
    assert "Cart: 3 pieces" in browser.get("/mall").text
    browser.post(f"{line_of(tea)}/removal")
    assert "Cart, empty" in browser.get("/mall").text


def test_how_many_is_changed_without_a_script_and_none_takes_it_out(browser, alice):
    tea = make_goods(points=100)
    put(browser, tea)
    assert browser.post(line_of(tea), data={"quantity": "4"}).status_code == 303
    assert lying_in(alice) == [(tea.variant_id, 4)]
    browser.post(line_of(tea), data={"quantity": "0"})
    assert lying_in(alice) == []


@pytest.mark.parametrize("quantity", ["-1", "1000000000", "x", "", "1e3", "9" * 400])
def test_absurd_quantities_change_nothing_and_say_why(browser, alice, quantity):
    tea = make_goods(points=100)
    put(browser, tea, 2)
    browser.post(line_of(tea), data={"quantity": quantity})
    assert "Please choose between 1 and" in browser.get("/cart").text
    assert lying_in(alice) == [(tea.variant_id, 2)]


@pytest.mark.parametrize(
    "wrong", [{"variant": "0"}, {"variant": "x"}, {"price": "999999"}, {"quantity": "-3"}, {"quantity": "0"}]
)
def test_nonsense_is_not_put_in(browser, alice, wrong):
    put(browser, make_goods(points=100), **wrong)
    assert lying_in(alice) == []


def test_a_draft_is_not_put_in(browser, alice):
    put(browser, make_goods("Secret", points=1, listed=False))
    assert lying_in(alice) == []


# --- what cannot be had just now ------------------------------------------------------------


def test_what_cannot_be_had_stays_and_says_why(browser, alice):
    gone, short, moved = (make_goods(name, points=100, stock=5) for name in ("Gone", "Short", "Moved"))
    fine = make_goods("Fine", points=7)
    for goods in (gone, short, moved, fine):
        put(browser, goods, 2)
    with transaction():
        catalog.archive_product(product=db.session.get_one(Product, gone.product_id), by=SYSTEM, now=alice.created_at)
        db.session.get_one(Variant, short.variant_id).stock = 1
        db.session.delete(db.session.get_one(Price, moved.price_id))
    words = text_of(browser.get("/cart"))
    for sentence in ("no longer offered", "Only 1 piece is left", "way to pay is no longer offered"):
        assert sentence in words
    assert "3 things cannot be had just now and stay in your cart" in words
    assert "2 pieces 14 points" in words  # The sum is that of what can be had.
    assert len(lying_in(alice)) == 4


# --- visitors -------------------------------------------------------------------------------


def test_a_visitor_s_cart_survives_signing_in(client, alice):
    tea, cake = make_goods("Green tea", points=100), make_goods("Cake", points=50)
    put(client, tea, 2)
    put(client, cake)
    assert "Green tea" in client.get("/cart").text
    assert "Sign in to order" in client.get("/cart").text
    client.post("/session", data={"contact": "alice@example.com", "password": PASSWORD})
    assert "Cart: 3 pieces" in client.get("/mall").text
    assert lying_in(alice) == [(cake.variant_id, 1), (tea.variant_id, 2)]
    assert client.get_cookie("cart") is None


def test_bringing_the_same_cart_twice_doubles_nothing(client, alice):
    tea = make_goods(points=100)
    put(client, tea, 2)
    cookie = client.get_cookie("cart").value
    sign_in(client, alice)
    for _ in range(2):
        client.set_cookie("cart", cookie)
        client.get("/mall")
    assert lying_in(alice) == [(tea.variant_id, 2)]


def test_a_cart_that_we_did_not_sign_is_empty(client, alice):
    for forged in ("x", "W10.forged", "a" * 3_000):
        client.set_cookie("cart", forged)
        assert "Your cart is empty" in client.get("/cart").text
    sign_in(client, alice).get("/mall")
    assert lying_in(alice) == []


def test_a_visitor_changes_and_removes(client):
    tea = make_goods(points=100)
    put(client, tea)
    client.post(line_of(tea), data={"quantity": "5"})
    assert 'value="5"' in client.get("/cart").text
    client.post(f"{line_of(tea)}/removal")
    assert "Your cart is empty" in client.get("/cart").text


def test_buying_now_leads_past_the_cart(browser, alice):
    tea = make_goods(points=100)
    answer = put(browser, tea, 2, now="1")
    assert answer.location.startswith("/checkout?")
    assert lying_in(alice) == []


def test_the_same_thing_again_adds_up_to_what_an_order_may_hold():
    items = together([Item(1, 1, 2), Item(2, 1, 1)], Item(2, 1, 98), most=50)
    assert items == [Item(1, 1, 2), Item(2, 1, 50)]
    assert together(items, Item(1, 2, 1), most=50)[0] == Item(1, 2, 1)


@pytest.mark.parametrize("path", [f"{2**63}/1", f"1/{2**63}", f"{'9' * 400}/1/removal"])
def test_a_number_that_no_line_has_is_not_found(client, alice, path):
    assert sign_in(client, alice).post(f"/cart/lines/{path}", data={"quantity": "1"}).status_code == 404
