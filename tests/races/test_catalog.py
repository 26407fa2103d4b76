"""Colleagues at the same shelf at once: each is told what happened, and no limit is passed."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.foundation.actors import Actor
from app.foundation.database import db, transaction
from app.mall.catalog import limits
from app.mall.catalog.actions import attach_pictures, create_category, create_product, take_pieces, wish
from app.mall.catalog.errors import SkuTaken
from app.mall.catalog.models import Category, Picture, Product, StockMovement
from app.mall.catalog.rules import MOST_PICTURES, Limit, VariantDraft
from tests.conftest import NOON
from tests.factories import make_member
from tests.mall.catalog.shelf import CLERK, draft, found, product, put_on_shelf
from tests.racing import ON_POSTGRESQL, at_once, barrier, meet_after, refusals

TABS = 6


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


# --- limits ---------------------------------------------------------------------------------


def order_a_voucher(member_id, variant_id, number):
    with transaction():
        alice = Actor("member", member_id, "Alice Lin")
        take_pieces(pieces={variant_id: 1}, number=number, by=alice, now=NOON)


def voucher():
    """Two variants, so that the lock on one of them keeps nobody from the other."""
    variants = [VariantDraft(sku="SMALL", stock=20), VariantDraft(sku="LARGE", stock=20)]
    slug = put_on_shelf("Voucher", variants=variants, limit=Limit(2, "month"))
    return [variant.id for variant in product(slug).variants]


def orders_of(variant_ids, member_id):
    return [lambda n=n: order_a_voucher(member_id, variant_ids[n % len(variant_ids)], f"J{n}") for n in range(TABS)]


@ON_POSTGRESQL
def test_without_a_lock_two_tabs_would_pass_the_limit(app, monkeypatch):
    member_id, variant_ids = make_member(), voucher()
    monkeypatch.setattr(limits, "lock", lambda _order, statement: statement)
    meet_after(monkeypatch, limits, "refuse_beyond_limit", barrier(TABS))
    assert refusals(at_once(app, orders_of(variant_ids, member_id))) == 0


def test_a_limit_holds_from_many_tabs_at_once_over_all_variants(app):
    member_id, variant_ids = make_member(), voucher()
    assert refusals(at_once(app, orders_of(variant_ids, member_id))) == TABS - 2
    db.session.rollback()
    taken = sa.select(sa.func.sum(StockMovement.change)).where(StockMovement.reason == "order")
    assert db.session.scalar(taken) == -2


def test_six_clicks_on_one_heart_are_one_wish(app):
    member_id, product_id = make_member(), product(put_on_shelf("Green tea")).id

    def wish_it():
        with transaction():
            return wish(member_id=member_id, product_id=product_id, now=NOON)

    assert sorted(at_once(app, [wish_it] * 6)) == [False] * 5 + [True]
