"""The books for owners and auditors: do they add up, what do members have to come, and where did points go?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, abort, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_percent, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation import clock, jobs
from app.foundation.database import db
from app.foundation.formats import points
from app.foundation.languages import translated
from app.foundation.listing import first_url, next_url
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, requires
from app.foundation.points import Growth, Points
from app.identity.members.queries import members_by_ids
from app.identity.units.queries import unit_names
from app.loyalty.ledger import checks
from app.loyalty.ledger.models import ACCOUNTS, LedgerCheck, Wallet

books = Blueprint("ledger", __name__, url_prefix="/ledger")
PAGE = 10
WIDTH = 600  # Of the picture, in its own units.

LEDGERS = {Points.ledger: _l("Points"), Growth.ledger: _l("Growth")}
ACCOUNT_NAMES = {
    "issuance": _l("Issued"),
    "opening": _l("Opening balances"),
    "adjustment": _l("Corrections"),
    "redemption": _l("Redeemed"),
    "expiry": _l("Expired"),
}
ROW_NAMES = {
    "wallet": _l("Wallets"),
    "transfer": _l("Transfers"),
    "lot": _l("Lots"),
    "lot_draw": _l("Draws"),
    "pending_transfer": _l("Holds and awards on the way"),
    "ledger_checkpoint": _l("Checkpoints"),
}


@books.get("")
@requires(Permission.LEDGER_READ)
def index() -> Response:
    """The latest check with its figures, and those before it."""
    now, last = clock.now(), checks.latest()
    part = checks.checks(after=request.args.get("after"), limit=PAGE)
    return page(
        "loyalty/ledger/admin/index.html",
        fragments={"state"},
        check=Shown.of(last) if last else None,
        overdue=checks.is_overdue(last, now=now),
        asked=jobs.asked(checks.JOB, now=now),
        rows=[Row.of(check) for check in part.items],
        first_url=first_url(),
        next_url=next_url(part),
    )


@books.get("/checks/<int:check_id>")
@requires(Permission.LEDGER_READ)
def show(check_id: int) -> Response:
    check = checks.check_by_id(check_id) if check_id < 2**63 else None
    return page("loyalty/ledger/admin/show.html", check=Shown.of(check or abort(404)))


@books.post("/checks")
@requires(Permission.LEDGER_READ)
def create_check() -> ResponseReturnValue:
    """Auditors may ask, too: a check changes nothing in the books. It may take minutes, so the worker does it."""
    if not jobs.ask(checks.JOB, now=clock.now()):
        flash(_("A check has been asked for already."), "info")
    return seen(url_for(".index"))


# --- what the pages show ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """A check in the list."""

    url: str
    at: datetime
    took: str
    verdict: str
    tone: str

    @classmethod
    def of(cls, check: LedgerCheck) -> Row:
        return cls(url_for(".show", check_id=check.id), check.started_at, _took(check), *_verdict(check))


def _took(check: LedgerCheck) -> str:
    seconds = int((check.finished_at - check.started_at).total_seconds())
    return ngettext("%(num)s second", "%(num)s seconds", seconds) if seconds else _("less than a second")


def _verdict(check: LedgerCheck) -> tuple[str, str]:
    found = len(check.findings)
    return (ngettext("%(num)s finding", "%(num)s findings", found), "danger") if found else (_("clean"), "brand")


@dataclass(frozen=True, slots=True)
class Finding:
    """``text`` is the check's own sentence, as the command line prints it; it is not translated."""

    text: str
    member: str
    url: str | None


@dataclass(frozen=True, slots=True)
class HouseRow:
    """A business unit's side of the books, an amount per account and their sum."""

    name: str
    amounts: list[str]
    total: str


@dataclass(frozen=True, slots=True)
class House:
    """``proof`` is why everything sums to zero: what the house gave is what members have."""

    title: str
    headers: list[str]
    rows: list[HouseRow]
    proof: str


