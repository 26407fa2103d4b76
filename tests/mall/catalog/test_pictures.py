from __future__ import annotations

import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image

from app.foundation.database import transaction
from app.foundation.errors import InvalidInput
from app.mall.catalog import pictures
from app.mall.catalog.actions import add_picture, attach_pictures, move_picture, remove_picture
from app.mall.catalog.models import Picture
from app.mall.catalog.rules import MOST_PICTURES
from tests.conftest import NOON
from tests.mall.catalog.shelf import CLERK, audit_trail, found, photo, product, put_on_shelf


def files():
    folder = pictures.folder()
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def opened(name, side):
    return Image.open(pictures.folder() / pictures.file_name(name, side))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_photo_becomes_webp_in_three_sizes(app, form):
    name = pictures.store(photo(2400, 1800, form))
    assert [opened(name, side).size for side in (400, 1200, 1600)] == [(400, 300), (1200, 900), (1600, 1200)]
    assert {opened(name, side).format for side in (400, 1200, 1600)} == {"WEBP"}


def test_a_small_picture_is_not_blown_up(app):
    assert opened(pictures.store(photo(64, 48)), 1200).size == (64, 48)


def test_where_a_photo_was_taken_is_not_kept(app):
    exif = Image.Exif()
    exif[0x010E] = "31.2304 N 121.4737 E"
    name = pictures.store(photo(exif=exif, comment=b"secret"))
    for side in pictures.SIZES.values():
        body = (pictures.folder() / pictures.file_name(name, side)).read_bytes()
        assert b"31.2304" not in body
        assert b"secret" not in body


def test_a_photo_held_upright_stays_upright(app):
    exif = Image.Exif()
    exif[0x0112] = 6  # The camera was turned by a quarter.
    assert opened(pictures.store(photo(900, 600, exif=exif)), 1200).size == (600, 900)


def test_a_script_behind_a_picture_is_left_behind(app):
    polyglot = BytesIO(photo(form="PNG").getvalue() + b"<script>alert(1)</script>")
    name = pictures.store(polyglot)
    assert b"script" not in (pictures.folder() / pictures.file_name(name, 1600)).read_bytes()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html><script>alert(1)</script></html>",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff" + b"\0" * 100,
        b"GIF89a" + b"\0" * 100,
        b"%PDF-1.7",
    ],
)
def test_what_is_not_a_picture_is_refused_with_a_sentence_and_leaves_no_file(app, body):
    with pytest.raises(InvalidInput, match="JPEG, PNG or WebP"):
        pictures.store(BytesIO(body))
    assert files() == []


def test_a_gif_is_refused_even_though_it_is_a_picture(app):
    with pytest.raises(InvalidInput, match="JPEG, PNG or WebP"):
        pictures.store(photo(form="GIF"))


def test_half_a_picture_is_refused(app):
    with pytest.raises(InvalidInput, match="not a picture we can read"):
        pictures.store(BytesIO(photo(form="PNG").getvalue()[:200]))
    assert files() == []


def test_more_than_eight_megabytes_are_refused(app):
    with pytest.raises(InvalidInput, match="8 MB"):
        pictures.store(BytesIO(photo().getvalue() + b"\0" * pictures.MOST_BYTES))


def bomb(width, height):
    """A PNG of a few bytes that claims to be huge."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return BytesIO(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [6_400, 12_000, 40_000])
def test_a_decompression_bomb_is_refused_before_it_is_unpacked(app, side):
    with pytest.raises(InvalidInput, match="40 million pixels"):
        pictures.store(bomb(side, side))
    assert files() == []


def test_pictures_keep_their_order_and_the_audit_log_knows(app):
    slug = put_on_shelf()
    with transaction():
        tea = found(slug)
        first = add_picture(product=tea, stream=photo(), by=CLERK, now=NOON)
        second = add_picture(product=tea, stream=photo(form="PNG"), by=CLERK, now=NOON)
    assert [picture.file for picture in product(slug).pictures] == [first.file, second.file]
    assert audit_trail().count("product.pictures") == 2


def test_a_later_picture_can_become_the_one_on_the_card(app):
    slug = put_on_shelf()
    with transaction():
        attach_pictures(product=found(slug), files=["a", "b", "c"], by=CLERK, now=NOON)
    last = product(slug).pictures[-1].id
    with transaction():
        move_picture(product=found(slug), picture_id=last, place=0, by=CLERK, now=NOON)
    assert [picture.file for picture in product(slug).pictures] == ["c", "a", "b"]


def test_a_removed_picture_leaves_the_product_but_its_files_stay_for_old_orders(app):
    slug = put_on_shelf()
    with transaction():
        add_picture(product=found(slug), stream=photo(), by=CLERK, now=NOON)
    kept, picture_id = files(), product(slug).pictures[0].id
    with transaction():
        remove_picture(product=found(slug), picture_id=picture_id, by=CLERK, now=NOON)
    assert product(slug).pictures == []
    assert files() == kept


def test_more_pictures_than_a_page_can_show_are_refused_together(app):
    slug = put_on_shelf()
    too_many = [str(number) for number in range(MOST_PICTURES + 1)]
    with pytest.raises(InvalidInput, match="at most 9"), transaction():
        attach_pictures(product=found(slug), files=too_many, by=CLERK, now=NOON)
    assert product(slug).pictures == []


def test_somebody_elses_picture_cannot_be_removed(app):
    tea, cup = put_on_shelf("Tea"), put_on_shelf("Cup")
    with transaction():
        theirs = attach_pictures(product=found(cup), files=["a"], by=CLERK, now=NOON)[0]
    with pytest.raises(Exception, match="not there any more"), transaction():
        remove_picture(product=found(tea), picture_id=theirs.id, by=CLERK, now=NOON)
    assert [type(picture) for picture in product(cup).pictures] == [Picture]


def test_a_picture_is_served_to_be_kept_for_a_year_and_as_nothing_but_a_picture(app, client):
    name = pictures.store(photo())
    response = client.get(f"/media/{name}-400.webp")
    assert response.status_code == 200
    assert response.mimetype == "image/webp"
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize(
    "name", ["../jifen.db", "%2e%2e/jifen.db", "x.webp", f"{'a' * 32}-400.webp", f"{'a' * 32}-9.webp", ""]
)
def test_nothing_but_pictures_comes_out_of_the_media_folder(app, client, name):
    assert client.get(f"/media/{name}").status_code == 404
