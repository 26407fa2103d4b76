"""Stripe reports events."""

import sqlalchemy as sa
from alembic import op

revision = "0010payments"
down_revision = "0009catalog"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
