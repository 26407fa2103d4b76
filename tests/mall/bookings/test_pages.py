"""A service from its product page to the calendar, as a member and as a merchant see it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from app.foundation import clock
from app.foundation.database import db, transaction
from app.mall.cart.models import CartLine
from app.mall.catalog.models import Variant
from app.mall.orders.models import Order
from app.mall.slots import actions
from tests.cast import employ, join, make_unit, sign_in
from tests.conftest import NOON
from tests.factories import give_points
from tests.mall.orders.shop import fresh_key, make_goods, orders_in_all, state_of, stock_of
from tests.mall.slots.studio import DAY, HOUR, MEI, book, booking_of, slots, taken, yoga


@pytest.fixture
def alice(app):
    member = join("alice@example.com", "Alice Lin")
    with transaction():
        give_points(member.id, 1_000, key="test:alice")
    return member


@pytest.fixture
def bob(app):
    member = join("bob@example.com", "Bob Chen")
    with transaction():
        give_points(member.id, 1_000, key="test:bob")
    return member


@pytest.fixture
def browser(client, alice):
    return sign_in(client, alice)


@pytest.fixture
def mei(app):
    return sign_in(app.test_client(), employ("merchant", "Mei Zhao", (make_unit("shop"),)))


def number_of(order_id):
    return db.session.get_one(Order, order_id).number


def lines_in(page):
    return re.findall(r'name="lines" value="([^"]+)"', page.text)


def checkout(browser, goods, *, slot=None, quantity=1):
    args = {"variant": goods.variant_id, "price": goods.price_id, "quantity": quantity, "slot": slot or goods.slot_id}
    return browser.get("/checkout", query_string=args)


def order(browser, page, **changes):
    form = {"key": fresh_key(), "unit": "", "lines": lines_in(page), "seen_points": "100", "seen_cash": "0"}
    return browser.post("/checkout", data=form | changes)


# --- choosing and ordering -------------------------------------------------------------------------


def test_the_product_page_leads_to_times_and_not_to_the_cart(browser):
    goods = yoga(2, 3, places=3)
    page = browser.get(f"/mall/{goods.slug}").text
    assert f'hx-get="/mall/{goods.slug}/times"' in page
    assert "Choose a time" in page
    assert "Add to cart" not in page
    part = browser.get(f"/mall/{goods.slug}/times", headers={"HX-Request": "true", "HX-Target": "times"}).text
    assert part.lstrip().startswith('<div id="times"')
    assert part.count("3 places left") == 1
    assert part.count("day-chip") == 2
    assert "Book now" in part


def test_a_full_time_can_be_seen_and_not_chosen(app, browser, bob):
    goods = yoga(2, 2 + 2 / 24, places=1)
    book(bob.id, goods)
    page = browser.get(f"/mall/{goods.slug}/times").text
    assert "Fully booked" in page
    assert page.count("disabled") == 1
    visitor = app.test_client().get(f"/mall/{goods.slug}/times").text
    assert "Sign in and book" in visitor


def test_nonsense_in_the_address_shows_the_first_day(browser):
    goods = yoga(2)
    for query in ("day=never&from=9999-99-99", "variant=x&slot=-1&price=x&quantity=%C2%B2", "day=0001-01-01"):
        assert browser.get(f"/mall/{goods.slug}/times?{query}").status_code == 200
    assert browser.get(f"/mall/{make_goods().slug}/times").status_code == 404


def test_a_time_is_booked_at_the_checkout(browser):
    goods = yoga(2, places=3)
    page = checkout(browser, goods)
    assert "Wed, Jun 17" in page.text
    assert lines_in(page) == [f"{goods.variant_id}-{goods.price_id}-1-100-0@{goods.slot_id}"]
    answer = order(browser, page)
    assert answer.status_code == 303
    assert (orders_in_all(), stock_of(goods)) == (1, 2)
    shown = browser.get(answer.location).text
    assert "Your time is booked" in shown
    assert "I have received it" not in shown


def test_a_time_that_was_taken_meanwhile_loses_nothing(browser, bob):
    goods = yoga(2, 3, places=2)
    page = checkout(browser, goods, quantity=2)
    book(bob.id, goods)
    for url in ("/checkout/quote", "/checkout"):
        again = browser.post(url, data={"key": fresh_key(), "lines": lines_in(page), "seen_points": "200"})
        assert again.status_code in (200, 409)
        assert "Only 1 place is left at this time." in again.text
        assert "Choose another time" in again.text
        assert lines_in(again) == lines_in(page)
    fewer = browser.post(
        "/checkout/quote",
        data={"key": "k", "lines": lines_in(page), "change": f"{goods.variant_id}-{goods.price_id}-1"},
    )
    assert lines_in(fewer) == [f"{goods.variant_id}-{goods.price_id}-1-100-0@{goods.slot_id}"]
    assert order(browser, fewer).status_code == 303
    assert orders_in_all() == 2


def test_a_time_that_has_gone_says_so(browser):
    goods = yoga(2, 3)
    page = checkout(browser, goods)
    with transaction():
        actions.close(slot_id=goods.slot_id, by=MEI, now=NOON)
    answer = order(browser, page)
    assert answer.status_code == 409
    assert "This time can no longer be booked." in answer.text
    assert orders_in_all() == 0


def test_without_a_time_the_product_page_asks_for_one(browser):
    goods = yoga(2)
    args = {"variant": goods.variant_id, "price": goods.price_id}
    answer = browser.get("/checkout", query_string=args)
    assert answer.location == f"/mall/{goods.slug}"
    assert "Please choose a time first." in browser.get(answer.location).text


def test_a_service_cannot_be_put_into_a_cart(app, browser):
    goods = yoga(2)
    for who in (browser, app.test_client()):
        answer = who.post("/cart", data={"variant": goods.variant_id, "price": goods.price_id}, follow_redirects=True)
        assert "Please choose a time first." in answer.text
    assert "Yoga" not in browser.get("/cart").text


def test_a_service_in_a_cart_from_before_leads_to_its_page(browser, alice):
    goods = yoga(2)
    with transaction():
        line = {"variant_id": goods.variant_id, "price_id": goods.price_id, "quantity": 1, "added_at": NOON}
        db.session.add(CartLine(member_id=alice.id, **line))
    page = browser.get("/cart").text
    assert "Please choose a time on its page." in page
    assert f'href="/mall/{goods.slug}">Choose a time' in page


# --- afterwards ------------------------------------------------------------------------------------


def test_a_member_finds_and_moves_a_booking(browser, alice):
    goods = yoga(3, 4)
    made = book(alice.id, goods)
    number, later = number_of(made), slots(goods)[1].id
    assert "Thu, Jun 18" in browser.get("/bookings").text
    part = browser.get(f"/orders/{number}/booking").text
    assert "until Jun 17, 2026" in part
    assert "Move to another time" in browser.get(f"/orders/{number}/booking/edit").text
    answer = browser.post(f"/orders/{number}/booking", data={"slot": later})
    assert answer.status_code == 303
    assert booking_of(made).slot_id == later
    refused = browser.post(f"/orders/{number}/booking", data={"slot": "999999"})
    assert (refused.status_code, "can no longer be booked" in refused.text) == (409, True)
    with clock.freeze(NOON + 3 * DAY + HOUR):
        assert "/booking/edit" not in browser.get(f"/orders/{number}/booking").text
        assert browser.post(f"/orders/{number}/booking", data={"slot": goods.slot_id}).status_code == 303
    assert booking_of(made).slot_id == later


def test_a_booking_is_its_owners(app, browser, bob):
    goods = yoga(3)
    number = number_of(book(bob.id, goods))
    for path in ("booking", "booking.ics", "booking/edit"):
        assert browser.get(f"/orders/{number}/{path}").status_code == 404
    assert browser.post(f"/orders/{number}/booking", data={"slot": goods.slot_id}).status_code == 404
    mine = sign_in(app.test_client(), bob).get(f"/orders/{number}/booking.ics")
    assert mine.mimetype == "text/calendar"
    assert b"DTSTART:20260618T040000Z\r\n" in mine.data


# --- merchants -------------------------------------------------------------------------------------


def sku_of(goods):
    return db.session.get_one(Variant, goods.variant_id).sku


def series(**changes):
    return {
        "weekdays": ["0", "2"],
        "first": "2026-06-16",
        "last": "2026-06-30",
        "times": "10:00",
        "minutes": "60",
        "places": "8",
        "place": "Studio 1",
    } | changes


def test_a_merchant_adds_a_time(mei):
    goods = yoga()
    url = f"/backoffice/slots/{sku_of(goods)}"
    form = {"day": "2026-06-17", "at": "10:00", "minutes": "90", "places": "8", "place": "Studio 1"}
    assert mei.post(url, data=form).location.endswith("week=2026-06-15")
    assert "0 of 8 booked" in mei.get(f"{url}?week=2026-06-17").text
    [slot] = slots(goods)
    assert (slot.starts_at, slot.ends_at - slot.starts_at) == (NOON + 2 * DAY - 2 * HOUR, timedelta(minutes=90))
    again = mei.post(url, data=form | {"at": "11:00"})
    assert (again.status_code, "this place is taken" in again.text) == (409, True)
    assert mei.post(url, data=form | {"places": "0", "day": ""}).status_code == 422
    assert len(slots(goods)) == 1


def test_a_series_is_seen_before_it_is_made(mei):
    goods = yoga()
    url = f"/backoffice/slots/{sku_of(goods)}/series"
    page = mei.post(url, data=series(again="1"))
    names = re.findall(r'name="keep" value="([^"]+)"', page.text)
    assert names == [f"2026-06-{day}T10:00" for day in (17, 22, 24, 29)]
    assert slots(goods) == []
    answer = mei.post(url, data=series(seen="1", add="1", keep=[*names[:2], names[3], "2026-07-04T10:00"]))
    assert answer.status_code == 303
    assert [slot.starts_at.day for slot in slots(goods)] == [17, 22, 29]
    twice = mei.post(url, data=series(again="1")).text
    assert twice.count("Something else is given there then.") == 3
    assert twice.count('name="keep"') == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"weekdays": []},
        {"times": "soon"},
        {"last": "2026-06-01"},
        {"last": "2028-06-01"},
        {"places": "-1"},
        {"weekdays": ["9"]},
        {"first": "0001-01-01"},
    ],
)
def test_a_series_of_nonsense_is_refused(mei, changes):
    goods = yoga()
    answer = mei.post(f"/backoffice/slots/{sku_of(goods)}/series", data=series(seen="1", **changes))
    assert answer.status_code == 422
    assert slots(goods) == []


def test_clocks_that_change_are_told(app, mei, monkeypatch):
    """The programme's timezone is not that of the server, and its clocks go forward and back."""
    goods = yoga()
    url = f"/backoffice/slots/{sku_of(goods)}"
    settings = app.config["SETTINGS"]
    monkeypatch.setitem(app.config, "SETTINGS", replace(settings, timezone="Europe/Berlin"))
    form = {"minutes": "60", "places": "8", "place": ""}
    with clock.freeze(NOON - 100 * DAY):
        gone = mei.post(url, data=form | {"day": "2026-03-29", "at": "02:30"})
        assert (gone.status_code, "does not exist" in gone.text) == (422, True)
        mei.post(url, data=form | {"day": "2026-10-25", "at": "02:30"})
        assert "comes twice" in mei.get(url).text
        nights = series(weekdays=["6"], first="2026-03-22", last="2026-04-05", times="2:30", again="1")
        assert mei.post(f"{url}/series", data=nights).text.count("Clocks go forward over this time.") == 1
    [slot] = slots(goods)
    assert slot.starts_at.isoformat() == "2026-10-25T00:30:00+00:00"