@dataclass(frozen=True, slots=True)
class Share:
    """A piece of the picture: where it begins, how wide it is, and its share in words."""

    label: str
    tone: str
    x: int
    width: int
    percent: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A check with everything that was true when it was made."""

    at: datetime
    took: str
    summary: str
    findings: list[Finding]
    rows: list[tuple[str, str]]
    figures: dict[str, int]
    flow: list[tuple[str, str, str | None]]
    shares: list[Share]
    houses: list[House]

    @classmethod
    def of(cls, check: LedgerCheck) -> Shown:
        counts = check.counts
        totals, figures = _by_account(counts["house"]), counts["wallets"].get(Points.ledger, {})
        return cls(
            at=check.started_at,
            took=_took(check),
            summary=ngettext("%(num)s check", "%(num)s checks", check.checks),
            findings=_findings(check.findings),
            rows=[(str(ROW_NAMES.get(name, name)), points(count)) for name, count in counts["rows"].items()],
            figures={name: figures.get(name, 0) for name in ("balance", "held", "on_the_way", "debt", "frozen")},
            flow=_flow(totals, figures.get("balance", 0)),
            shares=_shares(totals, figures.get("balance", 0)),
            houses=_houses(counts),
        )


def _findings(kept: list[dict[str, Any]]) -> list[Finding]:
    """Beside each, whose wallet it is, as far as there is one (any more)."""
    wallets = {finding["wallet"] for finding in kept if finding["wallet"]}
    rows = db.session.execute(sa.select(Wallet.id, Wallet.member_id).where(Wallet.id.in_(wallets)))
    owners: dict[int, int] = dict(rows.all())
    members = members_by_ids(set(owners.values()))
    found = []
    for finding in kept:
        member = members.get(owners.get(finding["wallet"], 0))
        url = url_for("backoffice.members.show", code=member.code) if member else None
        found.append(Finding(finding["text"], member.label if member else "", url))
    return found


def _by_account(house: list[dict[str, Any]]) -> dict[str, int]:
    """What members got out of each account of the points ledger, over all units; negative where they gave."""
    totals = dict.fromkeys(ACCOUNTS, 0)
    for row in house:
        if row["ledger"] == Points.ledger:
            totals[row["account"]] -= row["balance"]
    return totals


def _flow(totals: dict[str, int], outstanding: int) -> list[tuple[str, str, str | None]]:
    """From what was issued to what is outstanding."""
    lines: list[tuple[str, str, str | None]] = [
        (str(name), points(totals[account], sign=True), "minus" if totals[account] < 0 else None)
        for account, name in ACCOUNT_NAMES.items()
        if totals[account] or account in ("issuance", "redemption", "expiry")
    ]
    return [*lines, (_("Outstanding"), points(outstanding), "total")]


def _shares(totals: dict[str, int], outstanding: int) -> list[Share]:
    """Where the points went that members were given. Nothing where nobody was given any."""
    parts = [
        (_("Redeemed"), "gold", -totals["redemption"]),
        (_("Expired"), "neutral", -totals["expiry"]),
        (_("Taken by correction"), "violet", -totals["adjustment"]),
        (_("Outstanding"), "brand", outstanding),
    ]
    parts = [part for part in parts if part[2] > 0]
    total, x = sum(amount for *_, amount in parts), 0
    shares: list[Share] = []
    for label, tone, amount in parts:
        # The last piece takes the remainder, so that the bar is full.
        width = WIDTH - x if len(shares) == len(parts) - 1 else amount * WIDTH // total
        shares.append(Share(label, tone, x, width, format_percent(Decimal(amount) / Decimal(total), "#,##0.#%")))
        x += width
    return shares


def _houses(counts: dict[str, Any]) -> list[House]:
    names = unit_names()
    ledgers = {ledger: [row for row in counts["house"] if row["ledger"] == ledger] for ledger in LEDGERS}
    return [
        _house(str(LEDGERS[ledger]), rows, names, members=counts["wallets"].get(ledger, {}).get("balance", 0))
        for ledger, rows in ledgers.items()
        if rows
    ]


def _house(title: str, rows: list[dict[str, Any]], names: dict[int, dict[str, Any]], *, members: int) -> House:
    """A line for each unit, those accounts that were used, and a sum where there are several units."""
    units = sorted({row["unit_id"] for row in rows}, key=lambda unit: (unit is not None, unit))
    amounts = {(row["unit_id"], row["account"]): row["balance"] for row in rows}
    used = [account for account in ACCOUNT_NAMES if any(row["account"] == account for row in rows)]
    table = [
        _house_row(
            translated(names.get(unit)) or _("No business unit"), [amounts.get((unit, each), 0) for each in used]
        )
        for unit in units
    ]
    sums = [sum(amounts.get((unit, each), 0) for unit in units) for each in used]
    if len(table) > 1:
        table.append(_house_row(_("Altogether"), sums))
    proof = _(
        "The house %(house)s, members %(members)s: together %(sum)s.",
        house=points(sum(sums), sign=True),
        members=points(members, sign=True),
        sum=points(sum(sums) + members),
    )
    return House(title, [str(ACCOUNT_NAMES[each]) for each in used], table, proof)


def _house_row(name: str, amounts: list[int]) -> HouseRow:
    return HouseRow(name, [points(amount) for amount in amounts], points(sum(amounts)))
