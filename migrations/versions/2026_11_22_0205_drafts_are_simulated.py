"""Drafts are simulated: what past purchases would have brought under them, worked out in the background."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012simulation"
down_revision = "0011earnpoints"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)
OPEN = sa.text("finished_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "simulation",
        sa.Column("id", ID, nullable=False),
        sa.Column("domain", sa.String(length=40), nullable=False),
        sa.Column("seal", sa.String(length=40), nullable=False),
        sa.Column("draft", JSON, nullable=False),
        sa.Column("in_force", JSON, nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("asked_by", sa.String(length=120), nullable=False),
        sa.Column("started_at", MOMENT, nullable=True),
        sa.Column("alive_at", MOMENT, nullable=True),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.Column("purchases", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("last_member_id", ID, nullable=False),
        sa.Column("working", JSON, nullable=False),
        sa.Column("figures", JSON, nullable=False),
        sa.CheckConstraint("last_day >= first_day", name="ck_simulation_ends_after_it_begins"),
        sa.PrimaryKeyConstraint("id", name="pk_simulation"),
    )
    op.create_index(
        "uq_simulation_open", "simulation", ["domain"], unique=True, postgresql_where=OPEN, sqlite_where=OPEN
    )


def downgrade() -> None:
    op.drop_table("simulation")
