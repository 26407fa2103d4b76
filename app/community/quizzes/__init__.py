"""Quizzes 问答: a few questions, one try, points for who knows enough."""
