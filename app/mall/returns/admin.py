"""Returns in the back office: what waits, what it would bring, and the decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf import FlaskForm

from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.errors import DomainError
from app.foundation.formats import points
from app.foundation.formtools import refuse
from app.foundation.languages import translated
from app.foundation.listing import first_url, next_url
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, allowed, requires
from app.identity.members.queries import member_by_id, members_by_ids
from app.identity.session import current_staff
from app.identity.staff.queries import unit_scope
from app.identity.units.queries import unit_names
from app.mall.orders.queries import office_order, order_by_id
from app.mall.payments.queries import payments_of
from app.mall.payments.statements import payment_rows
from app.mall.returns import actions, pictures, queries
from app.mall.returns.asking import Asking
from app.mall.returns.calling_off import CallingOff
from app.mall.returns.forms import ApprovalForm, RejectionForm, SettlementForm
from app.mall.returns.giveable import giveable
from app.mall.returns.models import ReturnCase
from app.mall.returns.rules import NUMBER, OPEN, STATES, STEPS
from app.mall.returns.statements import STATE_LABELS, case_shown, picture_urls, row
from app.mall.returns.walk import Side, limit_uploads

if TYPE_CHECKING:
    from app.mall.orders.models import Order

returns = Blueprint("returns", __name__)
PAGE = 50


def _tell(case: ReturnCase) -> None:
    if case.state == "settled":
        flash(_("It is cancelled. What was paid goes back."), "success")
    else:
        flash(_("The case is open. It is settled like any other."), "success")


HERE = Side("office/", "backoffice.orders.show", after=_tell)


def order_or_404(number: str) -> Order:
    """An order of this colleague's units; others are not there."""
    order = office_order(number, units=unit_scope(current_staff())) if NUMBER.fullmatch(number) else None
    return order or abort(404)


def case_or_404(number: str) -> ReturnCase:
    case = queries.office_case(number, units=unit_scope(current_staff())) if NUMBER.fullmatch(number) else None
    return case or abort(404)


# --- the list -----------------------------------------------------------------------------


@returns.get("/returns")
@requires(Permission.ORDER_READ)
def index() -> ResponseReturnValue:
    scope, state = unit_scope(current_staff()), request.args.get("state", "")
    states = {"open": OPEN, **{each: (each,) for each in STATES}}.get(state, ())
    part = queries.office_cases(units=scope, states=states, after=request.args.get("after"), limit=PAGE)
    orders, names = queries.orders_of_cases(part.items), unit_names()
    members = members_by_ids({case.member_id for case in part.items})
    return page(
        "mall/returns/office/index.html",
        fragments={"results"},
        rows=[
            {
                "case": row(case, orders[case.order_id]),
                "url": url_for(".show", number=case.number),
                "order": orders[case.order_id].number,
                "member": members[case.member_id].label,
                "member_code": members[case.member_id].code,
                "unit": translated(names.get(case.unit_id, {})),
            }
            for case in part.items
        ],
        chips=_chips(state, queries.waiting(units=scope)),
        filtered=bool(states),
        index_url=url_for(".index"),
        first_url=first_url(),
        next_url=next_url(part),
    )


def _chips(chosen: str, waiting: dict[str, int]) -> list[dict[str, Any]]:
    labels = {"": _("All"), "requested": _("To decide"), "approved": _("To arrive")}
    labels |= {state: str(STATE_LABELS[state][0]) for state in ("settled", "rejected", "withdrawn")}
    return [
        {
            "label": label,
            "url": url_for(".index", state=state or None),
            "active": state == chosen,
            "count": waiting.get(state),
        }
        for state, label in labels.items()
    ]


# --- one case -------------------------------------------------------------------------------


@returns.get("/returns/<number>")
@requires(Permission.ORDER_READ)
def show(number: str) -> ResponseReturnValue:
    return _case_page(case_or_404(number))


def _case_page(case: ReturnCase, form: FlaskForm | None = None, *, status: int = 200) -> ResponseReturnValue:
    order, now, number = queries.order_of(case), clock.now(), case.number
    payments = payments_of(order.id)
    refund = next(
        (each for payment in payments for each in payment.refunds if each.key == queries.refund_key(case)), None
    )
    member = member_by_id(case.member_id) or abort(404)
    shown = case_shown(case, order, made=queries.outcome_of(case, order, now=now), refund=refund)
    decides, settles = allowed(Permission.RETURN_DECIDE), (case.state, "settled") in STEPS
    return page(
        "mall/returns/office/show.html",
        status=status,
        case=shown,
        history=[{**event, "by": event["who"]} for event in shown.history],
        member=member.label,
        member_code=member.code,
        contact=member.phone or member.email or "",
        unit=translated(unit_names().get(case.unit_id, {})),
        pieces=points(sum(piece.quantity for piece in case.pieces)),
        pictures=picture_urls(case, ".show_picture"),
        payments=[row for payment in payments for row in payment_rows(payment)],
        order_number=order.number,
        order_url=url_for("backoffice.orders.show", number=order.number),
        replacement=order_by_id(case.replacement_id).number if case.replacement_id else None,
        index_url=url_for(".index"),
        approval=_form(form, ApprovalForm) if decides and (case.state, "approved") in STEPS else None,
        rejection=_form(form, RejectionForm) if decides and (case.state, "rejected") in STEPS else None,
        settlement=_form(form, SettlementForm, parcel=shown.parcel) if decides and settles else None,
        wrong=form,
        approval_url=url_for(".create_approval", number=number),
        rejection_url=url_for(".create_rejection", number=number),
        settlement_url=url_for(".create_settlement", number=number),
    )


