"""Writing the books: everything that some transfers do, as one statement on PostgreSQL.

An ``Entry`` is a transfer with what it does to lots, holds and pending awards. ``write`` puts
entries and the changed wallets down together. PostgreSQL takes many as JSON, and changes all
tables by one statement whatever their number, so that a posting costs one round trip and a
thousand cost little more. SQLite, which is in the same process, gets a statement per table.

Wallets and lots change by differences (``balance = balance + n``), so that the constraints of
the database judge the real row and not our picture of it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from app.foundation.database import db, fetch_text, insert_new, table_of
from app.loyalty.ledger.models import Draw, Lot, Pending, Transfer, Wallet
from app.loyalty.ledger.rules import Part

COUNTERS = ("balance", "held", "on_the_way", "debt", "sequence")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLot:
    """A lot that a credit opens. ``fill`` of it goes to pay off the wallet's debt at once."""

    unit_id: int | None
    amount: int
    fill: int
    earned_at: datetime
    expires_at: datetime | None
    idle_months: int | None = None
    origin_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """What makes a pending transfer an open one."""

    deadline: datetime | None
    expires_at: datetime | None = None
    idle_months: int | None = None


@dataclass(slots=True)
class Entry:
    """A transfer and all that it does. ``row`` has the columns of the transfer.

    ``draws`` is what it takes out of lots (or, negative, puts back); a hold's draws only set aside.
    ``moves`` are the changes of lots: ``lot id → (remaining, held)``. ``closes`` is the pending
    transfer that it resolves, ``reduces`` the one that it makes smaller, and by how much.
    """

    row: dict[str, Any]
    lots: list[NewLot] = field(default_factory=list)
    draws: Sequence[Part] = ()
    moves: dict[int, tuple[int, int]] = field(default_factory=dict)
    waits: Wait | None = None
    closes: int | None = None
    reduces: tuple[int, int] | None = None

    def move(self, parts: Iterable[Part], *, remaining: int = 0, held: int = 0) -> None:
        """Change each part's lot by its amount, times ``remaining`` and ``held``: -1 takes, +1 puts."""
        for part in parts:
            more, aside = self.moves.get(part.lot_id, (0, 0))
            self.moves[part.lot_id] = (more + part.amount * remaining, aside + part.amount * held)


def taking(row: dict[str, Any], parts: Sequence[Part]) -> Entry:
    """A debit that happens at once: it draws these parts from their lots."""
    entry = Entry(row, draws=parts)
    entry.move(parts, remaining=-1)
    return entry


Change = Mapping[str, Any]  # A wallet's id, what to add to its counters, and its new ``sliding`` and ``head``.
Rows = list[dict[str, Any]]


def write(entries: Sequence[Entry], wallets: Collection[Change]) -> dict[str, int]:
    """Write all of it; returns the transfers' ids by key.

    A key that is taken is left out of the answer. Where there is one entry only, nothing at
    all was written then; where there are more, the caller must give the transaction up.
    """
    parts = _parts(entries, wallets)
    connection = db.session.connection()
    if connection.dialect.name == "postgresql":
        return _write_at_once(connection, parts)
    return _write_in_turn(connection, parts)


def _parts(entries: Sequence[Entry], wallets: Collection[Change]) -> dict[str, Rows]:
    """The rows of each table. Rows that belong to a new transfer name it by its key."""
    parts: dict[str, Rows] = {name: [] for name in ("transfers", *_STEPS)}
    moves: dict[int, tuple[int, int]] = {}
    for entry in entries:
        key, wallet_id = entry.row["key"], entry.row["wallet_id"]
        parts["transfers"].append(entry.row)
        for lot in entry.lots:
            parts["lots"].append(_lot_row(key, wallet_id, lot))
        for part in entry.draws:
            parts["draws"].append({"key": key, "lot_id": part.lot_id, "amount": part.amount})
        for lot_id, (remaining, held) in entry.moves.items():
            # A row can be changed only once in a statement, and several transfers may draw from one lot.
            before = moves.get(lot_id, (0, 0))
            moves[lot_id] = (before[0] + remaining, before[1] + held)
        if entry.waits is not None:
            parts["waits"].append(_wait_row(key, entry.row, entry.waits))
        if entry.closes is not None:
            parts["closes"].append({"transfer_id": entry.closes})
        if entry.reduces is not None:
            parts["reduces"].append({"transfer_id": entry.reduces[0], "amount": entry.reduces[1]})
    parts["moves"] = [{"lot_id": lot, "remaining": change[0], "held": change[1]} for lot, change in moves.items()]
    parts["wallets"] = [dict(change) for change in wallets]
    return parts


