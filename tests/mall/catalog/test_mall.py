"""What members and visitors see on the shelves."""

from __future__ import annotations

import pytest

from app.foundation.database import transaction
from app.foundation.points import Points
from app.mall.catalog.actions import archive_product, attach_pictures, change_stock
from app.mall.catalog.queries import offer_for
from app.mall.catalog.shelf import ORDERS, Wanted, listed
from app.mall.catalog.stockroom import product_of_units
from tests.cast import sign_in
from tests.conftest import NOON
from tests.mall.catalog.shelf import CLERK, counted, first_variant, found, product, put_on_shelf

CHINESE = {"en": "Green tea", "zh_Hans": "绿茶", "zh_Hant": "綠茶"}


def names(**filters):
    options = {"limit": 50, "now": NOON} | {name: filters.pop(name) for name in ("order", "now") if name in filters}
    return [named(each) for each in listed(Wanted(**filters), **options).items]


def named(shown):
    return shown.product.name.get("en") or shown.product.name["zh_Hans"]


# --- finding ------------------------------------------------------------------------------


def test_the_newest_stands_first_and_drafts_and_archived_ones_not_at_all(app):
    put_on_shelf("Old")
    put_on_shelf("Draft", listed=False)
    gone = put_on_shelf("Gone")
    put_on_shelf("New")
    with transaction():
        archive_product(product=found(gone), by=CLERK, now=NOON)
    assert names() == ["New", "Old"]


@pytest.mark.parametrize("words", ["绿茶", "綠茶", "绿", "green", "GREEN TEA", "tea green", "ｇｒｅｅｎ", "  tea  "])
def test_a_search_finds_in_every_language_whatever_the_case_or_order(app, words):
    put_on_shelf(CHINESE)
    put_on_shelf("Black coffee")
    assert names(search=words) == ["Green tea"]


@pytest.mark.parametrize("words", ["%", "_", "100%", "\\", "' OR 1=1 --", "茶杯"])
def test_signs_that_mean_something_to_the_database_mean_nothing_to_a_search(app, words):
    put_on_shelf(CHINESE)
    assert names(search=words) == []


def test_a_sign_is_found_where_it_stands(app):
    put_on_shelf("Oat milk 100% oats")
    put_on_shelf("Oat milk 100 ml")
    assert names(search="100%") == ["Oat milk 100% oats"]


def test_a_search_finds_a_sku(app):
    slug = put_on_shelf("Green tea")
    assert names(search=first_variant(slug).sku.lower()) == ["Green tea"]


def test_a_category_shows_only_its_own(app):
    put_on_shelf("Tea", category="tea")
    put_on_shelf("Cup", category="cups")
    assert names(category="cups") == ["Cup"]


def test_within_my_points_counts_the_points_of_any_way_to_pay_and_leaves_out_what_is_sold_out(app):
    put_on_shelf("Cheap", ways=((100, 0),))
    put_on_shelf("With cash", ways=((900, 0), (150, 2000)))
    put_on_shelf("Dear", ways=((900, 0),))
    put_on_shelf("Sold out", ways=((100, 0),), stock=0)
    assert names(affordable=Points(200)) == ["With cash", "Cheap"]
    assert names(affordable=Points(0)) == []


def test_pages_follow_each_other_without_a_gap_or_a_repetition(app):
    for number in range(7):
        put_on_shelf(f"Tea {number}", ways=((100 + number % 3, 0),))
    for order in ORDERS:
        part = listed(Wanted(), limit=2, order=order, now=NOON)
        seen = [named(each) for each in part.items]
        while part.after:
            part = listed(Wanted(), after=part.after, limit=2, order=order, now=NOON)
            seen += [named(each) for each in part.items]
        assert sorted(seen) == sorted(names())
        assert seen == names(order=order)


# --- the pages ------------------------------------------------------------------------------


def test_a_visitor_sees_prices_and_where_to_sign_in_but_no_order_button(app, client):
    slug = put_on_shelf("Green tea", ways=((380, 0), (200, 1200)))
    shelf = client.get("/mall").text
    assert "380" in shelf
    assert "200 + " in shelf
    assert "Within my points" not in shelf
    page = client.get(f"/mall/{slug}").text
    assert "Sign in to redeem" in page
    assert f"next=/mall/{slug}" in page.replace("%2F", "/")
    assert 'type="submit"' not in page.split("</form>")[-2]


