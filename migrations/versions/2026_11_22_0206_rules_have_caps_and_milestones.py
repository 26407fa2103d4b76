"""Rules have caps and milestones."""

import sqlalchemy as sa
from alembic import op

revision = "0013earning"
down_revision = "0012simulation"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
