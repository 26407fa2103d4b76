"""What was put into the outbox, as its reader would see it."""

from __future__ import annotations

import re

import sqlalchemy as sa

from app.foundation.database import db
from app.foundation.outbox import OutboxMessage


def letters(to: str | None = None, channel: str = "mail") -> list[dict[str, str]]:
    db.session.rollback()
    rows = db.session.scalars(
        sa.select(OutboxMessage).where(OutboxMessage.channel == channel).order_by(OutboxMessage.id)
    )
    return [row.payload for row in rows if to in (None, row.payload["to"])]


def code_for(to: str, channel: str = "mail") -> str:
    found = re.search(r"\b(\d{6})\b", letters(to, channel)[-1]["text"])
    assert found
    return found[1]


def link_for(to: str) -> str:
    found = re.search(r"https?://[^/\s]+(/\S+)", letters(to)[-1]["text"])
    assert found
    return found[1]