def _lot_row(key: str, wallet_id: int, lot: NewLot) -> dict[str, Any]:
    return {
        "key": key,
        "wallet_id": wallet_id,
        "unit_id": lot.unit_id,
        "origin_id": lot.origin_id,
        "amount": lot.amount,
        "fill": lot.fill,
        "earned_at": lot.earned_at,
        "expires_at": lot.expires_at,
        "idle_months": lot.idle_months,
    }


def _wait_row(key: str, row: Mapping[str, Any], wait: Wait) -> dict[str, Any]:
    return {
        "key": key,
        "wallet_id": row["wallet_id"],
        "amount": row["amount"],
        "deadline": wait.deadline,
        "expires_at": wait.expires_at,
        "idle_months": wait.idle_months,
    }


# --- PostgreSQL ---------------------------------------------------------------------------

_INT, _TEXT, _MOMENT = "bigint", "text", "timestamptz"
_COLUMNS: dict[str, dict[str, str]] = {
    "transfers": {
        "wallet_id": _INT,
        "sequence": _INT,
        "key": _TEXT,
        "account": _TEXT,
        "unit_id": _INT,
        "amount": _INT,
        "phase": _TEXT,
        "pending_id": _INT,
        "reverses_id": _INT,
        "deadline": _MOMENT,
        "kind": _TEXT,
        "explanation": "jsonb",
        "balance_after": _INT,
        "debt_change": _INT,
        "occurred_at": _MOMENT,
        "recorded_at": _MOMENT,
        "digest": "bytea",
    },
    "lots": {
        "key": _TEXT,
        "wallet_id": _INT,
        "unit_id": _INT,
        "origin_id": _INT,
        "amount": _INT,
        "fill": _INT,
        "earned_at": _MOMENT,
        "expires_at": _MOMENT,
        "idle_months": "integer",
    },
    "draws": {"key": _TEXT, "lot_id": _INT, "amount": _INT},
    "moves": {"lot_id": _INT, "remaining": _INT, "held": _INT},
    "waits": {
        "key": _TEXT,
        "wallet_id": _INT,
        "amount": _INT,
        "deadline": _MOMENT,
        "expires_at": _MOMENT,
        "idle_months": "integer",
    },
    "closes": {"transfer_id": _INT},
    "reduces": {"transfer_id": _INT, "amount": _INT},
    "wallets": {"wallet_id": _INT, **dict.fromkeys(COUNTERS, _INT), "sliding": "boolean", "head": "bytea"},
}

_TRANSFER_COLUMNS = ", ".join(_COLUMNS["transfers"])
_INSERT_TRANSFERS = f"""
        INSERT INTO transfer ({_TRANSFER_COLUMNS}) SELECT {_TRANSFER_COLUMNS} FROM {{rows}}
        ON CONFLICT (key) DO NOTHING RETURNING id, key"""  # noqa: S608 - only names of columns, and they are ours
