"""Climbing the ladder."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.foundation import events
from app.foundation.database import db, transaction
from app.foundation.points import Growth, Points
from app.loyalty.earning.actions import record_purchases
from app.loyalty.ledger import actions as ledger
from app.loyalty.tiers.actions import default_ladder, enrol, install_defaults, review_upgrades
from app.loyalty.tiers.events import TiersRaised
from app.loyalty.tiers.models import Membership, Tier, TierChange
from app.loyalty.tiers.queries import history, ladder, progress, tiers_of
from tests.conftest import NOON
from tests.factories import buy, make_member, purchase_report


@pytest.fixture
def lin(app):
    return make_member()


def tier(member_id):
    return tiers_of([member_id])[member_id].code


def review(*member_ids, now=NOON):
    with transaction():
        review_upgrades(member_ids, now=now)


def test_everybody_starts_on_the_first_step_once(lin):
    for _ in range(2):
        with transaction():
            enrol([lin], now=NOON)
    assert tier(lin) == "regular"
    assert len(history(lin)) == 1


def test_installing_the_default_ladder_again_changes_nothing(app):
    for _ in range(2):
        with transaction():
            install_defaults()
    assert [tier.code for tier in ladder()] == ["regular", "silver", "gold", "diamond"]


@pytest.mark.parametrize(("currency", "minor"), [("CNY", 100), ("JPY", 1), ("KWD", 1000)])
def test_the_default_ladder_counts_whole_units_of_any_currency(currency, minor):
    spend = [
        condition["at_least"]
        for tier in default_ladder(currency)
        for condition in tier["conditions"].get("conditions", [])
        if condition["metric"] == "spend"
    ]
    assert spend == [500 * minor, 5_000 * minor, 20_000 * minor]


def test_spending_500_yuan_makes_silver_at_once(lin, mall):
    buy(lin, 500_00, unit=mall)
    assert tier(lin) == "silver"


def test_499_99_does_not(lin, mall):
    buy(lin, 499_99, unit=mall)
    assert tier(lin) == "regular"


def test_an_upgrade_may_skip_levels_and_keeps_its_evidence(lin, mall):
    buy(lin, 6_000_00, unit=mall)
    entry = history(lin)[0]
    assert (entry.from_tier.code, entry.to_tier.code, entry.change.reason) == ("regular", "gold", "upgrade")
    assert entry.change.evidence == {
        "match": "any",
        "window_months": 12,
        "conditions": [
            {"metric": "spend", "at_least": 5_000_00, "reached": 6_000_00},
            {"metric": "points_earned", "at_least": 5_000, "reached": 6_000},
        ],
    }


def test_small_purchases_add_up(lin, mall):
    for number in range(5):
        buy(lin, 100_00, unit=mall, order_no=str(number))
    assert tier(lin) == "silver"


def test_a_purchase_of_last_year_counts_no_longer(lin, mall):
    with transaction():
        old = purchase_report(lin, 800_00, unit=mall, occurred_at=NOON - timedelta(days=366))
        record_purchases([old], now=NOON)
    assert tier(lin) == "regular"


def award(member_id, amount, **fields):
    with transaction():
        common = {"key": "given", "kind": "opening", "explanation": {"code": "opening", "steps": []}}
        ledger.award(member_id=member_id, amount=amount, occurred_at=NOON, now=NOON, **common, **fields)


def test_points_earned_elsewhere_count_too(lin):
    award(lin, Points(500))
    review(lin)
    assert tier(lin) == "silver"


@pytest.mark.parametrize("account", ["adjustment", "opening"])
def test_corrections_and_opening_balances_are_no_earning(lin, account):
    award(lin, Points(5_000), account=account)
    review(lin)
    assert tier(lin) == "regular"


def test_points_on_the_way_are_not_earned_yet(lin, mall):
    buy(lin, 400_00, unit=mall, pending=True)
    assert progress(lin, now=NOON).conditions[1].reached == 0


def test_spending_points_does_not_demote(lin, mall):
    buy(lin, 600_00, unit=mall)
    with transaction():
        why = {"code": "opening", "steps": []}
        ledger.spend(member_id=lin, amount=Points(600), key="s", kind="redemption", explanation=why, now=NOON)
    review(lin)
    assert tier(lin) == "silver"
    assert progress(lin, now=NOON).conditions[1].reached == 600


def test_a_review_never_lowers_anybody(lin, mall):
    buy(lin, 600_00, unit=mall)
    later = NOON + timedelta(days=800)
    review(lin, now=later)
    assert tier(lin) == "silver"


@pytest.fixture
def silver_asks_for_growth(app):
    with transaction() as session:
        install_defaults()
        asked = {"match": "all", "window_months": 1, "conditions": [{"metric": "growth", "at_least": 10}]}
        session.execute(sa.update(Tier).where(Tier.code == "silver").values(conditions=asked))


def test_growth_can_be_asked_for(lin, silver_asks_for_growth):
    award(lin, Growth(10))
    review(lin)
    assert tier(lin) == "silver"


def test_purchases_bring_the_growth_that_a_tier_asks_for(lin, mall, silver_asks_for_growth):
    buy(lin, 9_99, unit=mall)
    assert (tier(lin), progress(lin, now=NOON).conditions[0].reached) == ("regular", 9)
    buy(lin, 1_00, unit=mall, order_no="2")
    assert tier(lin) == "silver"


def test_growth_on_the_way_does_not_count_yet(lin, mall, silver_asks_for_growth):
    buy(lin, 100_00, unit=mall, pending=True)
    assert (tier(lin), progress(lin, now=NOON).conditions[0].reached) == ("regular", 0)


def test_many_members_are_reviewed_together_and_told_once(mall, monkeypatch):
    members = [make_member() for _ in range(30)]
    heard, statements = [], []
    monkeypatch.setitem(events._handlers, TiersRaised, [heard.append])
    with transaction():
        record_purchases(
            [purchase_report(each, 500_00, unit=mall, order_no=str(each)) for each in members[:20]], now=NOON
        )
    assert [len(event.raises) for event in heard] == [20]
    assert {tier.code for tier in tiers_of(members[:20]).values()} == {"silver"}
    review(*members)
    sa.event.listen(db.engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    review(*members)
    assert len(statements) <= 8
    assert db.session.scalar(sa.select(sa.func.count()).select_from(TierChange)) == 50
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Membership)) == 30


# --- progress ---------------------------------------------------------------------------


def test_progress_says_what_is_missing(lin, mall):
    buy(lin, 238_50, unit=mall)
    found = progress(lin, now=NOON)
    assert (found.tier.code, found.next_tier.code, found.match) == ("regular", "silver", "any")
    assert [(each.metric, each.reached, each.needed, each.missing) for each in found.conditions] == [
        ("spend", 238_50, 500_00, 261_50),
        ("points_earned", 238, 500, 262),
    ]
    assert found.nearest.metric == "spend"


def test_at_the_top_nothing_is_missing(lin, mall):
    buy(lin, 20_000_00, unit=mall)
    found = progress(lin, now=NOON)
    assert (found.tier.code, found.next_tier, found.conditions) == ("diamond", None, [])


def test_without_a_ladder_there_is_no_progress(lin):
    assert progress(lin, now=NOON) is None
