"""What every page loads holds nothing that no page shows."""

from __future__ import annotations

import re

from app.config import ROOT
from tools import stylesheet

ICON = re.compile(r'<symbol id="([\w-]+)"')


def words() -> set[str]:
    sources = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "app").rglob("*.py")]
    return {word for path in sources for word in re.findall(r"[\w-]+", path.read_text())}


def test_the_trimmed_bootstrap_fits_the_templates():
    assert stylesheet.TRIMMED.read_text() == stylesheet.trimmed(), "Run: make stylesheet"


def test_a_class_stays_that_a_template_names_and_goes_when_none_does():
    css = '.a,.b:not(.gone){x:1}.gone{y:1}@media (min-width:1px){.gone{z:1}.a>.b{z:2}}@media print{.gone{z:3}}b{c:"}"}'
    kept = '.a,.b:not(.gone){x:1}@media (min-width:1px){.a>.b{z:2}}b{c:"}"}'
    assert stylesheet.keep(css, frozenset({"a", "b"})) == kept


def test_every_icon_is_used():
    named = words()
    icons = ICON.findall((ROOT / "static" / "img" / "icons.svg").read_text())
    # The bar puts -fill behind the name of the place where one is.
    assert not [icon for icon in icons if icon not in named and icon.removesuffix("-fill") not in named]
