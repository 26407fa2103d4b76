"""Purchases earn growth."""

import sqlalchemy as sa
from alembic import op

revision = "0003growth"
down_revision = "0002books"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
