"""One database, transactions opened at the door, locks taken in one written order.

PostgreSQL in production and SQLite (WAL) as the embedded default run the same code.
On PostgreSQL rows are locked with ``SELECT … FOR UPDATE``. SQLite has no row locks;
``transaction()`` takes its single write lock at once (``BEGIN IMMEDIATE``), so two
writers queue up instead of failing halfway.
"""

from __future__ import annotations

import enum
import json
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cache
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any, TypeVarTuple, cast

import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column
from sqlalchemy.orm import registry as Registry  # noqa: N812 - a class with a small name
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

from app.foundation import reading

log = logging.getLogger(__name__)

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UTCDateTime(TypeDecorator[datetime]):
    """A moment. Refuses naive values; SQLite, which knows no timezones, stores UTC."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A moment needs a timezone.")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


BigId = sa.BigInteger().with_variant(sa.Integer, "sqlite")
Json = sa.JSON().with_variant(postgresql.JSONB, "postgresql")

Id = Annotated[int, mapped_column(BigId, primary_key=True)]
Amount = Annotated[int, mapped_column(sa.BigInteger)]
JsonObject = Annotated[dict[str, Any], mapped_column(Json)]
JsonList = Annotated[list[Any], mapped_column(Json)]


def reference(target: str, **options: Any) -> Any:
    """A foreign key column: ``member_id: Mapped[int] = reference("member.id")``."""
    return mapped_column(BigId, sa.ForeignKey(target), **options)


class Base(DeclarativeBase):
    registry = Registry(metadata=sa.MetaData(naming_convention=NAMING), type_annotation_map={datetime: UTCDateTime()})


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


Columns = TypeVarTuple("Columns")


def table_of(model: type[Base]) -> sa.Table:
    """The table itself, for statements that make do without the mapper."""
    return cast("sa.Table", model.__table__)


def fetch(statement: sa.Select[*Columns] | sa.CompoundSelect[*Columns], parameters: Mapping[str, Any]) -> Sequence[Any]:
    """The rows of a statement that hot paths run again and again, made once and kept at module level.

    On PostgreSQL the driver runs it by itself: compiling, and converting what needs no
    conversion, would take longer than the query. Moments come in some timezone then.
    """
    session = db.session()
    session.flush()  # What the session has not written yet counts, as it does in its own queries.
    connection = session.connection()
    if connection.dialect.name != "postgresql":
        return connection.execute(statement, parameters).all()
    text, constants = _driver_text(statement)
    return fetch_text(connection, text, {**constants, **{name: _plain(value) for name, value in parameters.items()}})


def _plain(value: Any) -> Any:
    """Whole numbers as PostgreSQL writes an array of them: the driver would look at each to find its size."""
    if isinstance(value, list) and value and all(type(each) is int for each in value):
        return f"{{{','.join(map(str, value))}}}"
    return value


def fetch_text(connection: Connection, text: str, parameters: Mapping[str, Any]) -> Sequence[Any]:
    """The rows of a statement in the words of PostgreSQL's driver. Raises what SQLAlchemy would raise."""
    driver: Any = connection.connection.dbapi_connection
    driver_error = connection.dialect.loaded_dbapi.Error
    try:
        cursor = driver.execute(text, parameters)
        connection.dispatch.after_cursor_execute(connection, cursor, text, parameters, None, False)
        return cast("Sequence[Any]", cursor.fetchall())
    except driver_error as error:
        raise sa.exc.DBAPIError.instance(text, dict(parameters), error, driver_error) from error


@cache
def _driver_text(statement: sa.Select[Any] | sa.CompoundSelect[Any]) -> tuple[str, dict[str, Any]]:
    compiled = statement.compile(dialect=postgresql.psycopg.dialect())
    return str(compiled), compiled.params


