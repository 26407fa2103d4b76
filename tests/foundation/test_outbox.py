"""Messages leave only after the commit, are retried, and outlive a crashed worker."""

import contextlib
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.foundation import outbox
from app.foundation.database import db, transaction
from app.foundation.outbox import ATTEMPTS, LEASE, OutboxMessage, deliver_due, forget_delivered, put
from tests.conftest import NOON


@pytest.fixture
def sent(monkeypatch):
    """What a channel of this test delivered; set ``sent.broken`` to make it fail."""

    class Sent(list):
        broken = False

    made = Sent()

    def deliver(payload):
        if made.broken:
            raise OSError("The other side is down.")
        made.append(payload)

    monkeypatch.setitem(outbox._channels, "test", deliver)
    return made


def queue(**payload):
    with transaction():
        put("test", payload, now=NOON)


def only_message():
    db.session.rollback()
    return db.session.scalar(sa.select(OutboxMessage))


def test_a_message_is_delivered_once(app, sent):
    queue(text="hello")
    assert sent == []
    assert deliver_due(now=NOON) == 1
    assert deliver_due(now=NOON + timedelta(hours=1)) == 0
    assert sent == [{"text": "hello"}]


def test_a_message_of_a_failed_transaction_is_never_sent(app, sent):
    with contextlib.suppress(LookupError), transaction():
        put("test", {}, now=NOON)
        raise LookupError
    assert deliver_due(now=NOON + LEASE) == 0
    assert sent == []


def test_a_failed_message_is_tried_again_later_and_not_at_once(app, sent):
    queue(text="hello")
    sent.broken = True
    assert deliver_due(now=NOON) == 0
    sent.broken = False
    assert deliver_due(now=NOON + timedelta(minutes=1)) == 0
    assert deliver_due(now=NOON + timedelta(minutes=2)) == 1
    assert sent == [{"text": "hello"}]


def test_after_eight_failures_a_message_is_given_up_and_kept(app, sent):
    queue(text="hello")
    sent.broken = True
    now = NOON
    for _ in range(ATTEMPTS + 3):
        deliver_due(now=now)
        now += timedelta(days=1)
    message = only_message()
    assert message.attempts == ATTEMPTS
    assert message.given_up_at is not None
    assert message.delivered_at is None
    assert "The other side is down" in message.last_error
    sent.broken = False
    assert deliver_due(now=now) == 0


def test_one_broken_message_does_not_hold_up_the_others(app, sent):
    with transaction():
        put("no such channel", {}, now=NOON)
        put("test", {"text": "hello"}, now=NOON)
    assert deliver_due(now=NOON) == 1
    assert sent == [{"text": "hello"}]


def test_a_message_of_a_crashed_worker_is_due_again_after_its_lease(app, sent):
    queue(text="hello")
    assert outbox._claim(NOON) is not None  # … and here the worker is killed.
    assert deliver_due(now=NOON + LEASE - timedelta(seconds=1)) == 0
    assert deliver_due(now=NOON + LEASE) == 1


def test_a_run_claims_nothing_more_once_its_leases_grow_old(app, sent, monkeypatch):
    queue(text="hello")
    monkeypatch.setattr(outbox, "RUN", 0)
    assert deliver_due(now=NOON) == 0
    assert only_message().attempts == 0


def test_a_run_has_a_limit(app, sent):
    for _ in range(3):
        queue()
    assert deliver_due(now=NOON, limit=2) == 2
    assert len(sent) == 2


def test_the_worker_is_woken_after_the_commit(app, sent, monkeypatch):
    woken = []
    monkeypatch.setitem(app.extensions["jobs"], "deliver-outbox", lambda: woken.append(True))
    with transaction():
        put("test", {}, now=NOON)
        assert woken == []
    assert woken == [True]


def test_what_was_delivered_is_forgotten_after_a_day_and_nothing_else(app, sent):
    queue(code="old")
    deliver_due(now=NOON)
    queue(code="waiting")
    assert forget_delivered(now=NOON + timedelta(days=1)) == 0
    assert forget_delivered(now=NOON + timedelta(days=1, seconds=1)) == 1
    assert only_message().payload == {"code": "waiting"}
