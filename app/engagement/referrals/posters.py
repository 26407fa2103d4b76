"""The poster 海报: a picture with a QR code to keep in a phone's album and send around.

A PNG, because that is what an album keeps and a chat shows. Its text needs a font on the server that has all of its
signs; where there is none (Chinese without a Chinese font installed), the same poster is an SVG, whose text is drawn
by the reader's own device. Both are drawn from one list of parts.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html import escape
from io import BytesIO
from pathlib import Path

import segno
from flask import current_app
from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 1080, 1440
MARGIN = 80
TOP, BOTTOM, WHITE, INK, MUTED = "#0b7a63", "#064a3d", "#ffffff", "#13201b", "#55655e"
CARD = (200, 620, 880, 1320)
QR_MIDDLE, QR_SIDE = 945, 540
GIFT = (420, 60, 240)

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
FONT_FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.local/share/fonts",
    "~/.fonts",
    "/Library/Fonts",
    "/System/Library/Fonts",
    "C:/Windows/Fonts",
)
# The nicest first; the first that has all signs is taken. What lies in instance/fonts goes before all of them.
FONTS = (
    "NotoSansCJK-Bold",
    "NotoSansCJK",
    "SourceHanSans",
    "NotoSansSC",
    "PingFang",
    "msyhbd",
    "msyh",
    "wqy-",
    "STHeiti",
    "NotoSans-Bold",
    "LiberationSans-Bold",
    "DejaVuSans-Bold",
    "arialbd",
)
CUTS = {"zh_Hans": "SC", "zh_Hant": "TC"}


@dataclass(frozen=True, slots=True)
class Words:
    """What the poster says, in the language of who saves it."""

    programme: str
    headline: str
    promise: str
    code: str
    call: str


@dataclass(frozen=True, slots=True)
class Poster:
    data: bytes
    mimetype: str
    ending: str


@dataclass(frozen=True, slots=True)
class Text:
    """Centred on the poster; ``baseline`` in pixels from its top."""

    words: str
    size: int
    baseline: int
    colour: str


def draw(words: Words, *, url: str, locale: str) -> Poster:
    texts = list(_texts(words))
    everything = "".join(text.words for text in texts)
    font = next((name for name in _fonts(locale) if _can_draw(name, everything)), None)
    modules = segno.make(url, error="m", micro=False)
    if font is None:
        return Poster(_svg(texts, modules), "image/svg+xml", "svg")
    return Poster(_png(texts, modules, font), "image/png", "png")


def _texts(words: Words) -> Iterator[Text]:
    yield Text(words.programme, _fitting(words.programme, 44), 370, WHITE)
    yield Text(words.headline, _fitting(words.headline, 92), 480, WHITE)
    yield Text(words.promise, _fitting(words.promise, 46), 570, WHITE)
    yield Text(words.code, 60, 1296, INK)
    yield Text(words.call, _fitting(words.call, 38), 1395, WHITE)


def _fitting(text: str, size: int) -> int:
    """The largest size up to ``size`` at which the text is no wider than the poster: a Chinese sign is a square."""
    width = sum(10 if ord(sign) > 0x2E80 else 6 for sign in text)  # Tenths of the size.
    return min(size, (WIDTH - 2 * MARGIN) * 10 // max(width, 1))


# --- PNG ----------------------------------------------------------------------------------


def _png(texts: list[Text], modules: segno.QRCode, font: str) -> bytes:
    picture = _ground()
    pen = ImageDraw.Draw(picture)
    pen.rounded_rectangle(CARD, radius=48, fill=WHITE)
    count = len(modules.matrix)
    code = Image.new("1", (count, count))
    code.putdata([not module for row in modules.matrix for module in row])
    side = code.width * (QR_SIDE // code.width)  # Every module as large as the others.
    corner = ((WIDTH - side) // 2, QR_MIDDLE - side // 2)
    picture.paste(code.resize((side, side), Image.Resampling.NEAREST), corner)
    with Image.open(_gift()) as gift:
        x, y, size = GIFT
        small = gift.convert("RGBA").resize((size, size), Image.Resampling.LANCZOS)
        picture.paste(small, (x, y), small)
    for text in texts:
        pen.text((WIDTH // 2, text.baseline), text.words, text.colour, font=_load(font, text.size), anchor="ms")
    made = BytesIO()
    picture.save(made, "PNG", optimize=True)
    return made.getvalue()


def _ground() -> Image.Image:
    """A slope of colour from top to bottom."""
    slope = Image.linear_gradient("L").resize((WIDTH, HEIGHT))
    return Image.composite(Image.new("RGB", slope.size, BOTTOM), Image.new("RGB", slope.size, TOP), slope)


def _gift() -> Path:
    return Path(str(current_app.static_folder)) / "img" / "emoji" / "gift.webp"


@cache
def _fonts(locale: str) -> tuple[str, ...]:
    """Fonts to try, as ``path#place in the file``; the last, ``""``, is Pillow's own: plain Latin letters."""
    own = sorted((Path(current_app.instance_path) / "fonts").glob("*.[ot]t[fc]"))
    files = [path for folder in FONT_FOLDERS for path in Path(os.path.expanduser(folder)).rglob("*.[ot]t[fc]")]
    known = [path for name in FONTS for path in sorted(files) if path.name.startswith(name)]
    return (*dict.fromkeys(f"{path}#{_cut(path, locale)}" for path in (*own, *known)), "")


