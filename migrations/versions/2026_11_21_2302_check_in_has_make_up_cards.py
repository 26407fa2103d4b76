"""Check-in has make-up cards, and a table of what each day pays."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004checkin"
down_revision = "0003growth"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
HAS_CARD = sa.text("card IS NOT NULL")


def upgrade() -> None:
    with op.batch_alter_table("check_in") as batch_op:
        batch_op.add_column(sa.Column("card", sa.String(length=10), nullable=True))
        batch_op.create_check_constraint(op.f("ck_check_in_pays_or_has_card"), "(card IS NULL) = (points > 0)")
    op.create_index(
        "uq_check_in_member_id_card",
        "check_in",
        ["member_id", "card"],
        unique=True,
        postgresql_where=HAS_CARD,
        sqlite_where=HAS_CARD,
    )
    _rewrite_terms(_as_table)


def downgrade() -> None:
    # A made-up day has no place in the older books; what was paid for its card stays in the ledger.
    op.execute("DELETE FROM check_in WHERE card IS NOT NULL")
    op.drop_index("uq_check_in_member_id_card", "check_in")
    with op.batch_alter_table("check_in") as batch_op:
        batch_op.drop_constraint(op.f("ck_check_in_pays_or_has_card"), type_="check")
        batch_op.drop_column("card")
    _rewrite_terms(_as_multiplier)


def _rewrite_terms(rewrite: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """An owner who had changed what a check-in pays keeps it."""
    table = sa.table("terms", sa.column("domain", sa.String), sa.column("values", JSON))
    mine, connection = table.c.domain == "checkin", op.get_bind()
    values = connection.scalar(sa.select(table.c["values"]).where(mine))
    if values is not None:
        connection.execute(sa.update(table).where(mine).values(values=rewrite(values)))


def _as_table(values: dict[str, Any]) -> dict[str, Any]:
    points, days = values.get("points", 5), values.get("cycle_days", 7)
    last = points * values.get("last_day_multiplier", 2)
    return {"rewards": " ".join(map(str, [points] * (days - 1) + [last]))}


def _as_multiplier(values: dict[str, Any]) -> dict[str, Any]:
    table = [int(number) for number in values.get("rewards", "5 5 5 5 5 5 10").replace(",", " ").split()]
    return {"points": table[0], "cycle_days": len(table), "last_day_multiplier": max(1, table[-1] // table[0])}
