"""The catalogue grows: brands, windows, tiers and limits; words to search by, wishes, and money as a way to pay."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009catalog"
down_revision = "0008benefits"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)
WORD = sa.String(length=40).with_variant(sa.String(length=40, collation="C"), "postgresql")

PERIODS = "limit_period IN ('day', 'week', 'month', 'year', 'ever')"


def upgrade() -> None:
    op.create_table(
        "brand",
        sa.Column("id", ID, nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_brand")),
        sa.UniqueConstraint("code", name=op.f("uq_brand_code")),
    )
    with op.batch_alter_table("product") as batch_op:
        batch_op.add_column(sa.Column("brand_id", ID, nullable=True))
        batch_op.add_column(sa.Column("listed_at", MOMENT, nullable=True))
        batch_op.add_column(sa.Column("on_sale_from", MOMENT, nullable=True))
        batch_op.add_column(sa.Column("on_sale_until", MOMENT, nullable=True))
        batch_op.add_column(sa.Column("tier_id", ID, nullable=True))
        batch_op.add_column(sa.Column("limit_pieces", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("limit_period", sa.String(length=8), nullable=True))
        batch_op.add_column(sa.Column("points_from", sa.BigInteger(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("price_from", sa.BigInteger(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("popularity", sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE product SET listed_at = created_at WHERE status = 'listed'")
    op.execute("UPDATE product SET price_from = list_price")
    op.execute(
        "UPDATE product SET points_from = "
        "coalesce((SELECT min(points) FROM price WHERE price.product_id = product.id), 0)"
    )
    with op.batch_alter_table("product") as batch_op:
        batch_op.alter_column("points_from", server_default=None)
        batch_op.alter_column("price_from", server_default=None)
        batch_op.alter_column("popularity", server_default=None)
        batch_op.create_foreign_key(batch_op.f("fk_product_brand_id"), "brand", ["brand_id"], ["id"])
        batch_op.create_foreign_key(batch_op.f("fk_product_tier_id"), "tier", ["tier_id"], ["id"])
        batch_op.create_check_constraint(
            batch_op.f("ck_product_listed_since"), "status <> 'listed' OR listed_at IS NOT NULL"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_product_sale_begins_before_it_ends"), "on_sale_from < on_sale_until"
        )
        batch_op.create_check_constraint(batch_op.f("ck_product_limit_positive"), "limit_pieces > 0")
        batch_op.create_check_constraint(
            batch_op.f("ck_product_limit_has_a_period"), "(limit_pieces IS NULL) = (limit_period IS NULL)"
        )
        batch_op.create_check_constraint(batch_op.f("ck_product_limit_period_known"), PERIODS)
        batch_op.drop_index("ix_product_status_id")
        batch_op.drop_index("ix_product_category_id")
        batch_op.create_index(batch_op.f("ix_product_brand_id"), ["brand_id"])
        batch_op.create_index(batch_op.f("ix_product_status_listed_at_id"), ["status", "listed_at", "id"])
        batch_op.create_index(batch_op.f("ix_product_status_popularity_id"), ["status", "popularity", "id"])
        batch_op.create_index(batch_op.f("ix_product_status_points_from_id"), ["status", "points_from", "id"])
        batch_op.create_index(batch_op.f("ix_product_status_price_from_id"), ["status", "price_from", "id"])
        batch_op.create_index(
            batch_op.f("ix_product_category_id_status_listed_at_id"), ["category_id", "status", "listed_at", "id"]
        )
    with op.batch_alter_table("price") as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_price_points_positive"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_price_points_not_negative"), "points >= 0")
        batch_op.create_check_constraint(batch_op.f("ck_price_something_to_pay"), "points + cash > 0")
    with op.batch_alter_table("stock_movement") as batch_op:
        batch_op.add_column(sa.Column("member_id", ID, nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_stock_movement_member_id"), "member", ["member_id"], ["id"])
        batch_op.create_index(batch_op.f("ix_stock_movement_member_id_variant_id"), ["member_id", "variant_id"])
        batch_op.create_index(batch_op.f("ix_stock_movement_reason_at"), ["reason", "at"])
        batch_op.create_index(batch_op.f("ix_stock_movement_reference"), ["reference"])
    op.execute(
        'UPDATE stock_movement SET member_id = (SELECT o.member_id FROM "order" o '
        "WHERE o.number = stock_movement.reference) WHERE reason = 'order'"
    )
    op.create_table(
        "product_word",
        sa.Column("product_id", ID, nullable=False),
        sa.Column("word", WORD, nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_product_word_product_id")),
        sa.PrimaryKeyConstraint("product_id", "word", name=op.f("pk_product_word")),
    )
    op.create_index(op.f("ix_product_word_word_product_id"), "product_word", ["word", "product_id"])
    op.create_table(
        "wish",
        sa.Column("member_id", ID, nullable=False),
        sa.Column("product_id", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_wish_member_id")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_wish_product_id")),
        sa.PrimaryKeyConstraint("member_id", "product_id", name=op.f("pk_wish")),
    )
    op.create_index(op.f("ix_wish_member_id_at_product_id"), "wish", ["member_id", "at", "product_id"])
    op.create_index(op.f("ix_wish_product_id"), "wish", ["product_id"])
    op.create_table(
        "recently_seen",
        sa.Column("member_id", ID, nullable=False),
        sa.Column("product_id", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_recently_seen_member_id")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_recently_seen_product_id")),
        sa.PrimaryKeyConstraint("member_id", "product_id", name=op.f("pk_recently_seen")),
    )
    op.create_index(op.f("ix_recently_seen_member_id_at"), "recently_seen", ["member_id", "at"])
    op.create_index(op.f("ix_recently_seen_product_id"), "recently_seen", ["product_id"])


def downgrade() -> None:
    op.drop_table("recently_seen")
    op.drop_table("wish")
    op.drop_table("product_word")
    with op.batch_alter_table("stock_movement") as batch_op:
        batch_op.drop_index(batch_op.f("ix_stock_movement_reference"))
        batch_op.drop_index(batch_op.f("ix_stock_movement_reason_at"))
        batch_op.drop_index(batch_op.f("ix_stock_movement_member_id_variant_id"))
        batch_op.drop_constraint(batch_op.f("fk_stock_movement_member_id"), type_="foreignkey")
        batch_op.drop_column("member_id")
    op.execute("DELETE FROM price WHERE points = 0")  # What came before knows no way to pay without points.
    with op.batch_alter_table("price") as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_price_something_to_pay"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_price_points_not_negative"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_price_points_positive"), "points > 0")
    with op.batch_alter_table("product") as batch_op:
        batch_op.drop_index(batch_op.f("ix_product_category_id_status_listed_at_id"))
        batch_op.drop_index(batch_op.f("ix_product_status_price_from_id"))
        batch_op.drop_index(batch_op.f("ix_product_status_points_from_id"))
        batch_op.drop_index(batch_op.f("ix_product_status_popularity_id"))
        batch_op.drop_index(batch_op.f("ix_product_status_listed_at_id"))
        batch_op.drop_index(batch_op.f("ix_product_brand_id"))
        batch_op.create_index(batch_op.f("ix_product_category_id"), ["category_id"])
        batch_op.create_index("ix_product_status_id", ["status", "id"])
        for name in (
            "limit_period_known",
            "limit_has_a_period",
            "limit_positive",
            "sale_begins_before_it_ends",
            "listed_since",
        ):
            batch_op.drop_constraint(batch_op.f(f"ck_product_{name}"), type_="check")
        batch_op.drop_constraint(batch_op.f("fk_product_tier_id"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_product_brand_id"), type_="foreignkey")
        for column in (
            "popularity",
            "price_from",
            "points_from",
            "limit_period",
            "limit_pieces",
            "tier_id",
            "on_sale_until",
            "on_sale_from",
            "listed_at",
            "brand_id",
        ):
            batch_op.drop_column(column)
    op.drop_table("brand")
