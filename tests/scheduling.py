"""Who runs what, when two run the tests: a file's tests on one database stay together, and nobody idles at the end."""

from __future__ import annotations

from collections import Counter

import pytest
from xdist.scheduler import LoadScopeScheduling

ORDER = ("browser", "sqlite", "postgresql", "no database")


def part(nodeid: str) -> tuple[str, str]:
    """What a test needs, and with which others it runs one after the other in one worker."""
    file, _, test = nodeid.partition("::")
    if "/browser/" in file:  # One server and one Chromium for all walks.
        return "browser", ""
    needs = next((name for name in ORDER[1:3] if name in test.partition("[")[2]), ORDER[3])
    return needs, file


def sort(items: list[pytest.Item]) -> None:
    """The walks take longest and go first. A worker changes the database once; the smallest parts come last."""
    sizes = Counter(part(item.nodeid) for item in items)

    def place(item: pytest.Item) -> tuple[int, int, str]:
        needs, file = part(item.nodeid)
        return ORDER.index(needs), -sizes[needs, file], file

    items.sort(key=place)


class Parts(LoadScopeScheduling):
    """Hands out parts in the order of the tests."""

    def __init__(self, config: pytest.Config, log: object) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return " ".join(part(nodeid))
