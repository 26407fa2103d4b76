"""Links that prove something because we signed them. They carry their own age, so that time stays an argument."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer

Facts = dict[str, Any]


def sign(purpose: str, facts: Facts, *, now: datetime) -> str:
    return _serializer(purpose).dumps({**facts, "at": int(now.timestamp())})


def read(purpose: str, token: str, *, valid_for: timedelta, now: datetime) -> Facts | None:
    """The facts of a link that we signed for this purpose and that is not too old, else ``None``."""
    try:
        facts = _serializer(purpose).loads(token)
    except BadSignature:
        return None
    age = now.timestamp() - facts["at"]
    return facts if age <= valid_for.total_seconds() else None


def fingerprint(secret: str | None) -> str:
    """Tells one password hash from the next without carrying it around."""
    key: str = current_app.config["SECRET_KEY"]
    return hmac.new(key.encode(), (secret or "").encode(), hashlib.sha256).hexdigest()[:20]


def digest(*parts: str) -> str:
    """A keyed hash of short secrets, which nobody can search for without our key."""
    key: str = current_app.config["SECRET_KEY"]
    return hmac.new(key.encode(), "\0".join(parts).encode(), hashlib.sha256).hexdigest()


def _serializer(purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt=f"jifen:{purpose}")
