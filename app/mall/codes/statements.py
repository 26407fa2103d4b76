"""Codes as pages show them: plain values, ready to show. Staff never get more than a code's last signs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.foundation import clock
from app.foundation.formats import day, moment, points
from app.foundation.languages import translated
from app.mall.catalog.queries import Label, labels_of
from app.mall.catalog.statements import picture_of
from app.mall.codes.models import PoolCode
from app.mall.codes.queries import Batch, Pool
from app.mall.codes.rules import Sheet, masked

MOST_REFUSED = 100  # A sheet that is wrong throughout need not be told line by line.
STATES = {
    "free": (_l("Free"), "brand"),
    "handed": (_l("Given out"), "info"),
    "shown": (_l("Shown"), "violet"),
    "withdrawn": (_l("Withdrawn"), "neutral"),
}


# --- for its owner --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeShown:
    """A member's code. ``code`` is ``None`` until they asked to see it; ``lasts`` says until when it can be used."""

    id: int
    name: str
    picture: str
    code: str | None
    lasts: str
    handed: str
    ended: bool
    badge: str
    tone: str
    url: str
    opening_url: str
    picture_url: str
    order_url: str


def codes_shown(codes: Sequence[PoolCode], *, now: datetime) -> list[CodeShown]:
    """What a member owns, with the names of what they bought, by one query."""
    labels, today = labels_of({code.variant_id for code in codes}), _today(now)
    return [_code_shown(code, labels[code.variant_id], today) for code in codes]


def _code_shown(code: PoolCode, label: Label, today: date) -> CodeShown:
    ended = code.last_day is not None and code.last_day < today
    badge, tone = (_("Ended"), "neutral") if ended else (_("Usable"), "brand")
    if code.withdrawn_at:
        badge, tone = _("Withdrawn"), "neutral"
    assert code.handed_at is not None
    return CodeShown(
        id=code.id,
        name=" · ".join(filter(None, (translated(label.name), translated(label.variant_name)))),
        picture=picture_of(label.picture),
        code=code.code if code.shown_at else None,
        lasts=_lasts(code.last_day, ended=ended),
        handed=_("Received on %(day)s", day=day(code.handed_at)),
        ended=ended or code.withdrawn_at is not None,
        badge=badge,
        tone=tone,
        url=url_for("portal.codes.show", code_id=code.id),
        opening_url=url_for("portal.codes.create_opening", code_id=code.id),
        picture_url=url_for("portal.codes.picture", code_id=code.id),
        order_url=url_for("portal.orders.show_of_line", line_id=code.order_line_id),
    )


def _lasts(last_day: date | None, *, ended: bool) -> str:
    if last_day is None:
        return _("No end date")
    if ended:
        return _("Ended on %(day)s", day=day(last_day))
    return _("Can be used until %(day)s", day=day(last_day))


def shortened(code: PoolCode) -> str:
    """Enough to tell a code apart, too little to use it."""
    return masked(code.code)


def reminder(ending: Sequence[PoolCode]) -> str | None:
    """``2 codes end soon, the first on 20 Jun 2026.``"""
    if not ending:
        return None
    last_day = ending[0].last_day
    assert last_day is not None
    return ngettext(
        "%(num)s code ends soon, on %(day)s.",
        "%(num)s codes end soon, the first on %(day)s.",
        len(ending),
        day=day(last_day),
    )


# --- for the office -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolShown:
    sku: str
    name: str
    url: str
    unit: str
    free: str
    handed: str
    shown: str
    withdrawn: str
    stock: str
    waiting: str | None
    off: str | None


def pool_shown(pool: Pool, units: Mapping[int, str]) -> PoolShown:
    """``off`` says what is wrong where the stock is not what the pool says."""
    return PoolShown(
        sku=pool.sku,
        name=" · ".join(filter(None, (translated(pool.name), translated(pool.variant_name)))),
        url=url_for("backoffice.codes.show", sku=pool.sku),
        unit=units.get(pool.unit_id, ""),
        free=points(pool.free),
        handed=points(pool.handed + pool.shown),
        shown=points(pool.shown),
        withdrawn=points(pool.withdrawn),
        stock=points(pool.stock),
        waiting=_waiting(pool) if pool.orders else None,
        off=_off(pool) if pool.stock != pool.right_stock else None,
    )


def _waiting(pool: Pool) -> str:
    return ngettext(
        "%(num)s paid order waits; codes missing: %(pieces)s",
        "%(num)s paid orders wait; codes missing: %(pieces)s",
        pool.orders,
        pieces=points(pool.waiting),
    )


def _off(pool: Pool) -> str:
    return _(
        "The stock says %(stock)s, but by the pool and the open orders it is %(right)s.",
        stock=points(pool.stock),
        right=points(pool.right_stock),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRow:
    """A code in a pool's list. ``withdrawal_url`` where it is free."""

    code: str
    batch: str
    added: str
    by: str
    lasts: str
    state: str
    tone: str
    since: str | None
    member_id: int | None
    withdrawal_url: str | None


def code_row(code: PoolCode, sku: str, *, now: datetime) -> CodeRow:
    state, since = _state_of(code)
    label, tone = STATES[state]
    ended = code.last_day is not None and code.last_day < _today(now)
    return CodeRow(
        code=masked(code.code),
        batch=code.batch,
        added=day(code.added_at),
        by=code.added_by,
        lasts=_lasts(code.last_day, ended=ended),
        state=str(label),
        tone=tone,
        since=moment(since, "short") if since else None,
        member_id=code.member_id,
        withdrawal_url=url_for("backoffice.codes.new_withdrawal", sku=sku, code=code.id) if state == "free" else None,
    )


def _state_of(code: PoolCode) -> tuple[str, datetime | None]:
    if code.withdrawn_at:
        return "withdrawn", code.withdrawn_at
    if code.shown_at:
        return "shown", code.shown_at
    return ("handed", code.handed_at) if code.handed_at else ("free", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchShown:
    name: str
    url: str
    added: str
    codes: str
    free: str
    lasts: str
    withdrawal_url: str | None


def batch_shown(batch: Batch, sku: str) -> BatchShown:
    return BatchShown(
        name=batch.name or _("Without a name"),
        url=url_for("backoffice.codes.show", sku=sku, batch=batch.name),
        added=day(batch.added_at),
        codes=points(batch.codes),
        free=points(batch.free),
        lasts=_span(batch.first, batch.last),
        withdrawal_url=url_for("backoffice.codes.new_withdrawal", sku=sku, batch=batch.name) if batch.free else None,
    )


def _span(first: date | None, last: date | None) -> str:
    if first is None or last is None:
        return _("No end date")
    if first == last:
        return _("Until %(day)s", day=day(first))
    return _("From %(first)s to %(last)s", first=day(first), last=day(last))


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetShown:
    """What adding a sheet would do. ``refused`` are (line, masked code, reason), and ``more`` says how many others."""

    new: int
    known: int
    refused_in_all: int
    refused: list[tuple[str, str, str]]
    more: str | None


def sheet_shown(sheet: Sheet, known: Iterable[str]) -> SheetShown:
    there = len(set(known))
    rest = len(sheet.refused) - MOST_REFUSED
    return SheetShown(
        new=len(sheet.codes) - there,
        known=there,
        refused_in_all=len(sheet.refused),
        refused=[(points(each.line), each.code, each.reason) for each in sheet.refused[:MOST_REFUSED]],
        more=ngettext("And %(num)s more line.", "And %(num)s more lines.", rest) if rest > 0 else None,
    )


def _today(now: datetime) -> date:
    return clock.local_date(now, clock.programme_zone())
