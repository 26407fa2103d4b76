"""The catalogue's back office. Staff see and change the products of their own units; others are not there."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, Response, abort, flash, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as BaseResponse
from wtforms import SelectChoice

from app.foundation import clock
from app.foundation.actors import Actor
from app.foundation.database import transaction
from app.foundation.errors import DomainError, InvalidInput
from app.foundation.formats import points
from app.foundation.formtools import refuse
from app.foundation.languages import translated
from app.foundation.listing import first_url, next_url
from app.foundation.money import programme_currency
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, allowed, requires
from app.identity.session import current_staff
from app.identity.staff.queries import unit_scope
from app.mall.catalog import actions, pictures, queries
from app.mall.catalog.errors import ProductChanged, SkuTaken
from app.mall.catalog.forms import PicturesForm, ProductForm, StockForm, values_of
from app.mall.catalog.models import Product
from app.mall.catalog.office import Choices, choices, details, movement_line, row, status_badge
from app.mall.catalog.rules import MOST_PICTURES, STATUSES

products = Blueprint("products", __name__, url_prefix="/products")

PAGE = 25


def own_product_or_404(slug: str) -> Product:
    product = queries.product_of_units(unit_scope(current_staff()), slug)
    return product if product is not None else abort(404)


def me() -> Actor:
    return current_staff().actor


# --- the list -----------------------------------------------------------------------------


@products.get("")
@requires(Permission.CATALOG_READ)
def index() -> Response:
    names = choices()
    filters = {
        key: text for key in ("q", "status", "unit", "category", "stock") if (text := request.args.get(key, "").strip())
    }
    part = queries.products_of_units(
        unit_scope(current_staff()),
        search=filters.get("q", ""),
        status=filters.get("status", ""),
        # An unknown code finds nothing rather than everything.
        unit_id=names.unit_ids.get(filters["unit"], 0) if "unit" in filters else None,
        category_id=names.category_ids.get(filters["category"], 0) if "category" in filters else None,
        sold_out=filters.get("stock") == "none",
        after=request.args.get("after"),
        limit=PAGE,
    )
    return page(
        "mall/catalog/office/index.html",
        fragments={"results"},
        rows=[row(product, names) for product in part.items],
        filters=filters,
        status_chips=_status_chips(filters),
        units=names.unit_names,
        categories=names.category_names,
        next_url=next_url(part),
        first_url=first_url(),
        index_url=url_for(".index"),
        new_url=url_for(".new") if allowed(Permission.CATALOG_WRITE) else None,
    )


def _url(filters: dict[str, str], **changes: Any) -> str:
    return url_for(".index", **{**filters, **changes})


def _status_chips(filters: dict[str, str]) -> list[dict[str, Any]]:
    """All, one for each status, and what is listed without stock; only one of them holds at a time."""
    chosen = ("stock", "none") if "stock" in filters else ("status", filters.get("status"))
    switches: list[tuple[str, str | None, str]] = [("status", None, _("All"))]
    switches += [("status", status, status_badge(status)[0]) for status in STATUSES]
    switches.append(("stock", "none", _("Sold out")))
    return [
        {
            "label": label,
            "url": _url(filters, **{"status": None, "stock": None, name: value}),
            "active": chosen == (name, value),
        }
        for name, value, label in switches
    ]


# --- one product ----------------------------------------------------------------------------


@products.get("/<slug>")
@requires(Permission.CATALOG_READ)
def show(slug: str) -> Response:
    return _show(own_product_or_404(slug))


def _show(
    product: Product,
    *,
    status: int = 200,
    stock_form: StockForm | None = None,
    pictures_form: PicturesForm | None = None,
) -> Response:
    names = choices()
    label, tone = status_badge(product.status)
    may_write = allowed(Permission.CATALOG_WRITE)
    return page(
        "mall/catalog/office/show.html",
        status=status,
        fragments={"stock", "pictures"},
        product=details(product, names),
        status_text=label,
        status_tone=tone,
        may_write=may_write,
        listed=product.status == "listed",
        urls={
            "index": url_for(".index"),
            "mall": url_for("portal.mall.show", slug=product.slug) if product.status == "listed" else None,
            **{name: url_for(f".{name}", slug=product.slug) for name in _WRITES if may_write},
        },
        movements=[movement_line(*entry) for entry in queries.movements(product)],
        stock_form=stock_form or _stock_form(product),
        pictures_form=pictures_form or PicturesForm(formdata=None),
        most_pictures=MOST_PICTURES,
    )


_WRITES = ("edit", "create_copy", "create_listing", "destroy_listing", "create_stock_movement", "create_pictures")


# --- new and edit -----------------------------------------------------------------------------


@products.get("/new")
@requires(Permission.CATALOG_WRITE)
def new() -> Response:
    return _form_page(ProductForm(formdata=None), choices())


@products.post("")
@requires(Permission.CATALOG_WRITE)
def create() -> BaseResponse:
    form, names = ProductForm(), choices()
    form.offer(names.unit_names, names.category_names)
    if rows := request.form.get("more"):
        return _one_row_more(form, names, rows)
    if not form.check(programme_currency()):
        return _form_page(form, names, status=422)
    try:
        with transaction():
            draft = form.draft(names.unit_ids, names.category_ids)
            product = actions.create_product(draft=draft, by=me(), now=clock.now())
            slug = product.slug
    except SkuTaken as error:
        form.blame_skus(error.skus)
        return _form_page(form, names, status=422)
    flash(_("The product is saved as a draft. Add pictures, then list it in the mall."), "success")
    return seen(url_for(".show", slug=slug))


@products.get("/<slug>/edit")
@requires(Permission.CATALOG_WRITE)
def edit(slug: str) -> Response:
    product, names = own_product_or_404(slug), choices()
    values = values_of(product, names.unit_code(product.unit_id), names.category_code(product.category_id))
    return _form_page(ProductForm(formdata=None, data=values), names, product)


@products.post("/<slug>")
@requires(Permission.CATALOG_WRITE)
def update(slug: str) -> BaseResponse:
    product, form, names = own_product_or_404(slug), ProductForm(), choices()
    form.offer(names.unit_names, names.category_names)
    if rows := request.form.get("more"):
        return _one_row_more(form, names, rows, product)
    if not form.check(programme_currency()):
        return _form_page(form, names, product, status=422)
    seen_revision = form.revision.data or ""
    try:
        with transaction():
            product = own_product_or_404(slug)
            actions.update_product(
                product=product,
                draft=form.draft(names.unit_ids, names.category_ids),
                revision=int(seen_revision) if re.fullmatch(r"[0-9]{1,9}", seen_revision) else 0,
                by=me(),
                now=clock.now(),
            )
    except SkuTaken as error:
        form.blame_skus(error.skus)
        return _form_page(form, names, own_product_or_404(slug), status=422)
    except ProductChanged as error:
        product = own_product_or_404(slug)
        form.revision.data = form.revision.raw_data = str(product.revision)
        return _form_page(form, names, product, status=error.status, conflict=str(error))
    flash(_("Saved."), "success")
    return seen(url_for(".show", slug=slug))


def _one_row_more(form: ProductForm, names: Choices, rows: str, product: Product | None = None) -> Response:
    """Without a script the button for another row sends the form; nothing is checked or saved yet."""
    table = {"ways": form.ways, "variants": form.variants}.get(rows)
    if table is not None and len(table) < (table.max_entries or 0):
        table.append_entry()
    return _form_page(form, names, product)


def _form_page(
    form: ProductForm, names: Choices, product: Product | None = None, *, status: int = 200, conflict: str | None = None
) -> Response:
    form.offer(names.unit_names, names.category_names)
    here = url_for(".update", slug=product.slug) if product else url_for(".create")
    return page(
        "mall/catalog/office/form.html",
        status=status,
        fragments={"ways", "variants"},
        form=form,
        title=_("Edit product") if product else _("New product"),
        name=translated(product.name) if product else None,
        action_url=here,
        back_url=url_for(".show", slug=product.slug) if product else url_for(".index"),
        saved_url=url_for(".show", slug=product.slug) if product else None,
        conflict=conflict,
        currency=programme_currency(),
        stocks={str(variant.id): points(variant.stock) for variant in product.variants} if product else {},
        more_ways=len(form.ways) < (form.ways.max_entries or 0),
        more_variants=len(form.variants) < (form.variants.max_entries or 0),
    )


# --- verbs as resources -----------------------------------------------------------------------


@products.post("/<slug>/copy")
@requires(Permission.CATALOG_WRITE)
def create_copy(slug: str) -> BaseResponse:
    with transaction():
        copy = actions.copy_product(product=own_product_or_404(slug), by=me(), now=clock.now())
        new_slug = copy.slug
    flash(_("This is the copy, a draft without stock. Change what is different, then save."), "success")
    return seen(url_for(".edit", slug=new_slug))


@products.post("/<slug>/listing")
@requires(Permission.CATALOG_WRITE)
def create_listing(slug: str) -> BaseResponse:
    with transaction():
        actions.list_product(product=own_product_or_404(slug), by=me(), now=clock.now())
    flash(_("Members can see this product now."), "success")
    return seen(url_for(".show", slug=slug))


# A form without a script can only POST; a script may say DELETE.
@products.delete("/<slug>/listing")
@products.post("/<slug>/listing/removal")
@requires(Permission.CATALOG_WRITE)
def destroy_listing(slug: str) -> BaseResponse:
    with transaction():
        actions.archive_product(product=own_product_or_404(slug), by=me(), now=clock.now())
    flash(_("The product is archived: members no longer see it, orders go on."), "success")
    return seen(url_for(".show", slug=slug))


def _stock_form(product: Product, **options: Any) -> StockForm:
    form = StockForm(**(options or {"formdata": None}))
    form.variant.choices = [
        SelectChoice(str(variant.id), f"{variant.sku} {translated(variant.name)}".strip())
        for variant in product.variants
    ]
    return form


@products.post("/<slug>/stock")
@requires(Permission.CATALOG_WRITE)
def create_stock_movement(slug: str) -> BaseResponse:
    product = own_product_or_404(slug)
    form = _stock_form(product, formdata=request.form)
    if not form.check():
        return _show(product, status=422, stock_form=form)
    try:
        with transaction():
            actions.change_stock(
                variant_id=int(form.variant.data),
                change=form.change.number,
                reason=form.reason.data,
                reference=form.reference.data,
                by=me(),
                now=clock.now(),
            )
    except DomainError as error:
        refuse(form, error, "change")
        return _show(own_product_or_404(slug), status=error.status, stock_form=form)
    flash(_("The stock is changed."), "success")
    return seen(url_for(".show", slug=slug))


# --- pictures -----------------------------------------------------------------------------------


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
        return _show(product, status=422, pictures_form=form)
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
