"""Each of the demo's people opens every page of their menus, on a phone and on a desk, in light and dark."""

from __future__ import annotations

import pytest

from tests.browser.walker import Walker

MEMBERS = ("alice@example.com", "bob@example.com")
STAFF = tuple(f"{role}@example.com" for role in ("merchant", "agent", "auditor", "owner"))
PUBLIC = ("/", "/programme", "/mall", "/session", "/registration", "/password", "/backoffice/session")
SCREENS = [(390, "light", "en-US"), (390, "dark", "zh-CN"), (1280, "light", "zh-TW"), (1280, "dark", "en-US")]
# A language changes how wide things are, not their colours and roles: two of the four are enough for WCAG.
LOOKED_AT = [SCREENS[0], SCREENS[3]]


@pytest.mark.parametrize(("width", "theme", "locale"), SCREENS)
def test_a_visitor_opens_every_public_page(visit, width, theme, locale):
    walker = visit(width=width, theme=theme, locale=locale)
    for path in PUBLIC:
        walker.open(path).look()


@pytest.mark.parametrize(("width", "theme", "locale"), SCREENS)
@pytest.mark.parametrize("account", MEMBERS + STAFF)
def test_everybody_opens_every_page_of_their_menus(visit, account, width, theme, locale):
    walker = visit(account, width=width, theme=theme, locale=locale)
    look = Walker.look if (width, theme, locale) in LOOKED_AT else Walker.fits
    look(walker.open("/" if account in MEMBERS else "/backoffice/"))
    paths = walker.navigation()
    assert len(paths) >= 3
    for path in paths:
        look(walker.open(path))


@pytest.mark.parametrize("width", [390, 1280])
def test_a_page_that_does_not_exist_is_a_page_too(visit, width):
    walker = visit(width=width)
    walker.tolerate(404)
    walker.open("/no/such/page").look()


def test_the_keyboard_reaches_the_content_first(visit):
    walker = visit()
    walker.open("/programme").page.keyboard.press("Tab")
    assert walker.page.evaluate("document.activeElement.getAttribute('href')") == "#main"


@pytest.mark.parametrize(
    ("account", "path"), [(None, "/programme"), (None, "/mall"), (MEMBERS[0], "/"), (MEMBERS[0], "/orders")]
)
def test_the_first_page_is_light(visit, account, path):
    visit(account)  # Signs in, so that the walk below begins with an empty cache.
    walker = visit(account)
    weights: list[int] = []
    walker.page.on("requestfinished", lambda request: weights.append(request.sizes()["responseBodySize"]))
    walker.open(path).page.wait_for_load_state("networkidle")
    assert sum(weights) < 100_000, f"{sum(weights)} bytes over the wire"
