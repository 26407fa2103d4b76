"""The public page of the programme says what is so, whatever the terms are."""

from html import unescape

import pytest

from app.foundation import terms
from app.foundation.actors import SYSTEM
from app.foundation.database import transaction
from app.loyalty.ledger.terms import LedgerTerms
from tests.conftest import NOON


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "valid to the end of the month, 12 months after you earned them."),
        ({"expiry": "yearly", "expiry_month": 2, "expiry_day": 31}, "valid to the end of February 29 each year."),
        (
            {"expiry": "inactivity", "expiry_months": 18},
            "as long as you earn or spend points at least once in 18 months.",
        ),
        ({"expiry": "never"}, "Points never expire."),
    ],
)
def test_visitors_read_how_long_points_live(app, client, changes, told):
    with transaction():
        terms.change(LedgerTerms, changes, by=SYSTEM, now=NOON)
    answer = " ".join(unescape(client.get("/programme").text).split())
    assert told in answer
    assert answer.count("valid to the end of") + answer.count("as long as you earn") <= 1
