"""The public page of the programme says what is so, whatever the terms are."""

from html import unescape

import pytest

from app.foundation import terms
from app.foundation.actors import SYSTEM
from app.foundation.database import transaction
from app.loyalty.earning.terms import EarningTerms
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


def test_visitors_read_of_campaigns_and_bonuses(app, client):
    campaign = {"code": "week", "name": {"en": "Double week"}, "times": "2", "starts": "2026-06-15T00:00"}
    bonus = {"code": "third", "name": {"en": "Third time lucky"}, "nth": 3, "period": "month", "points": 50}
    with transaction():
        terms.change(EarningTerms, {"campaigns": [campaign], "bonuses": [bonus]}, by=SYSTEM, now=NOON)
    page = " ".join(unescape(client.get("/programme").text).split())
    assert "2 times the points on every purchase. Now" in page
    assert "Purchase number 3 of a month brings 50 points more." in page
