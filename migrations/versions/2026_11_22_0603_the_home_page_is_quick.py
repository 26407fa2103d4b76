"""What the home page needs to be quick."""

revision = "0021home"
down_revision = "0020sheets"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
