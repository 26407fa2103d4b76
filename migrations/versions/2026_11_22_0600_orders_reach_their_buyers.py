"""Parcels, code pools, booked times: how what was ordered reaches its buyer."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018fulfilment"
down_revision = "0017priority"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)
FREE = sa.text("order_line_id IS NULL AND withdrawn_at IS NULL")

KINDS = "kind IN ('physical', 'code', 'service', 'course', 'coupon', 'draw')"
KINDS_BEFORE = "kind IN ('physical', 'code', 'service')"
STATES_BEFORE = (
    "state IN ('placed', 'paid', 'packed', 'shipped', 'delivered', 'completed', 'cancelled', 'closed')"
)
STATES = STATES_BEFORE.replace("'packed', ", "'packed', 'part_shipped', ")
CASES_NAMED_BEFORE = "ck_return_case_ck_return_case_kind_known"  # Named twice by mistake.
CASES_BEFORE = "kind IN ('return', 'exchange', 'warranty')"
CASES = "kind IN ('return', 'exchange', 'warranty', 'cancellation')"


def upgrade() -> None:
    _kinds_of_products()
    _orders()
    _parcels()
    _codes()
    _slots()
    with op.batch_alter_table("return_case") as batch_op:
        batch_op.drop_constraint(op.f(CASES_NAMED_BEFORE), type_="check")
        batch_op.alter_column("kind", existing_type=sa.String(10), type_=sa.String(12), existing_nullable=False)
        batch_op.create_check_constraint(op.f("ck_return_case_kind_known"), CASES)
    with op.batch_alter_table("return_piece") as batch_op:
        batch_op.add_column(sa.Column("codes", JSON, nullable=False, server_default="[]"))
    with op.batch_alter_table("return_piece") as batch_op:
        batch_op.alter_column("codes", server_default=None)


def _kinds_of_products() -> None:
    with op.batch_alter_table("product") as batch_op:
        batch_op.add_column(sa.Column("grants", sa.String(60), nullable=False, server_default=""))
    with op.batch_alter_table("product") as batch_op:
        batch_op.alter_column("grants", server_default=None)
        batch_op.drop_constraint(op.f("ck_product_kind_known"), type_="check")
        batch_op.create_check_constraint(op.f("ck_product_kind_known"), KINDS)
        batch_op.create_check_constraint(
            op.f("ck_product_grants_something"), "(kind IN ('course', 'coupon', 'draw')) = (grants <> '')"
        )


def _orders() -> None:
    with op.batch_alter_table("order_line") as batch_op:
        for name in ("fulfilled", "cancelled"):
            batch_op.add_column(sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("grants", sa.String(60), nullable=False, server_default=""))
    op.execute(
        "UPDATE order_line SET fulfilled = quantity WHERE order_id IN "
        "(SELECT id FROM \"order\" WHERE state IN ('shipped', 'delivered', 'completed'))"
    )
    with op.batch_alter_table("order_line") as batch_op:
        for name in ("fulfilled", "cancelled", "grants"):
            batch_op.alter_column(name, server_default=None)
        batch_op.create_check_constraint(
            op.f("ck_order_line_fulfilled_within_quantity"),
            "fulfilled >= 0 AND cancelled >= 0 AND fulfilled + cancelled <= quantity",
        )
        batch_op.create_check_constraint(op.f("ck_order_line_cancelled_is_returned"), "cancelled <= returned")
    with op.batch_alter_table("order") as batch_op:
        batch_op.drop_constraint(op.f("ck_order_state_known"), type_="check")
        batch_op.create_check_constraint(op.f("ck_order_state_known"), STATES)


def _parcels() -> None:
    op.create_table(
        "shipment",
        sa.Column("id", ID, nullable=False),
        sa.Column("order_id", ID, nullable=False),
        sa.Column("carrier", sa.String(60), nullable=False),
        sa.Column("tracking_number", sa.String(60), nullable=False),
        sa.Column("shipped_at", MOMENT, nullable=False),
        sa.Column("by", sa.String(120), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_shipment"),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name="fk_shipment_order_id"),
        sa.UniqueConstraint("order_id", "tracking_number", name="uq_shipment_order_id_tracking_number"),
    )
    op.create_table(
        "shipment_piece",
        sa.Column("shipment_id", ID, nullable=False),
        sa.Column("order_line_id", ID, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("shipment_id", "order_line_id", name="pk_shipment_piece"),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipment.id"], name="fk_shipment_piece_shipment_id"),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name="fk_shipment_piece_order_line_id"),
        sa.CheckConstraint("quantity > 0", name="ck_shipment_piece_quantity_positive"),
    )
    op.create_index("ix_shipment_piece_order_line_id", "shipment_piece", ["order_line_id"])
    # Until now an order was one parcel, written on the order itself.
    op.execute(
        'INSERT INTO shipment (order_id, carrier, tracking_number, shipped_at, "by") '
        'SELECT o.id, o.carrier, coalesce(o.tracking_number, \'\'), s.at, s."by" FROM "order" o '
        "JOIN order_step s ON s.order_id = o.id AND s.state = 'shipped' WHERE o.carrier IS NOT NULL ORDER BY o.id"
    )
    op.execute(
        "INSERT INTO shipment_piece (shipment_id, order_line_id, quantity) SELECT s.id, l.id, l.quantity "
        "FROM shipment s JOIN order_line l ON l.order_id = s.order_id AND l.kind = 'physical'"
    )
    with op.batch_alter_table("order") as batch_op:
        batch_op.drop_column("carrier")
        batch_op.drop_column("tracking_number")


def _codes() -> None:
    op.create_table(
        "pool_code",
        sa.Column("id", ID, nullable=False),
        sa.Column("variant_id", ID, nullable=False),
        sa.Column("code", sa.String(80), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("batch", sa.String(80), nullable=False),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.Column("added_by", sa.String(120), nullable=False),
        sa.Column("order_line_id", ID, nullable=True),
        sa.Column("member_id", ID, nullable=True),
        sa.Column("handed_at", MOMENT, nullable=True),
        sa.Column("shown_at", MOMENT, nullable=True),
        sa.Column("withdrawn_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_pool_code"),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name="fk_pool_code_variant_id"),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name="fk_pool_code_order_line_id"),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name="fk_pool_code_member_id"),
        sa.UniqueConstraint("variant_id", "code", name="uq_pool_code_variant_id_code"),
        sa.CheckConstraint(
            "(order_line_id IS NULL) = (member_id IS NULL) AND (order_line_id IS NULL) = (handed_at IS NULL)",
            name="ck_pool_code_owned_wholly",
        ),
        sa.CheckConstraint("shown_at IS NULL OR handed_at IS NOT NULL", name="ck_pool_code_shown_to_its_owner"),
    )
    op.create_index("ix_pool_code_order_line_id", "pool_code", ["order_line_id"])
    op.create_index("ix_pool_code_member_id_handed_at_id", "pool_code", ["member_id", "handed_at", "id"])
    op.create_index(
        "ix_pool_code_free",
        "pool_code",
        ["variant_id", "last_day", "id"],
        postgresql_where=FREE,
        sqlite_where=FREE,
    )


def _slots() -> None:
    op.create_table(
        "service_slot",
        sa.Column("id", ID, nullable=False),
        sa.Column("variant_id", ID, nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("place", sa.String(120), nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_service_slot"),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name="fk_service_slot_variant_id"),
        sa.UniqueConstraint("variant_id", "starts_at", "place", name="uq_service_slot_variant_id_starts_at_place"),
        sa.CheckConstraint("starts_at < ends_at", name="ck_service_slot_begins_before_it_ends"),
        sa.CheckConstraint("places > 0", name="ck_service_slot_places_positive"),
        sa.CheckConstraint("taken BETWEEN 0 AND places", name="ck_service_slot_taken_within_places"),
    )
    op.create_index("ix_service_slot_closed_starts_at", "service_slot", ["closed", "starts_at"])
    op.create_table(
        "booking",
        sa.Column("id", ID, nullable=False),
        sa.Column("slot_id", ID, nullable=False),
        sa.Column("order_line_id", ID, nullable=False),
        sa.Column("order_number", sa.String(20), nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("booked_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_booking"),
        sa.ForeignKeyConstraint(["slot_id"], ["service_slot.id"], name="fk_booking_slot_id"),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name="fk_booking_order_line_id"),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name="fk_booking_member_id"),
        sa.UniqueConstraint("order_line_id", name="uq_booking_order_line_id"),
        sa.CheckConstraint("state IN ('booked', 'attended', 'missed', 'cancelled')", name="ck_booking_state_known"),
        sa.CheckConstraint(
            "places >= 0 AND (places > 0) = (state <> 'cancelled')", name="ck_booking_places_unless_cancelled"
        ),
    )
    op.create_index("ix_booking_slot_id", "booking", ["slot_id"])
    op.create_index("ix_booking_member_id_id", "booking", ["member_id", "id"])


def downgrade() -> None:
    # What the previous release has no word for goes: it cannot be shown by it.
    op.execute("DELETE FROM return_step WHERE case_id IN (SELECT id FROM return_case WHERE kind = 'cancellation')")
    op.execute("DELETE FROM return_piece WHERE case_id IN (SELECT id FROM return_case WHERE kind = 'cancellation')")
    op.execute("DELETE FROM return_case WHERE kind = 'cancellation'")
    with op.batch_alter_table("return_case") as batch_op:
        batch_op.drop_constraint(op.f("ck_return_case_kind_known"), type_="check")
        batch_op.create_check_constraint(op.f(CASES_NAMED_BEFORE), CASES_BEFORE)
        batch_op.alter_column("kind", existing_type=sa.String(12), type_=sa.String(10), existing_nullable=False)
    op.drop_column("return_piece", "codes")
    op.drop_table("booking")
    op.drop_table("service_slot")
    op.drop_table("pool_code")
    _orders_before()
    op.execute("UPDATE product SET kind = 'code' WHERE grants <> ''")
    with op.batch_alter_table("product") as batch_op:
        batch_op.drop_constraint(op.f("ck_product_grants_something"), type_="check")
        batch_op.drop_constraint(op.f("ck_product_kind_known"), type_="check")
        batch_op.create_check_constraint(op.f("ck_product_kind_known"), KINDS_BEFORE)
        batch_op.drop_column("grants")


def _orders_before() -> None:
    with op.batch_alter_table("order") as batch_op:
        batch_op.add_column(sa.Column("carrier", sa.String(60), nullable=True))
        batch_op.add_column(sa.Column("tracking_number", sa.String(60), nullable=True))
    # The first parcel stands for all of them.
    for name in ("carrier", "tracking_number"):
        op.execute(
            f'UPDATE "order" SET {name} = (SELECT s.{name} FROM shipment s WHERE s.order_id = "order".id '
            "ORDER BY s.id LIMIT 1)"
        )
    op.execute("UPDATE \"order\" SET state = 'packed' WHERE state = 'part_shipped'")
    op.execute("DELETE FROM order_step WHERE state = 'part_shipped'")
    op.drop_table("shipment_piece")
    op.drop_table("shipment")
    with op.batch_alter_table("order") as batch_op:
        batch_op.drop_constraint(op.f("ck_order_state_known"), type_="check")
        batch_op.create_check_constraint(op.f("ck_order_state_known"), STATES_BEFORE)
    with op.batch_alter_table("order_line") as batch_op:
        batch_op.drop_constraint(op.f("ck_order_line_cancelled_is_returned"), type_="check")
        batch_op.drop_constraint(op.f("ck_order_line_fulfilled_within_quantity"), type_="check")
        for name in ("grants", "cancelled", "fulfilled"):
            batch_op.drop_column(name)