def test_a_member_is_told_what_is_within_reach_and_what_is_missing(app, client, alice):
    put_on_shelf("Cheap", ways=((100, 0),))
    put_on_shelf("Dear", ways=((1_350, 0),))
    shelf = sign_in(client, alice).get("/mall").text
    assert "You have 350 points to spend" in shelf
    assert "Within your points" in shelf
    assert "1,000 points to go" in shelf


def test_the_switch_within_my_points_hides_the_rest(app, client, alice):
    put_on_shelf("Cheap", ways=((100, 0),))
    put_on_shelf("Dear", ways=((1_350, 0),))
    shelf = sign_in(client, alice).get("/mall?within=yes").text
    assert "Cheap" in shelf
    assert "Dear" not in shelf


def test_a_visitor_cannot_ask_for_within_my_points_and_sees_everything(app, client):
    put_on_shelf("Dear", ways=((1_350, 0),))
    assert "Dear" in client.get("/mall?within=yes").text


def test_the_form_leads_to_the_order_with_variant_way_and_quantity(app, client, alice):
    slug = put_on_shelf("Green tea", ways=((100, 0),))
    page = sign_in(client, alice).get(f"/mall/{slug}").text
    tea = product(slug)
    assert "/orders/new" in page or "portal.orders.new" in page
    assert f'name="variant" value="{tea.variants[0].id}"' in page
    assert f'name="price" value="{tea.prices[0].id}" checked' in page
    assert 'name="quantity" value="1" min="1" max="10"' in page
    assert "You keep 250 points" in page


def test_what_a_member_lacks_is_named_with_ways_to_get_it(app, client, alice):
    slug = put_on_shelf("Green tea", ways=((1_350, 0), (900, 2000)))
    page = sign_in(client, alice).get(f"/mall/{slug}").text
    assert "You have 350 points. 550 more, and this is yours." in page
    assert "Check in" in page
    assert "How to earn points" in page
    assert "disabled" in page
    assert ">Redeem<" not in page


def test_the_way_that_fits_is_chosen_where_another_does_not(app, client, alice):
    slug = put_on_shelf("Green tea", ways=((1_350, 0), (300, 2000)))
    page = sign_in(client, alice).get(f"/mall/{slug}").text
    fitting = next(price for price in product(slug).prices if price.points == 300)
    assert f'value="{fitting.id}" checked' in page
    assert "and this is yours" not in page


def test_sold_out_is_said_and_cannot_be_ordered(app, client, alice):
    slug = put_on_shelf("Green tea", stock=0)
    page = sign_in(client, alice).get(f"/mall/{slug}").text
    assert "This is sold out just now." in page
    assert ">Redeem<" not in page
    assert "Sold out" in client.get("/mall").text


def test_a_variant_that_is_sold_out_can_be_seen_but_not_chosen(app, client, alice):
    from app.mall.catalog.rules import VariantDraft

    variants = [
        VariantDraft(sku="TEA-S", name={"en": "Small"}, stock=0),
        VariantDraft(sku="TEA-L", name={"en": "Large"}, stock=3),
        VariantDraft(sku="TEA-X", name={"en": "Secret"}, stock=3, active=False),
    ]
    slug = put_on_shelf("Green tea", variants=variants)
    page = sign_in(client, alice).get(f"/mall/{slug}").text
    small, large, _ = product(slug).variants
    assert f'value="{small.id}" disabled' in page
    assert f'value="{large.id}" checked' in page
    assert "Secret" not in page


def test_a_product_speaks_the_readers_language_or_the_nearest(app, client):
    slug = put_on_shelf({"en": "Green tea", "zh_Hans": "绿茶"})
    assert "绿茶" in client.get(f"/mall/{slug}", headers={"Accept-Language": "zh-TW"}).text
    assert "Green tea" in client.get(f"/mall/{slug}", headers={"Accept-Language": "fr"}).text


@pytest.mark.parametrize("state", ["draft", "archived", "missing"])
def test_what_is_not_listed_is_not_there(app, client, state):
    slug = put_on_shelf("Secret", listed=False)
    if state == "archived":
        with transaction():
            archive_product(product=product_of_units(None, slug), by=CLERK, now=NOON)
    answer = client.get(f"/mall/{slug if state != 'missing' else 'nothing'}")
    assert answer.status_code == 404
    assert "Secret" not in answer.text


