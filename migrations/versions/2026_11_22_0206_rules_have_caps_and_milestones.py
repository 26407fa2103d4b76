"""Rewards that were given and milestones that were reached are written down."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013earning"
down_revision = "0012simulation"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table("purchase") as batch_op:
        batch_op.add_column(sa.Column("bonuses", JSON, nullable=False, server_default="[]"))
    with op.batch_alter_table("purchase") as batch_op:
        batch_op.alter_column("bonuses", server_default=None)
    op.create_table(
        "rewarded",
        sa.Column("id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("subject", sa.String(80), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rewarded"),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name="fk_rewarded_member_id"),
        sa.UniqueConstraint("member_id", "kind", "subject", name="uq_rewarded_member_id_kind_subject"),
        sa.CheckConstraint("points >= 0", name="ck_rewarded_points_not_negative"),
    )
    op.create_index("ix_rewarded_member_id_kind_at", "rewarded", ["member_id", "kind", "at"])
    op.create_table(
        "milestone_reached",
        sa.Column("id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("code", sa.String(30), nullable=False),
        sa.Column("period", sa.Date(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("benefit", sa.String(30), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("lost_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_milestone_reached"),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name="fk_milestone_reached_member_id"),
        sa.UniqueConstraint("member_id", "code", "period", name="uq_milestone_reached_member_id_code_period"),
    )


def downgrade() -> None:
    with op.batch_alter_table("purchase") as batch_op:
        batch_op.drop_column("bonuses")
    op.drop_table("milestone_reached")
    op.drop_table("rewarded")
