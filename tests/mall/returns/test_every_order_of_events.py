"""Whatever happens to an order, in whatever order: paid less given back is kept, to the fen and the point."""

from __future__ import annotations

from contextlib import suppress
from random import Random

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.foundation.database import db, transaction
from app.foundation.errors import DomainError
from app.loyalty.ledger.verify import verify
from app.mall.catalog.limits import taken
from app.mall.catalog.rules import Limit
from app.mall.codes import queries as codes
from app.mall.codes.models import PoolCode
from app.mall.orders.actions import confirm_delivery, pack, place, serve, ship
from app.mall.orders.models import Order
from app.mall.orders.queries import order_by_id
from app.mall.orders.quotes import Wanted, quote
from app.mall.returns.actions import approve, ask, cancel, reject, withdraw
from app.mall.returns.giveable import giveable
from app.mall.returns.naming import shown_codes
from app.mall.returns.queries import cases_of_order, returnable, sold_lines
from app.mall.returns.rules import back_for
from app.mall.slots.models import ServiceSlot
from tests.conftest import NOON
from tests.factories import make_member
from tests.loyalty.tiers.climbing import put_on
from tests.mall.orders.shop import ADDRESS, attempt, fresh_key, make_goods, report, stock_of
from tests.mall.returns.parcels import STAFF, me, points_of, refunds_of, take

RICH, SHELF = 30_000, 30
LIMIT = Limit(99, "month")


