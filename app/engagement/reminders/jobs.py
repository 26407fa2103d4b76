"""Once a day it is looked whose points are about to expire; the mails leave by day. Each batch is a transaction."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.engagement.reminders import actions, queries
from app.engagement.reminders.rules import looks, waking_hours
from app.engagement.reminders.terms import ReminderTerms
from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.jobs import periodic
from app.foundation.terms import current

BATCH = 500
HOUR = timedelta(hours=1)


@periodic("remind-of-expiry", minute="5")
def remind_of_expiry(*, now: datetime) -> int:
    """Between nine in the morning and eight in the evening of the programme. Returns how many mails were queued."""
    terms, zone = current(ReminderTerms), clock.programme_zone()
    if not terms.active or not waking_hours(now.astimezone(zone)):
        return 0
    look_ahead(now=now)
    told, every = 0, HOUR / terms.mails_an_hour
    while left := terms.mails_an_hour - told:
        with transaction():
            queued = actions.remind_some(now=now, begin=now + told * every, every=every, limit=min(BATCH, left))
        if queued is None:
            break
        told += queued
    return told


def look_ahead(*, now: datetime) -> int:
    """Look at the days of expiry that have come into view. Returns how many members are to be reminded."""
    today = clock.local_date(now, clock.programme_zone())
    done, found = queries.looks_done(today), 0
    for last_day, look in looks(today, current(ReminderTerms).days_ahead):
        if (last_day, look) not in done:
            with transaction():
                found += actions.look_at(last_day, look, now=now)
    return found


@periodic("forget-reminders", hour="3", minute="37")
def forget_reminders(*, now: datetime) -> int:
    """Delete what was told of days long over. Returns how many rows."""
    with transaction():
        return actions.forget_past(now=now)
