"""What checking in brings, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import ngettext


def cycle_sentence(table: Sequence[int]) -> str:
    """``table`` is what each day in a row pays. Told is the best of them, and the day on which it comes first."""
    best = max(table)
    if best == min(table):
        return _("Once a day, in the app.")
    return ngettext(
        "Once a day. Day %(day)s in a row pays %(num)s point; after day %(last)s it starts again.",
        "Once a day. Day %(day)s in a row pays %(num)s points; after day %(last)s it starts again.",
        best,
        day=table.index(best) + 1,
        last=len(table),
    )
