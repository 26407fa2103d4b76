"""Members are reminded before points expire, unless they switched it off."""

import sqlalchemy as sa
from alembic import op

revision = "0015reminders"
down_revision = "0014checkout"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
WAITING = sa.text("at IS NULL")


def upgrade() -> None:
    op.create_table(
        "expiry_reminder",
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_expiry_reminder_member_id")),
        sa.PrimaryKeyConstraint("last_day", "member_id", name=op.f("pk_expiry_reminder")),
        sa.CheckConstraint("points > 0", name=op.f("ck_expiry_reminder_points_positive")),
    )
    op.create_index(
        "ix_expiry_reminder_waiting",
        "expiry_reminder",
        ["last_day", "member_id"],
        postgresql_where=WAITING,
        sqlite_where=WAITING,
    )
    op.create_table(
        "expiry_look",
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("look", sa.String(length=5), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("last_day", "look", name=op.f("pk_expiry_look")),
        sa.CheckConstraint("look IN ('first', 'last')", name=op.f("ck_expiry_look_look_known")),
    )
    op.create_table(
        "unreminded_member",
        sa.Column("member_id", ID, nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_unreminded_member_member_id")),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_unreminded_member")),
    )


def downgrade() -> None:
    op.drop_table("unreminded_member")
    op.drop_table("expiry_look")
    op.drop_table("expiry_reminder")
