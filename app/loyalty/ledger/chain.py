"""Tamper evidence inside a wallet: each transfer commits to its content and to the one before it.

For the n-th transfer of a wallet::

    salt       = HMAC-SHA-256(the wallet's secret, "n")
    reason     = SHA-256(salt ‖ canonical(explanation))
    content    = canonical({account, amount, …, explanation: hex(reason)})
    commitment = SHA-256(salt ‖ content)
    digest     = SHA-256(digest before ‖ commitment)

Who sees a digest learns nothing about the content without its salt. The explanation goes in by
its own hash, so that its text can be erased and the rest still be checked. ``canonical``
is JSON with sorted keys, without spaces, in UTF-8; it refuses floats, which no two machines write alike.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from json.encoder import encode_basestring as _quoted
from typing import Any

GENESIS = bytes(32)  # What the first transfer of a wallet follows.
ERASED = "erased"  # The code of an explanation of which only the hash is left.


def new_secret() -> bytes:
    return secrets.token_bytes(32)


def salt_of(secret: bytes, sequence: int) -> bytes:
    return hmac.digest(secret, b"%d" % sequence, "sha256")


def canonical(value: Any) -> str:
    """The one way to write this value. Raises ``TypeError`` for a float, ``ValueError`` for a NUL."""
    text = _encode(value)
    # Looking for a float in the text is faster than walking through the values; texts may look like one, too.
    if _LIKE_A_FLOAT.search(text) and _has_float(value):
        raise TypeError("Amounts are whole numbers or text, never floats.")
    if "\\u0000" in text and _NUL.search(text):
        raise ValueError("PostgreSQL keeps no text with a NUL in it.")
    return text


_LIKE_A_FLOAT = re.compile(r"(?:^|[:,\[])-?[0-9]+[.e]")
_encode = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False, check_circular=False
).encode


# An escaped NUL; after an even number of backslashes, or it is a backslash and a "u0000" that somebody typed.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def _has_float(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_has_float(each) for each in value.values())
    if isinstance(value, list | tuple):
        return any(_has_float(each) for each in value)
    return isinstance(value, float)


def reason_hash(salt: bytes, explanation: Mapping[str, Any]) -> str:
    """The hash by which an explanation is committed to, in hex; an erased one brings its own."""
    if explanation.get("code") == ERASED:
        return str(explanation["digest"])
    return sha256(salt + canonical(explanation).encode()).hexdigest()


def content_of(row: Mapping[str, Any], salt: bytes) -> str:
    """What is committed to, as the text that is hashed: canonical. ``row`` has the columns of a transfer.

    Written out instead of encoded: this is run for every transfer that is booked, and for all of them by ``verify``.
    """
    return (
        f'{{"account":{_text(row["account"])},"amount":{_number(row["amount"])},'
        f'"balance_after":{_number(row["balance_after"])},"deadline":{_moment(row["deadline"])},'
        f'"debt_change":{_number(row["debt_change"])},"explanation":"{reason_hash(salt, row["explanation"])}",'
        f'"key":{_text(row["key"])},"kind":{_text(row["kind"])},"occurred_at":{_moment(row["occurred_at"])},'
        f'"pending_id":{_number(row["pending_id"])},"phase":{_text(row["phase"])},'
        f'"recorded_at":{_moment(row["recorded_at"])},"reverses_id":{_number(row["reverses_id"])},'
        f'"sequence":{_number(row["sequence"])},"unit_id":{_number(row["unit_id"])},'
        f'"wallet_id":{_number(row["wallet_id"])}}}'
    )


# What is not of the column's type was not written by us. It gets a text of its own, so that verify tells.


def _number(value: Any) -> str:
    if value is None:
        return "null"
    return str(value) if type(value) is int else _encode(value)


def _text(value: Any) -> str:
    return _quoted(value) if type(value) is str else _encode(value)


def _moment(value: Any) -> str:
    if value is None:
        return "null"
    return f'"{moment_text(value)}"' if isinstance(value, datetime) else _encode(value)


def moment_text(moment: datetime) -> str:
    """UTC to the microsecond: ``2026-06-15T04:00:00.000000Z``."""
    # isoformat() takes a tenth of strftime()'s time.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def digest_after(previous: bytes, salt: bytes, content: str) -> bytes:
    return sha256(previous + sha256(salt + content.encode()).digest()).digest()


def next_digest(previous: bytes, secret: bytes, row: Mapping[str, Any]) -> bytes:
    """The digest of this transfer, which follows the one with the digest ``previous``."""
    salt = salt_of(secret, row["sequence"])
    return digest_after(previous, salt, content_of(row, salt))
