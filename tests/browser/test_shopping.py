"""The whole way of a purchase: found, put into the cart, paid in part with points, sent, received, one piece back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_main_paths import ALICE, choose, figure, fill_address

MERCHANT, AGENT = "merchant@example.com", "agent@example.com"
ORDER = re.compile(r"/orders/\w")


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_purchase_from_the_search_to_the_partial_return(visit, script):
    alice = visit(ALICE, script=script)
    before = figure(alice)
    number = buy_two(alice, script=script)
    assert figure(alice) == before - 2 * 300 - 1000

    send(visit(MERCHANT, width=1280, script=script), number)
    alice.open(f"/orders/{number}").sees("SF0815081508")
    alice.page.locator("summary", has_text="I have received it").click()
    alice.press("Yes, I have it").sees("Enjoy it!")

    case = ask_for_one_back(alice, number)
    settle(visit(AGENT, width=1280, script=script), case)
    alice.open(f"/returns/{case}").sees("Done")
    # One of two pieces: half the points of the price and half of those that paid instead of money.
    assert figure(alice) == before - 300 - 500


def buy_two(alice, *, script: bool) -> str:
    """Two umbrellas for points and cash, with 1,000 points instead of a part of the cash. Returns the number."""
    alice.open("/mall?q=umbrella").press(re.compile("Storm umbrella"))
    choose(alice, "300")
    alice.page.locator("main [name=quantity]").fill("2")
    alice.press("Add to cart").sees("It lies in your cart.").press("Go to your cart")
    only(alice, "Storm umbrella")
    alice.press("Checkout")
    fill_address(alice)
    alice.page.locator("#offset").fill("1000")
    if script:
        alice.page.locator("#offset").press("Tab")
    else:
        alice.press("Recalculate")
    alice.sees("1,000 points instead of money")
    if script:
        alice.look()
    alice.press("Order and pay").page.wait_for_url(re.compile("/sandbox/"))
    alice.press("Pay").page.wait_for_url(ORDER)
    alice.sees("It is yours!")
    return alice.page.url.rpartition("/")[2].partition("?")[0]


def only(alice, name: str) -> None:
    """Take out of the cart whatever the demo put there beside it."""
    others = alice.page.get_by_role("button", name=re.compile(f"^Remove (?!{name})"))
    for left in reversed(range(others.count())):
        others.first.click()
        expect(others).to_have_count(left)


def send(merchant, number: str) -> None:
    merchant.open(f"/backoffice/orders/{number}").press("It is packed")
    merchant.page.locator("[name=tracking_number]").fill("SF0815081508")
    merchant.press("It is on its way").sees("SF0815081508")


def ask_for_one_back(alice, number: str) -> str:
    """Returns the number of the case."""
    alice.open(f"/orders/{number}/returns/new?kind=return")
    alice.page.locator("[name^='pieces-']").fill("1")
    alice.page.locator("[name=reason][value=unwanted]").check()
    alice.press("See what it brings").sees("800 points")
    alice.press("Yes, ask for it").page.wait_for_url(re.compile(r"/returns/\w"))
    return alice.page.url.rpartition("/")[2].partition("?")[0]


def settle(agent, case: str) -> None:
    agent.open(f"/backoffice/returns/{case}").press("Approve")
    agent.page.locator("[name=shelf]").first.check()
    agent.press("Settle it")
    agent.sees("Done")
