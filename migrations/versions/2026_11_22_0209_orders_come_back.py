"""What was ordered comes back: returns, exchanges and claims under warranty."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016returns"
down_revision = "0015reminders"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)
OPEN = sa.text("state IN ('requested', 'approved')")


def upgrade() -> None:
    with op.batch_alter_table("order") as batch_op:
        batch_op.add_column(sa.Column("return_open", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("order") as batch_op:
        batch_op.alter_column("return_open", server_default=None)
    with op.batch_alter_table("order_line") as batch_op:
        batch_op.add_column(sa.Column("returned", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("order_line") as batch_op:
        batch_op.alter_column("returned", server_default=None)
        batch_op.create_check_constraint("ck_order_line_returned_within_quantity", "returned BETWEEN 0 AND quantity")
    op.create_table(
        "return_case",
        sa.Column("id", ID, nullable=False),
        sa.Column("number", sa.String(20), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("order_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("unit_id", ID, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("reason", sa.String(20), nullable=False),
        sa.Column("note", sa.String(1000), nullable=False),
        sa.Column("pictures", JSON, nullable=False),
        sa.Column("answer", sa.String(500), nullable=False),
        sa.Column("cash", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("expired", sa.BigInteger(), nullable=False),
        sa.Column("taken_back", sa.BigInteger(), nullable=False),
        sa.Column("replacement_id", ID, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_return_case"),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name="fk_return_case_order_id"),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name="fk_return_case_member_id"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_return_case_unit_id"),
        sa.ForeignKeyConstraint(["replacement_id"], ["order.id"], name="fk_return_case_replacement_id"),
        sa.UniqueConstraint("number", name="uq_return_case_number"),
        sa.UniqueConstraint("member_id", "key", name="uq_return_case_member_id_key"),
        sa.CheckConstraint("kind IN ('return', 'exchange', 'warranty')", name="ck_return_case_kind_known"),
        sa.CheckConstraint(
            "state IN ('requested', 'approved', 'settled', 'rejected', 'withdrawn')", name="ck_return_case_state_known"
        ),
        sa.CheckConstraint(
            "cash >= 0 AND points >= 0 AND expired >= 0 AND taken_back >= 0",
            name="ck_return_case_figures_not_negative",
        ),
    )
    op.create_index("ix_return_case_order_id", "return_case", ["order_id"])
    op.create_index("ix_return_case_unit_id_id", "return_case", ["unit_id", "id"])
    op.create_index(
        "uq_return_case_open", "return_case", ["order_id"], unique=True, postgresql_where=OPEN, sqlite_where=OPEN
    )
    op.create_table(
        "return_piece",
        sa.Column("case_id", ID, nullable=False),
        sa.Column("order_line_id", ID, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("cash", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "order_line_id", name="pk_return_piece"),
        sa.ForeignKeyConstraint(["case_id"], ["return_case.id"], name="fk_return_piece_case_id"),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name="fk_return_piece_order_line_id"),
        sa.CheckConstraint("quantity > 0", name="ck_return_piece_quantity_positive"),
        sa.CheckConstraint("cash >= 0 AND points >= 0", name="ck_return_piece_figures_not_negative"),
    )
    op.create_table(
        "return_step",
        sa.Column("id", ID, nullable=False),
        sa.Column("case_id", ID, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by", sa.String(120), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_return_step"),
        sa.ForeignKeyConstraint(["case_id"], ["return_case.id"], name="fk_return_step_case_id"),
        sa.UniqueConstraint("case_id", "state", name="uq_return_step_case_id_state"),
    )


def downgrade() -> None:
    op.drop_table("return_step")
    op.drop_table("return_piece")
    op.drop_index("uq_return_case_open", "return_case", postgresql_where=OPEN, sqlite_where=OPEN)
    op.drop_index("ix_return_case_unit_id_id", "return_case")
    op.drop_index("ix_return_case_order_id", "return_case")
    op.drop_table("return_case")
    with op.batch_alter_table("order_line") as batch_op:
        batch_op.drop_constraint("ck_order_line_returned_within_quantity", type_="check")
        batch_op.drop_column("returned")
    with op.batch_alter_table("order") as batch_op:
        batch_op.drop_column("return_open")
