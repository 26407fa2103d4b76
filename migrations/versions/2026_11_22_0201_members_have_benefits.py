"""Members have benefits: given to single persons, claimed once per period, by tag."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008benefits"
down_revision = "0007programme"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)
OPEN = sa.text("removed_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "member_tag",
        sa.Column("id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("tag", sa.String(length=30), nullable=False),
        sa.Column("given_at", MOMENT, nullable=False),
        sa.Column("given_by", sa.String(length=120), nullable=False),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name="fk_member_tag_member_id"),
        sa.PrimaryKeyConstraint("id", name="pk_member_tag"),
    )
    op.create_index("ix_member_tag_member_id", "member_tag", ["member_id"])
    op.create_index("ix_member_tag_tag", "member_tag", ["tag"])
    op.create_index(
        "uq_member_tag_open",
        "member_tag",
        ["member_id", "tag"],
        unique=True,
        postgresql_where=OPEN,
        sqlite_where=OPEN,
    )
    op.create_table(
        "benefit_grant",
        sa.Column("id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("code", sa.String(length=30), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("given_by", sa.String(length=120), nullable=False),
        sa.Column("given_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("key", sa.String(length=160), nullable=True),
        sa.CheckConstraint("last_day >= first_day", name="ck_benefit_grant_ends_after_it_begins"),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name="fk_benefit_grant_member_id"),
        sa.PrimaryKeyConstraint("id", name="pk_benefit_grant"),
        sa.UniqueConstraint("key", name="uq_benefit_grant_key"),
    )
    op.create_index("ix_benefit_grant_member_id", "benefit_grant", ["member_id"])
    op.create_index("ix_benefit_grant_last_day", "benefit_grant", ["last_day"])
    op.create_table(
        "benefit_claim",
        sa.Column("id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("series", sa.String(length=30), nullable=False),
        sa.Column("period", sa.String(length=30), nullable=False),
        sa.Column("code", sa.String(length=30), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", JSON, nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("claimed_at", MOMENT, nullable=False),
        sa.CheckConstraint("points >= 0", name="ck_benefit_claim_points_not_negative"),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name="fk_benefit_claim_member_id"),
        sa.PrimaryKeyConstraint("id", name="pk_benefit_claim"),
        sa.UniqueConstraint("member_id", "series", "period", name="uq_benefit_claim_member_id_series_period"),
    )
    op.create_table(
        "benefit_voucher",
        sa.Column("id", ID, nullable=False),
        sa.Column("claim_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("what", JSON, nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("redeemed_at", MOMENT, nullable=True),
        sa.Column("redeemed_by", sa.String(length=120), nullable=True),
        sa.ForeignKeyConstraint(["claim_id"], ["benefit_claim.id"], name="fk_benefit_voucher_claim_id"),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name="fk_benefit_voucher_member_id"),
        sa.PrimaryKeyConstraint("id", name="pk_benefit_voucher"),
        sa.UniqueConstraint("claim_id", "position", name="uq_benefit_voucher_claim_id_position"),
        sa.UniqueConstraint("code", name="uq_benefit_voucher_code"),
    )
    op.create_index("ix_benefit_voucher_member_id", "benefit_voucher", ["member_id"])


def downgrade() -> None:
    op.drop_table("benefit_voucher")
    op.drop_table("benefit_claim")
    op.drop_table("benefit_grant")
    op.drop_table("member_tag")
