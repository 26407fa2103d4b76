"""What leaves the process is first written beside the fact that caused it, then delivered by the worker.

A message is delivered at least once. It is claimed in a short transaction, sent with no
transaction open, and marked in another; a worker that dies in between leaves it due again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation import jobs
from app.foundation.database import Id, Json, Model, after_commit, db, table_of, transaction

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
KEPT = timedelta(days=1)
RUN = 60  # Seconds after which a run claims nothing more: all its leases began when it began.
ATTEMPTS = 8
Channel = Callable[[dict[str, Any]], None]
_channels: dict[str, Channel] = {}


class OutboxMessage(Model):
    """``due_at`` is when it may next be tried; ``delivered_at`` or ``given_up_at`` end it."""

    __tablename__ = "outbox_message"
    __table_args__ = (
        sa.Index(
            "ix_outbox_message_due",
            "due_at",
            postgresql_where=sa.text("delivered_at IS NULL AND given_up_at IS NULL"),
            sqlite_where=sa.text("delivered_at IS NULL AND given_up_at IS NULL"),
        ),
    )

    id: Mapped[Id]
    channel: Mapped[str] = mapped_column(sa.String(40))
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    delivered_at: Mapped[datetime | None]
    given_up_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(sa.Text)


def channel(name: str) -> Callable[[Channel], Channel]:
    """Register the function that delivers messages of this channel."""

    def register(deliver: Channel) -> Channel:
        _channels[name] = deliver
        return deliver

    return register


def put(channel: str, payload: dict[str, Any], *, now: datetime) -> None:
    """Queue a message in the current transaction, and wake the worker once it has committed."""
    db.session.add(OutboxMessage(channel=channel, payload=payload, created_at=now, due_at=now))
    after_commit(jobs.nudge)


def spread(
    channel: str, payloads: Sequence[dict[str, Any]], *, begin: datetime, every: timedelta, now: datetime
) -> None:
    """Queue many messages that nobody waits for, one ``every`` so often from ``begin`` on.

    What is due first is delivered first: a code that somebody waits for does not stand behind thousands of them.
    """
    if payloads:
        common = {"channel": channel, "created_at": now, "attempts": 0}
        rows = [{**common, "payload": payload, "due_at": begin + n * every} for n, payload in enumerate(payloads)]
        db.session.execute(sa.insert(table_of(OutboxMessage)), rows)
        after_commit(jobs.nudge)


def last_to(recipient: str, *, among: int = 50) -> dict[str, Any] | None:
    """The newest message to somebody, if it is one of the last ``among``; for installations without a mail server."""
    newest = sa.select(OutboxMessage.payload).order_by(OutboxMessage.id.desc()).limit(among)
    return next((payload for payload in db.session.scalars(newest) if payload.get("to") == recipient), None)


@jobs.periodic("deliver-outbox", minute="*")
def deliver_due(*, now: datetime, limit: int = 100) -> int:
    """Deliver up to ``limit`` due messages; returns how many were delivered. Failures wait 2, 4, 8 … minutes."""
    delivered, began = 0, time.monotonic()
    for _ in range(limit):
        claimed = _claim(now) if time.monotonic() - began < RUN else None
        if claimed is None:
            break
        delivered += _deliver(*claimed, now=now)
    return delivered


@jobs.periodic("forget-delivered", hour="3", minute="23")
def forget_delivered(*, now: datetime) -> int:
    """Delete what was delivered more than a day ago: mails hold links and codes. Returns how many.

    What was given up stays, for somebody to look at.
    """
    with transaction() as session:
        old = sa.delete(OutboxMessage).where(OutboxMessage.delivered_at < now - KEPT)
        return session.execute(old).rowcount  # type: ignore[attr-defined]


def _claim(now: datetime) -> tuple[int, str, dict[str, Any], int] | None:
    waiting = (OutboxMessage.delivered_at.is_(None), OutboxMessage.given_up_at.is_(None))
    with transaction():
        message = db.session.scalar(
            sa.select(OutboxMessage)
            .where(*waiting, OutboxMessage.due_at <= now)
            .order_by(OutboxMessage.due_at, OutboxMessage.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if message is None:
            return None
        message.attempts += 1
        message.due_at = now + LEASE
        return message.id, message.channel, message.payload, message.attempts


def _deliver(message_id: int, channel: str, payload: dict[str, Any], attempts: int, *, now: datetime) -> bool:
    try:
        _channels[channel](payload)
    except Exception as error:  # Whatever the other side does, the message stays and is tried again.
        log.exception("Outbox message %s (%s) failed, attempt %s", message_id, channel, attempts)
        failed = {"last_error": repr(error), "due_at": now + timedelta(minutes=2**attempts)}
        if attempts >= ATTEMPTS:
            failed["given_up_at"] = now
        _mark(message_id, **failed)
        return False
    _mark(message_id, delivered_at=now)
    return True


def _mark(message_id: int, **values: Any) -> None:
    with transaction() as session:
        session.execute(sa.update(OutboxMessage).where(OutboxMessage.id == message_id).values(**values))
