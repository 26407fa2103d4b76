"""Ways to pay: points, points and money, money alone, and what a member's tier takes off the money."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from app.foundation.database import transaction
from app.foundation.errors import InvalidInput
from app.foundation.money import Money
from app.foundation.points import Points
from app.loyalty.benefits.queries import Perks
from app.mall.catalog.actions import create_product
from app.mall.catalog.models import Price
from app.mall.catalog.queries import offer_for
from app.mall.catalog.rules import Way, cheapest, easiest, member_price, missing, sort_keys
from app.mall.orders.errors import NotOffered
from app.mall.orders.quotes import Wanted, quote
from tests.cast import sign_in
from tests.conftest import NOON
from tests.mall.catalog.shelf import CLERK, draft, first_variant, product, put_on_shelf

DISCOUNT = 5


class Reduced(Perks):
    """Whoever has them pays less."""

    def discount(self, unit_id: int) -> int:
        return DISCOUNT


@pytest.fixture
def reduced(monkeypatch):
    """A tier that takes something off."""
    for room in ("queries", "views"):
        monkeypatch.setattr(f"app.mall.catalog.{room}.perks_of", lambda member, now: Reduced(1))


def yuan(fen):
    return Money(fen, "CNY")


def way(points, cash):
    return Way(Points(points), yuan(cash))


# --- the member price ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cash", "discount", "least", "price"),
    [
        (10_000, 0, 0, 10_000),
        (10_000, 5, 0, 9_500),
        (999, 5, 0, 949),  # 949.05: the odd part is the member's.
        (999, 33, 0, 669),  # 669.33
        (1, 5, 0, 0),
        (10_000, 100, 0, 0),
        (10_000, 100, 400, 400),
        (300, 50, 400, 300),  # It costs less than that to begin with.
        (0, 20, 400, 0),  # Points alone stay points alone.
        (10_000, 250, 1, 1),
        (10_000, -50, 1, 10_000),
    ],
)
def test_a_discount_is_rounded_for_the_member_and_never_goes_below_what_can_be_paid(cash, discount, least, price):
    assert member_price(yuan(cash), discount=discount, least=yuan(least)) == yuan(price)


def test_the_currency_is_the_prices_own():
    with pytest.raises(TypeError):
        yuan(5) * 0.95
    assert member_price(Money(1000, "JPY"), discount=5, least=Money(50, "JPY")) == Money(950, "JPY")


# --- money alone ------------------------------------------------------------------------------


def test_points_stand_before_money_where_there_are_both():
    ways = [way(0, 5_900), way(380, 0), way(200, 1_200)]
    assert cheapest(ways) == way(380, 0)
    assert easiest(ways) == way(200, 1_200)
    assert cheapest([way(0, 5_900), way(0, 4_900)]) == way(0, 4_900)
    assert missing(way(0, 5_900), Points(-300)) == Points(0)


def test_what_is_sold_for_money_alone_stands_behind_what_takes_points():
    worth = yuan(9_900)
    assert sort_keys([way(380, 0), way(0, 5_900)], worth) == (380, 5_900)
    assert sort_keys([way(380, 0)], worth) == (380, 9_900)
    assert sort_keys([way(0, 5_900)], worth)[0] > sort_keys([way(10**9, 0)], worth)[0]


@pytest.mark.parametrize("wrong", [(0, 0), (-1, 100), (100, -1)])
def test_a_way_to_pay_asks_for_something_and_for_nothing_negative(app, wrong):
    wanted = draft(ways=(wrong,))
    with pytest.raises(InvalidInput), transaction():
        create_product(draft=wanted, by=CLERK, now=NOON)


@pytest.mark.parametrize("wrong", [{"points": 0, "cash": 0}, {"points": -1, "cash": 5}, {"points": 5, "cash": -1}])
def test_the_database_says_so_too(app, wrong):
    slug = put_on_shelf()
    product_id = product(slug).id
    with pytest.raises(IntegrityError), transaction() as session:
        session.add(Price(product_id=product_id, **wrong))
    assert len(product(slug).prices) == 1


def test_a_product_for_money_is_shown_without_a_coin_and_bought_rather_than_redeemed(client, alice):
    slug = put_on_shelf("Kettle", ways=((0, 5_900),))
    page = sign_in(client, alice).get(f"/mall/{slug}").text
    assert "¥59.00" in page
    assert "Money only" in page
    assert ">Buy<" in page
    assert "#coin" not in page.split("product-headline")[1].split("</p>")[0]
    assert "points to go" not in page


def test_money_is_no_way_within_my_points(client, alice):
    put_on_shelf("Kettle", ways=((0, 5_900),))
    put_on_shelf("Cup", ways=((100, 0),))
    shelf = sign_in(client, alice).get("/mall?within=yes").text
    assert "Cup" in shelf
    assert "Kettle" not in shelf


# --- what is charged --------------------------------------------------------------------------


def test_a_quote_charges_the_member_price_for_the_money_and_the_full_points(alice, reduced):
    slug = put_on_shelf("Kettle", ways=((200, 1_299), (0, 5_900)))
    figures = {}
    for price in product(slug).prices:
        wanted = Wanted(first_variant(slug).id, price.id, 3)
        figures[price.points] = quote(member_id=alice.id, wanted=[wanted], now=NOON).figures
    assert (figures[200].points, figures[200].cash) == (Points(600), yuan(3 * 1_234))  # 1234.05 each
    assert (figures[0].points, figures[0].cash) == (Points(0), yuan(3 * 5_605))


def test_the_ordinary_price_stands_beside_the_members(client, alice, reduced):
    slug = put_on_shelf("Kettle", ways=((0, 5_900),))
    browser = sign_in(client, alice)
    for page in (browser.get("/mall").text, browser.get(f"/mall/{slug}").text):
        assert "¥56.05" in page
        assert "¥59.00</s>" in page
    assert "5% off" in browser.get(f"/mall/{slug}").text


def test_a_visitor_sees_the_ordinary_price(client, app):
    slug = put_on_shelf("Kettle", ways=((0, 5_900),))
    page = client.get(f"/mall/{slug}").text
    assert "¥59.00" in page
    assert "</s>" not in page


def test_the_price_of_another_product_buys_nothing(alice):
    cheap, dear = put_on_shelf("Cup", ways=((1, 0),)), put_on_shelf("Kettle", ways=((900, 0),))
    wrong = Wanted(first_variant(dear).id, product(cheap).prices[0].id, 1)
    with pytest.raises(NotOffered):
        quote(member_id=alice.id, wanted=[wrong], now=NOON)
    assert offer_for(wrong.variant_id, member_id=alice.id, now=NOON) is not None
