"""Somebody at a browser, with eyes for what people and screen readers would stumble over."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Response

PASSWORD = "demo-jifen"
STAFF = ("merchant", "agent", "auditor", "owner")
WCAG = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
# What passed stays in the page: to carry it here took longer than all the rules together.
VIOLATIONS = "options => axe.run(document, options).then(results => results.violations)"
TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.querySelectorAll('body *')]
    .filter(e => e.getBoundingClientRect().right > width + 1 && getComputedStyle(e).position !== 'fixed')
    .slice(0, 5).map(e => e.outerHTML.slice(0, 120));
}"""
BROKEN_PICTURES = """() => [...document.images]
  .filter(i => i.loading !== 'lazy' && i.complete && i.naturalWidth === 0).map(i => i.src)"""
MENU_LINKS = "nav a[href]"


class Walker:
    """``complaints`` is what the browser said; ``tolerate(422)`` names answers that a walk provokes on purpose."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.tolerated: set[int] = set()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self._complain(str(error)))
        self.page.on("response", self._check_answer)

    def tolerate(self, *statuses: int) -> None:
        self.tolerated |= set(statuses)

    def _hear(self, message: ConsoleMessage) -> None:
        # A failed answer is judged by its status, below.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self._complain(message.text)

    def _check_answer(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.tolerated:
            self._complain(f"{response.request.method} {response.url} answered {response.status}")

    def _complain(self, text: str) -> None:
        self.complaints.append(f"{urlsplit(self.page.url).path}: {text}")

    # --- walking ---

    def open(self, path: str) -> Walker:
        answer = self.page.goto(path)
        assert answer is not None
        assert answer.ok or answer.status in self.tolerated, f"{path} answered {answer.status}"
        return self

    def sign_in(self, account: str) -> Walker:
        staff = account.partition("@")[0] in STAFF
        self.open("/backoffice/session" if staff else "/session")
        self.page.locator("main input[type=password]").fill(PASSWORD)
        self.page.locator("main input:is([name=contact],[name=email])").first.fill(account)
        self.page.locator("main form button[type=submit], main form button:not([type])").first.click()
        self.page.wait_for_url(lambda url: not urlsplit(url).path.endswith("/session"))
        return self

    def press(self, name: str | re.Pattern[str]) -> Walker:
        """Press a button, or follow a link that looks like one."""
        found = self.page.get_by_role("button", name=name).or_(self.page.get_by_role("link", name=name))
        visible(found).click()
        self.page.wait_for_load_state()
        return self

    def sees(self, text: str | re.Pattern[str]) -> Walker:
        visible(self.page.get_by_text(text)).wait_for()
        return self

    def navigation(self) -> list[str]:
        """The paths that the page's menus offer, each once."""
        paths = [urlsplit(link.get_attribute("href") or "").path for link in self.page.locator(MENU_LINKS).all()]
        return list(dict.fromkeys(path for path in paths if path))

    # --- looking ---

    def fits(self) -> Walker:
        """The page is no wider than the screen, and its pictures load."""
        path = urlsplit(self.page.url).path
        too_wide = self.page.evaluate(TOO_WIDE)
        assert not too_wide, f"{path} is wider than the screen: {too_wide}"
        broken = self.page.evaluate(BROKEN_PICTURES)
        assert not broken, f"{path} has broken pictures: {broken}"
        return self

    def look(self) -> Walker:
        """The page fits, and WCAG 2.2 AA finds nothing."""
        path = urlsplit(self.fits().page.url).path
        self.page.evaluate(AXE_SCRIPT)
        found = self.page.evaluate(VIOLATIONS, WCAG)
        assert not found, f"{path}:\n" + "\n".join(map(readable, found))
        return self


def visible(found: Locator) -> Locator:
    return found.locator("visible=true").first


def readable(violation: dict) -> str:
    places = "; ".join(node["html"][:140] for node in violation["nodes"][:3])
    return f"  {violation['id']}: {violation['help']} — {places}"
