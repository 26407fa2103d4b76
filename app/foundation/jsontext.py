"""Looking for a word in the texts of a JSON column, whatever alphabet, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONPATH
from sqlalchemy.orm import InstrumentedAttribute

from app.foundation.database import db


def says(column: InstrumentedAttribute[Any], word: str, *, besides: Collection[str] = ()) -> sa.ColumnElement[bool]:
    """Whether ``word`` stands in a text anywhere inside ``column``, in upper or lower case.

    Looks at the values and not at their names, and leaves out values named in ``besides``. Values are
    read as JSON, so that it does not matter how the database writes down what is not ASCII.
    """
    whole: sa.ColumnElement[bool] = sa.true()
    if db.session.get_bind().dialect.name == "sqlite":
        tree = sa.func.json_tree(column).table_valued("key", "type", "atom")
        texts = [tree.c.type == "text", *(tree.c.key.is_distinct_from(name) for name in besides)]
        inside = sa.select(sa.literal(1)).select_from(tree).where(*texts, tree.c.atom.icontains(word, autoescape=True))
    else:
        named = "".join(f' && @.key != "{name}"' for name in besides)
        path = f'strict $.** ? (@.type() == "object").keyvalue() ? (@.value.type() == "string"{named}).value'
        value = sa.func.jsonb_path_query(column, sa.cast(path, JSONPATH)).column_valued("value")
        text = value.op("#>>", return_type=sa.Text())(sa.literal_column("'{}'"))
        inside = sa.select(sa.literal(1)).where(text.icontains(word, autoescape=True))
        # Most rows do not have the word at all, and taking them apart to see that would cost ten times as much.
        written = json.dumps(word, ensure_ascii=False)[1:-1]
        whole = sa.cast(column, sa.Text).icontains(written, autoescape=True)
    return whole & inside.correlate(sa.inspect(column).class_.__table__).exists()
