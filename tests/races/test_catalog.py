"""Colleagues at the same shelf at once: each is told what happened, and no limit is passed."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.foundation.database import db, transaction
from app.mall.catalog.actions import attach_pictures, create_category, create_product
from app.mall.catalog.errors import SkuTaken
from app.mall.catalog.models import Category, Picture, Product
from app.mall.catalog.rules import MOST_PICTURES, VariantDraft
from tests.conftest import NOON
from tests.mall.catalog.shelf import CLERK, draft, found, put_on_shelf
from tests.racing import at_once, refusals


def count(model: type) -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(model))


def test_a_category_made_by_six_clicks_at_once_is_there_once(app):
    def make():
        with transaction():
            create_category(code="tea", name={"en": "Tea"}, by=CLERK, now=NOON)

    assert refusals(at_once(app, [make] * 6)) == 5
    assert count(Category) == 1


@pytest.mark.parametrize(("skus", "made"), [(["TEA"] * 4, 1), (["TEA-1", "TEA-2", "TEA-3", "TEA-4"], 4)])
def test_products_of_the_same_name_made_at_once_are_told_apart_by_their_skus(app, skus, made):
    drafts = [draft("Green tea", variants=[VariantDraft(sku=sku)]) for sku in skus]

    def make(wanted):
        with transaction():
            return create_product(draft=wanted, by=CLERK, now=NOON).slug

    answers = at_once(app, [lambda wanted=wanted: make(wanted) for wanted in drafts])
    assert count(Product) == made
    assert sum(isinstance(answer, SkuTaken) for answer in answers) == 4 - made
    assert "green-tea" in answers


def test_pictures_hung_up_at_once_stay_within_the_limit(app):
    slug = put_on_shelf("Green tea")

    def hang(n):
        with transaction():
            files = [f"{n}{place}" * 16 for place in range(3)]
            attach_pictures(product=found(slug), files=files, by=CLERK, now=NOON)

    answers = at_once(app, [lambda n=n: hang(n) for n in range(6)])
    assert refusals(answers) == 3
    assert count(Picture) == MOST_PICTURES
    assert sorted(picture.rank for picture in found(slug).pictures) == list(range(MOST_PICTURES))
