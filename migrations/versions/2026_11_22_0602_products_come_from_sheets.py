"""Products come from sheets: what was sent, row by row, and what was done to many products at once."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020sheets"
down_revision = "0019courses"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "sheet_import",
        sa.Column("id", ID, nullable=False),
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("staff_id", ID, nullable=False),
        sa.Column("language", sa.String(10), nullable=False),
        sa.Column("file", sa.String(120), nullable=False),
        sa.Column("format", sa.String(20), nullable=False),
        sa.Column("columns", JSON, nullable=False),
        sa.Column("unknown", JSON, nullable=False),
        sa.Column("stock_seal", sa.String(64), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sent_at", MOMENT, nullable=False),
        sa.Column("alive_at", MOMENT, nullable=True),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_sheet_import"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_sheet_import_staff_id"),
        sa.UniqueConstraint("key", name="uq_sheet_import_key"),
        sa.CheckConstraint(
            "state IN ('checking', 'checked', 'importing', 'done', 'failed', 'cancelled')",
            name="ck_sheet_import_state_known",
        ),
    )
    op.create_index("ix_sheet_import_staff_id_id", "sheet_import", ["staff_id", "id"])
    op.create_index("ix_sheet_import_state", "sheet_import", ["state"])
    op.create_table(
        "sheet_row",
        sa.Column("id", ID, nullable=False),
        sa.Column("import_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("product_id", ID, nullable=True),
        sa.Column("cells", JSON, nullable=False),
        sa.Column("broken", sa.Text(), nullable=False),
        sa.Column("verdict", sa.String(8), nullable=False),
        sa.Column("reasons", JSON, nullable=False),
        sa.Column("changes", JSON, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("stock_key", sa.String(64), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_sheet_row"),
        sa.ForeignKeyConstraint(["import_id"], ["sheet_import.id"], name="fk_sheet_row_import_id"),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name="fk_sheet_row_product_id"),
        sa.UniqueConstraint("import_id", "number", name="uq_sheet_row_import_id_number"),
        sa.UniqueConstraint("stock_key", name="uq_sheet_row_stock_key"),
        sa.CheckConstraint(
            "verdict IN ('', 'create', 'update', 'same', 'refused')", name="ck_sheet_row_verdict_known"
        ),
    )
    op.create_index("ix_sheet_row_import_id_part", "sheet_row", ["import_id", "part"])
    op.create_index("ix_sheet_row_import_id_verdict_number", "sheet_row", ["import_id", "verdict", "number"])
    op.create_table(
        "bulk_change",
        sa.Column("id", ID, nullable=False),
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("staff_id", ID, nullable=False),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("products", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bulk_change"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_bulk_change_staff_id"),
        sa.UniqueConstraint("key", name="uq_bulk_change_key"),
    )


def downgrade() -> None:
    op.drop_table("bulk_change")
    op.drop_table("sheet_row")
    op.drop_table("sheet_import")
