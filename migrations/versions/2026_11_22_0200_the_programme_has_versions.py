"""The programme has versions."""

import sqlalchemy as sa
from alembic import op

revision = "0007programme"
down_revision = "0006tiers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
