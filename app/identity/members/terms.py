"""What a complete profile is."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from app.foundation.terms import term, terms


@terms("profile", _l("Complete profile"))
class ProfileTerms:
    """A name, and an email or a phone that was proven, always belong to it."""

    birth_date: bool = term(True, _l("Ask for the date of birth"))
    address: bool = term(True, _l("Ask for the default address"))
    both_contacts: bool = term(False, _l("Ask for both email and phone"), _l("Otherwise one of them is enough."))
    gender: bool = term(False, _l("Ask for the gender"), _l("“Rather not say” is no answer then."))
