"""Benefits, gifts and vouchers, ready to show: to the member, beside the tiers, and at the desk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from flask_babel import gettext as _

from app.foundation import clock
from app.foundation.formats import day, points
from app.foundation.languages import translated
from app.foundation.terms import current
from app.identity.units.queries import all_units
from app.loyalty.benefits.holding import Held, held_then, is_valid
from app.loyalty.benefits.parsing import KINDS
from app.loyalty.benefits.queries import Claimed, claimed_by, grants_of, now_claimable, open_vouchers
from app.loyalty.benefits.rules import MEASURED, Benefit, Claimable, Kind, best
from app.loyalty.benefits.terms import BenefitTerms
from app.loyalty.benefits.words import PICTURES, TONES, gifts_text, sentence, short

if TYPE_CHECKING:
    from app.identity.members.models import Member
    from app.loyalty.benefits.models import BenefitGrant, Voucher
    from app.loyalty.tiers.models import Tier

ORDER = {kind: place for place, kind in enumerate(Kind)}


@dataclass(frozen=True, slots=True)
class Row:
    """One benefit of a member: what it brings, and until when where that is known."""

    title: str
    text: str
    until: str
    picture: str
    tone: str


@dataclass(frozen=True, slots=True)
class GiftCard:
    """A gift that can be claimed now."""

    code: str
    period: str
    title: str
    gift: str
    until: str
    picture: str


@dataclass(frozen=True, slots=True)
class VoucherLine:
    what: str
    code: str
    state: str
    open: bool


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """Something that was claimed, with what staff hand out for it."""

    id: int
    title: str
    day: str
    amount: str
    picture: str
    vouchers: Sequence[VoucherLine]


@dataclass(frozen=True, slots=True)
class Mine:
    """A member's benefits as their page shows them. ``born_unknown``: a birthday gift waits for the date of birth."""

    rows: Sequence[Row]
    gifts: Sequence[GiftCard]
    claims: Sequence[ClaimLine]
    contact: str
    has_agent: bool
    born_unknown: bool
    birthday_note: str


def my_benefits(member: Member, *, now: datetime) -> Mine:
    """Everything for a member's page, by a fixed number of queries."""
    [mine] = held_then([(member.id, now)])
    waiting = now_claimable(mine, member_id=member.id, born=member.birth_date, now=now)
    units = unit_names_by_code() if any(benefit.units for benefit in mine.benefits) else {}
    agent = _agent(mine)
    birthday = any(benefit.kind is Kind.BIRTHDAY_GIFT for benefit in mine.benefits)
    return Mine(
        rows=[_row(benefit, mine, units) for benefit in _still_there(mine, waiting)],
        gifts=[gift_card(each) for each in waiting],
        claims=[_claim_line(each) for each in claimed_by(member.id)],
        contact=translated(agent.contact) if agent else "",
        has_agent=agent is not None,
        born_unknown=birthday and member.birth_date is None,
        birthday_note=_birthday_note(mine.edition.terms) if birthday else "",
    )


def _agent(mine: Held) -> Benefit | None:
    """The contact person of one's own, if there is any."""
    return next((benefit for benefit in mine.benefits if benefit.kind is Kind.DEDICATED_AGENT), None)


def that_count(benefits: Sequence[Benefit]) -> list[Benefit]:
    """Of several that measure the same, those that count: the best one everywhere, and better ones in units."""
    shown = []
    for benefit in benefits:
        if benefit.kind in MEASURED:
            everywhere = best(benefits, benefit.kind, None)
            rivals = [best(benefits, benefit.kind, unit) for unit in benefit.units] or [everywhere]
            if benefit not in rivals:
                continue
        shown.append(benefit)
    return sorted(shown, key=lambda benefit: ORDER[benefit.kind])


def _still_there(mine: Held, waiting: Sequence[Claimable]) -> list[Benefit]:
    """What a member has, without what is given once and was claimed."""
    open_codes = {each.benefit.code for each in waiting}
    return [each for each in that_count(mine.benefits) if each.period != "once" or each.code in open_codes]


def _row(benefit: Benefit, mine: Held, units: Mapping[str, str]) -> Row:
    last = mine.holder.last_day(benefit)
    return Row(
        translated(benefit.name),
        sentence(benefit, units),
        _("until %(day)s", day=day(last)) if last else "",
        PICTURES[benefit.kind],
        TONES.get(benefit.kind, "info"),
    )


def gift_card(each: Claimable) -> GiftCard:
    benefit = each.benefit
    return GiftCard(
        code=benefit.code,
        period=each.period,
        title=translated(benefit.name),
        gift=gifts_text(benefit),
        until=_("Can be claimed until %(day)s.", day=day(each.last_day)) if each.last_day else "",
        picture=PICTURES[benefit.kind],
    )


def _claim_line(each: Claimed) -> ClaimLine:
    claim = each.claim
    return ClaimLine(
        id=claim.id,
        title=translated(claim.name),
        day=day(claim.claimed_at),
        amount=points(claim.points, sign=True) if claim.points else "",
        picture=PICTURES.get(Kind(claim.kind), "gift"),
        vouchers=[voucher_line(voucher) for voucher in each.vouchers],
    )


