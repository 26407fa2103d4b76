"""A merchant works off what waits: the list, papers for several orders, and many parcels at once."""

from __future__ import annotations

import re

import pytest

MERCHANT = "merchant@example.com"


@pytest.mark.parametrize(("width", "theme", "locale"), [(390, "dark", "zh-CN"), (1280, "light", "en-US")])
def test_every_page_of_fulfilment_can_be_looked_at(visit, width, theme, locale):
    walker = visit(MERCHANT, width=width, theme=theme, locale=locale)
    walker.open("/backoffice/orders?state=paid&delivery=standard").look()
    waiting = re.findall(r'name="number" value="(J\w+)"', walker.page.content())
    chosen = "&".join(f"number={number}" for number in waiting)
    for path in (f"pick-list?{chosen}", f"packing-slips?{chosen}", "packing-slips", "parcels"):
        walker.open(f"/backoffice/orders/{path}").look()
    walker.open("/backoffice/orders?state=part_shipped")
    [sent, *_more] = re.findall(r'name="number" value="(J\w+)"', walker.page.content())
    walker.open(f"/backoffice/orders/{sent}").look()
    walker.page.locator("details.fold > summary").first.click()
    walker.look()
