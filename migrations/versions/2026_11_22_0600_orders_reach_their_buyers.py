"""Parcels, code pools, booked times: how what was ordered reaches its buyer."""

revision = "0018fulfilment"
down_revision = "0017priority"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
