"""The catalogue grows."""

import sqlalchemy as sa
from alembic import op

revision = "0009catalog"
down_revision = "0008benefits"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
