"""The files of the mall's pictures: each in several sizes, under a name that nobody guesses."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import IO

from flask import current_app

from app.foundation.pictures import LARGEST, MOST_BYTES, decoded, webp

__all__ = ["MOST_BYTES", "SIZES", "file_name", "folder", "store"]

SIZES = {"card": 400, "page": 1200, "full": LARGEST}  # Pixels of the longer side, at most.


def folder() -> Path:
    """Where the files are. Several machines must share it."""
    return Path(current_app.instance_path) / "media"


def store(stream: IO[bytes]) -> str:
    """Write all sizes of a picture under a new random name, and return that name.

    Slow (some tenths of a second): views call it before they open a transaction. Raises
    ``InvalidInput`` for what is not a JPEG, PNG or WebP picture of sensible size.
    """
    picture = decoded(stream)
    name = secrets.token_hex(16)
    folder().mkdir(parents=True, exist_ok=True)
    for side in SIZES.values():
        (folder() / file_name(name, side)).write_bytes(webp(picture, side))
    return name


def file_name(name: str, side: int) -> str:
    return f"{name}-{side}.webp"
