"""Purchases earn growth; those that are on record already earned none."""

import sqlalchemy as sa
from alembic import op

revision = "0003growth"
down_revision = "0002books"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("purchase") as batch_op:
        batch_op.add_column(sa.Column("growth", sa.BigInteger(), nullable=False, server_default="0"))
    with op.batch_alter_table("purchase") as batch_op:
        batch_op.alter_column("growth", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("purchase") as batch_op:
        batch_op.drop_column("growth")
