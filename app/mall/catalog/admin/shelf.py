"""The list of products, one product, and what is done to it besides editing."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse
from wtforms import SelectChoice

from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.errors import DomainError
from app.foundation.formats import points
from app.foundation.formtools import refuse
from app.foundation.languages import translated
from app.foundation.listing import first_url, next_url
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, allowed, requires
from app.identity.session import current_staff
from app.identity.staff.queries import unit_scope
from app.mall.catalog import actions, stockroom
from app.mall.catalog.admin.door import filters_in, me, own_product_or_404, products, wanted_by
from app.mall.catalog.errors import StockCounted
from app.mall.catalog.models import Product
from app.mall.catalog.office import choices, details, movement_line, row, state_badge, status_badge
from app.mall.catalog.rules import MOST_PICTURES, STATUSES
from app.mall.catalog.selections import MOST_SELECTED, bulk_actions
from app.mall.catalog.small_forms import ListingForm, PicturesForm, StockForm

PAGE = 25

# --- the list -----------------------------------------------------------------------------


@products.get("")
@requires(Permission.CATALOG_READ)
def index() -> Response:
    names = choices()
    filters = filters_in(request.args)
    part = stockroom.products_of_units(
        unit_scope(current_staff()), wanted_by(filters, names), after=request.args.get("after"), limit=PAGE
    )
    return page(
        "mall/catalog/office/index.html",
        fragments={"results"},
        rows=[row(product, names, clock.now()) for product in part.items],
        filters=filters,
        status_chips=_status_chips(filters),
        units=names.names["unit"],
        categories=names.names["category"],
        next_url=next_url(part),
        first_url=first_url(),
        index_url=url_for(".index"),
        new_url=url_for(".new") if allowed(Permission.CATALOG_WRITE) else None,
        sheets_url=url_for(".sheets", **filters),
        selection_url=url_for(".create_selection"),
        actions=bulk_actions() if allowed(Permission.CATALOG_WRITE) else [("export", _("Export"))],
        most_selected=points(MOST_SELECTED),
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
    return show_product(own_product_or_404(slug))


def show_product(
    product: Product,
    *,
    status: int = 200,
    stock_form: StockForm | None = None,
    pictures_form: PicturesForm | None = None,
    listing_form: ListingForm | None = None,
) -> Response:
    names = choices()
    label, tone = state_badge(product, clock.now())
    may_write = allowed(Permission.CATALOG_WRITE)
    return page(
        "mall/catalog/office/show.html",
        status=status,
        fragments={"stock", "pictures"},
        product=details(product, names),
        pools=_pools(product),
        status_text=label,
        status_tone=tone,
        may_write=may_write,
        listed=product.status == "listed",
        urls={
            "index": url_for(".index"),
            "mall": url_for("portal.mall.show", slug=product.slug) if product.status == "listed" else None,
            **{name: url_for(f".{name}", slug=product.slug) for name in _WRITES if may_write},
        },
        movements=[movement_line(*entry) for entry in stockroom.movements(product)],
        stock_form=stock_form or _stock_form(product),
        pictures_form=pictures_form or PicturesForm(formdata=None),
        listing_form=listing_form or ListingForm(formdata=None),
        most_pictures=MOST_PICTURES,
    )


def _pools(product: Product) -> list[dict[str, str]] | None:
    """Where the stock of each variant is counted, if nobody types it in."""
    if product.kind == "code":
        return [
            {"label": _("Code pool %(sku)s", sku=each.sku), "url": url_for("backoffice.codes.show", sku=each.sku)}
            for each in product.variants
        ]
    if product.kind == "service":
        return [
            {"label": _("Times of %(sku)s", sku=each.sku), "url": url_for("backoffice.slots.show", sku=each.sku)}
            for each in product.variants
        ]
    return None


_WRITES = ("edit", "create_copy", "create_listing", "destroy_listing", "create_stock_movement", "create_pictures")


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
    """Now, or from the moment that the form says."""
    product, form, now = own_product_or_404(slug), ListingForm(), clock.now()
    if not form.check():
        return show_product(product, status=422, listing_form=form)
    later = form.at.moment is not None and form.at.moment > now
    with transaction():
        actions.list_product(product=own_product_or_404(slug), at=form.at.moment, by=me(), now=now)
    if later:
        flash(_("Members will see this product from that moment on, by itself."), "success")
    else:
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
        return show_product(product, status=422, stock_form=form)
    try:
        with transaction():
            actions.change_stock_by_hand(
                variant_id=int(form.variant.data),
                change=form.change.number,
                reason=form.reason.data,
                reference=form.reference.data,
                by=me(),
                now=clock.now(),
            )
    except StockCounted:
        raise  # Its page has no such form.
    except DomainError as error:
        refuse(form, error, "change")
        return show_product(own_product_or_404(slug), status=error.status, stock_form=form)
    flash(_("The stock is changed."), "success")
    return seen(url_for(".show", slug=slug))
