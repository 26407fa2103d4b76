"""Ten friends follow ten links at the same moment. PostgreSQL only: SQLite lets one writer in at a time anyway."""

from __future__ import annotations

import sqlalchemy as sa

from app.engagement.sharing.actions import follow
from app.engagement.sharing.models import ShareVisit
from app.foundation.database import db, transaction
from app.foundation.points import Points
from app.loyalty.earning import rewards
from app.loyalty.earning.models import Rewarded
from app.loyalty.ledger.queries import standing
from tests.conftest import NOON
from tests.factories import make_member
from tests.racing import ON_POSTGRESQL, at_once, barrier, meet_after

pytestmark = ON_POSTGRESQL
FRIENDS = 8


def open_at_once(app, alice, *, things, devices):
    def go(place):
        with transaction():
            return follow(
                member_id=alice,
                thing=f"product:{place % things}",
                about="Tea",
                device=f"device-{place % devices}",
                visitor_id=None,
                now=NOON,
            )

    counted = at_once(app, [lambda place=place: go(place) for place in range(FRIENDS)])
    db.session.rollback()
    return sum(counted)


def rows(model):
    return db.session.scalar(sa.select(sa.func.count()).select_from(model))


def test_the_cap_of_the_day_holds_for_eight_things_at_once(app):
    alice = make_member()
    assert open_at_once(app, alice, things=FRIENDS, devices=FRIENDS) == FRIENDS
    assert standing(alice, now=NOON).available == Points(30)
    assert rows(Rewarded) == FRIENDS  # Each is on record, seven of them with what the cap left: nothing.


def test_one_thing_followed_by_eight_pays_once(app):
    alice = make_member()
    assert open_at_once(app, alice, things=1, devices=FRIENDS) == FRIENDS
    assert standing(alice, now=NOON).available == Points(30)
    assert rows(Rewarded) == 1


def test_eight_clicks_of_one_browser_count_once(app):
    alice = make_member()
    assert open_at_once(app, alice, things=FRIENDS, devices=1) == 1
    assert rows(ShareVisit) == 1


def test_without_the_wallets_lock_the_cap_would_not_hold(app, monkeypatch):
    """The race is real: it happens where nobody queues up before counting."""
    monkeypatch.setattr(rewards.ledger, "queue_up", lambda _members: None)
    meet_after(monkeypatch, rewards, "_had", barrier(FRIENDS))
    alice = make_member()
    open_at_once(app, alice, things=FRIENDS, devices=FRIENDS)
    assert standing(alice, now=NOON).available == Points(30 * FRIENDS)