class Story:
    """One order of some things, and whoever does something about it."""

    def __init__(self, found, *, tier, offset, delivery, chance: Random):
        self.chance, self.member = chance, make_member(name="Lin", points=RICH)
        if tier:
            put_on(tier, self.member, since=NOON)
        self.goods = [make_goods(kind=kind, points=points, cash=cash, stock=SHELF) for kind, points, cash, _ in found]
        self.shelved = dict.fromkeys((each.variant_id for each in self.goods), 0)  # Sent back, and for sale again.
        wanted = [
            Wanted(each.variant_id, each.price_id, quantity, each.slot_id)
            for each, (*_, quantity) in zip(self.goods, found, strict=True)
        ]
        asked = {"wanted": wanted, "offset_points": offset, "delivery": delivery, "now": NOON}
        with transaction():
            expected = quote(member_id=self.member, **asked).figures
            made = place(member_id=self.member, **asked, address=ADDRESS, key=fresh_key(), expected=expected)
            self.id = made.id
        if made.cash:
            report(self.id, attempt(self.id))
        self.earned = points_of(self.member)[1]

    @property
    def order(self) -> Order:
        db.session.rollback()
        return order_by_id(self.id)

    def some(self, counts):
        """Some pieces of those that there are: mostly of one line."""
        if self.chance.random() < 0.2:
            return dict(counts)
        return {line: self.chance.randint(1, counts[line]) for line in self.chance.sample(sorted(counts), k=1)}

    # --- what can happen; what is refused changes nothing ------------------------------------------

    def the_member_cancels(self):
        self.cancel(me(self.member), "unwanted")

    def the_shop_cancels(self):
        self.cancel(STAFF, self.chance.choice(["unavailable", "other"]))

    def cancel(self, by, reason):
        pieces = giveable(self.order, by=by, now=NOON)
        pieces = self.some(pieces) if pieces else {}
        with transaction():
            cancel(order_id=self.id, pieces=pieces, reason=reason, key=fresh_key(), by=by, now=NOON)

    def it_is_packed(self):
        with transaction():
            pack(order_id=self.id, by=STAFF, now=NOON)

    def a_parcel_is_sent(self):
        left = {line.id: line.open for line in self.order.lines if line.kind == "physical" and line.open}
        pieces = self.some(left) if left and self.chance.random() < 0.7 else None
        with transaction():
            ship(order_id=self.id, carrier="SF", tracking_number=fresh_key(), pieces=pieces, by=STAFF, now=NOON)

    def it_is_received(self):
        with transaction():
            confirm_delivery(order_id=self.id, by=me(self.member), now=NOON)

    def it_is_handed_over(self):
        with transaction():
            serve(order_id=self.id, by=STAFF, now=NOON)

    def a_code_is_looked_at(self):
        with transaction():
            mine = sa.select(sa.func.min(PoolCode.id)).where(PoolCode.member_id == self.member)
            unseen = mine.where(PoolCode.shown_at.is_(None)).scalar_subquery()
            db.session.execute(sa.update(PoolCode).where(PoolCode.id == unseen).values(shown_at=NOON))

    def something_is_sent_back(self):
        kind = self.chance.choice(["return", "return", "exchange", "warranty"])
        by = self.chance.choice([me(self.member), STAFF])
        pieces = returnable(self.order, kind, by.kind)
        pieces = self.some(pieces) if pieces else {}
        if self.chance.random() < 0.2:  # Also what came back, or was replaced, before.
            pieces = {line.id: line.quantity for line in self.order.lines if line.kind == "code"} or pieces
        asked = {"kind": kind, "pieces": pieces, "reason": self.chance.choice(["unwanted", "defective"])}
        asked["codes"] = [
            code.id
            for line, mine in shown_codes(self.order).items()
            for code in self.chance.sample(mine, k=min(len(mine), pieces.get(line, 0)))
        ]
        with transaction():
            case = ask(order_id=self.id, **asked, key=fresh_key(), by=by, now=NOON).id
        how = self.chance.random()
        if how < 0.1:
            with transaction():
                withdraw(case_id=case, by=me(self.member), now=NOON)
            return
        if how < 0.3:
            with transaction():
                approve(case_id=case, by=STAFF, now=NOON)
        if how < 0.2:
            with transaction():
                reject(case_id=case, answer="No.", by=STAFF, now=NOON)
            return
        shelf = self.chance.random() < 0.6
        settled = take(case, back_on_shelf=shelf)
        assert all(code.withdrawn_at for code in codes.codes_by_ids(asked["codes"]))
        self.note_stock(settled, pieces, shelf=shelf)

    def what_was_sent_instead_cannot_be_delivered(self):
        made = [case.replacement_id for case in cases_of_order(self.id) if case.replacement_id]
        order = order_by_id(self.chance.choice(made or [self.id]))
        pieces = giveable(order, by=STAFF, now=NOON)
        variants = {line.id: line.variant_id for line in order.lines}
        if made:
            with transaction():
                cancel(order_id=order.id, pieces=pieces, reason="other", key=fresh_key(), by=STAFF, now=NOON)
            for line, count in pieces.items():
                self.shelved[variants[line]] += count

    def note_stock(self, case, pieces, *, shelf):
        kinds = {line.id: (line.variant_id, line.kind) for line in self.order.lines}
        for line, count in pieces.items():
            variant, kind = kinds[line]
            if shelf and kind == "physical":
                self.shelved[variant] += count
            if case.kind != "return":
                self.shelved[variant] -= count  # Another one went.

    def go_on(self):
        """What is likely happens more often; what cannot happen now is tried, too."""
        forwards = {
            "paid": [self.it_is_packed, self.it_is_handed_over],
            "packed": [self.a_parcel_is_sent],
            "part_shipped": [self.a_parcel_is_sent],
            "shipped": [self.it_is_received],
            "delivered": [
                self.something_is_sent_back,
                self.a_code_is_looked_at,
                self.what_was_sent_instead_cannot_be_delivered,
            ],
        }.get(self.order.state, [])
        anything = [self.it_is_packed, self.a_parcel_is_sent, self.it_is_received, self.a_code_is_looked_at]
        backwards = [self.the_member_cancels, self.the_shop_cancels, self.something_is_sent_back]
        event = self.chance.choice([*forwards * 3, *backwards, self.chance.choice(anything)])
        with suppress(DomainError):
            event()

    # --- what is always so ---------------------------------------------------------------------------

    def check(self):
        order, cases = self.order, cases_of_order(self.id)
        cash, points = sum(case.cash for case in cases), sum(case.points for case in cases)
        kept = [back_for(line, line.left) for line in sold_lines(order)]
        fee = cash - sum(piece.cash for case in cases for piece in case.pieces)
        assert fee in (0, order.delivery_fee)
        if all(line.cancelled == line.quantity for line in order.lines if line.kind == "physical"):
            assert fee == order.delivery_fee
        assert order.cash - cash == sum(back.cash for back in kept) + order.delivery_fee - fee >= 0
        assert order.points - points == sum(back.points for back in kept) >= 0
        assert sum(refunds_of(self.id)) == cash
        taken_back = sum(case.taken_back for case in cases)
        assert points_of(self.member) == (RICH - order.points + points, self.earned - taken_back)
        assert all(line.returned + line.replaced <= line.quantity for line in sold_lines(order))
        if not any(line.left for line in sold_lines(order)):
            assert (cash - fee, points, taken_back) == (order.goods_paid, order.points, self.earned)
        self.check_stock(order)

    def check_stock(self, order):
        """The limit counts what an order keeps; what was sent once more is counted by itself."""
        again = [case for case in cases_of_order(order.id) if case.replacement_id]
        assert codes.mismatches() == []
        for goods, line in zip(self.goods, order.lines, strict=True):
            assert stock_of(goods) == SHELF - line.quantity + line.cancelled + self.shelved[goods.variant_id]
            if goods.slot_id:
                assert db.session.get_one(ServiceSlot, goods.slot_id, populate_existing=True).free == stock_of(goods)
            if not again:
                had = line.quantity - line.cancelled - self.shelved[goods.variant_id]
                assert taken(goods.product_id, self.member, LIMIT, now=NOON) == had


def some_of(*kinds):
    points, cash = st.sampled_from([0, 37, 500]), st.sampled_from([0, 99, 111_11, 20_00])
    return st.tuples(st.sampled_from(kinds), points, cash, st.integers(1, 4))


carts = st.lists(some_of("physical", "physical", "code"), min_size=1, max_size=3)
services = st.lists(some_of("service"), min_size=1, max_size=1)
things = st.one_of(carts, carts, carts, services).filter(
    lambda found: all(points or cash for _kind, points, cash, _quantity in found)
)


@settings(max_examples=9, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    things,
    st.sampled_from([("", ""), ("silver", "express"), ("gold", ""), ("", "express")]),
    st.integers(0, 9_000),
    st.randoms(use_true_random=False),
)
def test_paid_less_what_came_back_is_what_is_kept(app, found, ways, offset, chance):
    tier, delivery = ways
    story = Story(found, tier=tier, offset=offset, delivery=delivery, chance=chance)
    story.check()
    for _event in range(chance.randint(4, 14)):
        story.go_on()
        story.check()
    assert verify().clean
