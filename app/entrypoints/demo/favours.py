"""The seventh chapter: benefits beyond the tier's. A tag, favours by hand, gifts claimed, handed out, and waiting."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from app.entrypoints.demo.world import Living, World
from app.foundation import clock, terms
from app.foundation.actors import Actor
from app.foundation.database import transaction
from app.identity.members.queries import member_by_id
from app.identity.tags.actions import tag
from app.loyalty.benefits.actions import claim, give_benefit, hand_out
from app.loyalty.benefits.queries import BenefitTerms, gifts_waiting, open_vouchers
from app.loyalty.tiers.queries import tiers_of

SOON = 5  # Days until Alice's birthday: its gift waits for her.
TREAT, NEIGHBOURS = "treat", "neighbours"
REASONS = {
    "en": ("Helped us find a mistake in the brochure", "Her parcel was late twice"),
    "zh_Hans": ("帮我们发现了宣传册里的错误", "包裹连续两次晚到"),
}
TAGS = {"en": ("neighbour", "tea lover"), "zh_Hans": ("邻居", "茶友")}


def entries(tag_of_neighbours: str) -> list[dict[str, Any]]:
    """What the owner added to the benefits that a programme begins with."""
    coffee = {"en": "A coffee at the bakery", "zh_Hans": "烘焙坊咖啡一杯", "zh_Hant": "烘焙坊咖啡一杯"}
    ticket = {"en": "A cinema ticket", "zh_Hans": "电影票一张", "zh_Hant": "電影票一張"}
    return [
        {
            "code": TREAT,
            "kind": "coupon_pack",
            "name": {"en": "A little treat", "zh_Hans": "小小心意", "zh_Hant": "小小心意"},
            "gifts": [{"points": 50}, {"text": coffee}, {"text": ticket}],
        },
        {
            "code": NEIGHBOURS,
            "kind": "discount",
            "name": {"en": "Neighbours’ price", "zh_Hans": "邻里价", "zh_Hant": "鄰里價"},
            "value": 15,
            "tags": [tag_of_neighbours],
            "units": ["bakery"],
        },
    ]


def note_favours(world: World) -> None:
    """Alice's birthday gift is left waiting; her treat is claimed, and one part of it handed out."""
    alice, another = world.members[0], world.members[2]
    neighbour, tea = TAGS[world.locale]
    diary, agent = world.diary, world.colleagues["agent"]

    def publish(now: datetime) -> None:
        with transaction():
            before = terms.current(BenefitTerms)
            values = asdict(before) | {"benefits": [*before.benefits, *entries(neighbour)]}  # type: ignore[call-overload]
            terms.change(BenefitTerms, values, by=world.colleagues["owner"], now=now)

    diary.note(diary.at(90, 10), publish)
    for person, word, days_ago in ((alice, tea, 60), (another, neighbour, 55), (world.members[3], neighbour, 40)):
        diary.note(diary.at(days_ago, 11, 5), partial(_tag, world, person, word))
    for person, reason, days_ago in zip((alice, another), REASONS[world.locale], (20, 12), strict=True):
        diary.note(diary.at(days_ago, 14, 20), partial(_give, world, person, reason))
        diary.note(diary.at(days_ago - 1, 19, 40), partial(_claim, person))
    for months in (62, 31, 1):
        diary.note(diary.at(months, 20, 30), partial(_claim, alice))
    diary.note(diary.at(6, 12, 15), partial(_hand_out, alice, by=agent))


def birthday(world: World, person: Living) -> date:
    """Alice's comes in a few days, whenever the demo is loaded."""
    born = person.sheet.birth_date
    if person.habit != "alice":
        return born
    soon = clock.local_date(world.diary.end, world.diary.zone) + timedelta(days=SOON)
    return date(born.year, soon.month, min(soon.day, 28))


def _tag(world: World, person: Living, word: str, now: datetime) -> None:
    member = member_by_id(person.id)
    assert member is not None
    with transaction():
        tag(member=member, text=word, by=world.colleagues["agent"], now=now)


def _give(world: World, person: Living, reason: str, now: datetime) -> None:
    member = member_by_id(person.id)
    assert member is not None
    today = clock.local_date(now, world.diary.zone)
    with transaction():
        give_benefit(
            member=member,
            code=TREAT,
            first_day=today,
            last_day=today + timedelta(days=45),
            reason=reason,
            by=world.colleagues["agent"],
            now=now,
        )


def _claim(person: Living, now: datetime) -> None:
    """Everything that waits, but for the birthday gift."""
    member = member_by_id(person.id)
    assert member is not None
    tier = tiers_of([person.id]).get(person.id)
    for each in gifts_waiting(member, tier=tier.code if tier else None, now=now):
        if each.benefit.series != "birthday":
            with transaction():
                claim(member=member, code=each.benefit.code, period=each.period, now=now)


def _hand_out(person: Living, now: datetime, *, by: Actor) -> None:
    member = member_by_id(person.id)
    assert member is not None
    for voucher in open_vouchers(person.id)[:1]:
        with transaction():
            hand_out(member=member, voucher_code=voucher.code, by=by, now=now)
