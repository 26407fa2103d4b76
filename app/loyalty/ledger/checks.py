"""The nightly proof of the books: what it looked at and found is kept, and owners hear of what is new.

Proving scans the whole ledger, so it happens in the worker and on a snapshot that keeps nobody from writing; pages show
what was kept. The house's accounts have no running balances (see ``models``), so their figures are kept along.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import sqlalchemy as sa
from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import defer

from app.foundation import clock, outbox
from app.foundation.database import db
from app.foundation.formats import moment
from app.foundation.listing import Part, part_of
from app.foundation.pages import public_url
from app.identity.staff.queries import owners
from app.loyalty.ledger.models import LedgerCheck, Lot, Transfer, Wallet
from app.loyalty.ledger.queries import house_balances
from app.loyalty.ledger.verify import verify
from app.loyalty.ledger.verify_chain import verify_chain

log = logging.getLogger(__name__)

JOB = "verify-books"
KEPT = 400
NIGHT = timedelta(hours=3)  # After midnight of the programme's timezone.
OVERDUE = timedelta(hours=36)
MAILED = 10


class Checked(Protocol):
    """What a check of the whole ledger reports. A finding has a ``check``, a ``place``, and reads as a sentence."""

    @property
    def counts(self) -> Mapping[str, int]: ...
    @property
    def checks(self) -> int: ...
    @property
    def findings(self) -> Sequence[Any]: ...


CHECKERS: list[Callable[[], Checked]] = [verify, verify_chain]


@dataclass(frozen=True, slots=True)
class Examined:
    """What was looked at and found, ready to be kept."""

    checks: int
    counts: dict[str, Any]
    findings: list[dict[str, Any]]
    took: timedelta


def examine() -> Examined:
    """Run every check. Reads only, outside any transaction of the caller; takes as long as the ledger is large."""
    began = time.monotonic()
    with _snapshot():
        reports = [check() for check in CHECKERS]
        rows = {name: count for report in reports for name, count in report.counts.items()}
        house = [asdict(balance) for balance in house_balances()]
        counts = {"rows": rows, "house": house, "wallets": _wallets()}
        findings = _located([finding for report in reports for finding in report.findings])
    took = timedelta(seconds=round(time.monotonic() - began))
    return Examined(sum(report.checks for report in reports), counts, findings, took)


@contextmanager
def _snapshot() -> Iterator[None]:
    """One picture of the books for every figure. Nobody who writes waits for it, and it waits for nobody."""
    db.session.rollback()
    if db.engine.dialect.name == "postgresql":
        db.session.connection(execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True})
    try:
        yield
    finally:
        db.session.rollback()


def _wallets() -> dict[str, dict[str, int]]:
    """By ledger: what members have altogether."""
    names = ("balance", "held", "on_the_way", "debt")
    sums = [sa.func.coalesce(sa.func.sum(getattr(Wallet, name)), 0) for name in names]
    rows = db.session.execute(sa.select(Wallet.ledger, sa.func.count(Wallet.frozen_at), *sums).group_by(Wallet.ledger))
    return {
        ledger: {"frozen": frozen, **{name: int(total) for name, total in zip(names, totals, strict=True)}}
        for ledger, frozen, *totals in rows
    }


# --- where something was found ----------------------------------------------------------------

PLACE = re.compile(r"\b(wallet|transfer|lot) (\d+)\b")


def _located(findings: Sequence[Any]) -> list[dict[str, Any]]:
    """Findings as they are kept: what the check says, and in whose wallet it is, where that can be told."""
    places = {finding.place: _place(finding.place) for finding in findings}
    wallets = {("wallet", wallet): wallet for kind, wallet in places.values() if kind == "wallet"}
    for kind, table in (("transfer", Transfer), ("lot", Lot)):
        ids = {number for named, number in places.values() if named == kind}
        found = db.session.execute(sa.select(table.id, table.wallet_id).where(table.id.in_(ids))) if ids else ()
        wallets |= {(kind, row[0]): row[1] for row in found}
    return [
        {
            "check": finding.check,
            "place": finding.place,
            "text": str(finding),
            "wallet": wallets.get(places[finding.place]),
        }
        for finding in findings
    ]


def _place(text: str) -> tuple[str, int]:
    named = PLACE.search(text)
    return (named[1], int(named[2])) if named else ("", 0)


def _incidents(findings: Collection[Mapping[str, Any]]) -> set[str]:
    """A wallet that does not add up is one incident: by the next night more checks and lines may tell of it."""
    named = (finding for finding in findings if not finding["place"].endswith(" more"))
    return {f"wallet {each['wallet']}" if each["wallet"] else f"{each['check']}: {each['place']}" for each in named}


# --- what is kept -----------------------------------------------------------------------------


def keep(examined: Examined, *, now: datetime) -> LedgerCheck:
    """Remember a check that began at ``now``; tell the owners of what the one before did not find."""
    before = latest()
    check = LedgerCheck(
        started_at=now,
        finished_at=now + examined.took,
        checks=examined.checks,
        counts=examined.counts,
        findings=examined.findings,
    )
    db.session.add(check)
    db.session.flush()
    old = sa.select(LedgerCheck.id).order_by(LedgerCheck.id.desc()).offset(KEPT)
    db.session.execute(
        sa.delete(LedgerCheck).where(LedgerCheck.id.in_(old)), execution_options={"synchronize_session": False}
    )
    if check.findings:
        log.error("The books do not add up: %s findings, first: %s", len(check.findings), check.findings[0]["text"])
        known = _incidents(before.findings) if before else set()
        new = [each for each in check.findings if _incidents([each]) - known]
        if new:
            _tell_owners(check, new, now=now)
    return check


def _tell_owners(check: LedgerCheck, new: Sequence[Mapping[str, Any]], *, now: datetime) -> None:
    for owner in owners():
        with force_locale(owner.locale or current_app.config["SETTINGS"].default_locale):
            text = _(
                "Hello %(name)s,\n\n"
                "the check of the points ledger on %(moment)s found figures that do not agree:\n\n"
                "%(findings)s\n\n"
                "Please do not adjust these balances by hand before somebody has looked at them. "
                "All findings, and what to do:\n%(link)s\n",
                name=owner.name,
                moment=moment(check.started_at),
                findings="\n".join(f"- {finding['text']}" for finding in new[:MAILED]),
                link=public_url("backoffice.ledger.show", check_id=check.id),
            )
            subject = _("The points ledger does not add up")
        outbox.put("mail", {"to": owner.email, "subject": subject, "text": text}, now=now)


# --- reading it -------------------------------------------------------------------------------


def latest() -> LedgerCheck | None:
    return db.session.scalar(sa.select(LedgerCheck).order_by(LedgerCheck.id.desc()).limit(1))


def check_by_id(check_id: int) -> LedgerCheck | None:
    return db.session.get(LedgerCheck, check_id)


def checks(*, after: str | None, limit: int) -> Part[LedgerCheck]:
    """The latest first, without their figures."""
    query = sa.select(LedgerCheck).options(defer(LedgerCheck.counts))
    return part_of(query, keys=[LedgerCheck.id], after=after, limit=limit)


def is_due(*, now: datetime) -> bool:
    """Once a day, in the night; a worker that was away then makes up for it."""
    zone = clock.programme_zone()
    night = clock.start_of(clock.local_date(now, zone), zone) + NIGHT
    last = latest()
    return now >= night and (last is None or last.started_at < night)


def is_overdue(last: LedgerCheck | None, *, now: datetime) -> bool:
    """Nobody has looked for too long. A house without a check is given as long from its first transfer on."""
    since = (
        last.started_at if last else db.session.scalar(sa.select(Transfer.recorded_at).order_by(Transfer.id).limit(1))
    )
    return since is not None and now - since > OVERDUE
