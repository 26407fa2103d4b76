"""Hearts, the page of wishes, and what a member looked at last."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.foundation import clock
from app.foundation.database import transaction
from app.mall.catalog import wishes
from app.mall.catalog.actions import archive_product
from app.mall.catalog.models import RecentlySeen, Wish
from app.mall.catalog.shelf import recently_seen, wishes_of
from app.mall.catalog.stockroom import product_of_units
from tests.cast import sign_in
from tests.conftest import NOON
from tests.factories import make_member
from tests.mall.catalog.shelf import CLERK, counted, product, put_on_shelf

HTMX = {"HX-Request": "true"}


def wished(member_id):
    return [shown.product.name["en"] for shown in wishes_of(member_id, limit=50).items]


def seen(member_id):
    return [glimpse.name["en"] for glimpse in recently_seen(member_id, limit=50, now=NOON)]


@pytest.fixture
def browser(client, alice):
    return sign_in(client, alice)


def test_a_second_click_wishes_once_and_nobody_else_has_the_wish(browser, alice, mallory):
    slug = put_on_shelf("Tea")
    for _ in range(2):
        assert browser.post(f"/mall/{slug}/wish").status_code == 303
    assert wished(alice.id) == ["Tea"]
    assert wished(mallory.id) == []


def test_a_wish_is_taken_back_and_taking_it_back_again_does_no_harm(browser, alice):
    slug = put_on_shelf("Tea")
    browser.post(f"/mall/{slug}/wish")
    for _ in range(2):
        assert browser.post(f"/mall/{slug}/wish/removal").status_code == 303
    assert wished(alice.id) == []


def test_a_heart_answers_htmx_with_itself_and_leads_everybody_else_back_to_where_it_was(browser):
    slug = put_on_shelf("Tea")
    heart = browser.post(f"/mall/{slug}/wish", headers=HTMX)
    assert heart.status_code == 200
    assert 'aria-pressed="true"' in heart.text
    assert f"/mall/{slug}/wish/removal" in heart.text
    assert "<html" not in heart.text
    assert browser.post(f"/mall/{slug}/wish", data={"next": "/mall?q=tea"}).location == "/mall?q=tea"
    assert browser.post(f"/mall/{slug}/wish", data={"next": "//evil.example"}).location == "/mall"


@pytest.mark.parametrize("slug", ["nothing", "wishes", "%E8%8C%B6", "a" * 300])
def test_what_is_not_in_the_mall_cannot_be_wished_for(browser, alice, slug):
    assert browser.post(f"/mall/{slug}/wish").status_code == 404
    assert wished(alice.id) == []


def test_a_hidden_product_cannot_be_wished_for_but_an_old_wish_can_be_taken_back(browser, alice):
    put_on_shelf("Secret", listed=False)
    assert browser.post("/mall/secret/wish").status_code == 404
    slug = put_on_shelf("Tea")
    browser.post(f"/mall/{slug}/wish")
    with transaction():
        archive_product(product=product_of_units(None, slug), by=CLERK, now=NOON)
    page = browser.get("/mall/wishes").text
    assert "No longer offered" in page
    assert f'href="/mall/{slug}"' not in page
    browser.post(f"/mall/{slug}/wish/removal")
    assert wished(alice.id) == []


def test_visitors_see_no_hearts_and_are_led_to_the_door(client, app):
    slug = put_on_shelf("Tea")
    assert "wish-" not in client.get("/mall").text.replace("wishes", "")
    assert client.post(f"/mall/{slug}/wish").status_code in (302, 303)
    assert client.get("/mall/wishes").status_code == 302


def test_the_page_of_wishes_has_the_latest_first_and_goes_on(browser, alice, monkeypatch):
    monkeypatch.setattr("app.mall.catalog.views.PAGE", 2)
    assert "No wishes yet" in browser.get("/mall/wishes").text
    for number in range(5):
        with clock.freeze(NOON + timedelta(minutes=number)):
            browser.post(f"/mall/{put_on_shelf(f'Tea {number}')}/wish")
    page = browser.get("/mall/wishes").text
    assert "5 things" in page
    assert page.index("Tea 4") < page.index("Tea 3")
    assert "Tea 2" not in page
    address = page.split('id="more"')[1].split('href="')[1].split('"')[0].replace("&amp;", "&")
    assert "Tea 2" in browser.get(address).text


def test_no_product_takes_the_address_of_the_wishes(app):
    assert put_on_shelf("Wishes") != "wishes"


# --- recently seen --------------------------------------------------------------------------


def test_what_a_member_looked_at_stands_in_a_strip_the_latest_first(client, browser, alice):
    slugs = [put_on_shelf(name) for name in ("Tea", "Cup", "Pot")]
    for minute, slug in enumerate([*slugs, slugs[0]]):
        with clock.freeze(NOON + timedelta(minutes=minute)):
            browser.get(f"/mall/{slug}")
    assert seen(alice.id) == ["Tea", "Pot", "Cup"]
    assert "Recently seen" in browser.get("/mall").text
    assert "Recently seen" not in browser.get("/mall?sort=popular").text
    assert "Recently seen" not in client.application.test_client().get("/mall").text


def test_only_the_latest_are_remembered(app, monkeypatch):
    monkeypatch.setattr(wishes, "MOST_SEEN", 3)
    monkeypatch.setattr(wishes, "SLACK", 2)
    member = make_member(email="curious@example.com")
    ids = [product(put_on_shelf(f"Tea {number}")).id for number in range(8)]
    for place, product_id in enumerate(ids):
        with transaction() as session:
            known = session.query(RecentlySeen).count()
            moment = NOON + timedelta(minutes=place)
            wishes.note_seen(member_id=member, product_id=product_id, seen_before=known, now=moment)
            assert session.query(RecentlySeen).count() <= 6
    assert seen(member)[:3] == ["Tea 7", "Tea 6", "Tea 5"]


def test_looking_again_writes_nothing(browser):
    slug = put_on_shelf("Tea")
    browser.get(f"/mall/{slug}")
    with counted() as statements:
        browser.get(f"/mall/{slug}")
    assert not [each for each in statements if each.startswith(("INSERT", "UPDATE", "DELETE"))]


def test_wishes_and_glimpses_are_the_members_own(app):
    assert {Wish.__table__.c.member_id.primary_key, RecentlySeen.__table__.c.member_id.primary_key} == {True}
