"""Make-up cards in a browser, without a script and with one."""

from __future__ import annotations

import re

import pytest

ALICE = "alice@example.com"


@pytest.mark.parametrize(("script", "width", "theme"), [(False, 390, "dark"), (True, 1280, "light")])
def test_a_member_makes_up_for_a_missed_day(visit, script, width, theme):
    alice = visit(ALICE, script=script, width=width, theme=theme)
    look = alice.look if script else alice.fits  # axe is a script.
    alice.open("/check-in")
    look()
    missed = alice.page.locator("a.day-missed")
    before = missed.count()
    if not before:
        pytest.skip("In the first week of a month Alice has missed nothing yet.")
    missed.last.click()
    alice.sees("Points you keep")
    look()
    alice.press(re.compile("Make up for 50 points"))
    alice.sees(re.compile("is made up"))
    assert alice.page.locator(".day-made_up").count() >= 1
    look()