def _form(refused: FlaskForm | None, kind: type[FlaskForm], **facts: bool) -> FlaskForm:
    """The form as it was sent, if it was this one; else an empty one."""
    return refused if isinstance(refused, kind) else kind(formdata=None, **facts)


@returns.post("/returns/<number>/approval")
@requires(Permission.RETURN_DECIDE)
def create_approval(number: str) -> ResponseReturnValue:
    case, form = case_or_404(number), ApprovalForm()
    if not form.validate():
        return _case_page(case, form, status=422)
    return _decide(actions.approve, case, form, answer=form.answer.data or "")


@returns.post("/returns/<number>/rejection")
@requires(Permission.RETURN_DECIDE)
def create_rejection(number: str) -> ResponseReturnValue:
    case, form = case_or_404(number), RejectionForm()
    if not form.validate():
        return _case_page(case, form, status=422)
    return _decide(actions.reject, case, form, answer=form.why.data or "")


@returns.post("/returns/<number>/settlement")
@requires(Permission.RETURN_DECIDE)
def create_settlement(number: str) -> ResponseReturnValue:
    case = case_or_404(number)
    form = SettlementForm(parcel=queries.has_parcel(case, queries.order_of(case)))
    if not form.validate():
        return _case_page(case, form, status=422)
    return _decide(actions.settle, case, form, back_on_shelf=form.back_on_shelf)


def _decide(action: Any, case: ReturnCase, form: FlaskForm, **details: Any) -> ResponseReturnValue:
    number, by = case.number, current_staff().actor
    try:
        with transaction():
            action(case_id=case.id, by=by, now=clock.now(), **details)
    except DomainError as error:
        refuse(form, error)
        return _case_page(case_or_404(number), form, status=error.status)
    return seen(url_for(".show", number=number))


@returns.get("/returns/<number>/pictures/<int:place>/<size>")
@requires(Permission.ORDER_READ)
def show_picture(number: str, place: int, size: str) -> Response:
    return pictures.answer(case_or_404(number).pictures, place, size)


# --- for a member ---------------------------------------------------------------------------


@returns.get("/orders/<number>/returns")
@requires(Permission.ORDER_READ)
def index_of_order(number: str) -> ResponseReturnValue:
    """What was sent back of an order; a part of the order's own page."""
    order = order_or_404(number)
    cases, decides = queries.cases_of_order(order.id), allowed(Permission.RETURN_DECIDE)
    left = giveable(order, by=current_staff().actor, now=clock.now())
    return page(
        "mall/returns/office/order.html",
        fragments={"order_returns"},
        number=number,
        order_url=url_for("backoffice.orders.show", number=number),
        rows=[row(case, order) for case in cases[::-1]],
        new_url=url_for(".new", number=number) if decides and _may_open(order) else None,
        cancellation_url=url_for(".new_cancellation", number=number) if decides and left else None,
    )


def _may_open(order: Order) -> bool:
    """Has it arrived, is something left of it, and is no other case open?"""
    arrived = order.state in ("delivered", "completed")
    return arrived and not order.return_open and bool(queries.returnable(order, "return", "staff"))


@returns.get("/orders/<number>/returns/new")
@requires(Permission.RETURN_DECIDE)
def new(number: str) -> ResponseReturnValue:
    order = order_or_404(number)
    if not _may_open(order):
        return redirect(url_for(".index_of_order", number=number))
    return HERE.show_form(Asking.begin(order, current_staff().actor), now=clock.now())


@returns.post("/orders/<number>/returns")
@limit_uploads
@requires(Permission.RETURN_DECIDE)
def create(number: str) -> ResponseReturnValue:
    """Also after the window, and for services: staff know why."""
    return HERE.take_step(Asking.begin(order_or_404(number), current_staff().actor), now=clock.now())


@returns.get("/orders/<number>/cancellations/new")
@requires(Permission.RETURN_DECIDE)
def new_cancellation(number: str) -> ResponseReturnValue:
    order, me = order_or_404(number), current_staff().actor
    if not giveable(order, by=me, now=clock.now()):
        return redirect(url_for(".index_of_order", number=number))
    return HERE.show_form(CallingOff.begin(order, me), now=clock.now())


@returns.post("/orders/<number>/cancellations")
@requires(Permission.RETURN_DECIDE)
def create_cancellation(number: str) -> ResponseReturnValue:
    """Also after it was packed, for what is not sent yet."""
    return HERE.take_step(CallingOff.begin(order_or_404(number), current_staff().actor), now=clock.now())