def _cut(path: Path, locale: str) -> int:
    """A collection holds a cut for each region; the signs of mainland China and Taiwan differ in places."""
    if path.suffix != ".ttc":
        return 0
    wanted = CUTS.get(locale, "SC")
    for place in range(16):
        try:
            name = ImageFont.truetype(path, 10, index=place).getname()[0] or ""
        except OSError:
            break
        if name.split()[-1:] == [wanted]:
            return place
    return 0


@cache
def _load(name: str, size: int) -> Font:
    if not name:
        return ImageFont.load_default(size)
    path, _, place = name.rpartition("#")
    return ImageFont.truetype(path, size, index=int(place))


def _can_draw(name: str, text: str) -> bool:
    """Has the font all signs? What it lacks looks like what no font has."""
    font = _load(name, 20)
    lacking = bytes(font.getmask("\U0010ffff"))
    return all(sign.isspace() or bytes(font.getmask(sign)) != lacking for sign in set(text))


# --- SVG ----------------------------------------------------------------------------------


def _svg(texts: list[Text], modules: segno.QRCode) -> bytes:
    """Only attributes, no styles: the Content-Security-Policy stays strict."""
    left, top, right, bottom = CARD
    qr_left, qr_top = (WIDTH - QR_SIDE) // 2, QR_MIDDLE - QR_SIDE // 2
    x, y, size = GIFT
    gift = base64.b64encode(_gift().read_bytes()).decode()
    path = modules.svg_inline(border=0, omitsize=True, svgclass=None, lineclass=None)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">',
        f'<linearGradient id="g" x2="0" y2="1"><stop stop-color="{TOP}"/>',
        f'<stop offset="1" stop-color="{BOTTOM}"/></linearGradient><rect width="100%" height="100%" fill="url(#g)"/>',
        f'<image href="data:image/webp;base64,{gift}" x="{x}" y="{y}" width="{size}" height="{size}"/>',
        f'<rect x="{left}" y="{top}" width="{right - left}" height="{bottom - top}" rx="48" fill="{WHITE}"/>',
        f'<svg x="{qr_left}" y="{qr_top}" width="{QR_SIDE}" height="{QR_SIDE}">{path}</svg>',
        *(
            f'<text x="{WIDTH // 2}" y="{text.baseline}" font-size="{text.size}" fill="{text.colour}"'
            f' font-family="sans-serif" font-weight="700" text-anchor="middle">{escape(text.words)}</text>'
            for text in texts
        ),
        "</svg>",
    ]
    return "".join(parts).encode()
