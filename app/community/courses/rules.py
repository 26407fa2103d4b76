"""What comes next in a course. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

# Pictures to choose from, by their names in static/img/emoji.
PICTURES = (
    "graduation-cap",
    "books",
    "teapot",
    "coffee",
    "bread",
    "cake",
    "salad",
    "wine",
    "potted-plant",
    "yoga",
    "skincare",
    "camera",
    "guitar",
    "laptop",
    "scissors",
    "compass",
)
MOST_LESSONS = 60


def next_unread(lessons: Sequence[int], read: Collection[int], after: int | None = None) -> int | None:
    """The first lesson behind ``after`` that was not read, else the first of all that was not."""
    behind = lessons[lessons.index(after) + 1 :] if after in lessons else lessons
    return next((each for each in (*behind, *lessons) if each not in read), None)
