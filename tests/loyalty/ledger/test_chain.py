"""The chain inside a wallet: one way to write a transfer, and a digest that follows from all before it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from app.foundation.database import db, table_of
from app.loyalty.ledger.chain import GENESIS, canonical, content_of, moment_text, next_digest, salt_of
from app.loyalty.ledger.models import Transfer, Wallet
from tests.conftest import NOON

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
)
MOMENTS = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=8)), timezone(-timedelta(hours=9.5))]))


@given(VALUES)
def test_canonical_is_sorted_json_that_reads_back(value):
    text = canonical(value)
    assert json.loads(text) == value
    assert text == json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@pytest.mark.parametrize("value", [1.5, {"a": [0, -2.0]}, [1e300], {"a": {"b": -1e-7}}, {"text": "1.5", "rate": 1.5}])
def test_floats_are_refused_wherever_they_hide(value):
    with pytest.raises(TypeError):
        canonical(value)


@pytest.mark.parametrize("value", ["1.5", {"rate": "3/2", "amount": "238.50"}, ":1.5", ["[-1.0"], {"a:1.": 1}])
def test_texts_that_look_like_floats_are_fine(value):
    assert json.loads(canonical(value)) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\0", "a\\\0", {"a": ["b\0c"]}])
def test_what_is_no_number_or_no_text_is_refused(value):
    with pytest.raises((TypeError, ValueError)):
        canonical([value])


@pytest.mark.parametrize("value", ["\\u0000", "\\\\u0000", "a\\\\\\u0000b"])
def test_a_typed_backslash_is_no_nul(value):
    assert json.loads(canonical(value)) == value


@given(
    key=TEXTS, kind=TEXTS, amount=st.integers(-(2**63), 2**63), at=MOMENTS, other=st.none() | st.integers(1, 2**63 - 1)
)
def test_the_content_is_canonical_too(key, kind, amount, at, other):
    columns = [column.name for column in table_of(Transfer).columns if column.name not in ("id", "digest")]
    row: dict[str, Any] = dict.fromkeys(columns)
    row |= {"key": key, "kind": kind, "amount": amount, "occurred_at": at, "pending_id": other}
    reason = sha256(b"salt" + b'{"code":"x"}').hexdigest()
    plain = row | {"occurred_at": moment_text(at), "explanation": reason}
    assert content_of(row | {"explanation": {"code": "x"}}, b"salt") == canonical(plain)


def test_a_moment_reads_the_same_from_everywhere():
    assert moment_text(NOON) == "2026-06-15T04:00:00.000000Z"
    assert moment_text(datetime(2026, 6, 15, 12, 0, 0, 7, tzinfo=timezone(timedelta(hours=8)))).endswith("00.000007Z")


def test_every_transfer_follows_the_one_before(alice):
    for amount in (5, 6, 7):
        alice.award(amount)
    wallet = db.session.scalars(sa.select(Wallet).where(Wallet.ledger == "points")).one()
    head = GENESIS
    for row in db.session.execute(sa.select(table_of(Transfer)).order_by(Transfer.sequence)).mappings():
        head = next_digest(head, wallet.secret, row)
        assert row["digest"] == head
    assert wallet.head == head


def test_two_wallets_with_the_same_story_have_nothing_in_common(alice, bob):
    alice.award(5, "a")
    bob.award(5, "b")
    first, second = db.session.scalars(sa.select(Wallet.secret).where(Wallet.ledger == "points"))
    assert first != second
    assert salt_of(first, 1) != salt_of(second, 1)
