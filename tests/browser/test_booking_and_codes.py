"""A time is booked, moved and given up; a code is looked at; and what merchants see of both, of sheets and of many."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.test_main_paths import ALICE, CROISSANT, figure, fill_address
from tests.browser.walker import visible

MERCHANT = "merchant@example.com"
TEA, POSTCARDS = "/mall/afternoon-tea-for-two", "/mall/riverside-postcards"
SCREENS = [(390, "dark", "zh-CN"), (1280, "light", "en-US")]
ORDER, CASE = re.compile(r"/orders/(\w+)(\?|$)"), re.compile(r"/returns/\w+$")


def take(walker, css: str):
    """Press what every language calls differently."""
    visible(walker.page.locator(css)).click()
    walker.page.wait_for_load_state()
    return walker


def number_of(walker) -> str:
    walker.page.wait_for_url(ORDER)
    return ORDER.search(walker.page.url)[1]


def looking(walker, *, script: bool):
    return walker.look if script else walker.fits  # axe is a script.


# --- times -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "width", "theme", "locale"), [(True, *SCREENS[0]), (True, *SCREENS[1]), (False, 390, "light", "en-US")]
)
def test_a_booked_time_is_moved_and_given_up(visit, *, script, width, theme, locale):
    alice = visit(ALICE, script=script, width=width, theme=theme, locale=locale)
    look = looking(alice, script=script)
    before = figure(alice)
    number = book(alice, look, script=script)
    assert figure(alice) == before - 900

    alice.open("/bookings")
    look()
    take(alice, f"main a[href='/orders/{number}']")
    first = when(alice, script=script)
    look()
    assert download(alice).count("BEGIN:VEVENT") == 1

    alice.open(f"/orders/{number}/booking/edit")
    look()
    choose_time(alice, day=5)
    take(alice, ".buybar button")
    number_of(alice)
    assert when(alice, script=script) != first

    cancel(alice, look, number)
    assert figure(alice) == before, "All of it comes back."
    alice.open("/bookings")
    assert alice.page.locator(f"main a[href='/orders/{number}']").count() == 0
    assert alice.context.request.get(f"/orders/{number}/booking.ics").status == 404


def book(alice, look, *, script: bool) -> str:
    """A time of some days ahead, for points and cash. Returns the order's number."""
    alice.open(TEA)
    if script:
        alice.page.locator("main .time-grid").wait_for()
        look()
        alice.open(f"{TEA}/times")
    else:
        take(alice, f"main a[href='{TEA}/times']")
    look()
    choose_time(alice, day=3)
    visible(alice.page.locator(".choice:has([name=price])").filter(has_text="900")).click()
    take(alice, ".buybar button[type=submit]")
    look()
    take(alice, "#sum button[type=submit]").page.wait_for_url(re.compile("/sandbox/"))
    take(alice, "[name=wish][value=pay]")
    return number_of(alice)


def choose_time(walker, *, day: int) -> None:
    """The last of the times of the day that is so many places from the first. The chip says when it is chosen."""
    chip = walker.page.locator(".day-chip").nth(day)
    chip.click()
    expect(chip).to_have_attribute("aria-current", "date")
    walker.page.locator(".choice:has([name=slot]:enabled)").last.click()


def when(walker, *, script: bool) -> str:
    if not script:
        take(walker, "#booking a")
    return walker.page.locator(".booked-facts dd").first.inner_text()


def download(walker) -> str:
    with walker.page.expect_download() as started:
        walker.page.locator("a[href$='/booking.ics']").click()
    return started.value.path().read_text()


def cancel(walker, look, number: str) -> None:
    """All that the order still holds, after a look at what comes back."""
    walker.open(f"/orders/{number}/cancellations/new")
    look()
    walker.page.locator("[name=reason][value=unwanted]").check()
    take(walker, ".form-actions button")
    look()
    take(walker, "[name=step][value=confirm]").page.wait_for_url(CASE)
    look()


