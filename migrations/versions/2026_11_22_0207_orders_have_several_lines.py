"""Orders have several lines, a delivery and points instead of money; members have carts."""

import sqlalchemy as sa
from alembic import op

revision = "0014checkout"
down_revision = "0013earning"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AMOUNTS = ("ordinary", "coupon", "offset", "offset_points", "delivery_fee")
PARTS = ("ordinary_each", "coupon", "offset", "offset_points")


def upgrade() -> None:
    with op.batch_alter_table("order") as batch_op:
        for name in AMOUNTS:
            batch_op.add_column(sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("delivery", sa.String(12), nullable=False, server_default=""))
    op.execute('UPDATE "order" SET ordinary = cash')
    with op.batch_alter_table("order") as batch_op:
        for name in (*AMOUNTS, "delivery"):
            batch_op.alter_column(name, server_default=None)
        batch_op.create_check_constraint("ck_order_offset_points_within_points", "offset_points BETWEEN 0 AND points")
        batch_op.create_check_constraint(
            "ck_order_steps_not_negative", 'coupon >= 0 AND "offset" >= 0 AND delivery_fee >= 0'
        )
    with op.batch_alter_table("order_line") as batch_op:
        for name in PARTS:
            batch_op.add_column(sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    op.execute("UPDATE order_line SET ordinary_each = cash_each")
    with op.batch_alter_table("order_line") as batch_op:
        for name in PARTS:
            batch_op.alter_column(name, server_default=None)
        batch_op.create_check_constraint("ck_order_line_paid_not_negative", 'cash_each * quantity >= coupon + "offset"')
    op.create_table(
        "cart_line",
        sa.Column("member_id", ID, nullable=False),
        sa.Column("variant_id", ID, nullable=False),
        sa.Column("price_id", ID, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("member_id", "variant_id", "price_id", name="pk_cart_line"),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name="fk_cart_line_member_id"),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name="fk_cart_line_variant_id"),
        sa.CheckConstraint("quantity > 0", name="ck_cart_line_quantity_positive"),
    )


def downgrade() -> None:
    op.drop_table("cart_line")
    with op.batch_alter_table("order_line") as batch_op:
        batch_op.drop_constraint("ck_order_line_paid_not_negative", type_="check")
        for name in reversed(PARTS):
            batch_op.drop_column(name)
    with op.batch_alter_table("order") as batch_op:
        batch_op.drop_constraint("ck_order_steps_not_negative", type_="check")
        batch_op.drop_constraint("ck_order_offset_points_within_points", type_="check")
        batch_op.drop_column("delivery")
        for name in reversed(AMOUNTS):
            batch_op.drop_column(name)
