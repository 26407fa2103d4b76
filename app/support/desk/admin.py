"""The desk's pages: find a member, see the whole picture, put a balance right, freeze what should not be spent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from app.foundation import clock
from app.foundation.audit import action_label
from app.foundation.database import transaction
from app.foundation.errors import DomainError
from app.foundation.formats import moment, money, points
from app.foundation.formtools import refuse
from app.foundation.languages import translated
from app.foundation.listing import Part, first_url, next_url
from app.foundation.money import Money
from app.foundation.pages import initials, page, seen
from app.foundation.permissions import Permission, allowed, requires
from app.foundation.terms import current
from app.identity.members.queries import member_by_code
from app.identity.session import current_staff
from app.identity.tags.queries import tags_in_use, tags_of
from app.loyalty.benefits.statements import desk_card
from app.loyalty.earning.statements import cap_sentence
from app.loyalty.ledger import queries as ledger
from app.loyalty.tiers.statements import place_of
from app.mall.orders.statements import label_of, price_line
from app.support.desk import queries
from app.support.desk.actions import BalanceMoved, adjust_balance, preview_adjustment
from app.support.desk.forms import AdjustmentForm, FreezeForm, NoteForm, ParticipationForm
from app.support.desk.freezing import FREEZE, UNFREEZE, freeze_points, frozen, lift_freeze
from app.support.desk.participation import KINDS, RECORD, record_participation, recordable
from app.support.desk.queries import Hit, Picture
from app.support.desk.terms import DeskTerms

if TYPE_CHECKING:
    from app.identity.members.models import Member

members = Blueprint("members", __name__, url_prefix="/members")
PAGE = 25
NOTED = {"balance.adjust", FREEZE, UNFREEZE}  # A colleague wrote down why.
TONES = {FREEZE: "danger", UNFREEZE: "brand"}


@members.get("")
@requires(Permission.MEMBER_READ)
def index() -> ResponseReturnValue:
    """Whatever names a member, in one box. A single hit opens at once; without a search, the newest members."""
    text = " ".join(request.args.get("q", "").split())[:100]
    if text:
        hits = queries.search(text, limit=PAGE)
        if len(hits) == 1:
            return redirect(url_for(".show", code=hits[0].member.code))
        return _list(text, Part(hits, None))
    return _list("", queries.newest(after=request.args.get("after"), limit=PAGE))


def _list(text: str, part: Part[Hit]) -> Response:
    return page(
        "support/desk/index.html",
        search=text,
        rows=[Row.of(hit) for hit in part.items],
        full=bool(text) and len(part.items) == PAGE,
        next_url=next_url(part),
        first_url=first_url(),
    )


@members.get("/<code>")
@requires(Permission.MEMBER_READ)
def show(code: str) -> Response:
    member, now = _member_or_404(code), clock.now()
    seen_from_all_sides = queries.picture(member, now=now)
    return page(
        "support/desk/show.html",
        member=member,
        profile=Profile.of(member),
        picture=seen_from_all_sides,
        place=place_of(seen_from_all_sides.progress),
        orders=_orders(seen_from_all_sides),
        purchases=_purchases(seen_from_all_sides),
        timeline=timeline(member, seen_from_all_sides),
        tags=[each.tag for each in tags_of(member.id)],
        known_tags=tags_in_use() if allowed(Permission.MEMBER_TAG) else [],
        may_tag=allowed(Permission.MEMBER_TAG),
        benefits=desk_card(member, now=now),
        benefits_url=url_for("backoffice.member_benefits.show", code=member.code)
        if allowed(Permission.BENEFIT_ASSIGN)
        else None,
        tier_url=url_for("backoffice.member_tier.show", code=member.code) if allowed(Permission.TIER_ASSIGN) else None,
        adjust_url=url_for(".new_adjustment", code=member.code) if allowed(Permission.BALANCE_ADJUST) else None,
        freeze=frozen(member),
        participation_url=url_for(".new_participation", code=member.code)
        if allowed(Permission.ACTIVITY_RECORD)
        else None,
        freeze_url=url_for(".new_freeze", code=member.code) if allowed(Permission.WALLET_FREEZE) else None,
        unfreeze_url=url_for(".new_removal", code=member.code) if allowed(Permission.WALLET_FREEZE) else None,
    )


@members.get("/<code>/adjustments/new")
@requires(Permission.BALANCE_ADJUST)
def new_adjustment(code: str) -> Response:
    return _adjustment_page(_member_or_404(code), AdjustmentForm())


@members.post("/<code>/adjustments/new")
@requires(Permission.BALANCE_ADJUST)
def create_adjustment(code: str) -> ResponseReturnValue:
    """First the figures to confirm, then, with ``confirmed``, the booking. Agents type; nobody guesses."""
    member, form, now = _member_or_404(code), AdjustmentForm(), clock.now()
    if not form.validate_on_submit():
        return _adjustment_page(member, form, status=422)
    try:
        if not form.confirmed.data:
            return _confirmation(member, form, now=now)
        by, shown = current_staff().actor, form.expected_points
        with transaction():
            done = adjust_balance(
                member=member,
                amount=form.points,
                reason=form.reason.data,
                note=form.note.data,
                form_key=form.key.data,
                by=by,
                expected=shown,
                now=now,
            )
    except BalanceMoved as error:
        refuse(form, error)
        return _confirmation(_member_or_404(code), form, now=now, status=error.status)
    except DomainError as error:
        refuse(form, error)
        return _adjustment_page(_member_or_404(code), form, status=error.status)
    flash(
        _(
            "The balance went from %(before)s to %(after)s points.",
            before=points(done.before),
            after=points(done.after),
        ),
        "success",
    )
    return seen(url_for(".show", code=code))


@members.get("/<code>/freeze")
@requires(Permission.WALLET_FREEZE)
def new_freeze(code: str) -> ResponseReturnValue:
    """What a freeze means, and the form. Who is frozen already can only be freed."""
    member = _member_or_404(code)
    if frozen(member):
        return redirect(url_for(".show", code=member.code))
    return _freeze_page(member, FreezeForm())


@members.post("/<code>/freeze")
@requires(Permission.WALLET_FREEZE)
def create_freeze(code: str) -> ResponseReturnValue:
    member, form = _member_or_404(code), FreezeForm()
    if not form.validate_on_submit():
        return _freeze_page(member, form, status=422)
    by = current_staff().actor
    with transaction():
        done = freeze_points(member=member, reason=form.reason.data, note=form.note.data, by=by, now=clock.now())
    if done:
        flash(_("The points are frozen: they can grow, but not be spent."), "success")
    else:
        flash(_("The points were frozen already. Nothing was changed."), "info")
    return seen(url_for(".show", code=code))


@members.get("/<code>/freeze/removal")
@requires(Permission.WALLET_FREEZE)
def new_removal(code: str) -> ResponseReturnValue:
    member = _member_or_404(code)
    return _removal_page(member, NoteForm()) if frozen(member) else redirect(url_for(".show", code=member.code))


@members.post("/<code>/freeze/removal")
@requires(Permission.WALLET_FREEZE)
def create_removal(code: str) -> ResponseReturnValue:
    member, form = _member_or_404(code), NoteForm()
    if not form.validate_on_submit():
        return _removal_page(member, form, status=422)
    by = current_staff().actor
    with transaction():
        done = lift_freeze(member=member, note=form.note.data, by=by, now=clock.now())
    if done:
        flash(_("The freeze is lifted: the points can be spent again."), "success")
    else:
        flash(_("The points were not frozen any more. Nothing was changed."), "info")
    return seen(url_for(".show", code=code))


@members.get("/<code>/participation/new")
@requires(Permission.ACTIVITY_RECORD)
def new_participation(code: str) -> Response:
    """What is rewarded and not seen by the system itself: a colleague writes it down."""
    now = clock.now()
    day = clock.local_date(now, clock.programme_zone())
    return _participation_page(_member_or_404(code), ParticipationForm(kinds=_kinds(now), day=day))


@members.post("/<code>/participation/new")
@requires(Permission.ACTIVITY_RECORD)
def create_participation(code: str) -> ResponseReturnValue:
    member, now = _member_or_404(code), clock.now()
    form = ParticipationForm(kinds=_kinds(now))
    if not form.validate_on_submit():
        return _participation_page(member, form, status=422)
    told = {"kind": form.kind.data, "title": form.title.data, "day": form.day.data}
    try:
        with transaction():
            granted = record_participation(member=member, **told, by=current_staff().actor, now=now)
    except DomainError as error:
        refuse(form, error)
        return _participation_page(_member_or_404(code), form, status=error.status)
    if not granted.fresh:
        flash(_("This was written down before. Nothing was given again."), "info")
    elif granted.points:
        flash(_("Written down: %(points)s points were given.", points=points(granted.points)), "success")
    else:
        flash(_("Written down. A cap of the rules left no points for it."), "info")
    return seen(url_for(".show", code=code))


def _kinds(now: datetime) -> dict[str, str]:
    return {kind: str(KINDS[kind]) for kind in recordable(now)}


def _participation_page(member: Member, form: ParticipationForm, *, status: int = 200) -> Response:
    options = [
        {"value": kind, "title": KINDS[kind], "text": cap_sentence(rule.caps), "price": points(rule.points, sign=True)}
        for kind, rule in recordable(clock.now()).items()
    ]
    return page("support/desk/participation.html", status=status, member=member, form=form, options=options)


def _freeze_page(member: Member, form: FreezeForm, *, status: int = 200) -> Response:
    standing = ledger.standing(member.id, now=clock.now())
    return page("support/desk/freeze.html", status=status, member=member, form=form, standing=standing)


def _removal_page(member: Member, form: NoteForm, *, status: int = 200) -> Response:
    return page("support/desk/removal.html", status=status, member=member, form=form, freeze=frozen(member))


def _member_or_404(code: str) -> Member:
    member = member_by_code(code) if code.isascii() and code.isalnum() else None
    return member or abort(404)


def _adjustment_page(member: Member, form: AdjustmentForm, *, status: int = 200) -> Response:
    return page(
        "support/desk/adjustment.html",
        status=status,
        member=member,
        form=form,
        standing=ledger.standing(member.id, now=clock.now()),
        limit=current(DeskTerms).adjustment_limit,
    )


def _confirmation(member: Member, form: AdjustmentForm, *, now: datetime, status: int = 200) -> Response:
    """The figures before and after. Refused at once is what could not be booked anyway."""
    expected = preview_adjustment(member=member, amount=form.points, now=now)
    return page(
        "support/desk/confirmation.html",
        status=status,
        member=member,
        form=form,
        amount=form.points,
        before=expected.before,
        after=expected.after,
        reason=translated(current(DeskTerms).reasons[form.reason.data]),
    )


# --- what the pages show ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    url: str
    contact: str
    initials: str
    code: str
    tier: str | None
    rank: int
    joined: datetime
    claimed: bool

    @classmethod
    def of(cls, hit: Hit) -> Row:
        member = hit.member
        return cls(
            name=member.name or _("No name yet"),
            url=url_for(".show", code=member.code),
            contact=" · ".join(filter(None, (member.phone, member.email))),
            initials=initials(member.label),
            code=member.code,
            tier=translated(hit.tier.name) if hit.tier else None,
            rank=hit.tier.rank if hit.tier else 0,
            joined=member.created_at,
            claimed=member.claimed_at is not None,
        )


@dataclass(frozen=True, slots=True)
class Profile:
    name: str
    gender: str

    @classmethod
    def of(cls, member: Member) -> Profile:
        genders = {"": "–", "female": _("Female"), "male": _("Male"), "other": _("Other")}
        return cls(member.name or _("No name yet"), genders[member.gender])


@dataclass(frozen=True, slots=True)
class Item:
    title: str
    text: str
    at: datetime
    amount: str
    url: str | None = None


def _orders(picture: Picture) -> list[Item]:
    may_open = allowed(Permission.ORDER_READ)
    return [
        Item(
            translated(order.lines[0].name) if order.lines else order.number,
            f"{order.number} · {label_of(order)}",
            order.placed_at,
            price_line(order),
            url_for("backoffice.orders.show", number=order.number) if may_open else None,
        )
        for order in picture.orders
    ]


def _purchases(picture: Picture) -> list[Item]:
    return [
        Item(
            translated(picture.units[purchase.unit_id]),
            purchase.order_no,
            purchase.occurred_at,
            f"{money(Money(purchase.amount, purchase.currency))} → {points(purchase.points, sign=True)}",
        )
        for purchase in picture.purchases
    ]


def timeline(member: Member, picture: Picture) -> list[dict[str, str]]:
    """What happened, newest first: joining, tiers, what colleagues changed, orders, the last check-in."""
    events: list[tuple[datetime, str, str, str, str]] = [(member.created_at, _("Created"), "", "", "neutral")]
    if member.claimed_at:
        events.append((member.claimed_at, _("Joined"), "", "", "brand"))
    for entry in picture.tier_history:
        title = _("Became %(tier)s", tier=translated(entry.to_tier.name))
        events.append((entry.change.at, title, "", "", "gold"))
    for change in picture.changes:
        title = action_label(change.action)
        if change.action == "balance.adjust":
            title = _("Balance corrected: %(points)s", points=points(change.after["amount"], sign=True))
        note = change.after.get("note", "") if change.action in NOTED else ""
        if change.action == RECORD:
            title, note = str(KINDS.get(change.after["kind"], title)), change.after["title"]
        events.append((change.at, title, note, change.actor_label, TONES.get(change.action, "violet")))
    events += [(each.placed_at, _("Ordered %(number)s", number=each.number), "", "", "info") for each in picture.orders]
    for done in picture.check_ins[:1]:
        title = ngettext("Checked in", "Checked in, %(num)s days in a row", picture.streak or 1)
        events.append((done.at, title, "", "", "brand"))
    events.sort(key=lambda event: event[0], reverse=True)
    return [
        {"title": title, "text": text, "time": moment(at, "short"), "by": by, "tone": tone}
        for at, title, text, by, tone in events[:15]
    ]
