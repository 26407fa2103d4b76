"""The member from all sides, as an agent sees them."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from app.engagement.checkin.actions import check_in
from app.foundation.database import db, transaction
from app.loyalty.ledger.queries import standing
from tests.cast import sign_in
from tests.conftest import NOON
from tests.factories import buy, give_points


def page_of(desk, member):
    return desk.get(f"/backoffice/members/{member.code}").text


def test_it_shows_profile_figures_tier_purchases_and_check_ins(desk, alice, unit):
    buy(alice.id, 60_000, unit=unit, order_no="POS-77")
    with transaction():
        check_in(member_id=alice.id, now=NOON)
    text = page_of(desk, alice)
    for part in ("Alice Lin", alice.code, "+8613800138000", "alice@example.com", "POS-77", "Harbour Mall", "Check-in"):
        assert part in text
    assert "Silver" in text
    assert f"{standing(alice.id, now=NOON).available.value:,}" in text
    assert "valued by version" in text  # why these points


def test_somebody_else_is_nowhere_on_it(desk, alice, bob, unit):
    buy(bob.id, 10_000, unit=unit, order_no="BOBS-1")
    text = page_of(desk, alice)
    assert "Bob Chen" not in text
    assert "BOBS-1" not in text


def test_an_empty_account_says_so(desk, app):
    from app.identity.members.actions import create_unclaimed

    with transaction():
        create_unclaimed(["new@example.com"], now=NOON)
    answer = desk.get("/backoffice/members", query_string={"q": "new@example.com"}, follow_redirects=True)
    assert "No points yet" in answer.text
    assert "not yet" in answer.text


def test_an_auditor_reads_but_is_offered_no_adjustment(client, alice, auditor, agent):
    sign_in(client, auditor)
    assert "Adjust points" not in page_of(client, alice)
    sign_in(client, agent)
    assert "Adjust points" in page_of(client, alice)


def test_the_number_of_queries_does_not_grow_with_the_history(desk, alice, unit):
    def queries():
        seen = []
        count = lambda *_: seen.append(1)  # noqa: E731
        sa.event.listen(db.engine, "before_cursor_execute", count)
        page_of(desk, alice)
        sa.event.remove(db.engine, "before_cursor_execute", count)
        return len(seen)

    buy(alice.id, 1_000, unit=unit)
    with transaction():
        check_in(member_id=alice.id, now=NOON)
    few = queries()
    for n in range(30):
        buy(alice.id, 1_000, unit=unit, order_no=f"more-{n}")
        with transaction():
            give_points(alice.id, 5, key=f"more-{n}")
            check_in(member_id=alice.id, now=NOON - timedelta(days=n + 1))
    assert queries() == few
