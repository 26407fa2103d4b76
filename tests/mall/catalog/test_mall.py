"""What members and visitors see on the shelves."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.foundation import clock
from app.foundation.actors import Actor
from app.foundation.database import transaction
from app.foundation.money import Money
from app.foundation.points import Points
from app.identity.units.queries import unit_by_code
from app.loyalty.benefits import actions as benefits
from app.loyalty.tiers import actions as tiers
from app.loyalty.tiers.queries import ladder
from app.mall.catalog import search
from app.mall.catalog.actions import archive_product, attach_pictures, change_stock
from app.mall.catalog.jobs import count_popularity
from app.mall.catalog.queries import offer_for
from app.mall.catalog.rules import Limit
from app.mall.catalog.shelf import ORDERS, Wanted, listed
from app.mall.catalog.stockroom import product_of_units
from tests.cast import join, sign_in
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
    assert 'name="now"' not in page
    assert "Add to cart" in page


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
    assert 'action="/cart"' in page
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


@pytest.fixture
def shop(app):
    """A shop as it may be at its worst for the number of queries: benefits by tier, products for some tiers only."""
    with transaction():
        tiers.install_defaults()
        benefits.install_defaults(now=NOON)
    first = next(tier for tier in ladder() if tier.rank == 1)

    def stock_up(*numbers):
        for number in numbers:
            ways = ((100, 0), (50, 500), (0, 1_500))
            slug = put_on_shelf(f"Green tea {number}", ways=ways, tier_id=first.id, limit=Limit(2, "month"))
            with transaction():
                attach_pictures(product=found(slug), files=["a" * 32, "b" * 32], by=CLERK, now=NOON)

    return stock_up


SEARCH = "/mall?q=green+tea&within=yes&pay=points"


SEARCH = "/mall?q=green+tea&pay=points"


def queries_of(browser, address):
    with counted() as statements:
        assert browser.get(address).status_code == 200
    return len(statements)


def test_the_number_of_queries_is_small_whatever_the_number_of_products(shop, client, monkeypatch):
    shop(0, 1)
    browser = sign_in(client, join("reader@example.com", "Rui Li"))

    def counts(minute):
        with clock.freeze(NOON + timedelta(minutes=minute)):
            browser.get("/mall/green-tea-1")  # So that looking at the other one is news, and written down.
        with clock.freeze(NOON + timedelta(minutes=minute + 1)):
            return [queries_of(browser, address) for address in ("/mall", SEARCH, "/mall/green-tea-0")]

    few = counts(1)
    shop(*range(2, 20))
    assert counts(3) == few
    assert max(few) <= 12
    monkeypatch.setattr(search, "FEW", 1)
    assert queries_of(browser, SEARCH) <= 13  # Two words that are both frequent are looked for once more, together.


# --- nonsense in the address ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "least=abc",
        "most=-5",
        "least=1e9",
        "most=99999999999999999",
        "least=1.234",
        "least=NaN",
        "most=%D9%A1%D9%A2",
    ],
)
def test_an_amount_that_is_none_is_left_out_with_a_sentence(app, client, query):
    put_on_shelf("Tea")
    page = client.get(f"/mall?{query}")
    assert page.status_code == 200
    assert "This is no amount of money" in page.text
    assert "Tea" in page.text


def test_a_range_upside_down_is_said(app, client):
    assert "nothing can fit in between" in client.get("/mall?least=50&most=10").text


def test_full_width_amounts_are_amounts(app, client):
    put_on_shelf("Tea", list_price=Money(5_900, "CNY"))
    put_on_shelf("Cup", list_price=Money(900, "CNY"))
    page = client.get("/mall?least=%EF%BC%95%EF%BC%90").text
    assert "Tea" in page
    assert "Cup" not in page


@pytest.mark.parametrize(
    "query",
    [
        "sort=sideways",
        "pay=tears",
        "unit=999",
        "unit=x",
        "within=yes",
        "after=WzEsMl0",
        "after=W10&sort=price",
        "sort=price&after=WyIyMDI2LTA2LTE1VDA0OjAwOjAwKzAwOjAwIiwxXQ",
    ],
)
def test_filters_that_mean_nothing_filter_nothing(app, client, query):
    put_on_shelf("Tea")
    page = client.get(f"/mall?{query}")
    assert page.status_code == 200
    assert "Tea" in page.text


@pytest.mark.parametrize("words", ["%F0%9F%8D%B5", "%E2%80%AE%E2%80%8B", "%ED%A0%80", "a%CC%81" * 300, "%3Cscript%3E"])
def test_odd_signs_find_nothing_and_break_nothing(app, client, words):
    put_on_shelf("Tea")
    page = client.get(f"/mall?q={words}")
    assert page.status_code == 200
    assert "<script>" not in page.text.split("<main")[1].split("</main>")[0]


def test_filters_work_together_and_each_has_a_way_out(client, alice):
    put_on_shelf("Cup", ways=((100, 0),), unit="mall", list_price=Money(2_000, "CNY"))
    put_on_shelf("Pot", ways=((100, 500),), unit="mall", list_price=Money(2_000, "CNY"))
    put_on_shelf("Kettle", ways=((0, 3_000),), unit="bakery")
    put_on_shelf("Ring", ways=((9_999, 0),), unit="bakery", list_price=Money(90_000, "CNY"))
    browser = sign_in(client, alice)

    def shown(query):
        page = browser.get(f"/mall?{query}").text
        shelf = page.split('aria-label="Products"')[-1] if 'aria-label="Products"' in page else ""
        return [name for name in ("Cup", "Pot", "Kettle", "Ring") if f">{name}</a>" in shelf]

    assert shown("pay=points") == ["Cup", "Ring"]
    assert shown("pay=mix") == ["Pot"]
    assert shown("pay=money") == ["Kettle"]
    assert shown("within=yes") == ["Cup", "Pot"]
    assert shown("most=30") == ["Cup", "Pot", "Kettle"]
    assert shown("least=25&most=30") == ["Kettle"]
    assert shown(f"unit={unit_by_code('bakery').id}") == ["Kettle", "Ring"]
    page = browser.get("/mall?pay=points&within=yes&q=cup").text
    assert 'href="/mall?q=cup&amp;pay=points"' in page
    assert 'href="/mall?q=cup&amp;within=yes"' in page


def test_popular_are_those_of_the_last_month_after_the_job_has_counted(app, alice):
    slugs = [put_on_shelf(name) for name in ("Never", "Twice", "Once", "Long ago")]
    by, ids = Actor("member", alice.id, "Alice"), [first_variant(slug).id for slug in slugs]
    for place, (which, change, days) in enumerate([(1, -2, 1), (2, -3, 1), (3, -9, 40)]):
        with transaction():
            what = {"variant_id": ids[which], "change": change, "reason": "order", "reference": f"J{place}"}
            change_stock(**what, by=by, now=NOON - timedelta(days=days))
    with transaction():
        change_stock(variant_id=ids[2], change=2, reason="release", reference="J1", by=by, now=NOON)
    assert count_popularity(now=NOON) == 2
    assert names(order="popular") == ["Twice", "Once", "Long ago", "Never"]
    assert count_popularity(now=NOON) == 0
    assert count_popularity(now=NOON + timedelta(days=60)) == 2


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
