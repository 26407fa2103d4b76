"""What benefits are worth: in points, in prices, in days; by tier, by tag, or given by hand; now and back then."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest
import sqlalchemy as sa

from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.foundation.errors import InvalidInput
from app.identity.members.queries import member_by_id
from app.identity.tags.actions import tag, untag
from app.loyalty.benefits.actions import Gift, end_benefit, give_benefit, give_by_rule
from app.loyalty.benefits.models import BenefitGrant
from app.loyalty.benefits.queries import Received, Shopping, extra_return_days, multipliers, perks
from app.loyalty.tiers.actions import enrol, give_tier
from tests.cast import make_unit
from tests.conftest import NOON
from tests.factories import buy, make_member
from tests.loyalty.benefits.having import VIP_PRICE, defaults, entry, offer
from tests.loyalty.tiers.climbing import put_on

TODAY = date(2026, 6, 15)


def times(member_id, *, at=NOON, unit="mall"):
    [found] = multipliers([Shopping(member_id, unit, at)])
    return found.times if found else 1


def give(member_id, code, *, first=TODAY, last=TODAY, now=NOON):
    with transaction():
        give_benefit(
            member=member_by_id(member_id), code=code, first_day=first, last_day=last, reason="Kind", by=SYSTEM, now=now
        )


@pytest.mark.parametrize(
    ("tier", "factor", "percent"),
    [("regular", 1, 5), ("silver", Fraction(3, 2), 8), ("gold", 2, 12), ("diamond", 5, 20)],
)
def test_the_programme_begins_with_1_to_5_times_and_5_to_20_percent(app, unit, tier, factor, percent):
    defaults()
    lin = make_member()
    put_on(tier, lin, since=NOON)
    assert times(lin) == factor
    assert perks(lin, NOON).discount(unit.id) == percent
    assert buy(lin, 100_00, unit=unit) == 100 * factor


def test_without_benefits_nothing_is_multiplied_and_no_member_is_looked_up(app, unit):
    lin = make_member()
    statements = []
    sa.event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert times(lin) == 1
    assert all("terms_version" in each for each in statements if each.startswith("SELECT"))
    assert perks(lin, NOON).discount(unit.id) == 0


def test_a_batch_of_five_hundred_takes_a_handful_of_queries(app, unit):
    defaults()
    lin = make_member()
    put_on("gold", lin, since=NOON)
    statements = []
    sa.event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    found = multipliers([Shopping(lin, "mall", NOON - timedelta(days=day)) for day in range(500)])
    assert found[0].name["en"] == "Gold"
    assert found[1] is None  # Before that, on the first step.
    assert len([each for each in statements if each.startswith("SELECT")]) <= 5


def test_a_purchase_reported_late_is_multiplied_by_the_tier_of_its_time(app, alice, unit):
    defaults()
    with transaction():
        enrol([alice.id], now=NOON - timedelta(days=30))
    with transaction():
        give_tier(member=alice, tier_code="diamond", last_day=TODAY, reason="Thanks", by=SYSTEM, now=NOON)
    assert times(alice.id, at=NOON) == 5
    assert times(alice.id, at=NOON - timedelta(seconds=1)) == 1
    assert buy(alice.id, 10_00, unit=unit, at=NOON - timedelta(days=1)) == 10
    assert buy(alice.id, 10_00, unit=unit, order_no="2") == 50


def test_a_purchase_reported_late_is_multiplied_by_the_version_of_its_time(app):
    defaults()
    lin = make_member()
    put_on("gold", lin, since=NOON - timedelta(days=9))
    offer(entry("multiplier", value="3", tiers=["gold"]), now=NOON)
    assert times(lin, at=NOON) == 3
    assert times(lin, at=NOON - timedelta(minutes=1)) == 2


def test_the_best_one_counts_and_is_called_by_its_own_name(app):
    offer(
        entry("multiplier", "gold", value="2", tiers=["gold"]),
        entry("multiplier", "friends", value="5/2", tags=["friend"]),
        entry("multiplier", "cinema", value="4", tiers=["gold"], units=["cinema"]),
    )
    lin = make_member()
    put_on("gold", lin, since=NOON)
    with transaction():
        tag(member=member_by_id(lin), text=" Friend ", by=SYSTEM, now=NOON)
    [mall, cinema] = multipliers([Shopping(lin, "mall", NOON), Shopping(lin, "cinema", NOON)])
    assert (mall.times, mall.name) == (Fraction(5, 2), {"en": "Multiplier"})
    assert (cinema.times, cinema.name["en"]) == (4, "Gold")


def test_a_tag_counts_from_when_it_was_given_until_it_was_removed(app, unit):
    offer(VIP_PRICE)
    lin = make_member()
    for what, days in ((tag, 0), (untag, 2)):
        with transaction():
            what(member=member_by_id(lin), text="VIP", by=SYSTEM, now=NOON + timedelta(days=days))
    percents = [perks(lin, NOON + timedelta(days=day, seconds=-1)).discount(unit.id) for day in (0, 1, 2, 3)]
    assert percents == [0, 30, 30, 0]


def test_what_is_given_by_hand_counts_on_its_last_day_and_not_after_it(app, unit):
    offer(entry("discount", value=50))
    lin, other = make_member(), make_member()
    give(lin, "discount", last=TODAY + timedelta(days=1))
    midnight = NOON + timedelta(days=1, hours=12)
    assert perks(lin, NOON - timedelta(seconds=1)).discount(unit.id) == 0
    assert perks(lin, midnight - timedelta(seconds=1)).discount(unit.id) == 50
    assert perks(lin, midnight).discount(unit.id) == 0
    assert perks(other, NOON).discount(unit.id) == 0


def test_what_is_given_by_hand_can_be_ended_once(app, unit):
    offer(entry("discount", value=50))
    lin = make_member()
    give(lin, "discount", last=TODAY + timedelta(days=9))
    [grant] = db.session.scalars(sa.select(BenefitGrant.id))
    ended = []
    for hours in (1, 2):
        with transaction():
            ended.append(
                end_benefit(member=member_by_id(lin), grant_id=grant, by=SYSTEM, now=NOON + timedelta(hours=hours))
            )
    assert ended == [True, False]
    assert perks(lin, NOON + timedelta(minutes=59)).discount(unit.id) == 50
    assert perks(lin, NOON + timedelta(hours=1)).discount(unit.id) == 0


@pytest.mark.parametrize(
    ("first", "last", "code", "says"),
    [
        (TODAY - timedelta(days=1), TODAY, "discount", "today or later"),
        (TODAY, TODAY - timedelta(days=1), "discount", "before the first"),
        (TODAY, TODAY + timedelta(days=2000), "discount", "within 3 years"),
        (TODAY, TODAY, "nonsense", "from the list"),
    ],
)
def test_nonsense_is_not_given(app, first, last, code, says):
    offer(entry("discount", value=50))
    lin = make_member()
    with pytest.raises(InvalidInput, match=says):
        give(lin, code, first=first, last=last)
    assert db.session.scalars(sa.select(BenefitGrant)).all() == []


def test_what_a_rule_gives_is_given_once_and_an_unknown_code_stops_nothing(app, unit):
    offer(entry("discount", value=50))
    lin = make_member()
    for expected in (1, 0):
        with transaction():
            gifts = [Gift(lin, "discount", "milestone:1", "500 points"), Gift(lin, "gone", "milestone:2", "")]
            assert give_by_rule(gifts, now=NOON) == expected
    assert perks(lin, NOON + timedelta(days=29)).discount(unit.id) == 50


def test_a_benefit_of_one_unit_counts_nowhere_else_and_only_in_its_time(app):
    cinema, mall = make_unit("cinema", "Cinema"), make_unit()
    offer(
        entry(
            "discount", value=40, tiers=["gold"], units=["cinema"], starts="2026-06-15T12:00", ends="2026-06-16T00:00"
        )
    )
    lin = make_member()
    put_on("gold", lin, since=NOON)
    assert [perks(lin, NOON).discount(each.id) for each in (cinema, mall)] == [40, 0]
    assert perks(lin, NOON - timedelta(seconds=1)).discount(cinema.id) == 0
    assert perks(lin, NOON + timedelta(hours=12)).discount(cinema.id) == 0


def test_a_diamond_member_has_all_that_the_programme_promises(app, unit):
    defaults()
    lin = make_member()
    put_on("diamond", lin, since=NOON)
    seen = perks(lin, NOON)
    assert seen.tier_rank == 3
    assert seen.early_access_days(unit.id) == 3
    assert seen.extra_return_days(unit.id) == 23
    assert seen.extra_warranty_months(unit.id) == 12
    assert seen.free_delivery(unit.id)
    assert seen.priority_delivery(unit.id)
    assert seen.dedicated_agent
    assert not seen.event_priority  # There are no events yet.
    assert not seen.opens_tiers(unit.id)  # Their tier opens its own products.
    assert perks(None, NOON).tier_rank == -1


def test_perks_take_three_queries(app, unit):
    defaults()
    lin = make_member()
    put_on("gold", lin, since=NOON)
    db.session.rollback()
    statements = []
    sa.event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    perks(lin, NOON).discount(unit.id)
    assert len([each for each in statements if each.startswith("SELECT")]) <= 3


def test_the_return_window_is_that_of_the_day_on_which_it_came(app, unit):
    defaults()
    lin = make_member()
    put_on("gold", lin, since=NOON)
    yesterday = NOON - timedelta(days=1)
    assert extra_return_days([Received(lin, unit.id, NOON), Received(lin, unit.id, yesterday)]) == [7, 0]
