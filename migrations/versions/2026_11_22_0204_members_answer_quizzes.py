"""Members answer quizzes."""

import sqlalchemy as sa
from alembic import op

revision = "0011earnpoints"
down_revision = "0010payments"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
