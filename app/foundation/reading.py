"""What a request reads: noted as the driver saw it, so that it can be read again and compared.

Reading again costs a tenth of asking through SQLAlchemy, because nothing is made of the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from flask import g, has_app_context
from sqlalchemy.engine import Connection, Engine

from app.foundation import clock

BEGIN = "BEGIN"  # Said aloud to SQLite; the driver of PostgreSQL says it by itself.


@dataclass(frozen=True, slots=True)
class Read:
    """One statement with its rows. ``moving`` are the parameters that are the present moment, by place or name."""

    text: str
    parameters: Any
    moving: tuple[Any, ...]
    rows: Sequence[Any]

    def parameters_at(self, now: Any) -> Any:
        """The parameters when the present moment is ``now``, which is in the form of the driver."""
        if not self.moving:
            return self.parameters
        moved = self.parameters.copy() if isinstance(self.parameters, dict) else list(self.parameters)
        for place in self.moving:
            moved[place] = now
        return moved


@dataclass(slots=True)
class Reading:
    """All that was read since ``began``. ``sound``: would reading it again tell of everything that has changed?"""

    began: datetime
    reads: list[Read] = field(default_factory=list)
    sound: bool = True
    transactions: int = 0
    waiting: list[tuple[Any, str, Any]] = field(default_factory=list)

    def finish(self) -> None:
        """Fetch the rows of what was run on SQLite: once more, and within the same transaction the same.

        At the end, because a statement that is not read to its end would be planned anew.
        """
        self.sound = self.sound and self.transactions <= 1 and all(each[0].in_transaction for each in self.waiting)
        while self.sound and self.waiting:
            driver, text, parameters = self.waiting.pop(0)
            self.note(text, parameters, driver.execute(text, parameters).fetchall())

    def note(self, text: str, parameters: Any, rows: Sequence[Any]) -> None:
        moving = []
        for place, value in _items(parameters):
            moment = _moment(value)
            if moment is None:
                continue
            if self.began <= moment <= clock.now():
                moving.append(place)
            elif not self._stays(moment, value):
                self.sound = False
        read = Read(text, parameters, tuple(moving), rows)
        if read not in self.reads:
            self.reads.append(read)

    def _stays(self, moment: datetime, value: Any) -> bool:
        """Is this moment the same for a whole minute, or does it come from what was read? Else it moves with the clock,
        and nobody knows how."""
        if moment.second == moment.microsecond == 0:
            return True
        return any(value in row for read in self.reads for row in read.rows)


def unchanged(engine: Engine, reads: Sequence[Read], *, now: datetime) -> bool:
    """Does all of it still read the same?"""
    pooled = engine.raw_connection()
    try:
        driver: Any = pooled.dbapi_connection
        moment: datetime | str = now
        if engine.dialect.name == "sqlite":
            moment = _as_sqlite_writes(now)
            driver.execute(BEGIN)  # One look at the file instead of one for each statement. The pool ends it.
        return all(driver.execute(each.text, each.parameters_at(moment)).fetchall() == each.rows for each in reads)
    finally:
        pooled.close()


def listen(connection: Connection, cursor: Any, text: str, parameters: Any, *_more: object) -> None:
    """An event of the engine. It also hears of statements that ``fetch`` hands to the driver by itself."""
    reading: Reading | None = g.get("reading") if has_app_context() else None
    if reading is None:
        return
    if text == BEGIN:
        reading.transactions += 1
        return
    if not text.startswith("SELECT") or " FOR " in text:  # It writes, or it locks.
        reading.sound = False
    elif connection.dialect.name == "sqlite":
        reading.waiting.append((cursor.connection, text, parameters))
    else:
        if rows := cursor.fetchall():
            cursor.scroll(0, mode="absolute")  # Whoever asked has not read them yet.
        reading.note(text, parameters, rows)


def _items(parameters: Any) -> Iterator[tuple[Any, Any]]:
    return iter(parameters.items() if isinstance(parameters, Mapping) else enumerate(parameters))


def _moment(value: Any) -> datetime | None:
    """The moment that a parameter is, if it is one: SQLite is handed text."""
    if isinstance(value, str) and len(value) == len("2026-06-15 04:00:00.000000"):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _as_sqlite_writes(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
