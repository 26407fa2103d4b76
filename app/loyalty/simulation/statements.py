"""A simulation in words and figures, ready to show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from babel.dates import format_skeleton
from flask_babel import format_percent, get_locale
from flask_babel import gettext as _

from app.foundation.formats import moment, points
from app.foundation.formats import money as money_text
from app.foundation.languages import translated
from app.foundation.money import Money, minor_units, programme_currency
from app.foundation.terms import current
from app.identity.members.queries import members_by_ids
from app.identity.units.queries import unit_names
from app.loyalty.earning.queries import PURCHASE
from app.loyalty.simulation.figures import Change, Figures, SideSums
from app.loyalty.simulation.models import Simulation
from app.loyalty.simulation.terms import SimulationTerms

NONE = "–"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure on both sides. ``tone`` says whether the difference costs more (gold) or less (brand)."""

    label: str
    now: str
    draft: str
    difference: str
    tone: str = ""
    now_share: int = 0
    draft_share: int = 0


@dataclass(frozen=True, slots=True)
class TierName:
    name: str
    rank: int


@dataclass(frozen=True, slots=True)
class Moves:
    """Of those who end on a tier under the rules in force, how many end where under the draft."""

    tier: TierName
    cells: Sequence[tuple[str, bool]]  # How many, and whether that is somewhere else.


@dataclass(frozen=True, slots=True)
class MemberRow:
    name: str
    code: str
    before: str
    after: str
    difference: str
    tier_before: TierName
    tier_after: TierName


@dataclass(frozen=True, slots=True)
class Share:
    """Part of all members: so many in a thousand, from there on."""

    label: str
    members: str
    percent: str
    tone: str
    x: int
    width: int


@dataclass(frozen=True, slots=True)
class Result:
    """What a simulation found."""

    purchases: str
    members: str
    points: Row
    change: str
    gap: str
    cost: Row
    issued: str
    issued_differs: bool
    rows: Sequence[Row]
    months: Sequence[Row]
    units: Sequence[Row]
    cuts: Sequence[Row]
    ends: Sequence[str]
    tiers: Sequence[TierName]
    steps: Sequence[Row]
    moves: Sequence[Moves]
    moved: str
    shares: Sequence[Share]
    best: Sequence[MemberRow]
    worst: Sequence[MemberRow]
    rounds: int


def result_of(simulation: Simulation) -> Result:
    figures = Figures.load(simulation.figures)
    now, draft = figures.now, figures.draft
    tiers = _tiers(simulation)
    cost = _cost_row(now.net, draft.net)
    changes = [*figures.best, *figures.worst]
    names = members_by_ids([change.member_id for change in changes])
    moved = sum(number for way, number in figures.moves.items() if len(set(way.split(">"))) > 1)
    return Result(
        purchases=points(figures.purchases),
        members=points(figures.members),
        points=_row(_("Points issued"), now.points, draft.points),
        change=percent(draft.points - now.points, now.points, sign=True),
        gap=_("%(number)s points", number=points(draft.points - now.points, sign=True)),
        cost=cost,
        issued=points(figures.issued),
        issued_differs=figures.issued != now.points,
        rows=_rows(now, draft, cost),
        months=_bars([(_month(key), now.months[key], draft.months[key]) for key in sorted(figures.months)]),
        units=_bars(_by_unit(figures)),
        cuts=_cuts(simulation, now, draft),
        ends=_ends(simulation),
        tiers=list(tiers.values()),
        steps=_bars([(tier.name, now.tiers[code], draft.tiers[code]) for code, tier in tiers.items()]),
        moves=_moves(figures, tiers),
        moved=points(moved),
        shares=_shares(figures),
        best=[_member(change, names, tiers) for change in figures.best],
        worst=[_member(change, names, tiers) for change in figures.worst],
        rounds=simulation.round,
    )


# --- figures on both sides ------------------------------------------------------------------


def _row(label: str, now: int, draft: int, *, costs: bool = True) -> Row:
    return Row(label, points(now), points(draft), _difference(now, draft), _tone(now, draft) if costs else "")


def _difference(now: int, draft: int) -> str:
    """``+1,200 (+3.1%)``; nothing where nothing changes."""
    if now == draft:
        return NONE
    text = points(draft - now, sign=True)
    return f"{text} ({percent(draft - now, now, sign=True)})" if now else text


def percent(part: int, whole: int, *, sign: bool = False) -> str:
    pattern = "+#,##0.#%;−#,##0.#%" if sign else "#,##0.#%"
    return format_percent(Decimal(part) / Decimal(whole), pattern) if whole else NONE


def _tone(now: int, draft: int) -> str:
    return "gold" if draft > now else "brand" if draft < now else ""


def _cost_row(now: int, draft: int) -> Row:
    before, after = cost_of(now), cost_of(draft)
    difference = NONE
    if before != after:
        gap = Money(after.amount - before.amount, after.currency)
        difference = ("+" if gap.amount > 0 else "−") + money_text(Money(abs(gap.amount), gap.currency))
    return Row(_("Cost"), money_text(before), money_text(after), difference, _tone(now, draft))