# Nothing is done for a transfer that was not written, because its key was taken.
_STEPS = {
    "lots": """
        INSERT INTO lot (transfer_id, wallet_id, unit_id, origin_id, amount, remaining, held, earned_at, expires_at,
                         idle_months)
        SELECT t.id, r.wallet_id, r.unit_id, r.origin_id, r.amount, r.amount - r.fill, 0, r.earned_at, r.expires_at,
               r.idle_months
        FROM {rows} JOIN t ON t.key = r.key""",
    "draws": """
        INSERT INTO lot_draw (transfer_id, lot_id, amount)
        SELECT t.id, r.lot_id, r.amount FROM {rows} JOIN t ON t.key = r.key""",
    "moves": """
        UPDATE lot SET remaining = lot.remaining + r.remaining, held = lot.held + r.held
        FROM {rows} WHERE lot.id = r.lot_id AND EXISTS (SELECT FROM t)""",
    "waits": """
        INSERT INTO pending_transfer (transfer_id, wallet_id, amount, deadline, expires_at, idle_months)
        SELECT t.id, r.wallet_id, r.amount, r.deadline, r.expires_at, r.idle_months
        FROM {rows} JOIN t ON t.key = r.key""",
    "closes": """
        DELETE FROM pending_transfer USING {rows}
        WHERE pending_transfer.transfer_id = r.transfer_id AND EXISTS (SELECT FROM t)""",
    "reduces": """
        UPDATE pending_transfer SET amount = pending_transfer.amount - r.amount
        FROM {rows} WHERE pending_transfer.transfer_id = r.transfer_id AND EXISTS (SELECT FROM t)""",
    "wallets": """
        UPDATE wallet SET balance = wallet.balance + r.balance, held = wallet.held + r.held,
               on_the_way = wallet.on_the_way + r.on_the_way, debt = wallet.debt + r.debt,
               sequence = wallet.sequence + r.sequence, sliding = r.sliding, head = r.head
        FROM {rows} WHERE wallet.id = r.wallet_id AND EXISTS (SELECT FROM t)""",
}
# What pays off a debt is drawn from the very lot that a credit opens.
_FILLS = """
        INSERT INTO lot_draw (transfer_id, lot_id, amount)
        SELECT l.transfer_id, l.id, l.amount - l.remaining FROM l WHERE l.remaining < l.amount"""


@cache
def _statement(parts: tuple[tuple[str, bool], ...], *, filling: bool) -> str:
    """One statement that writes these parts, each of one row or of many. Few combinations ever occur.

    ``filling`` says that some of the new lots pay off a debt.
    """
    rows = {name: _rows(name, alone=alone) for name, alone in parts}
    steps = [f"t AS ({_INSERT_TRANSFERS.format(rows=rows.pop('transfers'))})"]
    for name, source in rows.items():
        step = _STEPS[name].format(rows=source)
        if name == "lots":
            steps.append(f"l AS ({step} RETURNING id, transfer_id, amount, remaining)")
            if filling:
                steps.append(f"fills AS ({_FILLS})")
        else:
            steps.append(f"{name} AS ({step})")
    return f"WITH {', '.join(steps)} SELECT key, id FROM t"  # noqa: S608 - put together from the constants above


def _rows(name: str, *, alone: bool) -> str:
    if alone:  # Parameters as they are: neither PostgreSQL nor we need to make JSON of them and take it apart again.
        columns = ", ".join(f"%({name}_{column})s::{kind} AS {column}" for column, kind in _COLUMNS[name].items())
        return f"(SELECT {columns}) AS r"
    columns = ", ".join(f"{column} {kind}" for column, kind in _COLUMNS[name].items())
    return f"json_to_recordset(%({name})s::json) AS r({columns})"


def _write_at_once(connection: sa.Connection, parts: Mapping[str, Rows]) -> dict[str, int]:
    used = {name: rows for name, rows in parts.items() if rows}
    filling = any(row["fill"] for row in parts["lots"])
    statement = _statement(tuple((name, len(rows) == 1) for name, rows in used.items()), filling=filling)
    values: dict[str, str | None] = {}
    for name, rows in used.items():
        if len(rows) == 1:
            values |= {f"{name}_{column}": _literal(value) for column, value in rows[0].items()}
        else:
            values[name] = _encode(rows)
    return dict(fetch_text(connection, statement, values))


