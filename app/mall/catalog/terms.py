"""What the mall gives out at once."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.errors import InvalidInput
from app.foundation.terms import term, terms
from app.mall.catalog.rules import MOST_CASH

HIGHEST = 10_000


@terms("catalog", _l("Mall"))
class CatalogTerms:
    """``most_pieces`` of one article in one order; ``least_cash``, in minor units, is what a discount leaves to pay."""

    most_pieces: int = term(20, _l("Most pieces in one order"))
    least_cash: int = term(
        100,
        _l("Smallest member price"),
        _l("In the smallest unit of money. No discount goes below it: what a gateway collects must not be less."),
    )

    def __post_init__(self) -> None:
        if not 0 <= self.least_cash <= MOST_CASH:
            raise InvalidInput(_("The smallest member price cannot be less than nothing, or as much as that."))
        if not 1 <= self.most_pieces <= HIGHEST:
            raise InvalidInput(_("One order can hold between 1 and %(most)s pieces.", most=HIGHEST))
