"""What the back office's start page says about members."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import format_date
from flask_babel import gettext as _

from app.foundation import clock
from app.foundation.database import db
from app.foundation.formats import points as figure
from app.foundation.permissions import Permission
from app.foundation.screens.tiles import Chart, Tile, tile
from app.identity.members.models import Member

DAYS = 14


@tile(Permission.MEMBER_READ, order=10)
def members(now: datetime) -> Tile:
    month_ago = now - timedelta(days=30)
    total, recent, claimed = db.session.execute(
        sa.select(
            sa.func.count(),
            sa.func.count().filter(Member.created_at >= month_ago),
            sa.func.count().filter(Member.claimed_at.is_not(None)),
        ).select_from(Member)
    ).one()
    hint = _("%(n)s new in 30 days · %(m)s use the portal", n=figure(recent), m=figure(claimed))
    return Tile(_("Members"), figure(total), hint, icon="people")


@tile(Permission.MEMBER_READ, order=200)
def joined(now: datetime) -> Chart | None:
    """New members a day, over two weeks of the programme's own days."""
    zone = clock.programme_zone()
    today = clock.local_date(now, zone)
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    within = [
        sa.func.count().filter(
            Member.created_at >= clock.start_of(day, zone), Member.created_at < clock.end_of(day, zone)
        )
        for day in days
    ]
    since = Member.created_at >= clock.start_of(days[0], zone)
    counts = list(db.session.execute(sa.select(*within).where(since)).one())
    if not any(counts):
        return None
    bars = [(format_date(day, "d"), count, figure(count)) for day, count in zip(days, counts, strict=True)]
    return Chart(_("New members, the last two weeks"), bars, _("%(n)s in all", n=figure(sum(counts))))
