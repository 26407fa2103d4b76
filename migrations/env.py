"""How Alembic reaches our database and writes our types."""

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
    with db.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_item=render_type,
            render_as_batch=connection.dialect.name == "sqlite",
            compare_type=True,
            **{key: value for key, value in options.items() if key not in ("render_as_batch", "compare_type")},
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run()
