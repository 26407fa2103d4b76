"""A diary: what happens when, told in order, with the clock standing at each moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from heapq import heappop, heappush
from itertools import count
from zoneinfo import ZoneInfo

from app.foundation import clock

Act = Callable[[datetime], object]


class Diary:
    """Entries up to ``end``; whatever would come later has not happened yet and is left out."""

    def __init__(self, *, end: datetime, zone: ZoneInfo) -> None:
        self.end, self.zone = end, zone
        self.today = clock.local_date(end, zone)
        self._entries: list[tuple[datetime, int, Act]] = []
        self._numbers = count()  # Of two entries for one moment, the one noted first comes first.

    def at(self, days_ago: int, hour: int, minute: int = 0) -> datetime:
        """A local time so many days ago."""
        return self.on(self.today - timedelta(days=days_ago), hour, minute)

    def on(self, day: date, hour: int, minute: int = 0) -> datetime:
        return datetime.combine(day, time(hour, minute), tzinfo=self.zone).astimezone(self.end.tzinfo)

    def note(self, moment: datetime, act: Act) -> None:
        if moment <= self.end:
            heappush(self._entries, (moment, next(self._numbers), act))

    def tell(self, *, on_moment: Callable[[datetime], object]) -> None:
        """Live through all entries. What they note for later is lived through, too."""
        while self._entries:
            moment, _, act = heappop(self._entries)
            with clock.freeze(moment):
                act(moment)
            on_moment(moment)
