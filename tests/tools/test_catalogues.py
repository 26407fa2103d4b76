"""The check of the catalogues finds what a translator may have missed."""

import pytest
from babel.messages import Catalog

from tools.catalogues import LOCALES, faults


def sources() -> Catalog:
    catalog = Catalog()
    catalog.add("Hello %(name)s")
    catalog.add(("%(num)s wish", "%(num)s wishes"))
    return catalog


def chinese(hello="您好，%(name)s", wishes="%(num)s 个愿望", **options) -> Catalog:
    catalog = Catalog(locale="zh_Hans")
    catalog.add("Hello %(name)s", hello, **options)
    catalog.add(("%(num)s wish", "%(num)s wishes"), (wishes,))
    return catalog


def test_a_complete_catalogue_has_no_faults():
    assert list(faults(chinese(), sources())) == []


@pytest.mark.parametrize(
    ("catalog", "fault"),
    [
        (chinese(hello=""), "not translated"),
        (chinese(wishes=""), "not translated"),
        (chinese(hello="您好"), "other placeholders"),
        (chinese(wishes="愿望"), "other placeholders"),
        (chinese(hello="您好，%(nam)s"), "other placeholders"),
        (chinese(flags=["fuzzy"]), "fuzzy"),
        (Catalog(locale="zh_Hans"), "not translated"),
    ],
)
def test_what_is_missing_is_said(catalog, fault):
    assert fault in "\n".join(faults(catalog, sources()))


def test_what_nobody_says_any_more_is_said():
    catalog = chinese()
    catalog.add("Goodbye", "再见")
    assert list(faults(catalog, sources())) == ["no longer in the sources: 'Goodbye'"]


def test_english_needs_no_catalogue():
    assert "en" not in LOCALES
