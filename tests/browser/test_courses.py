"""A course read to its end in a browser, without a script and with one, and what its writers see of it."""

from __future__ import annotations

import re

import pytest

ALICE, BOB, MERCHANT = "alice@example.com", "bob@example.com", "merchant@example.com"


@pytest.mark.parametrize(
    ("who", "course", "script", "width", "theme"),
    [(BOB, "Your first loaf", False, 390, "dark"), (ALICE, "Brewing tea at home", True, 1280, "light")],
)
def test_a_member_carries_on_and_finishes_a_course(visit, *, who, course, script, width, theme):
    reader = visit(who, script=script, width=width, theme=theme)
    look = reader.look if script else reader.fits  # axe is a script.
    reader.open("/courses")
    look()
    reader.press(course)
    look()
    reader.press(re.compile("Begin|Carry on"))
    look()
    while not reader.page.get_by_text("You have finished this course").count():
        reader.press(re.compile("I have read it"))
    reader.sees("30 points are yours")
    look()


def test_who_has_no_access_is_told_how_to_get_it(visit):
    alice = visit(ALICE, theme="dark")
    alice.open("/courses/barista-basics").look()
    alice.press("Look in the mall")
    assert "/mall?q=Barista+basics" in alice.page.url


@pytest.mark.parametrize(("width", "theme"), [(390, "light"), (1280, "dark")])
def test_those_who_write_courses_see_them_all(visit, width, theme):
    merchant = visit(MERCHANT, width=width, theme=theme)
    merchant.open("/backoffice/courses").look()
    merchant.press("Brewing tea at home").look()
    merchant.press("Preview").look()
    merchant.open("/backoffice/courses/brewing-tea/edit").look()
    merchant.open("/backoffice/courses/brewing-tea/lessons/new").look()
