"""The books are chained, and sealed every day."""

import secrets
from datetime import UTC

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.loyalty.ledger.chain import GENESIS, next_digest

revision = "0002books"
down_revision = "0001house"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
HASH = sa.LargeBinary(length=32)
MOMENT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
STANDS_IN = sa.text("origin_id IS NOT NULL")
SLIDES = sa.text("idle_months IS NOT NULL")


def upgrade() -> None:
    with op.batch_alter_table("wallet") as batch_op:
        batch_op.add_column(sa.Column("sliding", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("secret", HASH, nullable=True))
        batch_op.add_column(sa.Column("head", HASH, nullable=True))
        batch_op.add_column(sa.Column("frozen_reason", sa.String(length=200), nullable=True))
    with op.batch_alter_table("transfer") as batch_op:
        batch_op.add_column(sa.Column("digest", HASH, nullable=True))
    _chain_what_is_there()
    with op.batch_alter_table("wallet") as batch_op:
        batch_op.alter_column("sliding", server_default=None)
        batch_op.alter_column("secret", nullable=False)
        batch_op.alter_column("head", nullable=False)
    with op.batch_alter_table("transfer") as batch_op:
        batch_op.alter_column("digest", nullable=False)
    for column in ("pending_id", "reverses_id"):
        where = sa.text(f"{column} IS NOT NULL")
        op.drop_index(f"ix_transfer_{column}", "transfer")
        op.create_index(f"ix_transfer_{column}", "transfer", [column], postgresql_where=where, sqlite_where=where)
    with op.batch_alter_table("lot") as batch_op:
        batch_op.add_column(sa.Column("idle_months", sa.Integer(), nullable=True))
        batch_op.drop_constraint("uq_lot_transfer_id_origin_id", type_="unique")
    op.create_index(
        "uq_lot_transfer_id_origin_id",
        "lot",
        ["transfer_id", "origin_id"],
        unique=True,
        postgresql_where=STANDS_IN,
        sqlite_where=STANDS_IN,
    )
    op.create_index("ix_lot_sliding", "lot", ["wallet_id"], postgresql_where=SLIDES, sqlite_where=SLIDES)
    with op.batch_alter_table("pending_transfer") as batch_op:
        batch_op.add_column(sa.Column("idle_months", sa.Integer(), nullable=True))
    if op.get_bind().dialect.name == "postgresql":
        for table in ("wallet", "lot"):
            op.execute(f"ALTER TABLE {table} SET (fillfactor = 80)")
    op.create_table(
        "ledger_check",
        sa.Column("id", ID, nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=False),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.Column("counts", JSON, nullable=False),
        sa.Column("findings", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_check")),
    )
    op.create_index("ix_ledger_check_started_at", "ledger_check", ["started_at"])
    op.create_table(
        "ledger_checkpoint",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("closed_at", MOMENT, nullable=False),
        sa.Column("first_id", ID, nullable=False),
        sa.Column("last_id", ID, nullable=False),
        sa.Column("transfers", sa.BigInteger(), nullable=False),
        sa.Column("root", HASH, nullable=False),
        sa.Column("previous", HASH, nullable=False),
        sa.Column("hash", HASH, nullable=False),
        sa.CheckConstraint("last_id >= first_id", name=op.f("ck_ledger_checkpoint_range_forward")),
        sa.CheckConstraint("transfers > 0", name=op.f("ck_ledger_checkpoint_transfers_positive")),
        sa.ForeignKeyConstraint(["first_id"], ["transfer.id"], name=op.f("fk_ledger_checkpoint_first_id_transfer")),
        sa.ForeignKeyConstraint(["last_id"], ["transfer.id"], name=op.f("fk_ledger_checkpoint_last_id_transfer")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_ledger_checkpoint")),
        sa.UniqueConstraint("hash", name=op.f("uq_ledger_checkpoint_hash")),
        sa.UniqueConstraint("last_id", name=op.f("uq_ledger_checkpoint_last_id")),
    )
    op.create_table(
        "ledger_tile",
        sa.Column("checkpoint_number", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["checkpoint_number"],
            ["ledger_checkpoint.number"],
            name=op.f("fk_ledger_tile_checkpoint_number_ledger_checkpoint"),
        ),
        sa.PrimaryKeyConstraint("checkpoint_number", "level", "position", name=op.f("pk_ledger_tile")),
    )


def _chain_what_is_there() -> None:
    """Give wallets their secrets and chain the transfers that were booked before there were chains."""
    bind = op.get_bind()
    known = sa.MetaData()
    wallet = sa.Table("wallet", known, autoload_with=bind)
    transfer = sa.Table("transfer", known, autoload_with=bind)
    for name in ("deadline", "occurred_at", "recorded_at"):
        transfer.c[name].type = _Moment()
    transfer.c.explanation.type = JSON
    for wallet_id in bind.scalars(sa.select(wallet.c.id)).all():
        secret, head = secrets.token_bytes(32), GENESIS
        rows = bind.execute(transfer.select().where(transfer.c.wallet_id == wallet_id).order_by(transfer.c.sequence))
        for row in rows.mappings().all():
            head = next_digest(head, secret, row)
            bind.execute(transfer.update().where(transfer.c.id == row["id"]).values(digest=head))
        bind.execute(wallet.update().where(wallet.c.id == wallet_id).values(secret=secret, head=head))


class _Moment(sa.TypeDecorator[object]):
    """SQLite's moments are UTC without saying so."""

    impl = MOMENT
    cache_ok = True

    def process_result_value(self, value, dialect):  # type: ignore[no-untyped-def]
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


def downgrade() -> None:
    op.drop_table("ledger_tile")
    op.drop_table("ledger_checkpoint")
    op.drop_index("ix_ledger_check_started_at", "ledger_check")
    op.drop_table("ledger_check")
    with op.batch_alter_table("pending_transfer") as batch_op:
        batch_op.drop_column("idle_months")
    if op.get_bind().dialect.name == "postgresql":
        for table in ("wallet", "lot"):
            op.execute(f"ALTER TABLE {table} RESET (fillfactor)")
    op.drop_index("ix_lot_sliding", "lot")
    op.drop_index("uq_lot_transfer_id_origin_id", "lot")
    with op.batch_alter_table("lot") as batch_op:
        batch_op.drop_column("idle_months")
        batch_op.create_unique_constraint("uq_lot_transfer_id_origin_id", ["transfer_id", "origin_id"])
    for column in ("pending_id", "reverses_id"):
        op.drop_index(f"ix_transfer_{column}", "transfer")
        op.create_index(f"ix_transfer_{column}", "transfer", [column])
    with op.batch_alter_table("transfer") as batch_op:
        batch_op.drop_column("digest")
    with op.batch_alter_table("wallet") as batch_op:
        for name in ("frozen_reason", "head", "secret", "sliding"):
            batch_op.drop_column(name)
