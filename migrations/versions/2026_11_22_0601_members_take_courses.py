"""Courses, their lessons, and how far members have come."""

revision = "0019courses"
down_revision = "0018fulfilment"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
