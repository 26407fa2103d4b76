"""Tiers are reviewed every month."""

import sqlalchemy as sa
from alembic import op

revision = "0006tiers"
down_revision = "0005referral"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
