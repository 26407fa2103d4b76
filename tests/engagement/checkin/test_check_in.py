"""Checking in: once a day, paid once, whatever is clicked."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from app.engagement.checkin import queries
from app.engagement.checkin.actions import check_in
from app.engagement.checkin.models import CheckIn
from app.engagement.checkin.terms import CheckinTerms
from app.foundation import terms
from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.foundation.errors import InvalidInput
from app.foundation.points import Points
from app.loyalty.ledger.explanations import explain
from app.loyalty.ledger.models import Transfer
from app.loyalty.ledger.queries import open_lots, standing
from tests.conftest import NOON
from tests.factories import make_member
from tests.racing import at_once

DAY = timedelta(days=1)


@pytest.fixture
def alice(app):
    return make_member(name="Alice Lin")


def come_by(member_id, moment):
    with transaction():
        return check_in(member_id=member_id, now=moment)


def available(member_id):
    return standing(member_id, now=NOON).available


def rows():
    return db.session.scalar(sa.select(sa.func.count()).select_from(CheckIn))


def test_a_check_in_pays_five_points_and_says_why(alice):
    done = come_by(alice, NOON)
    assert (done.day, done.points, done.streak, done.created) == (date(2026, 6, 15), Points(5), 1, True)
    assert available(alice) == Points(5)
    transfer = db.session.scalars(sa.select(Transfer)).one()
    assert (transfer.key, transfer.kind) == (f"checkin:{alice}:2026-06-15", "checkin")
    assert explain(transfer.explanation) == [
        "Checked in.",
        "That is day 1 of a cycle of 7.",
        "A check-in pays 5 points.",
        "This day has no bonus; day 7 has one.",
    ]


def test_the_second_click_gets_the_same_answer_and_pays_nothing(alice):
    first = come_by(alice, NOON)
    second = come_by(alice, NOON + timedelta(hours=3))
    assert (second.points, second.streak, second.created) == (first.points, first.streak, False)
    assert available(alice) == Points(5)
    assert rows() == 1


def test_seven_days_in_a_row_pay_the_last_one_double_and_the_eighth_begins_again(alice):
    paid = [come_by(alice, NOON + DAY * n).points.value for n in range(8)]
    assert paid == [5, 5, 5, 5, 5, 5, 10, 5]
    last_two = db.session.scalars(sa.select(Transfer).order_by(Transfer.id.desc()).limit(2)).all()
    assert explain(last_two[1].explanation) == [
        "Checked in 7 days in a row.",
        "That is day 7 of a cycle of 7.",
        "A check-in pays 5 points.",
        "Day 7 adds a bonus of 5 points: 10 in all.",
    ]


def test_a_transfer_from_before_the_table_of_rewards_still_says_why():
    facts = {"cycle_days": 7, "multiplier": 2}
    steps = [{"code": "checkin.bonus", "points": 10, **facts}, {"code": "checkin.no_bonus", "place": 3, **facts}]
    assert explain({"code": "checkin.daily", "streak": 7, "steps": steps})[1:] == [
        "Day 7 of 7 pays 2 times as much: 10 points.",
        "This was day 3 of 7. The last day pays 2 times as much.",
    ]


def test_a_missed_day_begins_the_cycle_again(alice):
    for n in (0, 1, 2, 3, 4, 5, 7):
        last = come_by(alice, NOON + DAY * n)
    assert (last.streak, last.points) == (1, Points(5))


def test_the_programmes_midnight_counts_and_not_the_servers(alice):
    """23:59 and 00:00 in Shanghai are one day in UTC, and two check-ins."""
    late = datetime(2026, 6, 30, 15, 59, tzinfo=UTC)
    assert come_by(alice, late).day == date(2026, 6, 30)
    assert come_by(alice, late + timedelta(minutes=1)).day == date(2026, 7, 1)
    assert queries.streak(alice, today=date(2026, 7, 1)) == 2


def test_sending_another_timezone_along_does_not_make_another_day(alice):
    """The moment is what counts: the same moment written in other zones is the same day."""
    from zoneinfo import ZoneInfo

    for zone in ("Pacific/Apia", "America/New_York", "Asia/Shanghai"):
        come_by(alice, NOON.astimezone(ZoneInfo(zone)))
    assert rows() == 1
    assert available(alice) == Points(5)


def test_changed_terms_pay_from_now_on_and_leave_what_was_paid(alice):
    come_by(alice, NOON)
    with transaction():
        terms.change(CheckinTerms, {"rewards": "20 60"}, by=SYSTEM, now=NOON)
    assert come_by(alice, NOON).points == Points(5)
    assert come_by(alice, NOON + DAY).points == Points(60)


def test_points_from_check_ins_can_live_shorter_and_say_so(alice):
    with transaction():
        terms.change(CheckinTerms, {"expiry_months": 3}, by=SYSTEM, now=NOON)
    come_by(alice, NOON)
    assert open_lots(alice)[0].last_day == date(2026, 9, 30)
    transfer = db.session.scalars(sa.select(Transfer)).one()
    assert explain(transfer.explanation)[-1] == "Valid to the end of Sep 30, 2026."


@pytest.mark.parametrize("months", [-1, 121])
def test_a_life_that_makes_no_sense_is_refused(app, months):
    with pytest.raises(InvalidInput, match="can live 1 to 120 months"):
        CheckinTerms(expiry_months=months)


def test_members_do_not_share_their_days(alice):
    bob = make_member(name="Bob")
    come_by(alice, NOON)
    assert queries.today(bob, today=date(2026, 6, 15)).done is False
    assert available(bob) == Points(0)


def test_a_failed_award_leaves_no_check_in_behind(app):
    with transaction():
        from app.identity.members.models import Member

        nobody = Member(code="NOWALLET", created_at=NOON)
        db.session.add(nobody)
        db.session.flush()
        member_id = nobody.id
    with pytest.raises(Exception, match="no account"):
        come_by(member_id, NOON)
    assert rows() == 0


def test_parallel_clicks_pay_once(app, alice):
    """Several requests at the same moment; on PostgreSQL they meet at the unique constraint, on SQLite they queue."""
    answers = at_once(app, [lambda: come_by(alice, NOON)] * 6)
    assert [answer.points for answer in answers] == [Points(5)] * 6
    assert sum(answer.created for answer in answers) == 1
    assert available(alice) == Points(5)
    assert rows() == 1
