"""The paths that people come for, walked as the demo's people, from the sign-in to the end."""

from __future__ import annotations

import re

import pytest

from app.config import ROOT

ALICE, BOB = "alice@example.com", "bob@example.com"
CROISSANT, TEDDY, AMERICANO = "/mall/butter-croissant", "/mall/teddy-bear", "/mall/americano-any-size"
PICTURE = ROOT / "static" / "img" / "icon-512.png"


def figure(walker) -> int:
    """The balance as the points page shows it."""
    text = walker.open("/points").page.locator("main .figure").first.inner_text()
    return int(re.sub(r"\D", "", text))


def choose(walker, words: str) -> None:
    """Pick the way to pay whose card says ``words``."""
    walker.page.locator("main label", has_text=words).first.click()


def fill_address(walker) -> None:
    recipient = walker.page.locator("[name=recipient]")
    if recipient.count() and recipient.is_visible():  # Who has an address book chooses from it.
        person = {"recipient": "Alice Chen", "phone": "+86 138 0013 8000", "line": "1 Harbour Road"}
        for name, text in (person | {"city": "Shanghai", "region": "Shanghai"}).items():
            walker.page.locator(f"[name={name}]").fill(text)


def order(walker, product: str, way: str | None = None):
    """From the product's page to the confirmed order."""
    walker.open(product).look()
    if way:
        choose(walker, way)
    walker.press("Redeem")
    walker.look()
    fill_address(walker)
    return walker.press(re.compile("Redeem now|Order and pay"))


def test_a_member_checks_in_once_a_day(visit):
    bob = visit(BOB)
    bob.open("/")
    bob.open("/check-in").press(re.compile("Check in for"))
    bob.sees("See you tomorrow!").look()
    bob.open("/check-in")
    assert bob.page.get_by_role("button", name=re.compile("Check in for")).count() == 0
    bob.open("/points").sees("Check-in")


def test_a_member_redeems_with_points_alone(visit):
    alice = visit(ALICE)
    before = figure(alice)
    alice.open("/").look()
    alice.open("/mall").look()
    order(alice, CROISSANT)
    alice.page.wait_for_url(re.compile(r"/orders/\w"))
    alice.look()
    number = alice.page.url.rpartition("/")[2].partition("?")[0]
    assert figure(alice) == before - 420
    alice.open("/orders").sees(re.compile("croissant", re.I))
    assert number


def test_without_javascript_the_same_works(visit):
    alice = visit(ALICE, script=False)
    before = figure(alice)
    alice.open(CROISSANT).press("Redeem").press("Redeem now")
    alice.page.wait_for_url(re.compile(r"/orders/\w"))
    assert figure(alice) == before - 420


def test_points_and_cash_declined_left_and_paid(visit):
    alice = visit(ALICE)
    before = figure(alice)
    order(alice, TEDDY, "1,000")
    alice.page.wait_for_url(re.compile("/sandbox/"))
    alice.look().press(re.compile("Decline"))
    alice.page.wait_for_url(re.compile(r"/orders/\w"))
    alice.look()
    assert figure(alice) == before - 1000, "The points are set aside until the order is paid or given up."

    alice.open("/orders").page.locator("main a[href*='/orders/']").first.click()
    alice.press("Pay now").page.wait_for_url(re.compile("/sandbox/"))
    alice.press("Leave without paying").page.wait_for_url(re.compile(r"/orders/\w"))
    alice.press("Pay now").page.wait_for_url(re.compile("/sandbox/"))
    alice.press("Pay")
    alice.page.wait_for_url(re.compile(r"/orders/\w"))
    alice.look()
    assert alice.page.get_by_role("button", name="Pay now").count() == 0
    assert figure(alice) == before - 1000


def test_a_visitor_is_brought_to_the_sign_in_and_back(visit):
    visitor = visit()
    visitor.open("/points")
    assert "/session" in visitor.page.url
    visitor.page.locator("main [name=contact]").fill(BOB)
    visitor.page.locator("main [type=password]").fill("not the password")
    visitor.tolerate(422, 401)
    visitor.press("Sign in").look()
    visitor.page.locator("main [type=password]").fill("demo-jifen")
    visitor.press("Sign in").page.wait_for_url(re.compile("/points$"))


