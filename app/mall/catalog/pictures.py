"""Pictures that people upload become small WebP files of our own making; not one byte of theirs is kept.

Decoding and encoding anew drops metadata (where the photo was taken), scripts hidden behind
a picture's bytes, and everything that only pretends to be a picture.
"""

from __future__ import annotations

import secrets
import warnings
from io import BytesIO
from pathlib import Path
from typing import IO

from flask import current_app
from flask_babel import gettext as _
from PIL import Image, ImageOps

from app.foundation.errors import InvalidInput

FORMATS = ("JPEG", "PNG", "WEBP")
SIZES = {"card": 400, "page": 1200, "full": 1600}  # Pixels of the longer side, at most.
QUALITY = {400: 75}  # A page shows a dozen of them, small.
MOST_BYTES = 8 * 1024 * 1024
MOST_PIXELS = 40_000_000


def folder() -> Path:
    """Where the files are. Several machines must share it."""
    return Path(current_app.instance_path) / "media"


def store(stream: IO[bytes]) -> str:
    """Write all sizes of a picture under a new random name, and return that name.

    Slow (some tenths of a second): views call it before they open a transaction. Raises
    ``InvalidInput`` for what is not a JPEG, PNG or WebP picture of sensible size.
    """
    picture = _decode(_read(stream))
    name = secrets.token_hex(16)
    folder().mkdir(parents=True, exist_ok=True)
    for side in SIZES.values():
        (folder() / file_name(name, side)).write_bytes(_encode(picture, side))
    return name


def file_name(name: str, side: int) -> str:
    return f"{name}-{side}.webp"


def _read(stream: IO[bytes]) -> bytes:
    body = stream.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise InvalidInput(_("This picture is larger than 8 MB. Please choose a smaller one."))
    return body


def _decode(body: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(BytesIO(body), formats=FORMATS)
            _refuse_bomb(picture)
            picture.draft("RGB", (SIZES["full"] * 2, SIZES["full"] * 2))  # A large JPEG is decoded at a fraction.
            picture.load()
            upright = ImageOps.exif_transpose(picture)
    except InvalidInput:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except Exception as error:  # Decoders raise whatever they like for broken files.
        raise InvalidInput(_("This file is not a picture we can read. Please use a JPEG, PNG or WebP file.")) from error
    return upright.convert("RGBA" if upright.has_transparency_data else "RGB")


def _refuse_bomb(picture: Image.Image) -> None:
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise _too_many_pixels()


def _too_many_pixels() -> InvalidInput:
    return InvalidInput(_("This picture has more than 40 million pixels. Please choose a smaller one."))


def _encode(picture: Image.Image, side: int) -> bytes:
    """At most ``side`` pixels wide and high, never enlarged, without any metadata."""
    copy = picture.copy()
    copy.thumbnail((side, side), Image.Resampling.LANCZOS)
    copy.info.clear()
    out = BytesIO()
    copy.save(out, "WEBP", quality=QUALITY.get(side, 82), method=4)
    return out.getvalue()