def test_a_description_is_markdown_and_never_markup(app, client):
    text = "# Fresh\n\n**Bold** [shop](https://example.com) [x](javascript:alert(1))\n\n"
    text += "<script>alert(1)</script><img src=x onerror=y>"
    slug = put_on_shelf("Green tea", description={"en": text})
    page = client.get(f"/mall/{slug}").text
    assert "<strong>Bold</strong>" in page
    assert "<h3>Fresh</h3>" in page
    assert 'href="https://example.com"' in page
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert 'href="javascript' not in page


def test_a_name_with_markup_from_an_import_is_shown_as_text(app, client):
    slug = put_on_shelf("<b>Tea</b><script>alert(1)</script>")
    for path in ("/mall", f"/mall/{slug}"):
        assert "<script>alert" not in client.get(path).text


@pytest.mark.parametrize(
    "query",
    [
        "after=x",
        "after=-1",
        "after=99999999999999999999",
        "q=%01",
        "q=" + "x" * 500,
        "category=nothing",
        "sort=x",
        "within=",
    ],
)
def test_absurd_addresses_show_a_page(app, client, query):
    put_on_shelf()
    assert client.get(f"/mall?{query}").status_code == 200


def test_more_products_come_as_a_part_of_the_page_to_htmx_and_as_a_page_to_everybody_else(app, client, monkeypatch):
    monkeypatch.setattr("app.mall.catalog.views.PAGE", 2)
    for number in range(3):
        put_on_shelf(f"Tea {number}")
    first = client.get("/mall").text
    address = first.split('id="more"')[1].split('href="')[1].split('"')[0].replace("&amp;", "&")
    assert "Tea 0" not in first
    whole = client.get(address).text
    assert "<html" in whole
    assert "Back to the first products" in whole
    part = client.get(address, headers={"HX-Request": "true", "HX-Target": "more"}).text
    assert "<html" not in part
    assert "Tea 0" in part
    assert 'id="more"' not in part


def test_nothing_found_says_what_to_do_and_an_empty_mall_says_something_kind(app, client):
    assert "The shelves are being filled" in client.get("/mall").text
    put_on_shelf()
    assert "Show all" in client.get("/mall?q=unicorn").text


def test_the_number_of_queries_does_not_grow_with_the_number_of_products(app, client, alice):
    def stock_up(number):
        slug = put_on_shelf(f"Tea {number}", ways=((100, 0), (50, 500)))
        with transaction():
            attach_pictures(product=found(slug), files=["a" * 32, "b" * 32], by=CLERK, now=NOON)

    sign_in(client, alice)
    stock_up(0)
    client.get("/mall")
    with counted() as few:
        client.get("/mall")
    for number in range(1, 12):
        stock_up(number)
    with counted() as many:
        client.get("/mall")
    assert len(many) == len(few)
    assert len(many) < 12


# --- what orders are told -------------------------------------------------------------------


def test_an_order_learns_everything_about_a_variant_on_offer(alice):
    slug = put_on_shelf(CHINESE, ways=((380, 0), (200, 1200)), stock=4)
    offer = offer_for(first_variant(slug).id, member_id=alice.id, now=NOON)
    assert (offer.name, offer.stock, offer.category, offer.kind) == (CHINESE, 4, "tea", "physical")
    assert sorted((int(way.points), way.cash.amount) for way in offer.ways.values()) == [(200, 1200), (380, 0)]


def test_an_archived_product_is_not_on_offer_but_a_sold_out_one_is_with_its_stock(alice):
    gone, empty = put_on_shelf(), put_on_shelf(stock=1)
    with transaction():
        archive_product(product=found(gone), by=CLERK, now=NOON)
        change_stock(variant_id=first_variant_id(empty), change=-1, reason="order", by=CLERK, now=NOON)
    me = {"member_id": alice.id, "now": NOON}
    assert offer_for(first_variant(gone).id, **me) is None
    assert offer_for(first_variant(empty).id, **me).stock == 0
    assert offer_for(10**9, **me) is None


def first_variant_id(slug):
    return product_of_units(None, slug).variants[0].id
