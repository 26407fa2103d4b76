"""The monthly review: who keeps their tier, who goes one step down."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.foundation import clock, events, terms
from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.foundation.points import Points
from app.loyalty.earning.actions import record_purchases
from app.loyalty.ledger import actions as ledger
from app.loyalty.tiers import jobs, reviews
from app.loyalty.tiers.actions import review_upgrades
from app.loyalty.tiers.events import TiersLowered
from app.loyalty.tiers.models import Membership, Tier, TierChange, TierReview
from app.loyalty.tiers.queries import progress
from app.loyalty.tiers.terms import TierTerms
from tests.factories import buy, make_member, purchase_report
from tests.loyalty.tiers.climbing import earn, latest, on, put_on, reasons, review, tier

LONG_AGO = on(2024, 1, 10)
REVIEW = on(2026, 6, 3, "02:00")  # Looks at March, April and May.


@pytest.fixture
def lin(app):
    """Silver for long."""
    member_id = make_member(at=LONG_AGO)
    put_on("silver", member_id, since=LONG_AGO)
    return member_id


def spend(member_id, mall, *purchases):
    for number, (at, yuan) in enumerate(purchases):
        buy(member_id, yuan * 100, unit=mall, order_no=f"{member_id}-{number}", at=at)


def test_one_month_with_200_yuan_and_300_points_in_three_keep_silver(lin, mall):
    spend(lin, mall, (on(2026, 3, 31), 200), (on(2026, 5, 1), 100))
    review(REVIEW)
    assert tier(lin) == "silver"
    assert reasons(lin) == []


@pytest.mark.parametrize(
    "purchases",
    [
        [],
        [(on(2026, 3, 31), 199), (on(2026, 4, 30), 199), (on(2026, 5, 31), 199)],  # 597 points, but no month of 200.
        [(on(2026, 4, 5), 299)],  # A month of 200, but 299 points.
        [(on(2026, 2, 28, "23:59:59"), 400)],  # Before the window.
        [(on(2026, 6, 1, "00:00"), 400)],  # After it.
    ],
    ids=["nothing", "no month", "not enough points", "February", "June"],
)
def test_anything_less_costs_one_step(lin, mall, purchases):
    spend(lin, mall, *purchases)
    review(REVIEW)
    assert tier(lin) == "regular"
    assert latest(lin).reason == "review"


def test_points_of_anything_count_but_the_month_has_to_be_spent(lin, mall):
    spend(lin, mall, (on(2026, 3, 1, "00:00"), 200))
    earn(lin, 100, at=on(2026, 5, 31, "23:59:59"), key="streaks")
    review(REVIEW)
    assert tier(lin) == "silver"


def test_spending_points_never_demotes(lin, mall):
    spend(lin, mall, (on(2026, 4, 1), 300))
    with transaction():
        why = {"code": "opening", "steps": []}
        ledger.spend(member_id=lin, amount=Points(300), key="s", kind="redemption", explanation=why, now=on(2026, 5, 1))
    review(REVIEW)
    assert tier(lin) == "silver"


def test_corrections_and_points_that_come_back_keep_nobody(lin, mall):
    why = {"code": "opening", "steps": []}
    spend(lin, mall, (on(2026, 4, 1), 200))
    with transaction():
        ledger.adjust(member_id=lin, amount=Points(500), key="a", explanation=why, now=on(2026, 4, 2))
    with transaction():
        ledger.spend(member_id=lin, amount=Points(200), key="s", kind="redemption", explanation=why, now=on(2026, 5, 1))
        common = {"kind": "refund", "explanation": why, "now": on(2026, 5, 2)}
        ledger.give_back(spent_key="s", amount=Points(200), key="b", **common)
    review(REVIEW)
    assert tier(lin) == "regular"


def test_a_purchase_reported_late_counts_in_its_own_month(lin, mall):
    with transaction():
        late = purchase_report(lin, 300_00, unit=mall, occurred_at=on(2026, 5, 31, "23:00"))
        record_purchases([late], now=on(2026, 6, 2))
    review(REVIEW)
    assert tier(lin) == "silver"


def test_a_review_takes_one_step_only(mall):
    member_id = make_member(at=LONG_AGO)
    put_on("diamond", member_id, since=LONG_AGO)
    review(REVIEW)
    assert tier(member_id) == "gold"


def test_the_evidence_is_what_was_looked_at(lin, mall):
    spend(lin, mall, (on(2026, 4, 1), 150), (on(2026, 5, 1), 30))
    review(REVIEW)
    found = latest(lin)
    assert found.month == date(2026, 6, 1)
    assert found.evidence == {
        "month": "2026-06-01",
        "match": "all",
        "window_months": 3,
        "conditions": [
            {"metric": "spend", "at_least": 200_00, "months": 1, "reached": 150_00, "by_month": [0, 150_00, 30_00]},
            {"metric": "points_earned", "at_least": 300, "months": 0, "reached": 180, "by_month": [0, 150, 30]},
        ],
    }


# --- how long a tier is safe --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "kept"),
    [
        (on(2026, 2, 28, "23:59:59"), "regular"),  # March, April and May were theirs from the first day on.
        (on(2026, 3, 1, "00:00"), "silver"),
        (on(2026, 5, 31), "silver"),
    ],
)
def test_nobody_is_lowered_before_a_full_window_has_passed(mall, since, kept):
    member_id = make_member(at=LONG_AGO)
    put_on("silver", member_id, since=since)
    review(REVIEW)
    assert tier(member_id) == kept


def test_whoever_was_lowered_has_a_full_window_on_the_lower_tier(mall):
    member_id = make_member(at=LONG_AGO)
    put_on("gold", member_id, since=LONG_AGO)
    tiers = []
    for month in range(6, 12):
        review(on(2026, month, 3))
        tiers.append(tier(member_id))
    assert tiers == ["silver", "silver", "silver", "silver", "regular", "regular"]  # July to September passed.


def test_whoever_was_lowered_climbs_anew(lin, mall):
    """The ¥600 of autumn would make them Silver again with the next ¥1."""
    spend(lin, mall, (on(2025, 10, 1), 600))
    review(REVIEW)
    buy(lin, 1_00, unit=mall, order_no="one", at=on(2026, 6, 3, "03:00"))
    assert tier(lin) == "regular"
    assert progress(lin, now=on(2026, 6, 4)).conditions[0].reached == 1_00
    assert progress(lin, now=on(2026, 6, 4)).counts_from == date(2026, 6, 1)
    buy(lin, 499_00, unit=mall, order_no="two", at=on(2026, 6, 20))
    assert tier(lin) == "silver"


def test_what_was_bought_this_month_before_the_review_counts_for_the_new_climb(lin, mall):
    buy(lin, 500_00, unit=mall, order_no="june", at=on(2026, 6, 1, "00:00"))
    review(REVIEW)
    assert tier(lin) == "regular"
    with transaction():
        review_upgrades([lin], now=on(2026, 6, 3, "03:00"))
    assert tier(lin) == "silver"


def test_a_tier_without_conditions_to_keep_it_is_kept_for_ever(lin):
    with transaction() as session:
        session.execute(sa.update(Tier).where(Tier.code == "silver").values(keep={"conditions": []}))
    review(REVIEW)
    assert tier(lin) == "silver"


def test_any_of_the_conditions_may_be_enough(lin, mall):
    asked = {
        "match": "any",
        "window_months": 2,
        "conditions": [{"metric": "purchases", "at_least": 2, "months": 2}, {"metric": "growth", "at_least": 10**6}],
    }
    with transaction() as session:
        session.execute(sa.update(Tier).where(Tier.code == "silver").values(keep=asked))
    spend(lin, mall, *[(on(2026, month, day), 1) for month in (4, 5) for day in (1, 2)])
    review(REVIEW)
    assert tier(lin) == "silver"


# --- months ---------------------------------------------------------------------------------------


def test_new_year_is_a_month_like_any_other(lin, mall):
    spend(
        lin,
        mall,
        (on(2025, 11, 1, "00:00"), 200),
        (on(2025, 12, 31, "23:59:59"), 50),
        (on(2026, 1, 31, "23:59:59"), 50),
    )
    review(on(2026, 2, 3))
    assert tier(lin) == "silver"
    review(on(2026, 3, 3))
    assert tier(lin) == "regular"


def test_months_are_those_of_the_programme_even_where_clocks_change(app, mall, monkeypatch):
    """New York: 1 March 2026 begins at 05:00 UTC, 1 April, in summer time, at 04:00 UTC."""
    from zoneinfo import ZoneInfo

    new_york = ZoneInfo("America/New_York")
    monkeypatch.setattr(clock, "programme_zone", lambda: new_york)
    early, late = make_member(at=LONG_AGO), make_member(at=LONG_AGO)
    put_on("silver", early, late, since=LONG_AGO)
    spend(early, mall, (on(2026, 3, 1, "00:00", zone=new_york), 100), (on(2026, 3, 31, "23:59:59", zone=new_york), 200))
    spend(late, mall, (on(2026, 2, 28, "23:59:59", zone=new_york), 200), (on(2026, 4, 1, "00:00", zone=new_york), 150))
    review(on(2026, 6, 3, zone=new_york))
    assert (tier(early), tier(late)) == ("silver", "regular")


# --- once, and after a crash ------------------------------------------------------------------------


def test_there_is_no_review_before_its_day(lin):
    assert review(on(2026, 6, 2, "23:59")) == 0
    assert tier(lin) == "silver"


def test_its_day_is_a_term(lin):
    with transaction():
        terms.change(TierTerms, {"review_day": 1}, by=SYSTEM, now=REVIEW)
    review(on(2026, 6, 1, "00:00"))
    assert tier(lin) == "regular"


def test_a_month_is_reviewed_once(lin, mall):
    put_on("gold", lin, since=LONG_AGO)
    assert review(REVIEW) == 1
    assert review(REVIEW + timedelta(hours=1)) == 0
    put_on("gold", lin, since=LONG_AGO)
    assert review(on(2026, 6, 30)) == 0
    assert tier(lin) == "gold"


def test_the_database_itself_keeps_a_member_from_being_lowered_twice_in_a_month(lin):
    review(REVIEW)
    done = latest(lin)
    same = {"member_id": lin, "to_tier_id": done.to_tier_id, "reason": "review", "evidence": {}, "at": REVIEW}
    again = sa.insert(TierChange).values(month=done.month, **same)
    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(again)


def test_a_review_that_crashed_goes_on_where_it_was(mall, monkeypatch):
    members = [make_member(at=LONG_AGO) for _ in range(5)]
    put_on("gold", *members, since=LONG_AGO)
    original, calls = jobs.review_some, []

    def crash_in_the_second_batch(*arguments, **named):
        answer = original(*arguments, **named)
        calls.append(answer)
        if len(calls) == 2:
            raise RuntimeError("out of power")
        return answer

    monkeypatch.setattr(jobs, "review_some", crash_in_the_second_batch)
    with pytest.raises(RuntimeError, match="out of power"):
        review(REVIEW, limit=2)
    assert [tier(member) for member in members] == ["silver", "silver", "gold", "gold", "gold"]
    monkeypatch.setattr(jobs, "review_some", original)
    assert review(REVIEW, limit=2) == 2
    assert {tier(member) for member in members} == {"silver"}
    done = db.session.get(TierReview, date(2026, 6, 1))
    assert (done.reviewed, done.lowered, done.last_member_id) == (5, 5, max(members))


def test_a_batch_is_a_handful_of_statements_whatever_its_size(mall, monkeypatch):
    members = [make_member(at=LONG_AGO) for _ in range(40)]
    put_on("silver", *members, since=LONG_AGO)
    heard, statements = [], []
    monkeypatch.setitem(events._handlers, TiersLowered, [heard.append])
    with transaction():
        reviews.begin_review(date(2026, 6, 1), now=REVIEW)
    sa.event.listen(db.engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    with transaction():
        reviews.review_some(date(2026, 6, 1), now=REVIEW)
    assert len(statements) <= 12
    assert [len(event.falls) for event in heard] == [40]
    counted = db.session.scalar(sa.select(sa.func.count()).where(Membership.counts_from.is_not(None)))
    assert counted == 40
