"""Tiers are reviewed every month; staff can give one for a time; what was bought can come back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006tiers"
down_revision = "0005referral"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)
OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    with op.batch_alter_table("tier") as batch_op:
        batch_op.add_column(sa.Column("keep", JSON, nullable=False, server_default="{}"))
    with op.batch_alter_table("tier") as batch_op:
        batch_op.alter_column("keep", server_default=None)
    with op.batch_alter_table("membership") as batch_op:
        batch_op.add_column(sa.Column("counts_from", MOMENT, nullable=True))
        batch_op.add_column(sa.Column("recheck", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("membership") as batch_op:
        batch_op.alter_column("recheck", server_default=None)
    with op.batch_alter_table("tier_change") as batch_op:
        batch_op.add_column(sa.Column("month", sa.Date(), nullable=True))
        batch_op.create_unique_constraint("uq_tier_change_member_id_month", ["member_id", "month"])
    op.create_table(
        "tier_review",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.Column("last_member_id", ID, nullable=False),
        sa.Column("reviewed", sa.BigInteger(), nullable=False),
        sa.Column("lowered", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("month", name="pk_tier_review"),
    )
    op.create_table(
        "tier_grant",
        sa.Column("id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("tier_id", ID, nullable=False),
        sa.Column("own_tier_id", ID, nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("given_by", sa.String(length=120), nullable=False),
        sa.Column("given_at", MOMENT, nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name="fk_tier_grant_member_id"),
        sa.ForeignKeyConstraint(["own_tier_id"], ["tier.id"], name="fk_tier_grant_own_tier_id"),
        sa.ForeignKeyConstraint(["tier_id"], ["tier.id"], name="fk_tier_grant_tier_id"),
        sa.PrimaryKeyConstraint("id", name="pk_tier_grant"),
    )
    op.create_index(
        "uq_tier_grant_open", "tier_grant", ["member_id"], unique=True, postgresql_where=OPEN, sqlite_where=OPEN
    )
    op.create_table(
        "purchase_return",
        sa.Column("id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("purchase_id", ID, nullable=False),
        sa.Column("return_no", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("returned_at", MOMENT, nullable=False),
        sa.CheckConstraint("amount > 0", name="ck_purchase_return_amount_positive"),
        sa.CheckConstraint("points >= 0", name="ck_purchase_return_points_not_negative"),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name="fk_purchase_return_member_id"),
        sa.ForeignKeyConstraint(["purchase_id"], ["purchase.id"], name="fk_purchase_return_purchase_id"),
        sa.PrimaryKeyConstraint("id", name="pk_purchase_return"),
        sa.UniqueConstraint(
            "purchase_id", "return_no", "position", name="uq_purchase_return_purchase_id_return_no_position"
        ),
    )
    op.create_index("ix_purchase_return_member_id", "purchase_return", ["member_id"])


def downgrade() -> None:
    op.drop_table("purchase_return")
    op.drop_table("tier_grant")
    op.drop_table("tier_review")
    with op.batch_alter_table("tier_change") as batch_op:
        batch_op.drop_constraint("uq_tier_change_member_id_month", type_="unique")
        batch_op.drop_column("month")
    with op.batch_alter_table("membership") as batch_op:
        batch_op.drop_column("recheck")
        batch_op.drop_column("counts_from")
    with op.batch_alter_table("tier") as batch_op:
        batch_op.drop_column("keep")
