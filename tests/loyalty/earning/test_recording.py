"""Purchases on record, and the points they earn."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from app.foundation import events
from app.foundation.database import db, transaction
from app.foundation.errors import InvalidInput, NotFound
from app.foundation.points import Growth, Points
from app.foundation.terms import TermsVersion, forget
from app.loyalty.earning.actions import (
    Outcome,
    award_joining,
    install_defaults,
    mature_purchase,
    record_purchases,
)
from app.loyalty.earning.returns import return_purchase
from app.loyalty.earning.terms import EarningTerms
from app.loyalty.ledger.explanations import explain
from app.loyalty.ledger.models import Transfer, Wallet
from app.loyalty.ledger.queries import history, open_lots, standing
from app.loyalty.ledger.verify import verify
from app.loyalty.purchases.events import PurchasesRecorded
from app.loyalty.purchases.models import Purchase, PurchaseLine
from tests.cast import make_unit
from tests.conftest import NOON
from tests.factories import buy, make_member, purchase_report


@pytest.fixture
def mall(app):
    return make_unit()


@pytest.fixture
def lin(app):
    return make_member()


def available(member_id):
    return standing(member_id, now=NOON).available.value


def growth(member_id):
    """What a member's growth wallet holds, and what is on its way there."""
    wallet = sa.select(Wallet.balance, Wallet.on_the_way).where(
        Wallet.member_id == member_id, Wallet.ledger == Growth.ledger
    )
    return tuple(db.session.execute(wallet).one())


def record(*reports, **options):
    with transaction():
        return record_purchases(reports, now=NOON, **options)


# --- earning ----------------------------------------------------------------------------


def test_a_purchase_earns_a_point_per_yuan(lin, mall):
    assert buy(lin, 238_50, unit=mall) == 238
    assert available(lin) == 238
    assert verify().clean


def test_the_points_of_the_lines_sum_to_those_of_the_purchase(lin, mall):
    buy(lin, 111_11, 111_11, 111_11, unit=mall)
    shares = db.session.scalars(sa.select(PurchaseLine.points).order_by(PurchaseLine.position)).all()
    assert sum(shares) == 333 == db.session.scalar(sa.select(Purchase.points))


def test_a_purchase_that_earns_nothing_is_on_record_without_a_transfer(lin, mall):
    buy(lin, 99, unit=mall)
    buy(lin, 0, unit=mall, order_no="2")
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Purchase)) == 2
    assert history(lin) == []


def test_the_member_reads_why(lin, mall):
    buy(lin, 238_50, unit=mall)
    headline, rate, rounding = explain(history(lin)[0].explanation)
    assert headline == "Purchase 1, valued by version 1 of the rule for purchases."
    assert rate == "¥238.50 × 1 point per ¥1 = 238.5"
    assert rounding == "238.5, rounded down to 238"


def test_a_batch_of_many_tells_its_news_once(lin, mall, monkeypatch):
    other, heard = make_member(), []
    monkeypatch.setitem(events._handlers, PurchasesRecorded, [heard.append])
    record(*(purchase_report(lin, 100, unit=mall, order_no=f"A{n}") for n in range(20)))
    record(purchase_report(lin, 1, unit=mall, order_no="B1"), purchase_report(other, 1, unit=mall, order_no="B2"))
    assert heard == [PurchasesRecorded((lin,), NOON, (NOON,)), PurchasesRecorded((lin, other), NOON, (NOON,))]


