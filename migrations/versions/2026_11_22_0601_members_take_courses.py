"""Courses, their lessons, and how far members have come."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019courses"
down_revision = "0018fulfilment"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "course",
        sa.Column("id", ID, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("unit_id", ID, nullable=True),
        sa.Column("title", JSON, nullable=False),
        sa.Column("summary", JSON, nullable=False),
        sa.Column("description", JSON, nullable=False),
        sa.Column("picture", sa.String(length=40), nullable=False),
        sa.Column("open_to_all", sa.Boolean(), nullable=False),
        sa.Column("published_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_course_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course")),
        sa.UniqueConstraint("code", name=op.f("uq_course_code")),
    )
    op.create_index(op.f("ix_course_unit_id"), "course", ["unit_id"])
    op.create_table(
        "course_lesson",
        sa.Column("id", ID, nullable=False),
        sa.Column("course_id", ID, nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("title", JSON, nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_course_lesson_course_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_lesson")),
    )
    op.create_index(op.f("ix_course_lesson_course_id_rank"), "course_lesson", ["course_id", "rank"])
    op.create_table(
        "course_enrolment",
        sa.Column("id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("course_id", ID, nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("given_at", MOMENT, nullable=False),
        sa.Column("opened_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_course_enrolment_course_id")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_course_enrolment_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_enrolment")),
        sa.UniqueConstraint("key", name=op.f("uq_course_enrolment_key")),
    )
    op.create_index(op.f("ix_course_enrolment_course_id"), "course_enrolment", ["course_id"])
    op.create_index(op.f("ix_course_enrolment_member_id_course_id"), "course_enrolment", ["member_id", "course_id"])
    op.create_table(
        "course_progress",
        sa.Column("id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("course_id", ID, nullable=False),
        sa.Column("begun_at", MOMENT, nullable=False),
        sa.Column("completed_at", MOMENT, nullable=True),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("points >= 0", name=op.f("ck_course_progress_points_not_negative")),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_course_progress_course_id")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_course_progress_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_progress")),
        sa.UniqueConstraint("member_id", "course_id", name=op.f("uq_course_progress_member_id_course_id")),
    )
    op.create_index(op.f("ix_course_progress_course_id"), "course_progress", ["course_id"])
    op.create_table(
        "course_lesson_read",
        sa.Column("member_id", ID, autoincrement=False, nullable=False),
        sa.Column("lesson_id", ID, autoincrement=False, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["lesson_id"], ["course_lesson.id"], name=op.f("fk_course_lesson_read_lesson_id")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_course_lesson_read_member_id")),
        sa.PrimaryKeyConstraint("member_id", "lesson_id", name=op.f("pk_course_lesson_read")),
    )
    op.create_index(op.f("ix_course_lesson_read_lesson_id"), "course_lesson_read", ["lesson_id"])


def downgrade() -> None:
    op.drop_table("course_lesson_read")
    op.drop_table("course_progress")
    op.drop_table("course_enrolment")
    op.drop_table("course_lesson")
    op.drop_table("course")
