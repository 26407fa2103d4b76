"""Check-in has make-up cards."""

import sqlalchemy as sa
from alembic import op

revision = "0004checkin"
down_revision = "0003growth"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