def test_a_time_is_changed_closed_and_called_off(mei, alice):
    goods = yoga(2, places=4)
    made, sku = book(alice.id, goods), sku_of(goods)
    page = f"/backoffice/bookings/times/{goods.slot_id}"
    assert "Alice Lin" in mei.get(page).text
    mei.post(f"/backoffice/slots/{sku}/{goods.slot_id}/places", data={"places": "6"})
    for nonsense in ("", "many", "-1"):
        assert mei.post(f"/backoffice/slots/{sku}/{goods.slot_id}/places", data={"places": nonsense}).status_code == 303
    mei.post(f"/backoffice/slots/{sku}/{goods.slot_id}/closing")
    assert taken(goods) == [(1, 6, True)]
    mei.post(f"/backoffice/slots/{sku}/{goods.slot_id}/closing/removal")
    assert taken(goods) == [(1, 6, False)]
    assert mei.post(f"{page}/cancellation", data={"reason": " "}).status_code == 422
    assert state_of(made) == "paid"
    answer = mei.post(f"{page}/cancellation", data={"reason": "The teacher is ill."}, follow_redirects=True)
    assert "and 1 booking with it" in answer.text
    assert (state_of(made), taken(goods)) == ("cancelled", [(0, 6, True)])


def test_the_page_of_an_order_says_for_when_it_is_booked(mei, alice):
    goods = yoga(2)
    made = book(alice.id, goods)
    order, time = f"/backoffice/orders/{number_of(made)}", f'href="/backoffice/bookings/times/{goods.slot_id}"'
    page = mei.get(order).text
    assert time in page
    assert "Wed, Jun 17 · 12:00\u202fPM–1:00\u202fPM" in page
    mei.post(f"/backoffice/bookings/times/{goods.slot_id}/cancellation", data={"reason": "The teacher is ill."})
    assert state_of(made) == "cancelled"
    assert time not in mei.get(order).text


