"""Pools are filled and emptied, the stock follows, and whoever waits is served first."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from app.foundation import terms
from app.foundation.actors import SYSTEM
from app.foundation.audit import AuditEntry
from app.foundation.database import db, transaction
from app.foundation.errors import InvalidInput
from app.mall.catalog import actions as catalog
from app.mall.catalog.errors import KindKept, OutOfStock, StockCounted
from app.mall.catalog.models import Variant
from app.mall.catalog.rules import VariantDraft
from app.mall.codes import actions, jobs
from app.mall.codes.errors import CodeGone, NoPool, NothingFree
from app.mall.codes.models import PoolCode
from app.mall.codes.queries import mismatches
from app.mall.codes.terms import CodeTerms
from app.mall.orders import actions as orders
from app.mall.orders.jobs import close_unpaid, serve_waiting
from app.mall.orders.queries import order_by_id
from tests.conftest import NOON
from tests.factories import make_member
from tests.mall.catalog.shelf import CLERK, draft, product, put_on_shelf
from tests.mall.codes.pools import add, figures, movements, owned, show, withdraw
from tests.mall.orders.shop import attempt, make_goods, order_some, report, state_of, wallet_of

DAY = timedelta(days=1)


def dry(ticket, lin):
    """An order that is placed while there are codes and paid when there are none."""
    order = order_some(lin, ticket, address=None)
    payment = attempt(order)
    withdraw(ticket, "Test")
    report(order, payment)
    return order


def test_the_stock_follows_what_is_added_and_the_same_sheet_twice_adds_nothing(latte):
    assert add(latte, "A1", "A2") == 2
    assert add(latte, "A1", "A2") == 0
    assert add(latte, "A2", "A3", batch="June") == 1
    assert figures(latte) == (6, 6, 0)
    assert movements(latte)[1:] == [(2, "delivery"), (1, "delivery")]


def test_a_large_sheet_is_added_at_once(latte):
    assert add(latte, *(f"L{number:05}" for number in range(500)), last_day=date(2027, 1, 1)) == 500
    assert figures(latte) == (503, 503, 0)


def test_a_withdrawn_code_does_not_come_back_by_its_sheet(latte):
    add(latte, "A1", "A2")
    assert withdraw(latte, "May") == 2
    assert add(latte, "A1", "A2") == 0
    assert figures(latte) == (3, 3, 0)
    with pytest.raises(NothingFree):
        withdraw(latte, "May")


def test_the_audit_log_knows_how_many_never_which(latte):
    add(latte, "SECRET-1", "SECRET-2")
    withdraw(latte, "May", reason="The partner closed")
    of_pools = sa.select(AuditEntry).where(AuditEntry.subject_kind == "code_pool").order_by(AuditEntry.id)
    entries = db.session.scalars(of_pools).all()
    assert [(entry.action, entry.after["codes"]) for entry in entries] == [("codes.add", 2), ("codes.withdraw", 2)]
    assert entries[1].after["reason"] == "The partner closed"
    everything = db.session.scalars(sa.select(AuditEntry)).all()
    assert "SECRET" not in str([(entry.before, entry.after, entry.subject_label) for entry in everything])


def test_only_vouchers_have_a_pool(app):
    tea = make_goods("Tea")
    with pytest.raises(NoPool):
        add(tea, "A1")


def test_nobody_types_the_stock_of_a_voucher(latte):
    for change in (1, -1):
        with transaction(), pytest.raises(StockCounted, match="pool"):
            catalog.change_stock_by_hand(
                variant_id=latte.variant_id, change=change, reason="correction", by=CLERK, now=NOON
            )
    with pytest.raises(InvalidInput, match="pool"):
        put_on_shelf("Voucher", kind="code", stock=5)
    slug = put_on_shelf("Voucher", kind="code", variants=[VariantDraft(sku="EMPTY")])
    assert product(slug).variants[0].stock == 0


def test_a_product_stays_of_its_kind_while_it_has_stock_codes_or_open_orders(lin, latte, ticket):
    def become(slug, kind):
        changed = draft("Other", kind=kind, variants=[VariantDraft(sku=f"OTHER-{slug.upper()}")])
        with transaction():
            catalog.update_product(product=product(slug), draft=changed, revision=1, by=CLERK, now=NOON)

    tea, ordered = make_goods("Tea"), make_goods("Cup", stock=1)
    order_some(lin, ordered)
    for slug, kind in ((latte.slug, "physical"), (tea.slug, "code"), (ordered.slug, "service")):
        with pytest.raises(KindKept):
            become(slug, kind)
    become(put_on_shelf("Voucher", kind="code", variants=[VariantDraft(sku="EMPTY")]), "physical")


def test_those_who_wait_have_theirs_as_soon_as_codes_are_added_the_oldest_first(lin, ticket):
    second = make_member(name="Wei", points=1_000)
    first_order = order_some(lin, ticket, address=None)
    second_order = order_some(second, ticket, address=None)
    payments = [attempt(first_order), attempt(second_order)]
    withdraw(ticket, "Test")
    assert figures(ticket) == (0, 0, 2)
    report(second_order, payments[1])
    report(first_order, payments[0])
    assert {state_of(first_order), state_of(second_order)} == {"paid"}
    add(ticket, "N1")
    assert (state_of(first_order), state_of(second_order)) == ("delivered", "paid")
    assert figures(ticket) == (0, 0, 1)
    add(ticket, "N2", "N3", batch="June")
    assert state_of(second_order) == "delivered"
    assert figures(ticket) == (1, 1, 0)
    assert [code.code for code in (*owned(lin), *owned(second))] == ["N1", "N2"]


def test_what_was_missed_is_caught_by_the_regular_job(lin, ticket, monkeypatch):
    order = dry(ticket, lin)
    with monkeypatch.context() as patch:
        patch.setattr(orders, "serve_waiting", lambda **_: 1 / 0)
        add(ticket, "N1")  # Each fails in a transaction of its own, and is logged.
    assert state_of(order) == "paid"
    assert serve_waiting(now=NOON) == 1
    assert state_of(order) == "delivered"
    assert serve_waiting(now=NOON) == 0


def test_an_unpaid_order_whose_code_was_withdrawn_frees_nothing_when_it_closes(lin, ticket):
    order_some(lin, ticket, address=None)
    withdraw(ticket, "Test")
    assert figures(ticket) == (0, 0, 1)
    close_unpaid(now=NOON + DAY)
    assert figures(ticket) == (0, 0, 0)


def test_a_waiting_order_can_be_given_up_and_then_waits_for_nothing(lin, ticket):
    order = dry(ticket, lin)
    line = order_by_id(order).lines[0]
    with transaction():
        orders.lock_order(order_id=order)
        orders.give_up(order=order_by_id(order), pieces={line.id: 1}, by=SYSTEM, now=NOON)
    assert state_of(order) == "cancelled"
    add(ticket, "N1")
    assert (owned(lin), figures(ticket)) == ([], (1, 1, 0))


def test_stock_from_before_there_were_pools_is_found_and_levelled_by_the_first_codes(latte):
    with transaction():
        db.session.execute(sa.update(Variant).where(Variant.id == latte.variant_id).values(stock=50))
    assert [str(found) for found in mismatches()] == [
        f"{found.sku}: stock 50, but 3 free codes and 0 pieces ordered" for found in mismatches()
    ]
    assert len(mismatches()) == 1
    add(latte, "A1")
    assert figures(latte) == (4, 4, 0)


# --- what has a last day --------------------------------------------------------------------------


def test_what_ends_first_goes_first_and_what_ends_too_soon_is_not_handed_out(lin, app):
    ice = make_goods("Ice", points=10, stock=0, kind="code")
    add(ice, "TODAY", last_day=date(2026, 6, 15))
    add(ice, "LATE", last_day=date(2026, 7, 1))
    add(ice, "SOON", last_day=date(2026, 6, 16))
    add(ice, "EVER")
    for _ in range(3):
        order_some(lin, ice, address=None)
    assert sorted(code.code for code in owned(lin)) == ["EVER", "LATE", "SOON"]
    assert figures(ice) == (0, 0, 0)


@pytest.mark.parametrize("cash", [0, 1000])  # Paid at once, or to be paid.
def test_nobody_orders_a_code_that_has_ended_before_the_job_has_come(lin, app, cash):
    ice = make_goods("Ice", points=10, cash=cash, stock=0, kind="code")
    add(ice, "A1", "A2", last_day=date(2026, 6, 16))
    add(ice, "B1", last_day=date(2026, 7, 16))
    assert figures(ice) == (3, 3, 0)
    with pytest.raises(OutOfStock, match="Only 1 piece"):
        order_some(lin, ice, quantity=2, address=None, now=NOON + DAY)
    assert wallet_of(lin) == (10_000, 0)
    order_some(lin, ice, address=None, now=NOON + DAY)
    assert figures(ice)[0] == 0
    with pytest.raises(OutOfStock):
        order_some(lin, ice, address=None, now=NOON + DAY)
    assert [code.code for code in owned(lin)] == ([] if cash else ["B1"])
    assert jobs.withdraw_ended(now=NOON + DAY) == 0  # They are out already.


def test_the_next_code_is_found_by_the_index_however_full_the_pool(app, latte):
    next_ones = actions._next_free(latte.variant_id, 1, now=NOON).compile(
        db.engine, compile_kwargs={"literal_binds": True}
    )
    if db.engine.dialect.name == "sqlite":  # It sorts the few that end on one day, but reads no code that is taken.
        assert "ix_pool_code_free" in str(db.session.execute(sa.text(f"EXPLAIN QUERY PLAN {next_ones}")).all())
        return
    for way in ("seqscan", "sort"):  # A small table is read in any way: what is left must be the index, in its order.
        db.session.execute(sa.text(f"SET LOCAL enable_{way} = off"))
    plan = "\n".join(db.session.scalars(sa.text(f"EXPLAIN {next_ones}")))
    db.session.rollback()
    assert "ix_pool_code_free" in plan
    assert "Sort" not in plan


def test_ended_codes_leave_the_pool_by_themselves_and_owned_ones_stay(lin, app):
    ice = make_goods("Ice", points=10, stock=0, kind="code")
    add(ice, "A1", "A2", last_day=date(2026, 6, 20))
    order_some(lin, ice, address=None)
    assert jobs.withdraw_ended(now=NOON + 4 * DAY) == 0
    # Midnight in Shanghai, where the programme is: the 20th has begun, and a full day is no longer left.
    assert jobs.withdraw_ended(now=NOON + 4 * DAY + timedelta(hours=12)) == 1
    assert jobs.withdraw_ended(now=NOON + 9 * DAY) == 0
    assert figures(ice) == (0, 0, 0)
    assert movements(ice)[-1] == (-1, "correction")
    assert len(owned(lin)) == 1


def test_how_long_a_code_must_last_is_the_owners_to_say(app):
    ice = make_goods("Ice", points=10, stock=0, kind="code")
    add(ice, "A1", last_day=date(2026, 6, 20))
    with transaction():
        terms.change(CodeTerms, {"least_days": 10}, by=SYSTEM, now=NOON)
    assert jobs.withdraw_ended(now=NOON + timedelta(minutes=1)) == 1
    for days in (-1, 366):
        with pytest.raises(InvalidInput):
            CodeTerms(least_days=days)


# --- its owner looks at it ------------------------------------------------------------------------


def test_a_code_that_was_looked_at_is_not_taken_back(lin, latte):
    order = order_some(lin, latte, quantity=2, address=None)
    first, second = owned(lin)
    show(first, lin)
    show(first, lin, now=NOON + DAY)
    assert [code.shown_at for code in owned(lin)] == [NOON, None]
    line = order_by_id(order).lines[0]

    def give_up(pieces):
        with transaction():
            orders.lock_order(order_id=order)
            orders.give_up(order=order_by_id(order), pieces={line.id: pieces}, by=SYSTEM, now=NOON)

    with pytest.raises(orders.NotToBeGivenUp):
        give_up(2)
    give_up(1)
    assert [code.id for code in owned(lin)] == [first.id]
    assert figures(latte) == (2, 2, 0)
    with pytest.raises(CodeGone):
        show(second, lin)
    assert db.session.get_one(PoolCode, second.id).shown_at is None


def test_nobody_looks_at_what_is_somebody_elses(lin, latte):
    order_some(lin, latte, address=None)
    [mine] = owned(lin)
    with pytest.raises(CodeGone):
        show(mine, make_member(name="Mallory"))
    assert owned(lin)[0].shown_at is None
