"""``flask members show REF``: everything about one member's points, for the person at the command line."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click
from flask.cli import AppGroup
from flask_babel import gettext as _

from app.foundation import clock
from app.foundation.formats import day, moment, points
from app.foundation.languages import translated
from app.identity.members.models import Member
from app.identity.members.queries import find_by_ref
from app.loyalty.ledger import queries as ledger
from app.loyalty.ledger.explanations import explain, label_of
from app.loyalty.ledger.models import Transfer
from app.loyalty.ledger.queries import OpenLot, Standing
from app.loyalty.tiers import queries as tiers
from app.loyalty.tiers.queries import ConditionProgress, TierProgress
from app.loyalty.tiers.words import figure, metric_label

group = AppGroup("members", help="Members.")

TRANSFERS = 10
LOTS = 20


@dataclass(frozen=True, slots=True)
class Picture:
    """What is known of a member."""

    member: Member
    standing: Standing
    tier: TierProgress | None
    lots: list[OpenLot]
    transfers: list[Transfer]


@group.command()
@click.argument("ref")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def show(ref: str, *, as_json: bool) -> None:
    """Show the member REF (code, email or phone): balance, tier, lots and the last transfers with their reasons."""
    member = find_by_ref(ref)
    if member is None:
        sentence = _("“%(ref)s” is no member's code, email or phone.", ref=ref)
        if as_json:
            click.echo(json.dumps({"error": sentence}, ensure_ascii=False))
        click.secho(sentence, fg="red", err=True)
        sys.exit(1)
    picture = look_at(member, now=clock.now())
    click.echo(json.dumps(as_document(picture), ensure_ascii=False) if as_json else as_text(picture))


def look_at(member: Member, *, now: datetime) -> Picture:
    return Picture(
        member,
        ledger.standing(member.id, now=now),
        tiers.progress(member.id, now=now),
        ledger.open_lots(member.id, limit=LOTS),
        ledger.history(member.id, limit=TRANSFERS),
    )


# --- for programs -----------------------------------------------------------------------


def as_document(picture: Picture) -> dict[str, Any]:
    member, standing = picture.member, picture.standing
    return {
        "code": member.code,
        "name": member.name,
        "email": member.email,
        "phone": member.phone,
        "joined": member.created_at.isoformat(),
        "claimed": member.claimed_at is not None,
        "balance": {
            "available": standing.available.value,
            "held": standing.held.value,
            "on_the_way": standing.on_the_way.value,
            "debt": standing.debt.value,
            "expiring_soon": standing.expiring_soon.value,
            "expiring_on": _iso(standing.expiring_on),
            "frozen": standing.frozen,
        },
        "tier": _tier_document(picture.tier),
        "lots": [_lot_document(lot) for lot in picture.lots],
        "transfers": [_transfer_document(transfer) for transfer in picture.transfers],
    }


def _tier_document(tier: TierProgress | None) -> dict[str, Any] | None:
    if tier is None:
        return None
    return {
        "code": tier.tier.code,
        "name": translated(tier.tier.name),
        "since": _iso(tier.since),
        "next": tier.next_tier.code if tier.next_tier else None,
        "match": tier.match,
        "window_months": tier.window_months,
        "conditions": [
            {"metric": each.metric, "reached": each.reached, "needed": each.needed} for each in tier.conditions
        ],
    }


def _lot_document(lot: OpenLot) -> dict[str, Any]:
    return {
        "amount": lot.amount.value,
        "remaining": lot.remaining.value,
        "held": lot.held.value,
        "earned_at": lot.earned_at.isoformat(),
        "last_day": _iso(lot.last_day),
    }


def _transfer_document(transfer: Transfer) -> dict[str, Any]:
    return {
        "key": transfer.key,
        "kind": transfer.kind,
        "amount": transfer.amount,
        "balance_after": transfer.balance_after,
        "occurred_at": transfer.occurred_at.isoformat(),
        "recorded_at": transfer.recorded_at.isoformat(),
        "explanation": transfer.explanation,
        "why": explain(transfer.explanation),
    }


def _iso(value: Any) -> str | None:
    return value.isoformat() if value is not None else None


# --- for people -------------------------------------------------------------------------


def as_text(picture: Picture) -> str:
    lines = [*_head(picture.member), "", *_balance(picture.standing)]
    if picture.tier is not None:
        lines += ["", *_tier(picture.tier)]
    lines += ["", _("Lots, next to expire first"), *(_lots(picture.lots) or [f"  {_('none')}"])]
    lines += ["", _("Last transfers"), *(_transfers(picture.transfers) or [f"  {_('none')}"])]
    return "\n".join(lines)


def _head(member: Member) -> list[str]:
    known = " · ".join(filter(None, (member.name, member.email, member.phone)))
    state = _("joined on %(day)s", day=day(member.created_at)) if member.claimed_at else _("imported, not claimed yet")
    return [click.style(f"{member.code}  {known}", bold=True), state]


def _balance(standing: Standing) -> list[str]:
    rows = [
        (_("Available"), points(standing.available)),
        (_("Held"), points(standing.held)),
        (_("On the way"), points(standing.on_the_way)),
        (_("Expiring soon"), _expiring(standing)),
    ]
    if standing.debt:
        rows.append((_("Debt"), points(standing.debt)))
    frozen = [click.style(_("The account is frozen: it receives points, but does not spend them."), fg="yellow")]
    return [f"{label:<16} {value:>12}" for label, value in rows] + (frozen if standing.frozen else [])


def _expiring(standing: Standing) -> str:
    if standing.expiring_on is None:
        return points(0)
    return _("%(points)s (the first on %(day)s)", points=points(standing.expiring_soon), day=day(standing.expiring_on))


def _tier(tier: TierProgress) -> list[str]:
    name = translated(tier.tier.name)
    lines = [_("Tier %(name)s since %(day)s", name=name, day=day(tier.since)) if tier.since else name]
    if tier.next_tier is not None:
        lines.append(_("Next: %(name)s", name=translated(tier.next_tier.name)))
    return lines + [_condition(each) for each in tier.conditions]


def _condition(each: ConditionProgress) -> str:
    filled = round(each.share * 20)
    bar = "█" * filled + "░" * (20 - filled)
    way = f"{figure(each.metric, each.reached)} / {figure(each.metric, each.needed)}"
    return f"  {metric_label(each.metric):<16} {bar} {way}"


def _lots(lots: list[OpenLot]) -> list[str]:
    return [
        f"  {points(lot.remaining):>10} / {points(lot.amount):<10} "
        + (_("valid to the end of %(day)s", day=day(lot.last_day)) if lot.last_day else _("valid for ever"))
        for lot in lots
    ]


def _transfers(transfers: list[Transfer]) -> list[str]:
    lines = []
    for transfer in transfers:
        amount, when = points(transfer.amount, sign=True), moment(transfer.occurred_at, "short")
        lines.append(f"  {amount:>10}  {label_of(transfer.kind)}  {when}")
        lines += [f"              {sentence}" for sentence in explain(transfer.explanation)]
    return lines
