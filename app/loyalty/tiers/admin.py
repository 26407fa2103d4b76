"""Office pages: the ladder with its members, its editor, and a tier given to a member by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, abort, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date, format_percent
from flask_babel import gettext as _

from app.foundation import clock, terms
from app.foundation.database import transaction
from app.foundation.errors import DomainError, InvalidInput
from app.foundation.formats import day, points
from app.foundation.formtools import refuse
from app.foundation.languages import translated
from app.foundation.money import LIMIT
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, allowed, requires
from app.foundation.screens.terms_pages import around
from app.foundation.screens.terms_registry import editor, keep, started
from app.foundation.terms import current
from app.identity.members.queries import member_by_code, members_by_ids
from app.identity.session import current_staff
from app.loyalty.tiers import queries
from app.loyalty.tiers.actions import end_grant, give_tier
from app.loyalty.tiers.forms import GivenTierForm, LadderForm, TierRow, whole
from app.loyalty.tiers.histories import timeline
from app.loyalty.tiers.models import Tier, TierReview
from app.loyalty.tiers.rules import next_review
from app.loyalty.tiers.statements import ladder_cards
from app.loyalty.tiers.telling import Life, Standing, standing_of
from app.loyalty.tiers.terms import LONGEST_WINDOW, LadderTerms, TierTerms, refuse_upside_down

if TYPE_CHECKING:
    from app.identity.members.models import Member

tier_ladder = Blueprint("tiers", __name__, url_prefix="/tiers")
editor("ladder", "backoffice.tiers.edit")
member_tier = Blueprint("member_tier", __name__, url_prefix="/members/<code>/tier")


# --- the ladder -------------------------------------------------------------------------------


@tier_ladder.get("")
@requires(Permission.PROGRAMME_READ)
def index() -> Response:
    tiers, now = queries.ladder(), clock.now()
    today = clock.local_date(now, clock.programme_zone())
    day_of_review = current(TierTerms).review_day
    grants, total = queries.grants_ending()
    return page(
        "loyalty/tiers/index.html",
        cards=ladder_cards(tiers),
        bars=_bars(tiers, queries.members_by_tier()),
        next_review=next_review(today, review_day=day_of_review).replace(day=day_of_review),
        reviews=[ReviewRow.of(each) for each in queries.latest_reviews(limit=6)],
        grants=_grant_rows(grants),
        more_grants=total - len(grants),
        terms_url=url_for("backoffice.terms.index"),
        edit_url=url_for("backoffice.tiers.edit") if allowed(Permission.PROGRAMME_WRITE) else None,
    )


@dataclass(frozen=True, slots=True)
class TierBar:
    """How many members stand on a tier, and how many in a thousand that is, with its words."""

    name: str
    rank: int
    members: int
    share: int
    percent: str


def _bars(tiers: Sequence[Tier], members: dict[int, int]) -> list[TierBar]:
    total = sum(members.values()) or 1
    return [
        TierBar(
            translated(tier.name), tier.rank, number, number * 1000 // total, format_percent(number / total, "#,##0.#%")
        )
        for tier in tiers
        for number in (members.get(tier.id, 0),)
    ]


@dataclass(frozen=True, slots=True)
class ReviewRow:
    month: str
    state: str
    tone: str
    reviewed: str
    lowered: str

    @classmethod
    def of(cls, review: TierReview) -> ReviewRow:
        done = review.finished_at is not None
        return cls(
            month=format_date(review.month, "MMM yyyy"),
            state=_("Done on %(day)s", day=day(review.finished_at)) if review.finished_at else _("Under way"),
            tone="brand" if done else "gold",
            reviewed=points(review.reviewed),
            lowered=points(review.lowered),
        )


@dataclass(frozen=True, slots=True)
class GrantRow:
    name: str
    url: str | None
    tier: str
    rank: int
    reason: str
    given_by: str
    last_day: date


def _grant_rows(grants: Sequence[tuple[queries.TierGrant, Tier]]) -> list[GrantRow]:
    members = members_by_ids([grant.member_id for grant, _tier in grants])
    may_open = allowed(Permission.MEMBER_READ)
    return [
        GrantRow(
            name=members[grant.member_id].label,
            url=url_for("backoffice.members.show", code=members[grant.member_id].code) if may_open else None,
            tier=translated(tier.name),
            rank=tier.rank,
            reason=grant.reason,
            given_by=grant.given_by,
            last_day=grant.last_day,
        )
        for grant, tier in grants
    ]


# --- the ladder as an owner writes it -----------------------------------------------------------


@tier_ladder.get("/ladder")
@requires(Permission.PROGRAMME_WRITE)
def edit() -> ResponseReturnValue:
    values, seal = started(LadderTerms)
    life = {"spend": "6000", "points_earned": "6000", "months": "12"}
    return _editor(LadderForm(data={"tiers": [TierRow.typed(e) for e in values.tiers], "seal": seal, "life": life}))


@tier_ladder.post("/ladder")
@requires(Permission.PROGRAMME_WRITE)
def update() -> ResponseReturnValue:
    """Save the draft; or, when a button for tiers was pressed, come back with one more or less."""
    form = LadderForm()
    form.validate_on_submit()
    if wanted := request.form.get("rows"):
        return _editor(form.changed(wanted), fresh=wanted)
    if form.errors:
        return _editor(form, status=422)
    try:
        return seen(keep(LadderTerms, _values(form), seen=form.seal.data or "", by=current_staff().actor))
    except DomainError as error:
        refuse(form, error)
        form.seal.data = started(LadderTerms)[1]
        return _editor(form, status=error.status)


@tier_ladder.post("/ladder/trial")
@requires(Permission.PROGRAMME_WRITE)
def create_trial() -> ResponseReturnValue:
    """See where somebody would stand on the ladder in the form. Saves nothing."""
    form = LadderForm()
    form.validate_on_submit()
    return _editor(form)


def _values(form: LadderForm) -> dict[str, Any]:
    """Terms as they would be saved. Raises ``InvalidInput``."""
    published = [each.terms for each in terms.editions(LadderTerms)]
    values = form.values({entry["code"] for each in published for entry in each.tiers})
    LadderTerms(**values)
    refuse_upside_down(values["tiers"])
    return values


def _tried(form: LadderForm) -> tuple[Standing | None, LadderTerms | None, str]:
    """Where the life beside the form leads, and the ladder; or the sentence that says why there is none."""
    asked = form.life.form
    try:
        draft = LadderTerms(**_values(form))
        months, figures = whole(asked.months.data), dict(asked.asked())
        if type(months) is not int or not 1 <= months <= LONGEST_WINDOW:
            raise InvalidInput(_("The time has to be 1 to %(most)s months.", most=LONGEST_WINDOW))
        if any(type(value) is not int or not 0 <= value <= LIMIT for value in figures.values()):
            raise InvalidInput(_("Please write whole numbers, and amounts of money such as 129.00."))
        return standing_of(Life(months, figures), draft), draft, ""
    except InvalidInput as error:
        return None, None, str(error)


def _editor(form: LadderForm, *, status: int = 200, fresh: str = "") -> ResponseReturnValue:
    standing, draft, refusal = _tried(form)
    standing_there = queries.members_by_tier()
    members = {tier.code: standing_there.get(tier.id, 0) for tier in queries.ladder()}
    return page(
        "loyalty/tiers/office/edit.html",
        status=status,
        fragments={"editor", "trial"},
        form=form,
        fresh=fresh,
        members=members,
        standing=standing,
        cards=ladder_cards(draft.rows) if draft else [],
        refusal=refusal,
        action_url=url_for("backoffice.tiers.update"),
        trial_url=url_for("backoffice.tiers.create_trial"),
        **around("ladder"),
    )


# --- by hand ----------------------------------------------------------------------------------


@member_tier.get("")
@requires(Permission.TIER_ASSIGN)
def show(code: str) -> Response:
    return _page(_member_or_404(code), GivenTierForm())


@member_tier.post("")
@requires(Permission.TIER_ASSIGN)
def create(code: str) -> ResponseReturnValue:
    member, form = _member_or_404(code), GivenTierForm()
    form.tier.choices = _choices()
    if not form.validate_on_submit():
        return _page(member, form, status=422)
    by = current_staff().actor
    try:
        with transaction():
            give_tier(
                member=member,
                tier_code=form.tier.data,
                last_day=form.last_day.data,
                reason=form.reason.data,
                by=by,
                now=clock.now(),
            )
    except DomainError as error:
        refuse(form, error)
        return _page(_member_or_404(code), form, status=error.status)
    flash(_("The tier is given until %(day)s.", day=day(form.last_day.data)), "success")
    return seen(url_for("backoffice.members.show", code=code))


@member_tier.post("/ending")
@requires(Permission.TIER_ASSIGN)
def create_ending(code: str) -> ResponseReturnValue:
    member, by = _member_or_404(code), current_staff().actor
    with transaction():
        ended = end_grant(member=member, by=by, now=clock.now())
    if ended:
        flash(_("The tier given by hand has ended."), "success")
    return seen(url_for("backoffice.members.show", code=code))


def _member_or_404(code: str) -> Member:
    member = member_by_code(code) if code.isascii() and code.isalnum() else None
    return member or abort(404)


def _choices() -> list[tuple[str, str]]:
    return [(tier.code, translated(tier.name)) for tier in queries.ladder() if tier.rank > 0]


def _page(member: Member, form: GivenTierForm, *, status: int = 200) -> Response:
    form.tier.choices = _choices()
    now = clock.now()
    place = queries.progress(member.id, now=now)
    if place and place.next_tier and not form.is_submitted():
        form.tier.data = place.next_tier.code
    grant = queries.open_grant(member.id)
    return page(
        "loyalty/tiers/given.html",
        status=status,
        member=member,
        form=form,
        tier=translated(place.tier.name) if place else "",
        rank=place.tier.rank if place else 0,
        since=_since(place.since if place else None),
        grant=grant,
        given=translated(next(tier.name for tier in queries.ladder() if tier.id == grant.tier_id)) if grant else "",
        today=clock.local_date(now, clock.programme_zone()).isoformat(),
        history=timeline(queries.history(member.id, limit=12)),
    )


def _since(moment: datetime | None) -> str | None:
    return day(moment) if moment else None
