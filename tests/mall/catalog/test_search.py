"""What a search finds, in Chinese and in English, and by how many queries."""

from __future__ import annotations

import pytest

from app.foundation.database import db, transaction
from app.mall.catalog import search
from app.mall.catalog.actions import create_brand, update_brand, update_product
from app.mall.catalog.jobs import index_products
from app.mall.catalog.models import ProductWord
from app.mall.catalog.rules import VariantDraft
from app.mall.catalog.shelf import Wanted, listed
from app.mall.catalog.stockroom import product_of_units
from app.mall.catalog.words import fold, query, words_of
from tests.conftest import NOON
from tests.mall.catalog.shelf import CLERK, counted, draft, product, put_on_shelf


def names(words):
    found = listed(Wanted(search=words), limit=50, now=NOON).items
    return [shown.product.name.get("en") or shown.product.name["zh_Hans"] for shown in found]


# --- words --------------------------------------------------------------------------------


def test_chinese_is_cut_into_characters_and_pairs_and_everything_else_into_words():
    assert words_of(fold("绿茶杯 Green TEA-250")) == {"绿", "茶", "杯", "绿茶", "茶杯", "green", "tea", "250"}


@pytest.mark.parametrize(
    ("typed", "kept"), [("Ｔｅａ", "tea"), ("Café", "cafe"), ("ＡＢＣ１", "abc1"), ("ﾃｨｰ", "ティー")]
)
def test_folding_makes_one_word_of_what_is_one_word_to_people(typed, kept):
    assert fold(typed) == kept


@pytest.mark.parametrize("nothing", ["", "  ", "%%", "___", "。、", "\0\x01", "🍵", "\u200b\u202e"])
def test_what_has_no_word_asks_for_nothing(nothing):
    assert query(nothing).words == ()


def test_a_very_long_search_asks_for_no_more_than_some_words():
    assert len(query("x y " * 1000).words) <= 12
    assert len(query("茶杯绿" * 1000).words) <= 12


# --- finding ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    ["保", "保温", "保温杯", "温 杯", "杯 保温", "不锈钢 保温杯", "vacuum", "vac fla", "ＦＬＡＳＫ", "flask 保温"],
)
def test_characters_pairs_and_beginnings_are_found_together_in_any_order(app, words):
    put_on_shelf({"en": "Vacuum flask", "zh_Hans": "不锈钢保温杯"})
    put_on_shelf({"en": "Teapot", "zh_Hans": "茶壶"})
    assert names(words) == ["Vacuum flask"]


@pytest.mark.parametrize("words", ["杯温保", "保杯", "acuum", "flask teapot", "保温壶"])
def test_what_stands_nowhere_together_is_not_found(app, words):
    put_on_shelf({"en": "Vacuum flask", "zh_Hans": "不锈钢保温杯"})
    put_on_shelf({"en": "Teapot", "zh_Hans": "茶壶"})
    assert names(words) == []


def test_all_pairs_of_a_longer_word_in_different_places_are_not_that_word(app):
    put_on_shelf({"zh_Hans": "绿茶与茶杯"})
    put_on_shelf({"zh_Hans": "绿茶杯"})
    assert names("绿茶杯") == ["绿茶杯"]


def test_an_edit_changes_what_a_product_is_found_by(app):
    slug = put_on_shelf("Green tea")
    kept = product(slug).variants[0]
    wanted = draft("Black coffee", variants=[VariantDraft(sku=kept.sku, id=kept.id)])
    with transaction():
        tea = product_of_units(None, slug)
        update_product(product=tea, draft=wanted, revision=tea.revision, by=CLERK, now=NOON)
    assert names("coffee") == ["Black coffee"]
    assert names("green") == []


def test_a_product_is_found_by_its_brand_and_by_the_brands_new_name(app):
    with transaction():
        brand = create_brand(code="kiln", name={"en": "Kiln Nine", "zh_Hans": "九号窑"}, by=CLERK, now=NOON)
        brand_id = brand.id
    put_on_shelf("Teapot", brand_id=brand_id)
    assert names("九号窑 teapot") == ["Teapot"]
    with transaction():
        update_brand(db.session.get(type(brand), brand_id), name={"en": "Kiln Ten"}, by=CLERK, now=NOON)
    assert names("ten") == ["Teapot"]
    assert names("nine") == []


def test_products_from_before_there_were_words_are_found_after_the_job(app):
    put_on_shelf("Green tea")
    with transaction() as session:
        session.query(ProductWord).delete()
    assert names("green") == []
    assert index_products(now=NOON) == 1
    assert names("green") == ["Green tea"]
    assert index_products(now=NOON) == 0


# --- rare and frequent words ----------------------------------------------------------------


@pytest.mark.parametrize("few", [0, 3, 500])
@pytest.mark.parametrize("words", ["tea", "tea n1", "tea cup", "茶 绿"])
def test_the_same_is_found_whether_words_are_rare_or_frequent(app, monkeypatch, few, words):
    for number in range(4):
        put_on_shelf({"en": f"Green tea n{number}", "zh_Hans": "绿茶"})
    put_on_shelf({"en": "Cup", "zh_Hans": "杯"})
    monkeypatch.setattr(search, "FEW", few)
    everything = [f"Green tea n{number}" for number in (3, 2, 1, 0)]
    expected = {"tea n1": ["Green tea n1"], "tea cup": []}.get(words, everything)
    with counted() as statements:
        assert names(words) == expected
    assert len(statements) <= 5
