"""What the home page needs to be quick."""

import sqlalchemy as sa
from alembic import op

revision = "0021home"
down_revision = "0020sheets"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_price_points_alone",
        "price",
        ["points", "product_id"],
        postgresql_where=sa.text("cash = 0"),
        sqlite_where=sa.text("cash = 0"),
    )


def downgrade() -> None:
    op.drop_index("ix_price_points_alone", "price")
