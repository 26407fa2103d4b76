"""Members invite friends."""

import sqlalchemy as sa
from alembic import op

revision = "0005referral"
down_revision = "0004checkin"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
