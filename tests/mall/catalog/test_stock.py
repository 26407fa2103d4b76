from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.foundation.actors import Actor
from app.foundation.audit import AuditEntry
from app.foundation.database import LockOrder, db, lock, transaction
from app.foundation.errors import InvalidInput
from app.mall.catalog.actions import change_stock
from app.mall.catalog.errors import OutOfStock
from app.mall.catalog.models import StockMovement, Variant
from app.mall.catalog.rules import MOST_STOCK
from tests.conftest import NOON
from tests.mall.catalog.shelf import CLERK, first_variant, put_on_shelf

MEMBER = Actor("member", 1, "Alice Lin")


@pytest.fixture(autouse=True)
def member(alice):
    """Who orders, the first member of all."""
    assert alice.id == MEMBER.id


def change(slug, pieces, *, reason="order", by=MEMBER, reference="JF-1"):
    with transaction():
        variant_id = first_variant_id(slug)
        change_stock(variant_id=variant_id, change=pieces, reason=reason, reference=reference, by=by, now=NOON)


def first_variant_id(slug):
    from app.mall.catalog.stockroom import product_of_units

    return product_of_units(None, slug).variants[0].id


def movements():
    statement = sa.select(StockMovement.change, StockMovement.stock_after, StockMovement.reason)
    return [tuple(row) for row in db.session.execute(statement.order_by(StockMovement.id))]


def test_an_order_takes_pieces_and_the_movement_says_what_is_left(app):
    slug = put_on_shelf(stock=10)
    change(slug, -3)
    assert first_variant(slug).stock == 7
    assert movements() == [(10, 10, "delivery"), (-3, 7, "order")]


def test_the_last_piece_can_be_taken_and_then_no_other(app):
    slug = put_on_shelf("Green tea", stock=1)
    change(slug, -1)
    with pytest.raises(OutOfStock, match="Green tea is sold out just now"):
        change(slug, -1)
    assert first_variant(slug).stock == 0
    assert len(movements()) == 2


def test_taking_more_than_there_is_names_the_product_and_what_is_left_and_takes_nothing(app):
    slug = put_on_shelf("Green tea", stock=2)
    with pytest.raises(OutOfStock) as refusal:
        change(slug, -3)
    assert "Green tea" in str(refusal.value)
    assert "Only 2 pieces" in str(refusal.value)
    assert refusal.value.left == 2
    assert first_variant(slug).stock == 2
    assert movements() == [(2, 2, "delivery")]


def test_the_database_itself_refuses_stock_below_zero(app):
    slug = put_on_shelf(stock=1)
    with pytest.raises(IntegrityError), transaction():
        db.session.execute(sa.update(Variant).where(Variant.id == first_variant_id(slug)).values(stock=-1))
    assert first_variant(slug).stock == 1


def test_more_pieces_than_anybody_can_count_are_refused(app):
    slug = put_on_shelf(stock=1)
    with pytest.raises(InvalidInput):
        change(slug, MOST_STOCK, reason="correction")
    assert first_variant(slug).stock == 1


def test_a_change_by_staff_is_audited_with_before_and_after_and_one_by_an_order_is_not(app):
    slug = put_on_shelf(stock=5)
    change(slug, -1)
    change(slug, -2, reason="correction", by=CLERK, reference="counted")
    entries = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "stock.change")).all()
    assert [(entry.before["stock"], entry.after["stock"], entry.after["reason"]) for entry in entries] == [
        (4, 2, "correction")
    ]


def test_stock_is_locked_before_wallets_never_after(app):
    slug = put_on_shelf()
    with transaction():
        variant_id = first_variant_id(slug)
        db.session.execute(lock(LockOrder.WALLET, sa.select(Variant.id)))
        with pytest.raises(RuntimeError, match="STOCK must be locked before WALLET"):
            change_stock(variant_id=variant_id, change=-1, reason="order", by=MEMBER, now=NOON)


def test_stock_read_before_somebody_else_took_some_is_not_written_back(app):
    """The session holds an old figure; the change counts from what the database has."""
    slug = put_on_shelf(stock=10)
    with transaction() as session:
        variant = session.get(Variant, first_variant_id(slug))
        session.execute(
            sa.update(Variant)
            .where(Variant.id == variant.id)
            .values(stock=4)
            .execution_options(synchronize_session=False)
        )
        assert variant.stock == 10
        movement = change_stock(variant_id=variant.id, change=-1, reason="order", by=MEMBER, now=NOON)
        assert (movement.stock_after, variant.stock) == (3, 3)
