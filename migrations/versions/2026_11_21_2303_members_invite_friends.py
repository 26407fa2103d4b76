"""Members invite friends."""

import sqlalchemy as sa
from alembic import op

revision = "0005referral"
down_revision = "0004checkin"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "inviter",
        sa.Column("member_id", ID, autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_inviter_member_id")),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_inviter")),
        sa.UniqueConstraint("code", name=op.f("uq_inviter_code")),
    )
    op.create_table(
        "referral_device",
        sa.Column("member_id", ID, autoincrement=False, nullable=False),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_referral_device_member_id")),
        sa.PrimaryKeyConstraint("member_id", "device", name=op.f("pk_referral_device")),
    )
    op.create_index(op.f("ix_referral_device_device"), "referral_device", ["device"])
    op.create_table(
        "referral",
        sa.Column("id", ID, nullable=False),
        sa.Column("friend_id", ID, nullable=False),
        sa.Column("inviter_id", ID, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=10), nullable=True),
        sa.Column("joined_at", MOMENT, nullable=False),
        sa.Column("spend_by", MOMENT, nullable=False),
        sa.Column("least_spend", sa.BigInteger(), nullable=False),
        sa.Column("inviter_points", sa.BigInteger(), nullable=False),
        sa.Column("friend_points", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", MOMENT, nullable=True),
        sa.Column("month", sa.Date(), nullable=True),
        sa.Column("place", sa.Integer(), nullable=True),
        sa.CheckConstraint("friend_id <> inviter_id", name=op.f("ck_referral_not_oneself")),
        sa.CheckConstraint(
            "state IN ('joined', 'rewarded', 'lapsed', 'refused')", name=op.f("ck_referral_state_known")
        ),
        sa.CheckConstraint(
            "reason IN ('contact', 'device', 'existing', 'loop', 'cap')", name=op.f("ck_referral_reason_known")
        ),
        sa.CheckConstraint(
            "(state = 'refused') = (reason IS NOT NULL)", name=op.f("ck_referral_refused_for_a_reason")
        ),
        sa.CheckConstraint(
            "(state = 'rewarded') = (place IS NOT NULL)", name=op.f("ck_referral_rewarded_takes_a_place")
        ),
        sa.CheckConstraint("(month IS NULL) = (place IS NULL)", name=op.f("ck_referral_place_in_a_month")),
        sa.CheckConstraint("place > 0", name=op.f("ck_referral_place_positive")),
        sa.ForeignKeyConstraint(["friend_id"], ["member.id"], name=op.f("fk_referral_friend_id")),
        sa.ForeignKeyConstraint(["inviter_id"], ["member.id"], name=op.f("fk_referral_inviter_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral")),
        sa.UniqueConstraint("friend_id", name=op.f("uq_referral_friend_id")),
        sa.UniqueConstraint("inviter_id", "month", "place", name=op.f("uq_referral_inviter_id_month_place")),
    )
    op.create_index(op.f("ix_referral_inviter_id_id"), "referral", ["inviter_id", "id"])
    op.create_index(op.f("ix_referral_state_id"), "referral", ["state", "id"])
    with op.batch_alter_table("registration") as batch_op:
        batch_op.add_column(sa.Column("invite_code", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("device", sa.String(length=64), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("registration") as batch_op:
        batch_op.drop_column("device")
        batch_op.drop_column("invite_code")
    op.drop_table("referral")
    op.drop_table("referral_device")
    op.drop_table("inviter")