def test_a_merchant_adds_a_product_with_a_picture(visit):
    merchant = visit("merchant@example.com", width=1280)
    merchant.open("/backoffice/products").look()
    merchant.open("/backoffice/products/new").look()
    form = merchant.page.locator("main form").first
    form.locator("[name=name_en]").fill("Walking stick")
    form.locator("[name='variants-0-sku']").fill("WALK-1")
    form.locator("[name='variants-0-stock']").fill("7")
    form.locator("[name=list_price]").fill("59")
    form.locator("[name='ways-0-points']").fill("590")
    for name in ("unit", "category"):
        field = form.locator(f"select[name={name}]")
        field.select_option(index=field.locator("option").count() - 1)
    form.locator("select[name=kind]").select_option("physical")
    form.get_by_role("button", name="Save").last.click()
    merchant.sees("Walking stick").look()
    merchant.page.locator("input[type=file]").set_input_files(PICTURE)
    merchant.press("Upload").look()
    merchant.press("List in the mall").look()
    visitor = visit()
    visitor.open("/mall?q=walking").sees("Walking stick").look()


def test_an_agent_corrects_a_balance_and_the_auditor_reads_it(visit):
    bob = visit(BOB)
    before = figure(bob)
    agent = visit("agent@example.com", width=1280)
    agent.open(f"/backoffice/members?q={BOB}")
    if "/members/" not in agent.page.url:
        agent.page.locator("main table a").first.click()
    agent.sees(BOB).look().press(re.compile("Adjust"))
    agent.look()
    agent.page.locator("[name=direction][value=give]").check()
    agent.page.locator("[name=amount]").fill("50")
    agent.page.locator("select[name=reason]").select_option(index=1)
    agent.page.locator("[name=note]").fill("The till was down when he paid.")
    agent.press("Look at the figures").look().press("Book it").look()
    assert figure(bob) == before + 50

    auditor = visit("auditor@example.com", width=1280)
    auditor.open("/backoffice/audit").look().sees("Arthur Gao")
    auditor.tolerate(403)
    auditor.open("/backoffice/staff/new").look()


def test_an_owner_adds_a_colleague_who_signs_in(visit):
    owner = visit("owner@example.com", width=1280)
    owner.open("/backoffice/staff").look()
    owner.open("/backoffice/staff/new").look()
    owner.page.locator("[name=name]").fill("Nina Xu")
    owner.page.locator("[name=email]").fill("nina@example.com")
    owner.page.locator("[name=role][value=agent]").check()
    owner.page.locator("main [type=password]").first.fill("demo-jifen")
    owner.press(re.compile("Save|Add"))
    owner.sees("Nina Xu")
    nina = visit(width=1280)
    nina.open("/backoffice/session")
    nina.page.locator("[name=email]").fill("nina@example.com")
    nina.page.locator("[type=password]").fill("demo-jifen")
    nina.press("Sign in").page.wait_for_url(re.compile("/backoffice/$"))
    nina.look()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_members_own_pages_in_chinese(visit, theme):
    alice = visit(ALICE, locale="zh-CN", theme=theme)
    for path in ("/me", "/me/profile", "/me/address", "/me/password", "/tiers", AMERICANO):
        alice.open(path).look()


def test_what_was_typed_outlives_a_session_that_ended_meanwhile(visit):
    """The form is refused, nothing is saved, and after signing in again it stands there as it was filled in."""
    bob = visit(BOB)
    bob.open("/me/profile")
    before = bob.page.locator("[name=name]").input_value()
    bob.page.locator("[name=name]").fill("Robert Li")
    bob.context.clear_cookies()
    bob.press("Save")
    bob.page.locator("main input[type=password]").fill("demo-jifen")
    bob.page.locator("main [name=contact]").fill(BOB)
    bob.press("Sign in")
    bob.page.wait_for_url("**/me/profile*")
    assert bob.page.locator("[name=name]").input_value() == "Robert Li"
    bob.open("/me/profile")
    assert bob.page.locator("[name=name]").input_value() == before
