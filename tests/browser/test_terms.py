"""An owner writes a campaign, sees at once what it brings, looks at what it changes, and throws the draft away."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(("width", "theme", "locale"), [(390, "light", "en-US"), (1280, "dark", "zh-CN")])
def test_a_campaign_is_tried_while_it_is_written(visit, width, theme, locale):
    owner = visit("owner@example.com", width=width, theme=theme, locale=locale)
    page = owner.open("/backoffice/earning").page
    number = page.locator("input[name$='-times']").count()
    page.locator("button[value='add:campaigns']").click()
    times = page.locator(f"input[name='campaigns-{number}-times']")
    times.wait_for()
    assert page.evaluate("document.activeElement.name") == f"campaigns-{number}-name_en"
    page.keyboard.type("Owl night")
    page.locator(f"select[name='campaigns-{number}-unit']").select_option(index=1)
    page.locator(f"input[name='campaigns-{number}-days']").fill("3")
    page.locator("input[name='trial-moment']").fill("2031-03-03T22:00")
    times.fill("50")
    page.locator("#trial").get_by_text("Owl night 50").wait_for()
    owner.look()
    page.locator(".savebar button").click()
    page.wait_for_url("**/terms/earning/publication")
    page.locator("ins").get_by_text("50").first.wait_for()
    owner.look()
    page.locator("summary.btn-outline-danger").click()
    page.locator("form[action$='/withdrawal'] button").click()
    page.wait_for_url("**/backoffice/terms")


@pytest.mark.parametrize(("width", "theme", "locale"), [(390, "dark", "zh-TW"), (1280, "light", "en-US")])
def test_the_programmes_pages(visit, width, theme, locale):
    owner = visit("owner@example.com", width=width, theme=theme, locale=locale)
    for path in (
        "/backoffice/terms/earning/versions",
        "/backoffice/terms/checkin",
        "/backoffice/terms/checkin/publication",
    ):
        owner.open(path).look()
    page = owner.open("/backoffice/tiers/ladder").look().page
    tiers = page.locator("input[name$='-name_en']").count()
    page.locator("button[value='add:1']").click()
    page.locator("input[name='tiers-2-code'][value='']").wait_for(state="attached")
    assert page.locator("input[name$='-name_en']").count() == tiers + 1
    owner.look()
