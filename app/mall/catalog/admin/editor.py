"""The form of a product, new or not."""

from __future__ import annotations

import re

from flask import Response, flash, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.formats import points
from app.foundation.formtools import refuse
from app.foundation.languages import translated
from app.foundation.money import programme_currency
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, requires
from app.identity.session import current_staff
from app.identity.staff.queries import unit_scope
from app.mall.catalog import actions
from app.mall.catalog.admin.door import me, own_product_or_404, products
from app.mall.catalog.errors import GrantNotOffered, KindKept, ProductChanged, SkuTaken, StockCounted
from app.mall.catalog.forms import ProductForm, kind_of, values_of
from app.mall.catalog.grants import grantor_of, sold_by
from app.mall.catalog.models import Product
from app.mall.catalog.office import Choices, choices


@products.get("/new")
@requires(Permission.CATALOG_WRITE)
def new() -> Response:
    return _form_page(ProductForm(formdata=None), choices())


@products.post("")
@requires(Permission.CATALOG_WRITE)
def create() -> BaseResponse:
    form, names = ProductForm(), choices()
    offer(form, names)
    if rows := request.form.get("more"):
        return _one_row_more(form, names, rows)
    if not form.check(programme_currency()):
        return _form_page(form, names, status=422)
    try:
        with transaction():
            draft = form.draft(names.ids)
            product = actions.create_product(draft=draft, by=me(), now=clock.now())
            slug = product.slug
    except SkuTaken as error:
        form.blame_skus(error.skus)
        return _form_page(form, names, status=422)
    except (StockCounted, GrantNotOffered) as error:
        refuse(form, error, "kind")
        return _form_page(form, names, status=error.status)
    flash(_("The product is saved as a draft. Add pictures, then list it in the mall."), "success")
    return seen(url_for(".show", slug=slug))


@products.get("/<slug>/edit")
@requires(Permission.CATALOG_WRITE)
def edit(slug: str) -> Response:
    product, names = own_product_or_404(slug), choices()
    values = values_of(product, names.codes(product))
    return _form_page(ProductForm(formdata=None, data=values), names, product)


@products.post("/<slug>")
@requires(Permission.CATALOG_WRITE)
def update(slug: str) -> BaseResponse:
    product, form, names = own_product_or_404(slug), ProductForm(), choices()
    offer(form, names, product)
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
                draft=form.draft(names.ids),
                revision=int(seen_revision) if re.fullmatch(r"[0-9]{1,9}", seen_revision) else 0,
                by=me(),
                now=clock.now(),
            )
    except SkuTaken as error:
        form.blame_skus(error.skus)
        return _form_page(form, names, own_product_or_404(slug), status=422)
    except (StockCounted, GrantNotOffered, KindKept) as error:
        refuse(form, error, "kind")
        return _form_page(form, names, own_product_or_404(slug), status=error.status)
    except ProductChanged as error:
        product = own_product_or_404(slug)
        form.revision.data = form.revision.raw_data = str(product.revision)
        return _form_page(form, names, product, status=error.status, conflict=str(error))
    flash(_("Saved."), "success")
    return seen(url_for(".show", slug=slug))


def offer(form: ProductForm, names: Choices, product: Product | None = None) -> None:
    told = names.names
    form.offer(told["unit"], told["category"], told["brand"], told["tier"], _granting(product))


def _granting(product: Product | None) -> dict[str, dict[str, str]]:
    """What this colleague may sell now, and what this product grants, though it may be neither theirs nor there."""
    found = {
        str(grantor.label): {kind_of(grantor.kind, each.code): each.name for each in choices}
        for grantor, choices in sold_by(unit_scope(current_staff())).items()
    }
    if product and product.grants:
        mine = kind_of(product.kind, product.grants)
        if not any(mine in group for group in found.values()):
            found |= _granted_by(product, mine)
    return found


def _granted_by(product: Product, mine: str) -> dict[str, dict[str, str]]:
    if grantor := grantor_of(product.kind):
        for each in grantor.choices():
            if each.code == product.grants:
                return {str(grantor.label): {mine: each.name}}
    return {_("Not offered any more"): {mine: product.grants}}


def _one_row_more(form: ProductForm, names: Choices, rows: str, product: Product | None = None) -> Response:
    """Without a script the button for another row sends the form; nothing is checked or saved yet."""
    table = {"ways": form.ways, "variants": form.variants}.get(rows)
    if table is not None and len(table) < (table.max_entries or 0):
        table.append_entry()
    return _form_page(form, names, product)


def _form_page(
    form: ProductForm, names: Choices, product: Product | None = None, *, status: int = 200, conflict: str | None = None
) -> Response:
    offer(form, names, product)
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