def _literal(value: Any) -> str | None:
    """A value as text whatever its type and size: else the driver would prepare the statement for each combination."""
    if value is None or type(value) is str:
        return value
    if isinstance(value, datetime | bytes):
        return _plain(value)
    return _encode(value) if isinstance(value, dict | bool) else str(value)


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else f"\\x{value.hex()}"


_encode = json.JSONEncoder(default=_plain, separators=(",", ":"), check_circular=False).encode

# --- SQLite -------------------------------------------------------------------------------

_NEW_LOTS = sa.insert(table_of(Lot)).returning(Lot.transfer_id, Lot.origin_id, Lot.id)
_MOVE = (
    sa.update(table_of(Lot))
    .where(Lot.id == sa.bindparam("lot"))
    .values(remaining=Lot.remaining + sa.bindparam("more"), held=Lot.held + sa.bindparam("aside"))
)
_CLOSE = sa.delete(table_of(Pending)).where(Pending.transfer_id == sa.bindparam("transfer"))
_REDUCE = (
    sa.update(table_of(Pending))
    .where(Pending.transfer_id == sa.bindparam("transfer"))
    .values(amount=Pending.amount - sa.bindparam("by"))
)
_CHANGE_WALLET = (
    sa.update(table_of(Wallet))
    .where(Wallet.id == sa.bindparam("wallet"))
    .values({name: getattr(Wallet, name) + sa.bindparam(f"d_{name}") for name in COUNTERS})
    .values(sliding=sa.bindparam("slides"), head=sa.bindparam("new_head"))
)


def _write_in_turn(connection: sa.Connection, parts: Mapping[str, Rows]) -> dict[str, int]:
    inserted = insert_new(Transfer, parts["transfers"], unless=["key"], returning=[Transfer.key, Transfer.id])
    ids: dict[str, int] = {row[0]: row[1] for row in inserted}
    if len(ids) < len(parts["transfers"]):
        return ids

    def run(statement: sa.Executable, rows: Rows) -> Any:
        return connection.execute(statement, rows) if rows else ()

    opened = run(_NEW_LOTS, [_stored_lot(row, ids) for row in parts["lots"]])
    lot_ids = {(transfer_id, origin_id): lot_id for transfer_id, origin_id, lot_id in opened}
    fills = [
        {"transfer_id": ids[row["key"]], "lot_id": lot_ids[ids[row["key"]], row["origin_id"]], "amount": row["fill"]}
        for row in parts["lots"]
        if row["fill"]
    ]
    run(sa.insert(table_of(Draw)), fills + [_named(row, ids) for row in parts["draws"]])
    run(_MOVE, [{"lot": r["lot_id"], "more": r["remaining"], "aside": r["held"]} for r in parts["moves"]])
    run(sa.insert(table_of(Pending)), [_named(row, ids) for row in parts["waits"]])
    run(_CLOSE, [{"transfer": row["transfer_id"]} for row in parts["closes"]])
    run(_REDUCE, [{"transfer": row["transfer_id"], "by": row["amount"]} for row in parts["reduces"]])
    run(_CHANGE_WALLET, [_stored_change(row) for row in parts["wallets"]])
    return ids


def _named(row: Mapping[str, Any], ids: Mapping[str, int]) -> dict[str, Any]:
    """The row with its transfer's id in place of the key."""
    return {"transfer_id": ids[row["key"]], **{name: value for name, value in row.items() if name != "key"}}


def _stored_lot(row: Mapping[str, Any], ids: Mapping[str, int]) -> dict[str, Any]:
    lot = _named(row, ids)
    fill = lot.pop("fill")
    return {**lot, "remaining": lot["amount"] - fill, "held": 0}


def _stored_change(row: Mapping[str, Any]) -> dict[str, Any]:
    changes = {f"d_{name}": row[name] for name in COUNTERS}
    return {"wallet": row["wallet_id"], "slides": row["sliding"], "new_head": row["head"], **changes}