def test_a_paid_order_is_cancelled_before_it_is_packed(visit):
    alice = visit(ALICE)
    before = figure(alice)
    alice.open(POSTCARDS).press("Redeem")
    fill_address(alice)
    alice.press("Redeem now")
    number = number_of(alice)
    assert figure(alice) == before - 150
    alice.open(f"/orders/{number}").press("Cancel")
    cancel(alice, alice.fits, number)
    alice.sees("150 points")
    assert figure(alice) == before
    alice.open(f"/orders/{number}/cancellations/new")
    assert alice.page.url.endswith(f"/orders/{number}/returns"), "There is nothing left to cancel."


# --- codes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_code_that_its_owner_has_seen_stays_hers(visit, script):
    alice = visit(ALICE, script=script)
    alice.open(CROISSANT).press("Redeem").press("Redeem now")
    number = number_of(alice)
    assert alice.page.locator(".voucher-code").count() == 0
    alice.open("/codes").press("Show my code")
    code = visible(alice.page.locator(".voucher-code")).inner_text()
    assert code.startswith("CBCR-")
    if script:
        alice.look()
        alice.context.grant_permissions(["clipboard-read", "clipboard-write"])
        take(alice, f"[data-copy='{code}']").sees("Copied")
        assert alice.page.evaluate("navigator.clipboard.readText()") == code
    else:
        assert not alice.page.locator("[data-copy]").first.is_visible()
    alice.open(f"/orders/{number}").sees(code)
    alice.open(f"/orders/{number}/cancellations/new")
    assert alice.page.url.endswith(f"/orders/{number}/returns"), "What was seen is not taken back."


@pytest.mark.parametrize(("width", "theme", "locale"), SCREENS)
def test_the_page_of_codes(visit, width, theme, locale):
    alice = visit(ALICE, width=width, theme=theme, locale=locale)
    alice.open("/codes").look()


# --- what merchants see ----------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "theme", "locale"), SCREENS)
def test_times_are_planned_and_codes_are_added(visit, width, theme, locale):
    merchant = visit(MERCHANT, width=width, theme=theme, locale=locale)
    for path in ("slots", "slots/CB-AFTERNOON", "bookings", "codes"):
        merchant.open(f"/backoffice/{path}").look()
    page = merchant.open("/backoffice/slots/CB-AFTERNOON/series").page
    today = datetime.now(UTC).date()
    page.locator("[name=weekdays]").first.check()
    for name, text in {"first": today, "last": today + timedelta(days=28), "times": "9:00, 14:00"}.items():
        page.locator(f"[name={name}]").fill(f"{text}")
    take(merchant, "[name=again]").look()
    assert page.locator("[name=keep]").count() >= 4

    merchant.open("/backoffice/codes/CB-LATTE").look()
    page.locator("[name=codes]").fill("NEW-1\nNEW-2, 2001-01-01\nNEW-1")
    take(merchant, "#add button[type=submit]").look()
    merchant.open("/backoffice/codes/CB-LATTE")
    take(merchant, "main a[href*='/withdrawals/new']").look()


@pytest.mark.parametrize(("width", "theme", "locale"), SCREENS)
def test_many_products_are_changed_at_once(visit, tmp_path, width, theme, locale):
    merchant = visit(MERCHANT, width=width, theme=theme, locale=locale)
    page = merchant.open("/backoffice/products").page
    for box in page.locator("[name=slug]").all()[:2]:
        box.check()
    merchant.look()
    page.locator("#selection select").select_option("price")
    take(merchant, "#selection button")
    page.locator("[name=percent]").fill("-10")
    take(merchant, "main form button[type=submit]").look()

    sheet = tmp_path / "products.csv"
    taken_home = merchant.context.request.get("/backoffice/products/sheets/products.csv?q=umbrella").text()
    sheet.write_text(taken_home.replace("300 pts", "310 pts"))
    merchant.open("/backoffice/products/sheets").look()
    page.locator("[name=sheet]").set_input_files(sheet)
    take(merchant, "#send button[type=submit]")
    page.locator("#rows ins", has_text="310 pts").wait_for()
    merchant.look()
