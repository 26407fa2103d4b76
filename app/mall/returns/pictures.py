"""The pictures of a case: seen by its member and the unit's staff only, so never under a public address.

What is uploaded waits beside until the form is confirmed; a job clears away what never was.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from flask import Response, abort, current_app, send_from_directory
from itsdangerous import BadSignature, URLSafeSerializer

from app.foundation.pictures import LARGEST, decoded, webp

SIZES = {"small": 400, "large": LARGEST}
MOST = 3
WAITING = timedelta(days=1)


def folder() -> Path:
    """Where the files are. Several machines must share it."""
    return Path(current_app.instance_path) / "returns"


def store(stream: IO[bytes], *, owner: str) -> str:
    """Re-encode a picture and let it wait; what is returned names it, for ``owner`` alone. Raises ``InvalidInput``.

    Slow (some tenths of a second): views call it before they open a transaction.
    """
    picture = decoded(stream)
    name = secrets.token_hex(16)
    _waiting().mkdir(parents=True, exist_ok=True)
    for side in SIZES.values():
        (_waiting() / file_name(name, side)).write_bytes(webp(picture, side))
    return str(_serializer().dumps([owner, name]))


def names_of(tokens: list[str], *, owner: str) -> list[str]:
    """The names behind what ``store`` returned to ``owner``; whatever else was sent is passed over."""
    found: list[str] = []
    for token in tokens[:MOST]:
        try:
            who, name = _serializer().loads(token)
        except (BadSignature, ValueError, TypeError):
            continue
        if who == owner and name not in found:
            found.append(name)
    return found


def keep(names: list[str]) -> None:
    """They belong to a case now. Again changes nothing."""
    for name in names:
        for side in SIZES.values():
            waiting = _waiting() / file_name(name, side)
            with suppress(FileNotFoundError):  # A double click has moved it already.
                waiting.rename(folder() / waiting.name)


def clear(*, now: datetime) -> int:
    """Away with what waited for longer than a day. Returns how many files."""
    before, cleared = (now - WAITING).timestamp(), 0
    for file in _waiting().glob("*.webp"):
        if file.stat().st_mtime < before:
            file.unlink(missing_ok=True)
            cleared += 1
    return cleared


def answer(names: list[str], place: int, size: str) -> Response:
    """One of a case's pictures, for whoever was let through to the case; no shared cache keeps it."""
    if size not in SIZES or place >= len(names):
        abort(404)
    response = send_from_directory(folder(), file_name(names[place], SIZES[size]), mimetype="image/webp")
    response.headers["Cache-Control"] = "private, max-age=3600"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def file_name(name: str, side: int) -> str:
    return f"{name}-{side}.webp"


def _waiting() -> Path:
    return folder() / "waiting"


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="jifen:return-pictures")
