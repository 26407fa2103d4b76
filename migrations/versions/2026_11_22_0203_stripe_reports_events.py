"""Stripe reports events."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010payments"
down_revision = "0009catalog"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
IN_DOUBT = sa.text("final_at IS NULL")
ON_ITS_WAY = sa.text("state IN ('asked', 'pending')")
WAITING = sa.text("processed_at IS NULL")
CHARGE_STATES = "state IN ('open', 'paid', 'declined', 'refunded')"
MORE_CHARGE_STATES = "state IN ('open', 'paid', 'declined', 'expired', 'refunded')"


def upgrade() -> None:
    with op.batch_alter_table("payment") as batch_op:
        batch_op.add_column(sa.Column("session_id", sa.String(length=255), nullable=True))
        batch_op.add_column(sa.Column("intent_id", sa.String(length=255), nullable=True))
        batch_op.add_column(sa.Column("refund_total", sa.BigInteger(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("expires_at", MOMENT, nullable=True))
        batch_op.add_column(sa.Column("asked_at", MOMENT, nullable=True))
        batch_op.add_column(sa.Column("final_at", MOMENT, nullable=True))
    op.execute("UPDATE payment SET refund_total = refunded")
    op.execute("UPDATE payment SET final_at = settled_at WHERE state IN ('paid', 'refunded')")
    with op.batch_alter_table("payment") as batch_op:
        batch_op.create_unique_constraint(op.f("uq_payment_gateway_session_id"), ["gateway", "session_id"])
        batch_op.create_check_constraint(
            op.f("ck_payment_refund_total_in_range"), "refund_total BETWEEN refunded AND amount"
        )
        batch_op.create_check_constraint(
            op.f("ck_payment_only_paid_is_refunded"), "refund_total = 0 OR state IN ('paid', 'refunded')"
        )
        batch_op.create_index(op.f("ix_payment_gateway_intent_id"), ["gateway", "intent_id"])
        batch_op.create_index(
            "ix_payment_in_doubt", ["asked_at"], postgresql_where=IN_DOUBT, sqlite_where=IN_DOUBT
        )
    op.create_table(
        "refund",
        sa.Column("id", ID, nullable=False),
        sa.Column("payment_id", ID, nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("number", sa.String(length=255), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("asked_at", MOMENT, nullable=True),
        sa.Column("settled_at", MOMENT, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('asked', 'pending', 'done', 'failed')", name=op.f("ck_refund_state_known")),
        sa.CheckConstraint("reason IN ('late', 'return', 'staff', 'gateway')", name=op.f("ck_refund_reason_known")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_refund_amount_positive")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_refund_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund")),
        sa.UniqueConstraint("key", name=op.f("uq_refund_key")),
        sa.UniqueConstraint("number", name=op.f("uq_refund_number")),
    )
    op.create_index(op.f("ix_refund_payment_id"), "refund", ["payment_id"])
    op.create_index(
        "ix_refund_on_its_way", "refund", ["asked_at"], postgresql_where=ON_ITS_WAY, sqlite_where=ON_ITS_WAY
    )
    op.create_table(
        "payment_event",
        sa.Column("id", ID, nullable=False),
        sa.Column("gateway", sa.String(length=16), nullable=False),
        sa.Column("event_id", sa.String(length=255), nullable=False),
        sa.Column("type", sa.String(length=80), nullable=False),
        sa.Column("object_id", sa.String(length=255), nullable=False),
        sa.Column("payload", JSON, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("processed_at", MOMENT, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_event")),
        sa.UniqueConstraint("gateway", "event_id", name=op.f("uq_payment_event_gateway_event_id")),
    )
    op.create_index(op.f("ix_payment_event_received_at"), "payment_event", ["received_at"])
    op.create_index(
        "ix_payment_event_waiting", "payment_event", ["received_at"], postgresql_where=WAITING, sqlite_where=WAITING
    )
    with op.batch_alter_table("sandbox_charge") as batch_op:
        batch_op.add_column(sa.Column("refunded", sa.BigInteger(), server_default="0", nullable=False))
        batch_op.drop_constraint(op.f("ck_sandbox_charge_state_known"), type_="check")
        batch_op.create_check_constraint(op.f("ck_sandbox_charge_state_known"), MORE_CHARGE_STATES)
    op.execute("UPDATE sandbox_charge SET refunded = amount WHERE state = 'refunded'")
    with op.batch_alter_table("sandbox_charge") as batch_op:
        batch_op.create_check_constraint(op.f("ck_sandbox_charge_refunded_in_range"), "refunded BETWEEN 0 AND amount")
    op.create_table(
        "sandbox_refund",
        sa.Column("id", ID, nullable=False),
        sa.Column("charge_id", ID, nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_sandbox_refund_amount_positive")),
        sa.ForeignKeyConstraint(["charge_id"], ["sandbox_charge.id"], name=op.f("fk_sandbox_refund_charge_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sandbox_refund")),
        sa.UniqueConstraint("key", name=op.f("uq_sandbox_refund_key")),
    )
    op.create_index(op.f("ix_sandbox_refund_charge_id"), "sandbox_refund", ["charge_id"])


def downgrade() -> None:
    op.drop_table("sandbox_refund")
    op.execute("UPDATE sandbox_charge SET state = 'declined' WHERE state = 'expired'")
    with op.batch_alter_table("sandbox_charge") as batch_op:
        batch_op.drop_constraint(op.f("ck_sandbox_charge_refunded_in_range"), type_="check")
        batch_op.drop_constraint(op.f("ck_sandbox_charge_state_known"), type_="check")
        batch_op.create_check_constraint(op.f("ck_sandbox_charge_state_known"), CHARGE_STATES)
        batch_op.drop_column("refunded")
    op.drop_table("payment_event")
    op.drop_table("refund")
    with op.batch_alter_table("payment") as batch_op:
        batch_op.drop_index("ix_payment_in_doubt")
        batch_op.drop_index(op.f("ix_payment_gateway_intent_id"))
        batch_op.drop_constraint(op.f("ck_payment_only_paid_is_refunded"), type_="check")
        batch_op.drop_constraint(op.f("ck_payment_refund_total_in_range"), type_="check")
        batch_op.drop_constraint(op.f("uq_payment_gateway_session_id"), type_="unique")
    with op.batch_alter_table("payment") as batch_op:
        for column in ("final_at", "asked_at", "expires_at", "refund_total", "intent_id", "session_id"):
            batch_op.drop_column(column)
