"""Products are imported from sheets."""

revision = "0020sheets"
down_revision = "0019courses"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
