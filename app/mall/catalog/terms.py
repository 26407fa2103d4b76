"""What the mall gives out at once."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.errors import InvalidInput
from app.foundation.terms import term, terms

HIGHEST = 10_000


@terms("catalog", _l("Mall"))
class CatalogTerms:
    """``most_pieces`` of one article in one order."""

    most_pieces: int = term(20, _l("Most pieces in one order"))

    def __post_init__(self) -> None:
        if not 1 <= self.most_pieces <= HIGHEST:
            raise InvalidInput(_("One order can hold between 1 and %(most)s pieces.", most=HIGHEST))
