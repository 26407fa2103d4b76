"""A product's pictures: added, moved, removed."""

from __future__ import annotations

import re

from flask import abort, flash, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as BaseResponse

from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.errors import InvalidInput
from app.foundation.formtools import refuse
from app.foundation.pages import seen
from app.foundation.permissions import Permission, requires
from app.mall.catalog import actions, pictures
from app.mall.catalog.admin.door import me, own_product_or_404, products
from app.mall.catalog.admin.shelf import show_product
from app.mall.catalog.rules import MOST_PICTURES
from app.mall.catalog.small_forms import PicturesForm


@products.post("/<slug>/pictures")
@requires(Permission.CATALOG_WRITE)
def create_pictures(slug: str) -> BaseResponse:
    product, form = own_product_or_404(slug), PicturesForm()
    form.validate()
    try:
        files = _store_all(request.files.getlist("pictures")[:MOST_PICTURES])
        with transaction():
            actions.attach_pictures(product=own_product_or_404(slug), files=files, by=me(), now=clock.now())
    except InvalidInput as error:
        refuse(form, error, "pictures")
        return show_product(product, status=422, pictures_form=form)
    flash(_("The pictures are added."), "success")
    return seen(url_for(".show", slug=slug))


def _store_all(uploads: list[FileStorage]) -> list[str]:
    """All or none: one bad file is named, and none is hung up. This takes a while, so no transaction is open."""
    chosen = [upload for upload in uploads if upload.filename]
    if not chosen:
        raise InvalidInput(_("Please choose a picture first."))
    names = []
    for upload in chosen:
        try:
            names.append(pictures.store(upload.stream))
        except InvalidInput as error:
            raise InvalidInput(_("%(file)s: %(sentence)s", file=upload.filename, sentence=str(error))) from error
    return names


@products.post("/<slug>/pictures/<int:picture_id>")
@requires(Permission.CATALOG_WRITE)
def update_picture(slug: str, picture_id: int) -> BaseResponse:
    """Put it at another place among the others."""
    place = request.form.get("place", "")
    if not re.fullmatch(r"[0-9]{1,2}", place):
        abort(400)
    with transaction():
        actions.move_picture(
            product=own_product_or_404(slug), picture_id=picture_id, place=int(place), by=me(), now=clock.now()
        )
    return seen(url_for(".show", slug=slug, _anchor="pictures"))


@products.post("/<slug>/pictures/<int:picture_id>/removal")
@requires(Permission.CATALOG_WRITE)
def destroy_picture(slug: str, picture_id: int) -> BaseResponse:
    with transaction():
        actions.remove_picture(product=own_product_or_404(slug), picture_id=picture_id, by=me(), now=clock.now())
    return seen(url_for(".show", slug=slug, _anchor="pictures"))
