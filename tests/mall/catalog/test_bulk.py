"""The same done to many products at once."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from app.foundation.database import transaction
from app.mall.catalog import selections, stockroom
from app.mall.catalog.actions import archive_product, update_product
from app.mall.catalog.rules import VariantDraft
from app.mall.catalog.sheets.drafts import draft_of
from tests.cast import employ, sign_in
from tests.conftest import NOON
from tests.mall.catalog.shelf import CLERK, audit_trail, make_category, product, put_on_shelf

OFFICE = "/backoffice/products"
SELECTION = f"{OFFICE}/selection"


@pytest.fixture
def office(client, merchant, teas):
    """Mei, merchant of the mall, at her desk."""
    return sign_in(client, merchant)


def kept(text: str) -> dict[str, str]:
    """What the page that asks sends along: its key, and the seal of what it showed."""
    return {name: re.search(rf'name="{name}" value="([^"]*)"', text)[1] for name in ("key", "seal")}


def ways(slug: str) -> list[tuple[int, int]]:
    return [(price.points, price.cash) for price in product(slug).prices]


def test_ticked_drafts_are_listed_at_once_and_the_others_stay(app, office):
    for name in ("One", "Two", "Three"):
        put_on_shelf(name, listed=False)
    asked = {"action": "list", "slug": ["one", "two"]}
    page = office.post(SELECTION, data=asked)
    assert "Change 2 products" in page.text
    assert product("one").status == "draft"
    answer = office.post(f"{SELECTION}/change", data={**asked, **kept(page.text)})
    assert answer.status_code == 303
    assert [product(slug).status for slug in ("one", "two", "three")] == ["listed", "listed", "draft"]
    assert audit_trail()[-2:] == ["product.listed"] * 2


def test_what_cannot_be_done_is_said_with_its_reason_and_left_alone(app, office):
    put_on_shelf("Open")
    put_on_shelf("Bare", listed=False, variants=[VariantDraft(sku="B-1", active=False)])
    put_on_shelf("Good", listed=False)
    asked = {"action": "list", "slug": ["open", "bare", "good"]}
    page = office.post(SELECTION, data=asked).text
    assert "Members see it already." in page
    assert "No variant is on sale." in page
    assert "Change 1 product" in page
    office.post(f"{SELECTION}/change", data={**asked, **kept(page)})
    assert [product(slug).status for slug in ("open", "bare", "good")] == ["listed", "draft", "listed"]


def test_prices_fall_by_percent_rounded_to_whole_points_and_cents_once(app, office):
    put_on_shelf("Tea", ways=((385, 0), (5, 1999), (0, 5999)))
    put_on_shelf("Penny", ways=((0, 1),))
    asked = {"action": "price", "slug": ["tea", "penny"]}
    assert "Show what would change" in office.post(SELECTION, data=asked).text
    asked |= {"percent": "-12.5", "part": "both"}
    preview = office.post(f"{SELECTION}/preview", data=asked).text
    assert "337" in preview
    assert "stays the same, rounded" in preview
    assert ways("tea") == [(385, 0), (5, 1999), (0, 5999)]
    for _click in range(2):
        answer = office.post(f"{SELECTION}/change", data={**asked, **kept(preview)})
        assert answer.status_code == 303
    assert ways("tea") == [(337, 0), (4, 1749), (0, 5249)]
    assert product("tea").list_price == 5900
    assert ways("penny") == [(0, 1)]
    assert audit_trail().count("product.update") == 1
    assert "nothing was done twice" in office.get(OFFICE).text


def test_only_the_points_or_only_the_cash_can_change(app, office):
    put_on_shelf("Tea", ways=((100, 1000),))
    for part, then in (("points", (110, 1000)), ("cash", (110, 1100))):
        asked = {"action": "price", "slug": "tea", "percent": "10%", "part": part}
        office.post(f"{SELECTION}/change", data={**asked, **kept(office.post(f"{SELECTION}/preview", data=asked).text)})
        assert ways("tea") == [then]


@pytest.mark.parametrize("percent", ["", "0", "-100", "1e9", "1000", "ten", "12.345", "-95"])
def test_a_percentage_that_makes_no_sense_is_refused(app, office, percent):
    put_on_shelf("Tea")
    for where in ("preview", "change"):
        key = {"key": "k" * 20, "seal": ""}
        answer = office.post(f"{SELECTION}/{where}", data={"action": "price", "slug": "tea", "percent": percent, **key})
        assert answer.status_code == 422
        assert "Please write a percentage" in answer.text
    assert ways("tea") == [(380, 0)]


def test_what_somebody_changed_meanwhile_is_shown_again_before_anything_happens(app, office):
    for name in ("One", "Two"):
        put_on_shelf(name)
    asked = {"action": "archive", "slug": ["one", "two"]}
    page = office.post(SELECTION, data=asked).text
    with transaction():
        archive_product(product=stockroom.product_of_units(None, "one"), by=CLERK, now=NOON)
    again = office.post(f"{SELECTION}/change", data={**asked, **kept(page)})
    assert again.status_code == 409
    assert "Some of these products changed meanwhile" in again.text
    assert product("two").status == "listed"
    office.post(f"{SELECTION}/change", data={**asked, **kept(again.text)})
    assert product("two").status == "archived"


def test_an_edit_between_preview_and_doing_stops_a_price_change_too(app, office):
    put_on_shelf("Tea")
    asked = {"action": "price", "slug": "tea", "percent": "-10"}
    page = office.post(f"{SELECTION}/preview", data=asked).text
    with transaction():
        tea = stockroom.product_of_units(None, "tea")
        update_product(product=tea, draft=draft_of(tea), revision=1, by=CLERK, now=NOON)
    assert office.post(f"{SELECTION}/change", data={**asked, **kept(page)}).status_code == 409
    assert ways("tea") == [(380, 0)]


def test_moving_and_scheduling(app, office):
    make_category("coffee", "Coffee", "咖啡")
    put_on_shelf("Mocha", listed=False)
    moved = {"action": "move", "slug": "mocha", "category": "coffee"}
    page = office.post(f"{SELECTION}/preview", data=moved).text
    assert "Coffee" in page
    office.post(f"{SELECTION}/change", data={**moved, **kept(page)})
    later = {"action": "schedule", "slug": "mocha", "at": "2026-07-01T10:00"}
    office.post(f"{SELECTION}/change", data={**later, **kept(office.post(f"{SELECTION}/preview", data=later).text)})
    mocha = product("mocha")
    assert mocha.category_id == make_category("coffee").id
    assert mocha.listed_at.isoformat() == "2026-07-01T02:00:00+00:00"
    assert mocha.listed_at > NOON + timedelta(days=14)
    past = office.post(f"{SELECTION}/preview", data={**later, "at": "2026-01-01T10:00"})
    assert past.status_code == 422
    assert office.post(f"{SELECTION}/preview", data={**moved, "category": "shoes"}).status_code == 422


def test_all_that_the_filters_find_can_be_meant_but_some_hundreds_at_most(app, office, monkeypatch):
    monkeypatch.setattr("app.mall.catalog.admin.bulk.MOST_SELECTED", 2)
    for name in ("Green one", "Green two", "Green three", "Black"):
        put_on_shelf(name, listed=False)
    page = office.post(SELECTION, data={"action": "list", "all": "y", "filter_q": "green"}).text
    assert "Change 2 products" in page
    assert "At most 2 products are changed at once" in page
    assert 'value="black"' not in page


def test_the_selected_go_home_as_a_sheet(app, office):
    put_on_shelf("One")
    put_on_shelf("Two")
    answer = office.post(SELECTION, data={"action": "export", "slug": "two"})
    assert answer.mimetype == "text/csv"
    assert "two," in answer.text
    assert "one," not in answer.text


def test_products_of_other_units_and_nonsense_are_not_there(app, office):
    put_on_shelf("Foreign", unit="harbour")
    for data in ({"action": "archive", "slug": "foreign"}, {"action": "archive"}, {"action": "explode", "slug": "x"}):
        assert office.post(SELECTION, data=data).status_code == 303
    key = {"key": "k" * 20, "seal": "0"}
    for data in ({"action": "archive", "slug": "foreign", **key}, {"action": "archive", "key": "'"}, {}):
        office.post(f"{SELECTION}/change", data=data)
    assert product("foreign").status == "listed"


def test_who_may_only_read_may_only_export(app, client):
    put_on_shelf("Tea")
    reader = sign_in(client, employ("auditor", "Aya Sun"))
    text = reader.get(OFFICE).text
    assert 'value="export"' in text
    assert 'value="archive"' not in text
    assert reader.post(SELECTION, data={"action": "archive", "slug": "tea"}).status_code == 303
    assert reader.post(f"{SELECTION}/change", data={"action": "archive", "slug": "tea"}).status_code == 403
    assert product("tea").status == "listed"


def test_halves_are_rounded_up_and_nothing_becomes_free():
    assert selections._by_percent(5, -1000) == 5  # 4.5
    assert selections._by_percent(385, -1250) == 337
    assert selections._by_percent(1, -9000) == 0
    assert selections._by_percent(10**9, 90000) == 10**10