def test_a_batch_takes_as_many_statements_as_a_single_purchase(lin, mall):
    statements = []
    sa.event.listen(db.engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    buy(lin, 100, unit=mall, order_no="alone")
    alone, statements[:] = len(statements), []
    record(*(purchase_report(lin, 100, unit=mall, order_no=f"A{n}") for n in range(200)))
    assert len(statements) <= alone


# --- growth -----------------------------------------------------------------------------


def test_a_purchase_brings_growth_beside_points(lin, mall):
    (recorded,) = record(purchase_report(lin, 238_50, unit=mall))
    assert (recorded.points, recorded.growth) == (Points(238), Growth(238))
    assert (available(lin), growth(lin)) == (238, (238, 0))
    assert db.session.scalar(sa.select(Purchase.growth)) == 238
    assert [transfer.amount for transfer in history(lin)] == [238]  # The points account shows points only.
    assert verify().clean


@pytest.mark.parametrize(
    ("terms", "points", "grown"),
    [
        ({"rate": "2", "growth_rate": "0"}, 200, 0),
        ({"rate": "0", "growth_rate": "0.5"}, 0, 50),
        ({"rate": "1"}, 100, 100),
    ],
)
def test_points_and_growth_have_rates_of_their_own(lin, mall, terms, points, grown):
    publish_rule(1, starts_at=NOON, **terms)
    (recorded,) = record(purchase_report(lin, 100_00, unit=mall))
    assert (recorded.points.value, recorded.growth.value) == (points, grown)
    assert (available(lin), growth(lin)) == (points, (grown, 0))
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Transfer)) == (points > 0) + (grown > 0)


def test_told_again_it_brings_no_growth_again(lin, mall):
    report = purchase_report(lin, 238_50, unit=mall)
    record(report)
    (again,) = record(report)
    assert (again.outcome, again.growth, growth(lin)) == (Outcome.KNOWN, Growth(238), (238, 0))


def test_growth_is_valued_by_the_version_in_force_when_the_purchase_happened(lin, mall):
    publish_rule(1, starts_at=NOON - timedelta(days=30), growth_rate="3")
    publish_rule(2, starts_at=NOON - timedelta(days=1), growth_rate="5")
    record(purchase_report(lin, 100, unit=mall, occurred_at=NOON - timedelta(days=2)))
    assert growth(lin) == (3, 0)


def test_growth_of_a_pending_purchase_comes_with_its_points(lin, mall):
    buy(lin, 100_00, unit=mall, pending=True)
    assert growth(lin) == (0, 100)
    for _ in range(2):
        with transaction():
            mature_purchase(unit_code="mall", order_no="1", now=NOON)
    assert (available(lin), growth(lin)) == (100, (100, 0))
    assert verify().clean


@pytest.mark.parametrize(("back", "left"), [(100_00, 0), (40_00, 60)])
def test_what_came_back_before_does_not_mature(lin, mall, back, left):
    buy(lin, 100_00, unit=mall, pending=True)
    with transaction():
        return_purchase(unit_code="mall", order_no="1", return_no="R1", amounts={1: back}, now=NOON)
    for _ in range(2):
        with transaction():
            mature_purchase(unit_code="mall", order_no="1", now=NOON)
    assert (available(lin), growth(lin)) == (left, (left, 0))
    assert verify().clean


@pytest.mark.parametrize("return_no", ["", "R" * 41, "R\0", "R\ud800"])
def test_a_return_needs_a_number_that_fits_into_a_business_key(lin, mall, return_no):
    buy(lin, 100_00, unit=mall, order_no="O" * 64)
    with pytest.raises(InvalidInput), transaction():
        return_purchase(unit_code="mall", order_no="O" * 64, return_no=return_no, now=NOON)
    assert available(lin) == 100


def test_a_return_takes_growth_back_with_the_points(lin, mall):
    buy(lin, 100_00, unit=mall)
    with transaction():
        return_purchase(unit_code="mall", order_no="1", return_no="R1", amounts={1: 33_33}, now=NOON)
    assert (available(lin), growth(lin)) == (67, (67, 0))
    with transaction():
        return_purchase(unit_code="mall", order_no="1", return_no="R2", now=NOON)
    assert (available(lin), growth(lin)) == (0, (0, 0))


def test_a_pending_purchase_that_earns_growth_alone_matures(lin, mall):
    publish_rule(1, "0", NOON)
    buy(lin, 100_00, unit=mall, pending=True)
    with transaction():
        mature_purchase(unit_code="mall", order_no="1", now=NOON)
    assert (available(lin), growth(lin)) == (0, (100, 0))


# --- the business key -------------------------------------------------------------------


def test_told_twice_it_is_recorded_once(lin, mall):
    report = purchase_report(lin, 238_50, unit=mall)
    assert [each.outcome for each in record(report, report)] == [Outcome.NEW, Outcome.KNOWN]
    (again,) = record(report)
    assert (again.outcome, again.points) == (Outcome.KNOWN, Points(238))
    assert available(lin) == 238


