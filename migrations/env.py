"""How Alembic reaches our database and writes our types."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext
from flask import current_app

from app.foundation.database import UTCDateTime, db


def render_type(kind: str, item: Any, context: AutogenContext) -> str | Literal[False]:
    """A migration must not depend on code that may change: it says our types in SQLAlchemy's own words."""
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, sa.JSON):
        context.imports.add("from sqlalchemy.dialects import postgresql")
        return "sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')"
    return False


def run() -> None:
    options = current_app.extensions["migrate"].configure_args
    with db.engine.connect() as connection, tables_may_be_copied(connection):
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_item=render_type,
            render_as_batch=connection.dialect.name == "sqlite",
            compare_type=True,
            transactional_ddl=True,  # SQLite's, too: half a migration is none.
            **{key: value for key, value in options.items() if key not in ("render_as_batch", "compare_type")},
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


@contextmanager
def tables_may_be_copied(connection: sa.Connection) -> Iterator[None]:
    """SQLite changes a table by copying it; for a moment other tables refer to one that is not there.

    So it may not look at foreign keys meanwhile, but does so at the end.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.dbapi_connection
    driver.execute("PRAGMA foreign_keys = OFF")
    yield
    broken = driver.execute("PRAGMA foreign_key_check").fetchall()
    driver.execute("PRAGMA foreign_keys = ON")
    if broken:
        raise RuntimeError(f"Rows refer to others that are not there: {broken[:5]}")


run()
