"""Finding who is to be reminded, and reminding them.

A look at a day of expiry writes down everybody concerned by one statement, whose cost is that of the lots that expire
on it. Mails are made from what was written down, some hundreds per transaction, with what is left by then. Both can
stop anywhere and be done twice: a day has one row for each member, and a mail is queued with the row that says so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from flask import current_app
from flask_babel import force_locale, ngettext
from sqlalchemy.dialects import postgresql, sqlite

from app.config import LOCALES
from app.engagement.reminders import queries
from app.engagement.reminders.models import ExpiryLook, ExpiryReminder, Unreminded
from app.engagement.reminders.terms import ReminderTerms
from app.foundation import clock, outbox
from app.foundation.database import any_of, db, insert_new, table_of
from app.foundation.formats import day, points
from app.foundation.pages import public_url
from app.foundation.terms import current
from app.identity.members.queries import Recipient, reached_by_mail, recipients
from app.loyalty.ledger.queries import expiring_between

KEPT = timedelta(days=30)


def switch_off(*, member_id: int, now: datetime) -> None:
    """This member is not reminded any more."""
    insert_new(Unreminded, [{"member_id": member_id, "since": now}], unless=["member_id"], returning=[Unreminded.since])


def switch_on(*, member_id: int) -> None:
    db.session.execute(sa.delete(Unreminded).where(Unreminded.member_id == member_id))


# --- looking --------------------------------------------------------------------------------


def look_at(last_day: date, look: str, *, now: datetime) -> int:
    """Write down who can still be told of points that expire after ``last_day``. Returns how many are new.

    Of two workers the second waits for the first, and finds that it is done.
    """
    row = {"last_day": last_day, "look": look, "found": 0, "at": now}
    if not insert_new(ExpiryLook, [row], unless=["last_day", "look"], returning=[ExpiryLook.at]):
        return 0
    due = expiring_between(*_edges(last_day)).subquery()
    concerned = sa.select(sa.literal(last_day), due.c.member_id, due.c.points).where(
        due.c.points >= current(ReminderTerms).least_points,
        due.c.member_id.in_(reached_by_mail()),
        ~sa.exists().where(Unreminded.member_id == due.c.member_id),
    )
    insert = (sqlite if db.engine.dialect.name == "sqlite" else postgresql).insert(table_of(ExpiryReminder))
    noted = insert.from_select(["last_day", "member_id", "points"], concerned).on_conflict_do_nothing()
    found: int = db.session.execute(noted, execution_options={"preserve_rowcount": True}).rowcount  # type: ignore[attr-defined]
    done = sa.update(ExpiryLook).where(ExpiryLook.last_day == last_day, ExpiryLook.look == look)
    db.session.execute(done.values(found=found), execution_options={"synchronize_session": False})
    return found


def _edges(last_day: date) -> tuple[datetime, datetime]:
    """What expires later than the first and no later than the second of them is valid for the last time that day."""
    zone = clock.programme_zone()
    return clock.start_of(last_day, zone), clock.end_of(last_day, zone)


# --- telling --------------------------------------------------------------------------------


def remind_some(*, now: datetime, begin: datetime, every: timedelta, limit: int) -> int | None:
    """Queue mails to the next ``limit`` who wait for one, soonest expiry first: one ``every`` so often from ``begin``.

    Whoever has spent the points, switched it off or lost their address is told nothing. Returns how many mails there
    are; ``None`` when nobody waits.
    """
    waiting = _take(clock.local_date(now, clock.programme_zone()), limit)
    if not waiting:
        return None
    payloads: list[dict[str, Any]] = []
    for last_day, together in groupby(waiting, key=lambda each: each.last_day):
        payloads += _remind(last_day, [each.member_id for each in together], now=now)
    outbox.spread("mail", payloads, begin=begin, every=every, now=now)
    return len(payloads)


def _take(today: date, limit: int) -> Sequence[sa.Row[*tuple[date, int]]]:
    """The next who wait, locked; what another worker has taken is passed over."""
    waiting = sa.select(ExpiryReminder.last_day, ExpiryReminder.member_id).where(
        ExpiryReminder.at.is_(None), ExpiryReminder.last_day >= today
    )
    ordered = waiting.order_by(ExpiryReminder.last_day, ExpiryReminder.member_id).limit(limit)
    return db.session.execute(ordered.with_for_update(skip_locked=True)).all()


def _remind(last_day: date, member_ids: Collection[int], *, now: datetime) -> list[dict[str, Any]]:
    """The mails to those of them whom it still concerns; the others are crossed off."""
    left = _left(last_day, member_ids)
    not_wanted = queries.unreminded(left)
    told = [each for each in recipients(left) if each.member_id not in not_wanted]
    _cross_off(last_day, set(member_ids) - {each.member_id for each in told})
    _mark(last_day, {each.member_id: left[each.member_id] for each in told}, now=now)
    return _mails(last_day, told, left)


def _left(last_day: date, member_ids: Collection[int]) -> dict[int, int]:
    """What has not been spent by now, where it is still worth a mail."""
    least = current(ReminderTerms).least_points
    rows = db.session.execute(expiring_between(*_edges(last_day), member_ids=member_ids))
    return {member_id: int(total) for member_id, total in rows if total >= least}


def _cross_off(last_day: date, member_ids: Collection[int]) -> None:
    if member_ids:
        row = sa.and_(ExpiryReminder.last_day == last_day, any_of(ExpiryReminder.member_id, member_ids))
        db.session.execute(sa.delete(ExpiryReminder).where(row), execution_options={"synchronize_session": False})


def _mark(last_day: date, told: Mapping[int, int], *, now: datetime) -> None:
    if told:
        table = table_of(ExpiryReminder)
        row = sa.and_(table.c.last_day == last_day, table.c.member_id == sa.bindparam("whom"))
        values = [{"whom": member_id, "points": total} for member_id, total in told.items()]
        db.session.execute(sa.update(table).where(row).values(at=now), values)


def _mails(last_day: date, told: Collection[Recipient], left: Mapping[int, int]) -> list[dict[str, Any]]:
    """In each reader's own language."""
    house: str = current_app.config["SETTINGS"].default_locale
    links = {
        "mall_url": public_url("portal.mall.index"),
        "points_url": public_url("portal.points.index"),
        "switch_url": public_url("portal.reminders.show"),
    }
    mails = []
    for locale in LOCALES:
        with force_locale(locale):
            mails += [
                _mail(each, left[each.member_id], day(last_day, "long"), links)
                for each in told
                if (each.locale if each.locale in LOCALES else house) == locale
            ]
    return mails


def _mail(to: Recipient, total: int, until: str, links: Mapping[str, str]) -> dict[str, Any]:
    facts = {"amount": points(total), "day": until}
    subject = ngettext(
        "%(amount)s point is valid until %(day)s", "%(amount)s points are valid until %(day)s", total, **facts
    )
    # Without what pages know about who looks at them: nobody does.
    text = current_app.jinja_env.get_template("engagement/reminders/message.txt").render(facts, total=total, **links)
    return {"to": to.email, "subject": subject, "text": text}


# --- forgetting -----------------------------------------------------------------------------


def forget_past(*, now: datetime) -> int:
    """What was told of days that are over for a month is of no use to anybody."""
    before = clock.local_date(now - KEPT, clock.programme_zone())
    gone = 0
    for model in (ExpiryReminder, ExpiryLook):
        old = sa.delete(model).where(model.last_day < before)
        gone += db.session.execute(old, execution_options={"synchronize_session": False}).rowcount  # type: ignore[attr-defined]
    return gone
