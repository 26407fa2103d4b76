"""Codes behind the vouchers: pools that partners filled, and four codes of Alice's that came to different ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from hashlib import sha256

import sqlalchemy as sa

from app.entrypoints.demo.content import ProductSheet
from app.entrypoints.demo.orders import Wish, just, note_wish
from app.entrypoints.demo.world import World
from app.foundation import clock
from app.foundation.actors import Actor
from app.foundation.database import db, transaction
from app.mall.codes import actions as codes
from app.mall.codes.models import PoolCode
from app.mall.codes.queries import batches
from app.mall.codes.rules import NewCode

SIGNS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # None that people mistake for another.
EARLY = 25  # Codes of a first batch that does not last long.
LASTS = {"CB-CAKE": timedelta(days=90)}  # Alice's has ended.
SEEN_AFTER = timedelta(days=2)
ENDS_SOON, DRY = "CB-BUBBLETEA", "CB-ICECREAM"


def fill_pool(variant_id: int, sheet: ProductSheet, pieces: int, *, by: Actor, now: datetime) -> None:
    """As many codes as the product has pieces to begin with, in one batch or two."""
    made, month = plausible(sheet.sku), f"{now:%Y-%m}"
    early = EARLY if sheet.sku in LASTS else 0
    if early:
        last_day = clock.local_date(now + LASTS[sheet.sku], clock.programme_zone())
        _add(variant_id, made, early, batch=f"{sheet.sku} {month} A", last_day=last_day, by=by, now=now)
    batch = f"{sheet.sku} {month} B" if early else f"{sheet.sku} {month}"
    _add(variant_id, made, pieces - early, batch=batch, last_day=None, by=by, now=now)


def _add(
    variant_id: int, made: Iterator[str], pieces: int, *, batch: str, last_day: date | None, by: Actor, now: datetime
) -> None:
    new = [NewCode(line, next(made), last_day) for line in range(1, pieces + 1)]
    codes.add_codes(variant_id=variant_id, codes=new, batch=batch, by=by, now=now)


def plausible(sku: str, series: str = "") -> Iterator[str]:
    """``CBAK-7K3M-9QXP``: the same in every demo, and none that anybody guesses from the one before."""
    head, number = sku.replace("-", "")[:4], 0
    while True:
        number += 1
        drawn = sha256(f"{sku}{series}{number}".encode()).digest()
        signs = "".join(SIGNS[byte % len(SIGNS)] for byte in drawn[:8])
        yield f"{head}-{signs[:4]}-{signs[4:]}"


def note_vouchers(world: World) -> None:
    """Alice looked at one, has not looked at another, let one end, and waits for one whose batch was cancelled."""
    alice, diary = world.members[0], world.diary
    diary.note(diary.at(8, 10), lambda now: _add_some_that_end_soon(world, now))
    note_wish(world, diary.at(5, 12, 40), Wish(alice, just(ENDS_SOON, 1), "delivered"))
    bought = diary.end - timedelta(hours=2)
    note_wish(world, bought, Wish(alice, just(DRY, 1), "delivered"))
    diary.note(bought + timedelta(minutes=1), lambda now: _cancel_the_batch(world, now))
    diary.note(diary.end - timedelta(minutes=1), lambda now: _look_at_codes(world, now))


def _add_some_that_end_soon(world: World, now: datetime) -> None:
    goods = just(ENDS_SOON, 0)(world, world.members[0], now)
    assert goods is not None
    with transaction():
        _add(
            goods.variant_id,
            plausible(ENDS_SOON, "summer"),
            40,
            batch=f"{ENDS_SOON} {now:%Y-%m}",
            last_day=world.diary.today + timedelta(days=9),
            by=world.fulfiller(goods.unit),
            now=now,
        )


def _cancel_the_batch(world: World, now: datetime) -> None:
    """Between ordering and paying, which is how somebody comes to wait."""
    goods = just(DRY, 0)(world, world.members[0], now)
    assert goods is not None
    reason = {"en": "The kitchen changed its voucher system", "zh_Hans": "门店更换券码系统"}[world.locale]
    with transaction():
        for batch in batches(goods.variant_id):
            codes.withdraw_batch(
                variant_id=goods.variant_id, batch=batch.name, reason=reason, by=world.fulfiller(goods.unit), now=now
            )


def _look_at_codes(world: World, now: datetime) -> None:
    """Whoever bought something some days ago has looked at it by now; two of three had a reason to."""
    long_ago = sa.select(PoolCode).where(PoolCode.handed_at < now - timedelta(days=6))
    handed = [(code.id, code.member_id, code.handed_at) for code in db.session.scalars(long_ago)]
    for code_id, member_id, handed_at in handed:
        if member_id and handed_at and (code_id % 3 or member_id == world.members[0].id):
            with transaction():
                codes.show_code(code_id=code_id, member_id=member_id, now=handed_at + SEEN_AFTER)