class _Several(TypeDecorator[Sequence[Any]]):
    """Values handed over as one parameter: an array on PostgreSQL, JSON on SQLite."""

    impl = sa.JSON
    cache_ok = True

    def __init__(self, item: sa.types.TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        return dialect.type_descriptor(sa.JSON() if dialect.name == "sqlite" else postgresql.ARRAY(self.item))


class _Among(FunctionElement[bool]):
    inherit_cache = True
    type = sa.Boolean()

    def self_group(self, against: Any = None) -> _Among:
        """A condition as it stands: compared with 1, as functions are on SQLite, it would use no index."""
        return self


def among(column: Any, name: str) -> _Among:
    """``column`` is one of the values of the parameter ``name``: always the same statement, however many there are."""
    column = sa.inspect(column).expression
    return _Among(column, sa.bindparam(name, type_=_Several(column.type)))


def any_of(column: Any, values: Collection[Any]) -> _Among:
    """The same with the values at hand: thousands of them are one parameter."""
    column = sa.inspect(column).expression
    return _Among(column, sa.bindparam(None, list(values), type_=_Several(column.type)))


@compiles(_Among)
def _is_any(element: _Among, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY({values})"


@compiles(_Among, "sqlite")
def _in_json(element: _Among, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - both are compiled expressions


# --- transactions -----------------------------------------------------------------------


@contextmanager
def transaction() -> Iterator[Session]:
    """Everything inside happens, or nothing does. Views, commands and jobs open one; actions never do.

    What the session had read before is forgotten, so that decisions inside rest on rows
    read inside. Functions handed to ``after_commit`` run once the commit has succeeded;
    what they raise is logged, because by then it would be untrue to say that nothing happened.
    """
    session = db.session()
    if session.info.get("transaction"):
        raise RuntimeError("A transaction is already open: actions take part in their caller's.")
    if session.new or session.dirty or session.deleted:
        raise RuntimeError("Something was changed before the transaction began.")
    session.rollback()
    session.connection(execution_options={"begin_immediate": True})
    callbacks: list[Callable[[], object]] = []
    session.info.update(transaction=True, lock_order=0, callbacks=callbacks)
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        for key in ("transaction", "lock_order", "callbacks"):
            session.info.pop(key)
    for callback in callbacks:
        try:
            callback()
        except Exception:
            log.exception("The transaction is committed, but %r failed after it", callback)


def after_commit(callback: Callable[[], object]) -> None:
    """Run ``callback`` after the surrounding transaction commits; never if it rolls back.

    Raises ``RuntimeError`` outside ``transaction()``.
    """
    info = db.session().info
    if not info.get("transaction"):
        raise RuntimeError("There is no transaction to come after.")
    info["callbacks"].append(callback)


class LockOrder(enum.IntEnum):
    """The order in which rows are locked. Two transactions that keep it can never wait for each other in a circle.

    Several rows of one rank are locked by one statement, ordered by id. A ``DRAFT`` of terms is published before the
    ``LADDER`` follows it; whoever moves members locks neither, but their rows name the ladder's: see ``lock``.
    """

    DRAFT = 2
    LADDER = 3
    STAFF = 5
    ORDER = 10
    PAYMENT = 20
    STOCK = 30
    COUPON = 40
    REFERRAL = 45
    EARNING = 47
    WALLET = 50
    MEMBERSHIP = 60


def lock(
    order: LockOrder, statement: sa.Select[*Columns], *, key_share: bool = False, skip_locked: bool = False
) -> sa.Select[*Columns]:
    """``statement`` as a locking read that also refreshes what the session already holds.

    Without ``populate_existing`` SQLAlchemy would hand back the values from before the
    lock. Raises ``RuntimeError`` outside ``transaction()`` or against the lock order.

    On PostgreSQL a row that names another one by a foreign key holds that one's key until its transaction ends, in
    no order at all. ``key_share`` does not lock against that: no key may be changed, and nothing deleted.
    ``skip_locked`` leaves out what others hold, instead of waiting for them.
    """
    keep_lock_order(order)
    locked = statement.with_for_update(key_share=key_share, skip_locked=skip_locked)
    return locked.execution_options(populate_existing=True)


def keep_lock_order(order: LockOrder) -> None:
    """Say what is locked next, where the locking statement is made beforehand. Raises as ``lock``."""
    info = db.session().info
    if not info.get("transaction"):
        raise RuntimeError("A lock needs a transaction.")
    if order < info["lock_order"]:
        raise RuntimeError(f"{order.name} must be locked before {LockOrder(info['lock_order']).name}.")
    info["lock_order"] = order


def insert_new(
    table: type[Base], rows: Sequence[Mapping[str, Any]], *, unless: Sequence[str], returning: Sequence[Any]
) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Insert the rows whose unique columns ``unless`` are not taken yet; return ``returning`` of those inserted.

    With ``unless`` empty, any unique constraint keeps a row out. All rows name the same columns.
    """
    if not rows:
        return []
    connection = db.session().connection()
    names = tuple(column.key for column in returning)
    if connection.dialect.name == "postgresql" and len(rows) >= MANY:
        statement = _insert_json(table, tuple(rows[0]), tuple(unless), names, "DO NOTHING")
        return connection.execute(statement, {"rows": _as_json(table, rows)}).all()
    statement = _insert_new(connection.dialect.name, table, tuple(unless), names)
    return connection.execute(statement, list(rows)).all()


def insert_all(table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, which all name the same columns. Raises ``IntegrityError``."""
    if not rows:
        return
    connection = db.session().connection()
    if connection.dialect.name == "postgresql" and len(rows) >= MANY:
        connection.execute(_insert_json(table, tuple(rows[0]), (), (), ""), {"rows": _as_json(table, rows)})
    else:
        connection.execute(sa.insert(table_of(table)), list(rows))


MANY = 50  # From so many rows on, one JSON parameter costs less than a placeholder for each value.


def _defaults(table: type[Base], named: Collection[str]) -> dict[str, Any]:
    """What Python puts into columns that the rows do not name."""
    found: dict[str, Any] = {}
    for column in table_of(table).columns:
        default: Any = column.default
        if column.name in named or default is None or not (default.is_scalar or default.is_callable):
            continue
        found[column.name] = default.arg(None) if default.is_callable else default.arg
    return found


def _as_json(table: type[Base], rows: Sequence[Mapping[str, Any]]) -> str:
    defaults = _defaults(table, rows[0])
    return json.dumps([{**defaults, **row} for row in rows], default=_as_text, ensure_ascii=False)


def _as_text(value: Any) -> str:
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError("A moment needs a timezone.")
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, bytes):
        return rf"\x{value.hex()}"
    raise TypeError(f"{value!r} cannot be handed over as JSON.")


@cache
def _insert_json(
    table: type[Base], named: tuple[str, ...], unless: tuple[str, ...], returning: tuple[str, ...], conflict: str
) -> Any:
    """Rows as one parameter, typed by the table's columns: PostgreSQL makes rows of it faster than the driver parses
    thousands of placeholders."""
    dialect = postgresql.psycopg.dialect()
    quote = dialect.identifier_preparer.quote
    target = table_of(table)
    columns = [target.columns[name] for name in (*named, *_defaults(table, named))]
    names = ", ".join(quote(column.name) for column in columns)
    types = ", ".join(f"{quote(column.name)} {column.type.compile(dialect=dialect)}" for column in columns)
    source = f"jsonb_to_recordset(CAST(:rows AS jsonb)) AS r({types})"
    text = f"INSERT INTO {quote(target.name)} ({names}) SELECT {names} FROM {source}"  # noqa: S608 - our own names
    if conflict:
        which = f" ({', '.join(map(quote, unless))})" if unless else ""
        text += f" ON CONFLICT{which} {conflict}"
    if returning:
        text += f" RETURNING {', '.join(map(quote, returning))}"
    statement = sa.text(text)
    return statement.columns(*(target.columns[name] for name in returning)) if returning else statement


@cache
def _insert_new(dialect: str, table: type[Base], unless: tuple[str, ...], returning: tuple[str, ...]) -> Any:
    # Into the table rather than the class: the mapper's bookkeeping would cost a tenth of a large import.
    target = table_of(table)
    inserted = (sqlite if dialect == "sqlite" else postgresql).insert(target)
    return inserted.on_conflict_do_nothing(index_elements=unless or None).returning(
        *(target.c[name] for name in returning)
    )


def edge(number: int) -> sa.BindParameter[datetime]:
    """The parameter for one of the moments between which ``period_of`` tells periods apart; see ``edges_named``."""
    return sa.bindparam(f"edge_{number}", type_=UTCDateTime())


def edges_named(edges: Sequence[datetime]) -> dict[str, datetime]:
    """The values of the parameters ``edge(0)``, ``edge(1)`` … of a statement."""
    return {f"edge_{number}": moment for number, moment in enumerate(edges)}


def period_of(moment: Any, periods: int) -> Any:
    """In which period between neighbouring edges a column's moment lies, counted from 0 and named ``period``.

    Told apart by moments instead of by the database's calendar, which SQLite has none of: so months
    begin when they do in the programme's timezone, with an hour more or less where clocks change.
    """
    if periods == 1:
        return sa.literal_column("0").label("period")
    whens = [(moment < edge(place + 1), place) for place in range(periods - 1)]
    return sa.case(*whens, else_=periods - 1).label("period")


# --- engines ----------------------------------------------------------------------------

IDLE = 1.0  # Seconds after which a pooled connection is asked whether it still answers.


def prepare_engine(engine: Engine) -> None:
    """Give SQLite foreign keys, WAL and explicit BEGINs, and PostgreSQL a look at connections that were idle."""
    event.listen(engine, "after_cursor_execute", reading.listen)
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    else:
        _ping_the_idle(engine)


def _ping_the_idle(engine: Engine) -> None:
    """A server that was restarted is noticed, without a question before every single transaction."""

    @event.listens_for(engine, "checkin")
    def on_checkin(_connection: Any, record: Any) -> None:
        record.info["idle_since"] = monotonic()

    @event.listens_for(engine, "checkout")
    def on_checkout(connection: Any, record: Any, _proxy: object) -> None:
        if monotonic() - record.info.get("idle_since", inf) > IDLE:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as error:
                raise sa.exc.DisconnectionError from error  # The pool makes a new one.


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # We emit BEGIN ourselves; the driver's own would come too late.
        cursor = connection.cursor()
        for pragma in ("foreign_keys=ON", "journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("begin_immediate")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
