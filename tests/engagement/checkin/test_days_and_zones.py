"""Whole months of check-ins, in programmes far from the server: over New Year, and on days of 23 and 25 hours."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from app.engagement.checkin import queries
from app.engagement.checkin.actions import check_in
from app.engagement.checkin.models import CheckIn
from app.foundation.database import db, transaction
from app.foundation.points import Points
from app.loyalty.ledger.queries import standing
from tests.conftest import NOON
from tests.factories import make_member

LAST_MINUTE, FIRST_MINUTE = time(23, 59), time(0, 0)


@pytest.fixture
def programme_in(app, monkeypatch):
    """Move the programme to another timezone; the server stays where it is."""

    def move(name):
        monkeypatch.setitem(app.config, "SETTINGS", replace(app.config["SETTINGS"], timezone=name))
        return ZoneInfo(name)

    return move


def come_by(member, day, clock_time, zone, *, fold=0):
    with transaction():
        return check_in(member_id=member, now=datetime.combine(day, clock_time, tzinfo=zone).replace(fold=fold))


def days_from(first, length):
    return [first + timedelta(days=n) for n in range(length)]


@pytest.mark.parametrize("zone_name", ["America/New_York", "Pacific/Kiritimati", "Asia/Shanghai"])
def test_a_month_over_new_year_is_one_streak_with_its_bonus_every_seventh_day(programme_in, zone_name):
    """She comes now in the first, now in the last minute of her day, which the server may call another date."""
    zone = programme_in(zone_name)
    alice = make_member(at=NOON)
    days = days_from(date(2026, 12, 15), 31)
    done = [come_by(alice, day, LAST_MINUTE if day.day % 2 else FIRST_MINUTE, zone) for day in days]
    assert [each.day for each in done] == days
    assert [each.streak for each in done] == list(range(1, 32))
    assert [each.points.value for each in done] == [5, 5, 5, 5, 5, 5, 10] * 4 + [5, 5, 5]
    assert queries.streak(alice, today=date(2027, 1, 14)) == 31
    assert standing(alice, now=datetime(2027, 1, 15, tzinfo=zone)).available == Points(31 * 5 + 4 * 5)


@pytest.mark.parametrize(
    ("zone_name", "changes_on"),
    [
        ("Europe/Berlin", date(2026, 3, 29)),
        ("Europe/Berlin", date(2026, 10, 25)),
        ("America/New_York", date(2026, 3, 8)),
        ("America/New_York", date(2026, 11, 1)),
    ],
)
def test_the_day_on_which_clocks_change_is_one_day(programme_in, zone_name, changes_on):
    """23 or 25 hours long: its first and its last minute are the same check-in, and the days around it join."""
    zone = programme_in(zone_name)
    alice = make_member(at=NOON)
    come_by(alice, changes_on - timedelta(days=1), LAST_MINUTE, zone)
    first = come_by(alice, changes_on, FIRST_MINUTE, zone)
    twice = [come_by(alice, changes_on, time(2, 30), zone, fold=fold) for fold in (0, 1)]
    last = come_by(alice, changes_on, LAST_MINUTE, zone)
    assert [each.created for each in (first, *twice, last)] == [True, False, False, False]
    assert come_by(alice, changes_on + timedelta(days=1), FIRST_MINUTE, zone).streak == 3


def test_february_29_is_a_day_like_any_other(programme_in):
    zone = programme_in("Asia/Shanghai")
    alice = make_member(at=NOON)
    days = [date(2028, 2, 28), date(2028, 2, 29), date(2028, 3, 1)]
    assert [come_by(alice, day, time(9), zone).streak for day in days] == [1, 2, 3]


def test_travelling_around_the_world_brings_no_second_check_in(programme_in):
    """One moment is one date in the programme, whatever date it is where the member's phone stands."""
    programme_in("Europe/Berlin")
    alice = make_member(at=NOON)
    for zone in ("Pacific/Kiritimati", "Pacific/Apia", "Asia/Tokyo", "America/Los_Angeles", "Pacific/Pago_Pago"):
        with transaction():
            check_in(member_id=alice, now=NOON.astimezone(ZoneInfo(zone)))
    assert db.session.scalars(sa.select(CheckIn.day)).all() == [date(2026, 6, 15)]
    assert standing(alice, now=NOON).available == Points(5)


def test_a_request_cannot_say_which_day_or_zone_it_means(client, alice):
    from tests.cast import sign_in

    sign_in(client, alice)
    for form in ({}, {"day": "2026-06-14"}, {"timezone": "Pacific/Kiritimati"}, {"now": "2026-06-20T00:00:00Z"}):
        client.post("/check-in", data=form, headers={"X-Timezone": "Pacific/Apia", "Date": "Tue, 16 Jun 2026"})
    assert db.session.scalars(sa.select(CheckIn.day)).all() == [date(2026, 6, 15)]
