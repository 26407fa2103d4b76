"""Drafts are simulated."""

import sqlalchemy as sa
from alembic import op

revision = "0012simulation"
down_revision = "0011earnpoints"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
