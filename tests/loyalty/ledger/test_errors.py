"""What the ledger says when it refuses: a sentence for the person, the business key for developers."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime

import pytest

from app.foundation.errors import DomainError
from app.foundation.points import Points
from app.loyalty.ledger import errors

pytestmark = pytest.mark.usefixtures("words")

KEY = "purchase:mall:A1:earn"


REFUSALS = {
    "amount": lambda: errors.InvalidAmount(KEY, Points(-5)),
    "too large": lambda: errors.BalanceTooLarge(KEY),
    "reused": lambda: errors.KeyReused(KEY),
    "pending": lambda: errors.UnknownPending(KEY),
    "settled": lambda: errors.AlreadyResolved(KEY),
    "unknown": lambda: errors.UnknownTransfer(KEY),
    "reversed": lambda: errors.NotReversible(KEY),
}


@pytest.mark.parametrize("refuse", REFUSALS.values(), ids=REFUSALS)
def test_the_sentence_is_for_the_person_and_the_log_names_the_key(refuse):
    with pytest.raises(DomainError) as refused:
        raise refuse()
    assert KEY not in str(refused.value)
    assert "Nothing was booked" in str(refused.value)
    assert refused.value.key == KEY
    assert KEY in "".join(traceback.format_exception(refused.value))


def test_an_amount_is_repeated_as_people_write_it():
    assert str(errors.InvalidAmount(KEY, Points(-1280))) == (
        "−1,280 cannot be booked, only whole amounts from 1 to 9,007,199,254,740,992. Nothing was booked."
    )


def test_a_far_day_is_named():
    sentence = "Jan 2, 1850 is too far away. Nothing was booked. Please check the date."
    assert str(errors.InvalidMoment(datetime(1850, 1, 2, tzinfo=UTC))) == sentence


def test_a_member_without_an_account_is_sent_to_us():
    refused = errors.NoWallet(7)
    assert (refused.status, refused.member_id) == (404, 7)
    assert "7" not in str(refused)


@pytest.mark.parametrize(
    ("refuse", "status"), [("amount", 422), ("pending", 404), ("unknown", 404), ("reused", 409), ("reversed", 409)]
)
def test_the_answer_says_whose_fault_it_is(refuse, status):
    assert REFUSALS[refuse]().status == status
