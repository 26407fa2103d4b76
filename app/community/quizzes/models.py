"""Quizzes, their questions, and what members answered."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.database import Amount, Id, JsonList, JsonObject, Model, reference


class Quiz(Model):
    """Texts by language. Open from ``opens_at`` until ``closes_at``, once it is published.

    Points are for who has at least ``needed`` answers right; 0 means all of them. ``revision`` counts changes, so that
    nobody answers questions other than those that they read.
    """

    __tablename__ = "quiz"
    __table_args__ = (
        sa.CheckConstraint("closes_at > opens_at", name="closes_after_opening"),
        sa.CheckConstraint("needed >= 0", name="needed_not_negative"),
    )

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(sa.String(40), unique=True)
    title: Mapped[JsonObject]
    intro: Mapped[JsonObject]
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime | None]
    needed: Mapped[int] = mapped_column(default=0)
    revision: Mapped[int] = mapped_column(default=1)
    published_at: Mapped[datetime | None]


class Question(Model):
    """``choices`` are texts by language, of which the one at ``right`` (counted from 0) is the answer."""

    __tablename__ = "quiz_question"
    __table_args__ = (sa.CheckConstraint('"right" >= 0', name="right_not_negative"),)

    id: Mapped[Id]
    quiz_id: Mapped[int] = reference("quiz.id", index=True)
    text: Mapped[JsonObject]
    choices: Mapped[JsonList]
    right: Mapped[int]
    explanation: Mapped[JsonObject]


class Attempt(Model):
    """A member's one try at a quiz: how many answers were right, and the points it brought."""

    __tablename__ = "quiz_attempt"
    __table_args__ = (
        sa.UniqueConstraint("member_id", "quiz_id"),
        sa.CheckConstraint("score >= 0", name="score_not_negative"),
        sa.CheckConstraint("points >= 0", name="points_not_negative"),
    )

    id: Mapped[Id]
    quiz_id: Mapped[int] = reference("quiz.id", index=True)
    member_id: Mapped[int] = reference("member.id")
    score: Mapped[int] = mapped_column(default=0)
    points: Mapped[Amount] = mapped_column(default=0)
    at: Mapped[datetime]


class Answer(Model):
    """What was chosen, counted from 0."""

    __tablename__ = "quiz_answer"
    __table_args__ = (sa.CheckConstraint("choice >= 0", name="choice_not_negative"),)

    attempt_id: Mapped[int] = reference("quiz_attempt.id", primary_key=True, autoincrement=False)
    question_id: Mapped[int] = reference("quiz_question.id", primary_key=True, autoincrement=False, index=True)
    choice: Mapped[int]
