"""A gift is claimed with one tap, and an owner sees a benefit as members read it while typing."""

from __future__ import annotations

import pytest

ALICE, OWNER, AGENT = "alice@example.com", "owner@example.com", "agent@example.com"


@pytest.mark.parametrize(("width", "theme"), [(390, "light"), (1280, "dark")])
def test_benefits_are_compared_on_every_screen(visit, width, theme):
    visit(ALICE, width=width, theme=theme).open("/benefits").sees("What each tier brings").look()


def test_a_gift_is_claimed_with_one_tap(visit):
    walker = visit(ALICE)
    walker.open("/benefits").press("Claim").sees("points are in your account").look()


def test_an_owner_sees_what_they_type_as_members_will_read_it(visit):
    walker = visit(OWNER, width=1280)
    walker.open("/backoffice/benefits/new/discount").look()
    walker.page.get_by_label("Name, English").fill("Tea price")
    walker.page.get_by_label("Percent").fill("15")
    walker.page.get_by_label("Tags").fill("tea")
    walker.sees("¥100 becomes ¥85.").look()


def test_the_desk_gives_and_tags(visit):
    walker = visit(AGENT, width=1280)
    walker.open("/backoffice/members?q=alice@example.com").press("Give and hand out").sees("Give a benefit").look()