def voucher_line(voucher: Voucher) -> VoucherLine:
    if voucher.redeemed_at is None:
        return VoucherLine(translated(voucher.what), voucher.code, _("Show this code to our staff"), True)
    handed = _("Handed out on %(day)s", day=day(voucher.redeemed_at))
    return VoucherLine(translated(voucher.what), voucher.code, handed, False)


def _birthday_note(terms: BenefitTerms) -> str:
    return _(
        "Birthday gifts can be claimed from %(before)s days before to %(after)s days after your birthday, once a year."
        " Born on 29 February? Then it is the 28th in common years.",
        before=terms.birthday_days_before,
        after=terms.birthday_days_after,
    )


def unit_names_by_code() -> dict[str, str]:
    return {unit.code: translated(unit.name) for unit in all_units()}


# --- beside the tiers -----------------------------------------------------------------------


def benefits_by_tier(tiers: Sequence[Tier], *, now: datetime) -> dict[int, list[str]]:
    """What each tier brings, a sentence each; for ``ladder_cards``."""
    units = _units()
    return {tier.id: [sentence(each, units) for each in _of_tier(tier, now)] for tier in tiers}


def _units() -> dict[str, str]:
    named = any(benefit.units for benefit in current(BenefitTerms).all)
    return unit_names_by_code() if named else {}


def _of_tier(tier: Tier, now: datetime) -> list[Benefit]:
    return that_count(tier_benefits(current(BenefitTerms).all, tier, now))


def tier_benefits(benefits: Sequence[Benefit], tier: Tier, now: datetime) -> list[Benefit]:
    """Those that anybody on this tier has now."""
    local = now.astimezone(clock.programme_zone()).replace(tzinfo=None)
    return [each for each in benefits if tier.code in each.tiers and each.runs(local)]


@dataclass(frozen=True, slots=True)
class Cell:
    """``text`` is a figure; without one, ``has`` says whether the tier has it at all."""

    tier: str
    text: str
    has: bool
    mine: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """All tiers side by side: ``heads`` are their names, ranks and whether it is the reader's."""

    heads: Sequence[tuple[str, int, bool]]
    lines: Sequence[tuple[str, str, Sequence[Cell]]]


def comparison(tiers: Sequence[Tier], own_rank: int | None, *, now: datetime) -> Comparison:
    """What each tier brings, a line for each kind that any of them has."""
    by_tier = {tier.id: _of_tier(tier, now) for tier in tiers}
    lines = []
    for kind in Kind:
        cells = []
        for tier in tiers:
            found = [each for each in by_tier[tier.id] if each.kind is kind]
            text = " · ".join(dict.fromkeys(filter(None, map(short, found))))
            cells.append(Cell(translated(tier.name), text, bool(found), tier.rank == own_rank))
        if any(cell.has for cell in cells):
            lines.append((str(KINDS[kind]), PICTURES[kind], cells))
    return Comparison([(translated(tier.name), tier.rank, tier.rank == own_rank) for tier in tiers], lines)


# --- at the desk ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GrantLine:
    id: int
    title: str
    text: str
    days: str
    by: str
    state: str
    tone: str
    open: bool


@dataclass(frozen=True, slots=True)
class DeskCard:
    """What an agent sees of a member's benefits."""

    rows: Sequence[Row]
    grants: Sequence[GrantLine]
    vouchers: Sequence[VoucherLine]
    waiting: Sequence[str]
    has_agent: bool
    contact: str


def desk_card(member: Member, *, now: datetime) -> DeskCard:
    """By a fixed number of queries."""
    [mine] = held_then([(member.id, now)])
    waiting = now_claimable(mine, member_id=member.id, born=member.birth_date, now=now)
    units = unit_names_by_code() if any(benefit.units for benefit in mine.benefits) else {}
    agent = _agent(mine)
    return DeskCard(
        rows=[_row(benefit, mine, units) for benefit in _still_there(mine, waiting)],
        grants=[line for line in grant_lines(member.id, now=now) if line.open],
        vouchers=[voucher_line(voucher) for voucher in open_vouchers(member.id)],
        waiting=[f"{translated(each.benefit.name)}: {gifts_text(each.benefit)}" for each in waiting],
        has_agent=agent is not None,
        contact=translated(agent.contact) if agent else "",
    )


def grant_lines(member_id: int, *, now: datetime) -> list[GrantLine]:
    """What was given to one person, the latest first."""
    known, today = current(BenefitTerms), clock.local_date(now, clock.programme_zone())
    return [_grant_line(grant, known.by_code(grant.code), today, now) for grant in grants_of(member_id)]


def _grant_line(grant: BenefitGrant, benefit: Benefit | None, today: date, now: datetime) -> GrantLine:
    over = grant.ended_at is not None or grant.last_day < today
    if benefit is None:
        state, tone = _("no longer in the programme"), "neutral"
    elif over:
        state, tone = _("over"), "neutral"
    elif is_valid(grant, now):
        state, tone = _("counts now"), "brand"
    else:
        state, tone = _("to come"), "info"
    return GrantLine(
        id=grant.id,
        title=translated(benefit.name) if benefit else grant.code,
        text=sentence(benefit) if benefit else "",
        days=_("%(first)s to %(last)s", first=day(grant.first_day), last=day(grant.last_day)),
        by=" · ".join(filter(None, (grant.reason, grant.given_by or _("by a rule")))),
        state=state,
        tone=tone,
        open=not over,
    )