def test_the_same_number_in_another_unit_is_another_purchase(lin, mall):
    record(purchase_report(lin, 100, unit=mall), purchase_report(lin, 100, unit=make_unit("cinema")))
    assert available(lin) == 2


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"occurred_at": NOON - timedelta(days=1)}, "it took place at"),
        ({"currency": "USD"}, "its currency is CNY"),
        ({"lines": ()}, "its lines or amounts differ"),
    ],
)
def test_a_known_number_that_tells_another_story_changes_nothing(lin, mall, change, difference):
    buy(lin, 238_50, unit=mall)
    if change.get("lines") == ():
        change = {"lines": purchase_report(lin, 500_00, unit=mall).lines}
    (result,) = record(purchase_report(lin, 238_50, unit=mall, **change))
    assert result.outcome is Outcome.DIFFERENT
    assert result.difference.startswith(difference)
    assert available(lin) == 238


def test_a_known_number_of_somebody_else_is_a_difference(lin, mall):
    buy(lin, 238_50, unit=mall)
    thief = make_member()
    (result,) = record(purchase_report(thief, 238_50, unit=mall))
    assert result.difference == "it belongs to another member"
    assert available(thief) == 0


def test_lines_in_another_order_are_the_same_purchase(lin, mall):
    report = purchase_report(lin, 100, 200, unit=mall)
    record(report)
    (result,) = record(purchase_report(lin, unit=mall, lines=report.lines[::-1]))
    assert result.outcome is Outcome.KNOWN


# --- rules and their versions -----------------------------------------------------------


def publish_rule(version, rate="1", starts_at=NOON, **terms):
    """As if it had been published in time."""
    values = asdict(EarningTerms()) | {"rate": rate, **terms}
    with transaction() as session:
        session.add(
            TermsVersion(
                domain="earning",
                version=version,
                values=values,
                starts_at=starts_at,
                published_at=starts_at,
                published_by="Olivia",
            )
        )
    forget()


def test_installing_the_defaults_again_changes_nothing(app):
    for _ in range(2):
        with transaction():
            install_defaults(now=NOON)
    assert db.session.scalars(sa.select(TermsVersion.version)).all() == [1]


def test_a_purchase_is_valued_by_the_version_in_force_when_it_happened(lin, mall):
    publish_rule(1, "1", NOON - timedelta(days=30))
    publish_rule(2, "2", NOON - timedelta(days=10))
    record(
        purchase_report(lin, 100_00, unit=mall, order_no="late", occurred_at=NOON - timedelta(days=20)),
        purchase_report(lin, 100_00, unit=mall, order_no="now", occurred_at=NOON - timedelta(days=10)),
    )
    assert {transfer.key: transfer.amount for transfer in history(lin)} == {
        "purchase:mall:late:earn": 100,
        "purchase:mall:now:earn": 200,
    }


def test_a_purchase_from_before_the_programme_is_valued_by_the_first_version(lin, mall):
    publish_rule(1, "3", NOON)
    publish_rule(2, "5", NOON + timedelta(days=1))
    assert buy(lin, 100_00, unit=mall, at=datetime(1997, 1, 1, tzinfo=UTC)) == 300


# --- how long the points live -----------------------------------------------------------


def test_points_of_an_old_purchase_live_from_the_day_of_the_import(lin, mall):
    record(purchase_report(lin, 100_00, unit=mall, occurred_at=datetime(2020, 1, 1, tzinfo=UTC)))
    assert open_lots(lin)[0].last_day.isoformat() == "2027-06-30"
    assert available(lin) == 100


def test_points_can_live_from_the_purchase_and_be_over_at_once(lin, mall):
    old = purchase_report(lin, 100_00, unit=mall, occurred_at=datetime(2020, 1, 1, tzinfo=UTC))
    record(old, points_live_from="purchase")
    assert available(lin) == 0


