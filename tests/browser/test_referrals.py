"""Alice sends her link, and a friend's browser brings its code along to joining."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest


@pytest.mark.parametrize(("width", "theme", "locale"), [(390, "light", "en-US"), (1280, "dark", "zh-CN")])
def test_an_invitation_leads_to_joining(visit, width, theme, locale):
    alice = visit("alice@example.com", width=width, theme=theme, locale=locale)
    link = urlsplit(alice.open("/referrals").look().page.locator("#link").input_value()).path
    friend = visit(width=width, theme=theme, locale=locale)
    friend.open(link).look()
    friend.page.locator("main a[href='/registration']").click()
    friend.page.wait_for_url("**/registration")
    assert friend.look().page.locator("[name=invite_code]").input_value() == link.rpartition("/")[2]
