"""What a point costs the house."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.errors import InvalidInput
from app.foundation.terms import term, terms

MOST = 1_000_000


@terms("simulation", _l("Simulation"))
class SimulationTerms:
    """``point_value`` is how many points are worth one major unit of money: 100 points are ¥1."""

    point_value: int = term(
        100,
        _l("Points that are worth one unit of money"),
        _l("What points cost the house when they are spent: 100 if 100 points are worth ¥1."),
    )

    def __post_init__(self) -> None:
        if not 1 <= self.point_value <= MOST:
            raise InvalidInput(_("Between 1 and %(most)s points are worth one unit of money.", most=MOST))
