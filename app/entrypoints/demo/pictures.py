"""Product pictures: an emoji on a soft ground, composed at load time and stored like an upload."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from io import BytesIO
from os import cpu_count
from typing import NamedTuple

from flask import Flask, current_app
from PIL import Image, ImageColor, ImageDraw, ImageFilter

from app.entrypoints.demo.content import FOLDER
from app.mall.catalog.pictures import store

SIDE = 640  # Pixels.
EMOJI = 0.56  # Of the side.
COARSE = 32  # A ground is drawn this small and enlarged: the enlargement is the gradient.

# Two colours from the upper left to the lower right, light enough for dark pictures and strong enough for white ones.
TONES = {
    "amber": ("#fff0cc", "#ffc978"),
    "rose": ("#ffe3e6", "#f9a8b8"),
    "sand": ("#f8eee0", "#dfc3a0"),
    "mint": ("#ddf6ea", "#8fd8bb"),
    "sky": ("#e0f1ff", "#93c7f4"),
    "violet": ("#efe7ff", "#baa3f2"),
    "slate": ("#eaeef3", "#aab8ca"),
}


class Design(NamedTuple):
    emoji: str
    tone: str


def store_all(designs: Sequence[Design]) -> dict[Design, str]:
    """Compose and store each design once; returns the names of the stored pictures.

    Pillow lets go of the interpreter while it encodes, so threads use all the cores.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    wanted = sorted(set(designs))

    def make(design: Design) -> str:
        with app.app_context():
            return store(BytesIO(compose(design)))

    with ThreadPoolExecutor(cpu_count() or 2) as pool:
        return dict(zip(wanted, pool.map(make, wanted), strict=True))


def compose(design: Design) -> bytes:
    """A picture as a PNG file."""
    picture = _ground(design.tone).copy()
    side = round(SIDE * EMOJI)
    with Image.open(FOLDER / "emoji" / f"{design.emoji}.webp") as file:
        emoji = file.convert("RGBA").resize((side, side), Image.Resampling.LANCZOS)
    corner = (SIDE - side) // 2
    picture.paste(emoji, (corner, corner), emoji)
    out = BytesIO()
    picture.save(out, "PNG", compress_level=1)
    return out.getvalue()


@cache
def _ground(tone: str) -> Image.Image:
    """The gradient, a light behind the emoji and its shadow on the floor."""
    start, end = (ImageColor.getrgb(colour) for colour in TONES[tone])
    gradient = Image.new("RGB", (COARSE, COARSE))
    steps = 2 * (COARSE - 1)
    gradient.putdata(
        [
            tuple(round(a + (b - a) * (x + y) / steps) for a, b in zip(start, end, strict=True))
            for y in range(COARSE)
            for x in range(COARSE)
        ]
    )
    ground = gradient.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    ground.paste((255, 255, 255), mask=_ellipse(0.14, 0.10, 0.86, 0.82, strength=110, blur=0.11))
    ground.paste(tuple(channel // 3 for channel in end), mask=_ellipse(0.28, 0.75, 0.72, 0.83, strength=70, blur=0.03))
    return ground


def _ellipse(*corners: float, strength: int, blur: float) -> Image.Image:
    """A soft spot as a mask; ``corners`` and ``blur`` are shares of the side."""
    mask = Image.new("L", (SIDE // 4, SIDE // 4))
    ImageDraw.Draw(mask).ellipse([corner * SIDE / 4 for corner in corners], fill=strength)
    return mask.filter(ImageFilter.GaussianBlur(blur * SIDE / 4)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
