"""Orders of whoever has priority delivery are packed and sent first."""

import sqlalchemy as sa
from alembic import op

revision = "0017priority"
down_revision = "0016returns"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("order") as batch_op:
        batch_op.add_column(sa.Column("priority", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("order") as batch_op:
        batch_op.alter_column("priority", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("order") as batch_op:
        batch_op.drop_column("priority")
