"""Members have benefits."""

import sqlalchemy as sa
from alembic import op

revision = "0008benefits"
down_revision = "0007programme"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
