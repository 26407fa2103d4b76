"""Who has points that are about to expire gets one mail, by day, in their language. Nobody else gets any."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from app.engagement.reminders import actions, jobs
from app.engagement.reminders.actions import switch_off
from app.engagement.reminders.models import ExpiryLook, ExpiryReminder
from app.engagement.reminders.rules import looks, waking_hours
from app.engagement.reminders.terms import ReminderTerms
from app.foundation import outbox
from app.foundation.actors import SYSTEM
from app.foundation.database import db, insert_new, transaction
from app.foundation.errors import InvalidInput
from app.foundation.outbox import OutboxMessage
from app.foundation.points import Points
from app.foundation.terms import change
from app.identity.members.models import Member
from app.identity.members.queries import recipients
from app.loyalty.ledger import actions as ledger
from app.loyalty.ledger.terms import LedgerTerms
from tests.conftest import NOON
from tests.factories import give_points, make_member
from tests.racing import ON_POSTGRESQL, at_once, barrier, meet_after

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = timedelta(days=1)
JULY_10 = datetime(2026, 7, 11, tzinfo=SHANGHAI)  # The first moment after 10 July, 25 days after NOON's day.


def grant(member, points, *, until=JULY_10, key=None):
    key = key or f"test:{member.id}:{points}:{until:%m%d}"
    with transaction():
        give_points(member.id, points, key=key, expires_at=until.astimezone(UTC))


def spend(member, points):
    with transaction():
        ledger.spend(
            member_id=member.id,
            amount=Points(points),
            key=f"test:spend:{member.id}:{points}",
            kind="redemption",
            explanation={"code": "opening", "steps": []},
            now=NOON,
        )


def terms(**values):
    with transaction():
        change(ReminderTerms, values, by=SYSTEM, now=NOON)


def run(now=NOON):
    db.session.rollback()
    return jobs.remind_of_expiry(now=now)


def mails():
    db.session.rollback()
    rows = db.session.execute(sa.select(OutboxMessage.payload, OutboxMessage.due_at).order_by(OutboxMessage.id))
    return [
        (payload["to"], payload["subject"], due_at) for payload, due_at in rows if "/me/reminders" in payload["text"]
    ]


def told():
    return [to for to, _subject, _due in mails()]


def test_who_loses_points_is_told_once(app, alice):
    grant(alice, 120)
    assert run() == 1
    assert mails() == [("alice@example.com", "120 points are valid until July 10, 2026", NOON)]
    text = db.session.scalar(sa.select(OutboxMessage.payload).order_by(OutboxMessage.id.desc()))["text"]
    assert "120 of your points can be spent until July 10, 2026" in text
    assert app.config["SETTINGS"].public_url + "/me/reminders" in text
    for hours in (1, 2, 24, 48):
        assert run(NOON + timedelta(hours=hours)) == 0
    assert len(mails()) == 1


def test_each_day_of_expiry_has_its_mail_and_lots_of_a_day_are_one(app, alice):
    grant(alice, 60, key="a")
    grant(alice, 70, key="b")
    grant(alice, 80, until=JULY_10 + DAY)
    assert run() == 2
    assert [subject[:3] for _to, subject, _due in mails()] == ["130", "80 "]


def test_the_mail_speaks_the_readers_language(app, alice, bob):
    with transaction():
        db.session.get(Member, bob.id).locale = "zh_Hans"
    grant(alice, 1_200)
    grant(bob, 1_200)
    run()
    found = {to: subject for to, subject, _due in mails()}
    assert "July 10, 2026" in found["alice@example.com"]
    assert "2026年7月10日" in found["bob@example.com"]


def test_who_is_too_far_or_has_too_little_or_had_it_yesterday_is_not_told(app, alice, bob, mallory):
    grant(alice, 49)
    grant(bob, 500, until=datetime(2026, 7, 17, tzinfo=SHANGHAI))  # The last day is 31 days away.
    grant(mallory, 500, until=datetime(2026, 6, 16, tzinfo=SHANGHAI) - DAY)
    assert (run(), told()) == (0, [])


def test_the_last_day_itself_and_the_farthest_count(app, alice, bob):
    grant(alice, 50, until=datetime(2026, 6, 16, tzinfo=SHANGHAI))
    grant(bob, 50, until=datetime(2026, 7, 16, tzinfo=SHANGHAI))
    assert run() == 2


def test_points_that_never_expire_are_not_mentioned(app, alice):
    with transaction():
        change(LedgerTerms, {"expiry": "never"}, by=SYSTEM, now=NOON)
        give_points(alice.id, 500, key="forever")
    assert run() == 0


def test_imported_members_and_those_without_email_are_not_told(app):
    imported = make_member(email="imported@example.com", points=0)
    phone_only = make_member(phone="+8613900139000", claimed_at=NOON)
    for member_id in (imported, phone_only):
        with transaction():
            give_points(member_id, 500, key=f"for:{member_id}", expires_at=JULY_10.astimezone(UTC))
    assert (run(), told()) == (0, [])


def test_who_switched_it_off_is_not_told(app, alice, bob):
    grant(alice, 100)
    grant(bob, 100)
    with transaction():
        switch_off(member_id=alice.id, now=NOON)
    assert run() == 1
    assert told() == ["bob@example.com"]


def test_a_frozen_wallet_cannot_spend_and_is_not_told(app, alice):
    grant(alice, 100)
    with transaction() as session:
        session.execute(sa.text("UPDATE wallet SET frozen_at = CURRENT_TIMESTAMP, frozen_reason = 'x'"))
    assert run() == 0


def test_what_was_spent_meanwhile_is_not_in_the_figure(app, alice, bob, mallory):
    """It was looked in the morning; the mail is made when its turn comes."""
    for member in (alice, bob, mallory):
        grant(member, 200)
    jobs.look_ahead(now=NOON)
    spend(alice, 80)
    spend(bob, 151)
    with transaction():
        switch_off(member_id=mallory.id, now=NOON)
    assert run() == 1
    assert [(to, subject[:4]) for to, subject, _due in mails()] == [("alice@example.com", "120 ")]
    kept = db.session.execute(sa.select(ExpiryReminder.member_id, ExpiryReminder.points)).all()
    assert kept == [(alice.id, 120)]


def test_points_that_came_after_the_first_look_are_told_of_a_week_before(app, alice, bob):
    grant(alice, 100)
    run()
    grant(bob, 100)
    assert run(NOON + DAY) == 0
    assert run(NOON + 17 * DAY) == 0
    assert run(NOON + 18 * DAY) == 1
    assert told() == ["alice@example.com", "bob@example.com"]
    assert run(NOON + 19 * DAY) == 0


def test_days_that_a_worker_missed_are_looked_at_later(app, alice):
    run()
    grant(alice, 100, until=datetime(2026, 7, 18, tzinfo=SHANGHAI))
    assert run(NOON + DAY) == 0
    assert run(NOON + 9 * DAY) == 1


def test_at_night_nothing_leaves(app, alice):
    grant(alice, 100)
    midnight = datetime(2026, 6, 15, tzinfo=SHANGHAI)
    for hour in (0, 3, 8, 20, 23):
        assert run(midnight + timedelta(hours=hour, minutes=59)) == 0
    assert run(midnight + timedelta(hours=9, minutes=5)) == 1


def test_mails_leave_one_after_the_other_and_the_rest_wait_for_the_next_hour(app, alice, bob, mallory):
    terms(mails_an_hour=2)
    for member in (alice, bob, mallory):
        grant(member, 100)
    assert run() == 2
    half = timedelta(minutes=30)
    assert [due - NOON for _to, _subject, due in mails()] == [timedelta(0), half]
    assert run(NOON + 2 * half) == 1
    assert len(set(told())) == 3


def test_nobody_waits_behind_them(app, alice, bob, monkeypatch):
    """A code that is queued while thousands of reminders wait is delivered before them."""
    delivered = []
    monkeypatch.setitem(outbox._channels, "mail", lambda payload: delivered.append(payload["to"]))
    terms(mails_an_hour=1)
    grant(alice, 100)
    grant(bob, 100)
    run()
    with transaction():
        outbox.put("mail", {"to": "waiting@example.com", "subject": "", "text": ""}, now=NOON + timedelta(seconds=1))
        outbox.spread("mail", [{"to": "later"}] * 3, begin=NOON + DAY, every=DAY, now=NOON)
    outbox.deliver_due(now=NOON + timedelta(seconds=1))
    assert delivered == ["alice@example.com", "waiting@example.com"]


def test_a_crash_between_batches_repeats_and_loses_nothing(app, alice, bob, mallory, monkeypatch):
    for member in (alice, bob, mallory):
        grant(member, 100)
    monkeypatch.setattr(jobs, "BATCH", 1)
    render, calls = actions._mails, []

    def die_at_the_second(*args):
        calls.append(args)
        if len(calls) == 2:
            raise InterruptedError
        return render(*args)

    monkeypatch.setattr(actions, "_mails", die_at_the_second)
    with pytest.raises(InterruptedError):
        run()
    assert len(mails()) == 1
    assert run(NOON + timedelta(hours=1)) == 2
    assert sorted(told()) == ["alice@example.com", "bob@example.com", "mallory@example.com"]


def test_a_crash_while_looking_looks_again(app, alice, monkeypatch):
    grant(alice, 100)
    look = actions.look_at

    def die_at_it(last_day, kind, *, now):
        found = look(last_day, kind, now=now)
        if found:
            raise InterruptedError
        return found

    monkeypatch.setattr(actions, "look_at", die_at_it)
    with pytest.raises(InterruptedError):
        run()
    assert told() == []
    monkeypatch.undo()
    assert run() == 1


def test_switched_off_for_all_nothing_is_looked_at(app, alice):
    grant(alice, 100)
    terms(active=False)
    assert run() == 0
    assert db.session.scalar(sa.select(sa.func.count()).select_from(ExpiryLook)) == 0
    terms(active=True)
    assert run() == 1


def test_what_is_long_over_is_forgotten(app, alice):
    grant(alice, 100)
    run()
    kept = sa.select(sa.func.count()).select_from(ExpiryReminder)
    for days, rows in ((29, 1), (30, 0)):
        jobs.forget_reminders(now=JULY_10 + days * DAY)
        db.session.rollback()
        assert db.session.scalar(kept) == rows


# --- together -------------------------------------------------------------------------------


@ON_POSTGRESQL
def test_two_workers_send_one_mail(app, alice, bob):
    grant(alice, 100)
    grant(bob, 100)
    answers = at_once(app, [partial(jobs.remind_of_expiry, now=NOON)] * 3)
    assert sum(answers) == 2
    assert sorted(told()) == ["alice@example.com", "bob@example.com"]


@ON_POSTGRESQL
def test_without_the_lock_both_would_take_the_same(app, alice, monkeypatch):
    """The race is there: two that have seen the same row wait write two mails."""
    grant(alice, 100)
    jobs.look_ahead(now=NOON)
    monkeypatch.setattr(sa.sql.Select, "with_for_update", lambda statement, **_options: statement)
    meet_after(monkeypatch, actions, "_take", barrier(2))
    at_once(app, [partial(jobs.remind_of_expiry, now=NOON)] * 2)
    assert told() == ["alice@example.com"] * 2


@ON_POSTGRESQL
def test_a_day_is_looked_at_once(app, alice, monkeypatch):
    grant(alice, 100)
    meet_after(monkeypatch, jobs.queries, "looks_done", barrier(2))
    assert sorted(at_once(app, [partial(jobs.look_ahead, now=NOON)] * 2)) == [0, 1]


def test_the_database_itself_keeps_one_row_for_a_member_and_day(app, alice):
    row = {"last_day": NOON.date(), "member_id": alice.id, "points": 60, "at": None}
    with transaction():
        assert insert_new(ExpiryReminder, [row], unless=[], returning=[ExpiryReminder.points])
        assert not insert_new(ExpiryReminder, [row], unless=[], returning=[ExpiryReminder.points])


# --- rules ----------------------------------------------------------------------------------


def test_a_near_day_needs_only_its_last_look():
    found = list(looks(NOON.date(), 9))
    assert [look for _day, look in found] == ["last"] * 8 + ["first"] * 2
    assert found[0][0] == NOON.date()
    assert found[-1][0] == NOON.date() + 9 * DAY


def test_waking_hours():
    assert [hour for hour in range(24) if waking_hours(NOON.replace(hour=hour))] == list(range(9, 20))


@pytest.mark.parametrize(
    "wrong", [{"days_ahead": 0}, {"days_ahead": 181}, {"least_points": 0}, {"mails_an_hour": 5_001}]
)
def test_terms_that_make_no_sense_are_refused(words, wrong):
    with pytest.raises(InvalidInput):
        ReminderTerms(**wrong)


def test_recipients_are_members_with_an_address(app, alice):
    imported = make_member(email="imported@example.com")
    assert [each.email for each in recipients([alice.id, imported])] == ["alice@example.com"]