@pytest.mark.parametrize(
    ("expiry", "last_day", "sentence"),
    [
        ({"kind": "months", "months": 6}, date(2026, 12, 31), "Valid to the end of Dec 31, 2026."),
        ({"kind": "yearly", "month": 3, "day": 31}, date(2027, 3, 31), "Valid to the end of Mar 31, 2027."),
        ({"kind": "never"}, None, "They do not expire."),
        (
            {"kind": "inactivity", "months": 18},
            date(2027, 12, 15),
            "Valid as long as you earn or spend points at least once in 18 months.",
        ),
    ],
)
def test_a_rule_can_have_an_expiry_of_its_own_and_says_so(lin, mall, expiry, last_day, sentence):
    publish_rule(1, expiry=expiry)
    buy(lin, 100_00, unit=mall)
    assert open_lots(lin)[0].last_day == last_day
    assert explain(history(lin)[0].explanation)[-1] == sentence
    assert verify().clean


def test_without_one_the_programmes_policy_decides_and_nothing_is_said(lin, mall):
    publish_rule(1)
    buy(lin, 100_00, unit=mall)
    assert open_lots(lin)[0].last_day == date(2027, 6, 30)
    assert len(explain(history(lin)[0].explanation)) == 3


def test_each_version_of_a_rule_has_its_own_expiry(lin, mall):
    publish_rule(1, starts_at=NOON - timedelta(days=30), expiry={"kind": "months", "months": 1})
    publish_rule(2, starts_at=NOON - timedelta(days=1))
    old = purchase_report(lin, 100_00, unit=mall, order_no="old", occurred_at=NOON - timedelta(days=2))
    record(old, purchase_report(lin, 200_00, unit=mall, order_no="new"))
    assert [(lot.amount.value, lot.last_day) for lot in open_lots(lin)] == [
        (100, date(2026, 7, 31)),
        (200, date(2027, 6, 30)),
    ]


def test_the_expiry_of_points_on_the_way_is_that_of_their_rule(lin, mall):
    publish_rule(1, expiry={"kind": "months", "months": 1})
    buy(lin, 100_00, unit=mall, pending=True)
    with transaction():
        mature_purchase(unit_code="mall", order_no="1", now=NOON + timedelta(days=14))
    assert open_lots(lin)[0].last_day == date(2026, 7, 31)


@pytest.mark.parametrize("expiry", [{"kind": "sometimes"}, {"kind": "months", "months": 0}, {"months": "6"}])
def test_an_expiry_that_makes_no_sense_is_refused_and_nothing_is_recorded(lin, mall, expiry):
    publish_rule(1, expiry=expiry)
    with pytest.raises(InvalidInput):
        buy(lin, 100_00, unit=mall)
    db.session.rollback()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Purchase)) == 0


def test_the_welcome_gift_can_live_shorter(lin):
    publish_rule(1, rewards={"joining": {"points": 20, "expiry": {"kind": "months", "months": 3}}})
    with transaction():
        award_joining(member_id=lin, now=NOON)
    assert open_lots(lin)[0].last_day == date(2026, 9, 30)
    assert explain(history(lin)[0].explanation) == [
        "Welcome: everybody who joins starts with 20 points.",
        "Valid to the end of Sep 30, 2026.",
    ]


# --- on the way -------------------------------------------------------------------------


def test_pending_points_are_on_the_way_until_the_purchase_matures(lin, mall):
    buy(lin, 100_00, unit=mall, pending=True)
    assert available(lin) == 0
    assert standing(lin, now=NOON).on_the_way == Points(100)
    for _ in range(2):
        with transaction():
            mature_purchase(unit_code="mall", order_no="1", now=NOON)
    assert available(lin) == 100
    assert verify().clean


def test_a_purchase_that_earned_nothing_matures_without_a_transfer(lin, mall):
    buy(lin, 99, unit=mall, pending=True)
    with transaction():
        mature_purchase(unit_code="mall", order_no="1", now=NOON)
    assert history(lin) == []


def test_an_unknown_purchase_does_not_mature(mall):
    with pytest.raises(NotFound), transaction():
        mature_purchase(unit_code="mall", order_no="nothing", now=NOON)


# --- joining ----------------------------------------------------------------------------


def test_who_joins_gets_twenty_points_once(bob):
    with transaction():
        award_joining(member_id=bob.id, now=NOON)
    assert available(bob.id) == 20
    assert explain(history(bob.id)[0].explanation) == ["Welcome: everybody who joins starts with 20 points."]
