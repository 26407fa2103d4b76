"""Pictures that people upload become small WebP files of our own making; not one byte of theirs is kept.

Decoding and encoding anew drops metadata (where the photo was taken), scripts hidden behind
a picture's bytes, and everything that only pretends to be a picture.
"""

from __future__ import annotations

import warnings
from io import BytesIO
from typing import IO

from flask_babel import gettext as _
from PIL import Image, ImageOps

from app.foundation.errors import InvalidInput

FORMATS = ("JPEG", "PNG", "WEBP")
QUALITY = {400: 75}  # A page shows a dozen of them, small.
MOST_BYTES = 8 * 1024 * 1024
MOST_PIXELS = 40_000_000
LARGEST = 1600  # Pixels of the longer side, at most, of whatever is made of a picture.


def decoded(stream: IO[bytes]) -> Image.Image:
    """The picture in an upload. Raises ``InvalidInput`` for what is not a JPEG, PNG or WebP of sensible size."""
    return _decode(_read(stream))


def webp(picture: Image.Image, side: int) -> bytes:
    """At most ``side`` pixels wide and high, never enlarged, without any metadata."""
    copy = picture.copy()
    copy.thumbnail((side, side), Image.Resampling.LANCZOS)
    copy.info.clear()
    out = BytesIO()
    copy.save(out, "WEBP", quality=QUALITY.get(side, 82), method=4)
    return out.getvalue()


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
            picture.draft("RGB", (LARGEST * 2, LARGEST * 2))  # A large JPEG is decoded at a fraction.
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