def test_the_list_of_a_day_says_who_came(mei, alice, bob):
    goods = yoga(2)
    came, stayed = number_of(book(alice.id, goods)), number_of(book(bob.id, goods))
    with clock.freeze(NOON + 2 * DAY + HOUR / 2):
        today = mei.get("/backoffice/bookings").text
        assert today.index("Alice Lin") < today.index("Bob Chen")
        assert "2 people are expected." in today
        mei.post(f"/backoffice/bookings/{came}/attendance")
        mei.post(f"/backoffice/bookings/{stayed}/absence")
        assert "Not attended" in mei.get("/backoffice/bookings").text
    assert "Nobody has booked for this day" in mei.get("/backoffice/bookings").text
    assert "Alice Lin" in mei.get("/backoffice/bookings?day=2026-06-17").text
    with transaction():
        actions.close_begun(variant_id=goods.variant_id, now=NOON + 3 * DAY)


def test_other_units_times_and_bookings_are_not_there(mei, alice):
    goods = yoga(2, unit="other")
    number, sku = number_of(book(alice.id, goods)), sku_of(goods)
    for path in (f"slots/{sku}", f"slots/{sku}/series", f"bookings/times/{goods.slot_id}"):
        assert mei.get(f"/backoffice/{path}").status_code == 404
    for path in (
        f"slots/{sku}",
        f"slots/{sku}/{goods.slot_id}/closing",
        f"bookings/times/{goods.slot_id}/cancellation",
        f"bookings/{number}/attendance",
    ):
        assert mei.post(f"/backoffice/{path}", data={"reason": "x"}).status_code == 404
    assert "Alice Lin" not in mei.get("/backoffice/bookings?day=2026-06-17").text
    assert taken(goods) == [(1, 8, False)]


def test_nobody_types_the_stock_of_a_service_in(mei):
    goods = yoga(2)
    form = {"variant": goods.variant_id, "change": "5", "reason": "delivery"}
    answer = mei.post(f"/backoffice/products/{goods.slug}/stock", data=form)
    assert (answer.status_code, "number of places at its times" in answer.text) == (422, True)
    assert f"/backoffice/slots/{sku_of(goods)}" in mei.get(f"/backoffice/products/{goods.slug}").text
    assert stock_of(goods) == 8