def cost_of(number: int) -> Money:
    """What points cost when they are spent, rounded up."""
    currency = programme_currency()
    return Money(-(-number * minor_units(currency) // current(SimulationTerms).point_value), currency)


def _rows(now: SideSums, draft: SideSums, cost: Row) -> list[Row]:
    return [
        _row(_("Points issued"), now.points, draft.points),
        _row(_("of them bonuses"), now.bonus, draft.bonus),
        _row(_("Taken back with returns"), now.returned, draft.returned, costs=False),
        cost,
        _row(_("Growth"), now.growth, draft.growth, costs=False),
        _row(_("Moves up the ladder"), now.ups, draft.ups, costs=False),
        _row(_("Moves down the ladder"), now.downs, draft.downs, costs=False),
    ]


def _bars(figures: Sequence[tuple[str, int, int]]) -> list[Row]:
    """Figures with bars, in thousandths of the greatest."""
    top = max((max(now, draft) for _label, now, draft in figures), default=0) or 1
    return [
        Row(
            label,
            points(now),
            points(draft),
            _difference(now, draft),
            _tone(now, draft),
            now * 1000 // top,
            draft * 1000 // top,
        )
        for label, now, draft in figures
    ]


def _month(key: str) -> str:
    return format_skeleton("yMMM", date.fromisoformat(f"{key}-01"), locale=get_locale())


def _by_unit(figures: Figures) -> list[tuple[str, int, int]]:
    names = unit_names()
    units = sorted(figures.units, key=lambda key: (-figures.draft.units[key], int(key)))
    return [
        (translated(names.get(int(key), {})) or key, figures.now.units[key], figures.draft.units[key]) for key in units
    ]


# --- caps and budgets -----------------------------------------------------------------------


def _cuts(simulation: Simulation, now: SideSums, draft: SideSums) -> list[Row]:
    names = _limit_names(simulation)
    found = sorted(now.cuts.keys() | draft.cuts.keys(), key=lambda code: (list(names).index(code), code))
    return [_row(names[code], _whole(now.cuts.get(code)), _whole(draft.cuts.get(code)), costs=False) for code in found]


def _whole(cut: Fraction | None) -> int:
    """Rounded up: what was cut at all does not read as nothing."""
    return -(-cut.numerator // cut.denominator) if cut else 0


def _limit_names(simulation: Simulation) -> dict[str, str]:
    """What takes points away, in words; campaigns and bonuses by their own names."""
    names = {
        "purchase": _("Cap per purchase"),
        "day": _("Cap per day"),
        "month": _("Cap per month"),
        "total": _("Cap altogether"),
        f"budget:{PURCHASE}": _("Budget of all purchases"),
    }
    for values in (simulation.in_force, simulation.draft):
        for kind in ("campaign", "bonus"):
            for entry in values["earning"][{"campaign": "campaigns", "bonus": "bonuses"}[kind]]:
                label = translated(entry["name"]) or entry["code"]
                names[f"budget:{kind}:{entry['code']}"] = _("Budget of “%(name)s”", name=label)
    return names


def _ends(simulation: Simulation) -> list[str]:
    """When budgets ran out."""
    names, dry = _limit_names(simulation), simulation.working.get("dry", {})
    sides = {"now": _("In force"), "draft": _("Draft")}
    return [
        _(
            "%(side)s: %(budget)s is used up on %(moment)s.",
            side=sides[side],
            budget=names.get(f"budget:{code}", code),
            moment=moment(datetime.fromisoformat(at)),
        )
        for side in sides
        for code, (at, _number, _room) in sorted(dry.get(side, {}).items(), key=lambda each: each[1])
    ]


# --- members --------------------------------------------------------------------------------


def _tiers(simulation: Simulation) -> dict[str, TierName]:
    """Those of both ladders by code, from the first step up."""
    found: dict[str, TierName] = {}
    for values in (simulation.in_force, simulation.draft):
        for rank, tier in enumerate(values["ladder"]["tiers"]):
            found.setdefault(tier["code"], TierName(translated(tier["name"]), rank))
    return dict(sorted(found.items(), key=lambda each: each[1].rank))


def _moves(figures: Figures, tiers: Mapping[str, TierName]) -> list[Moves]:
    return [
        Moves(
            tier,
            [
                (
                    points(number) if (number := figures.moves[f"{place}>{other}"]) else NONE,
                    number > 0 and place != other,
                )
                for other in tiers
            ],
        )
        for place, tier in tiers.items()
    ]


def _shares(figures: Figures) -> list[Share]:
    total = figures.members
    same = total - figures.gaining - figures.losing
    parts = [
        (_("gain"), figures.gaining, "brand"),
        (_("unchanged"), same, "neutral"),
        (_("lose"), figures.losing, "danger"),
    ]
    found, x = [], 0
    for label, number, tone in parts:
        width = number * 1000 // (total or 1)
        found.append(Share(label, points(number), percent(number, total), tone, x, width))
        x += width
    return found


def _member(change: Change, names: Mapping[int, Any], tiers: Mapping[str, TierName]) -> MemberRow:
    member = names[change.member_id]
    return MemberRow(
        name=member.label,
        code=member.code,
        before=points(change.before),
        after=points(change.after),
        difference=points(change.gain, sign=True),
        tier_before=tiers[change.tier_before],
        tier_after=tiers[change.tier_after],
    )
