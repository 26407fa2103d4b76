"""A tier given by staff: with a reason, for a time, and no floor for ever."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from app.foundation.actors import Actor
from app.foundation.audit import AuditEntry
from app.foundation.database import db, transaction
from app.foundation.errors import InvalidInput
from app.identity.members.models import Member
from app.loyalty.tiers.actions import end_grant, give_tier
from app.loyalty.tiers.jobs import end_given_tiers
from app.loyalty.tiers.models import TierGrant
from app.loyalty.tiers.queries import keeping
from tests.factories import buy, make_member
from tests.loyalty.tiers.climbing import on, put_on, reasons, review, tier

ARTHUR = Actor("staff", 1, "Arthur Gao")
JUNE_10 = on(2026, 6, 10)
END = date(2026, 8, 31)
AFTER = on(2026, 9, 1, "00:00")


@pytest.fixture
def lin(app):
    return make_member(at=on(2026, 1, 1))


def give(member_id, code="gold", *, last_day=END, now=JUNE_10, reason="Sponsor of the spring fair"):
    with transaction():
        member = db.session.get(Member, member_id)
        give_tier(member=member, tier_code=code, last_day=last_day, reason=reason, by=ARTHUR, now=now)


def test_it_stands_until_the_end_of_its_last_day_and_then_falls_to_what_was_earned(lin):
    give(lin)
    for month in (7, 8):
        review(on(2026, month, 3))
    end_given_tiers(now=on(2026, 8, 31, "23:59"))
    assert tier(lin) == "gold"
    assert end_given_tiers(now=AFTER) == 1
    assert tier(lin) == "regular"
    assert end_given_tiers(now=AFTER) == 0
    assert reasons(lin) == ["manual_end", "manual", "enrolled"]


def test_what_was_earned_meanwhile_stays(lin, mall):
    give(lin)
    buy(lin, 600_00, unit=mall, at=on(2026, 7, 1))
    assert tier(lin) == "gold"
    end_given_tiers(now=AFTER)
    assert tier(lin) == "silver"


def test_a_purchase_lifts_above_it_and_its_end_takes_nothing_of_that(lin, mall):
    give(lin, "silver")
    buy(lin, 5_000_00, unit=mall, at=on(2026, 7, 1))
    assert tier(lin) == "gold"
    end_given_tiers(now=AFTER)
    assert tier(lin) == "gold"
    assert db.session.scalar(sa.select(TierGrant.ended_at)) is not None


def test_nobody_falls_below_where_they_stood_before(mall):
    member_id = make_member(at=on(2024, 1, 1))
    put_on("silver", member_id, since=on(2024, 1, 1))
    give(member_id)
    end_given_tiers(now=AFTER)
    assert tier(member_id) == "silver"
    for month, expected in ((9, "silver"), (11, "silver"), (12, "silver")):
        review(on(2026, month, 3))
        assert tier(member_id) == expected
    review(on(2027, 1, 3))  # October to December passed without a purchase: it is no floor for ever.
    assert tier(member_id) == "regular"


def test_a_second_one_replaces_the_first_and_remembers_what_is_their_own(lin):
    give(lin)
    give(lin, "diamond", last_day=date(2026, 12, 31))
    end_given_tiers(now=AFTER)
    assert tier(lin) == "diamond"
    end_given_tiers(now=on(2027, 1, 1, "00:00"))
    assert tier(lin) == "regular"


def test_it_can_be_ended_early(lin):
    give(lin)
    for expected in (True, False):
        with transaction():
            assert end_grant(member=db.session.get(Member, lin), by=ARTHUR, now=on(2026, 7, 1)) is expected
    assert tier(lin) == "regular"


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": "  "},
        {"last_day": date(2026, 6, 9)},
        {"last_day": date(2030, 1, 1)},
        {"code": "platinum"},
        {"code": "regular"},
    ],
)
def test_nonsense_is_refused_and_changes_nothing(mall, wrong):
    member_id = make_member(at=on(2024, 1, 1))
    put_on("silver", member_id, since=on(2024, 1, 1))
    with pytest.raises(InvalidInput):
        give(member_id, **wrong)
    assert tier(member_id) == "silver"
    assert db.session.scalar(sa.select(sa.func.count()).select_from(TierGrant)) == 0


def test_both_are_in_the_audit_log_with_the_reason(lin):
    give(lin)
    with transaction():
        end_grant(member=db.session.get(Member, lin), by=ARTHUR, now=on(2026, 7, 1))
    entries = db.session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [(entry.action, entry.actor_label) for entry in entries] == [
        ("tier.assign", "Arthur Gao"),
        ("tier.unassign", "Arthur Gao"),
    ]
    assert entries[0].after["reason"] == "Sponsor of the spring fair"


def test_the_member_is_told_until_when(lin):
    give(lin)
    found = keeping(lin, now=JUNE_10)
    assert found.given_until == END
    assert found.review == date(2027, 4, 3)  # It ends in September; then October to March have to pass.
