"""Members answer quizzes and share what they like; birthdays and anniversaries are found by their day."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011earnpoints"
down_revision = "0010payments"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "quiz",
        sa.Column("id", ID, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("title", JSON, nullable=False),
        sa.Column("intro", JSON, nullable=False),
        sa.Column("opens_at", MOMENT, nullable=False),
        sa.Column("closes_at", MOMENT, nullable=True),
        sa.Column("needed", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("published_at", MOMENT, nullable=True),
        sa.CheckConstraint("closes_at > opens_at", name=op.f("ck_quiz_closes_after_opening")),
        sa.CheckConstraint("needed >= 0", name=op.f("ck_quiz_needed_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quiz")),
        sa.UniqueConstraint("code", name=op.f("uq_quiz_code")),
    )
    op.create_table(
        "quiz_question",
        sa.Column("id", ID, nullable=False),
        sa.Column("quiz_id", ID, nullable=False),
        sa.Column("text", JSON, nullable=False),
        sa.Column("choices", JSON, nullable=False),
        sa.Column("right", sa.Integer(), nullable=False),
        sa.Column("explanation", JSON, nullable=False),
        sa.CheckConstraint('"right" >= 0', name=op.f("ck_quiz_question_right_not_negative")),
        sa.ForeignKeyConstraint(["quiz_id"], ["quiz.id"], name=op.f("fk_quiz_question_quiz_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quiz_question")),
    )
    op.create_index(op.f("ix_quiz_question_quiz_id"), "quiz_question", ["quiz_id"])
    op.create_table(
        "quiz_attempt",
        sa.Column("id", ID, nullable=False),
        sa.Column("quiz_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.CheckConstraint("score >= 0", name=op.f("ck_quiz_attempt_score_not_negative")),
        sa.CheckConstraint("points >= 0", name=op.f("ck_quiz_attempt_points_not_negative")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_quiz_attempt_member_id")),
        sa.ForeignKeyConstraint(["quiz_id"], ["quiz.id"], name=op.f("fk_quiz_attempt_quiz_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quiz_attempt")),
        sa.UniqueConstraint("member_id", "quiz_id", name=op.f("uq_quiz_attempt_member_id_quiz_id")),
    )
    op.create_index(op.f("ix_quiz_attempt_quiz_id"), "quiz_attempt", ["quiz_id"])
    op.create_table(
        "quiz_answer",
        sa.Column("attempt_id", ID, autoincrement=False, nullable=False),
        sa.Column("question_id", ID, autoincrement=False, nullable=False),
        sa.Column("choice", sa.Integer(), nullable=False),
        sa.CheckConstraint("choice >= 0", name=op.f("ck_quiz_answer_choice_not_negative")),
        sa.ForeignKeyConstraint(["attempt_id"], ["quiz_attempt.id"], name=op.f("fk_quiz_answer_attempt_id")),
        sa.ForeignKeyConstraint(["question_id"], ["quiz_question.id"], name=op.f("fk_quiz_answer_question_id")),
        sa.PrimaryKeyConstraint("attempt_id", "question_id", name=op.f("pk_quiz_answer")),
    )
    op.create_index(op.f("ix_quiz_answer_question_id"), "quiz_answer", ["question_id"])
    op.create_table(
        "share_visit",
        sa.Column("id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("thing", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_share_visit_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_share_visit")),
        sa.UniqueConstraint("member_id", "day", "device", name=op.f("uq_share_visit_member_id_day_device")),
    )
    with op.batch_alter_table("member") as batch_op:
        batch_op.add_column(sa.Column("birthday", sa.Integer(), nullable=True))
    # Month and day as one number, 1231 for 31 December; what is kept already gets it here, because it follows from it.
    month, day = sa.extract("month", sa.column("birth_date", sa.Date)), sa.extract("day", sa.column("birth_date", sa.Date))
    member = sa.table("member", sa.column("birthday", sa.Integer), sa.column("birth_date", sa.Date))
    op.execute(
        sa.update(member)
        .where(member.c.birth_date.is_not(None))
        .values(birthday=sa.cast(month * 100 + day, sa.Integer))
    )
    op.create_index(op.f("ix_member_birthday_id"), "member", ["birthday", "id"])
    op.create_index(op.f("ix_member_claimed_at"), "member", ["claimed_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_member_claimed_at"), "member")
    op.drop_index(op.f("ix_member_birthday_id"), "member")
    with op.batch_alter_table("member") as batch_op:
        batch_op.drop_column("birthday")
    op.drop_table("share_visit")
    op.drop_table("quiz_answer")
    op.drop_table("quiz_attempt")
    op.drop_table("quiz_question")
    op.drop_table("quiz")
