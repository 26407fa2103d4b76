"""The second chapter: people join. Most sign up themselves; a few come from the old membership file."""

from __future__ import annotations

from datetime import datetime
from random import Random

from app.entrypoints.demo import content
from app.entrypoints.demo.diary import Diary
from app.entrypoints.demo.favours import birthday
from app.entrypoints.demo.friends import invitation
from app.entrypoints.demo.world import Living, World
from app.foundation.database import transaction
from app.identity.members import actions as members
from app.identity.members.queries import member_by_id

# How the crowd lives, in this order and again; the first eight of any crowd stand on every tier.
HABITS = ("diamond", "silver", "regular", "gold", "regular", "silver", "newish", "gold", "regular", "imported")
# Since how many days they are members, at least and at most.
SINCE = {
    "diamond": (395, 425),
    "gold": (370, 425),
    "silver": (200, 400),
    "regular": (60, 420),
    "newish": (3, 28),
    "imported": (120, 300),
}
FIRST_PHONE = 13800100000


def invite(world: World, count: int) -> None:
    """Write everybody's joining into the diary: Alice long ago, Bob today, the others in between."""
    diary, locale = world.diary, world.locale
    alice = Living(content.member("alice", locale), "alice", 0, diary.at(425, 9, 30))
    bob = Living(content.member("bob", locale), "newcomer", 1, _today(diary))
    crowd = [_living(place, sheet, diary, world.random) for place, sheet in enumerate(content.crowd(count - 2, locale))]
    world.members = [alice, bob, *crowd]


def note_joining(world: World, *, password_hash: str) -> None:
    for person in world.members:

        def join(now: datetime, person: Living = person) -> None:
            with transaction():
                _join(world, person, password_hash, now=now)
            if person.habit not in ("imported", "newcomer"):
                with transaction():
                    _tell_more(world, person, now=now)

        world.diary.note(person.joins, join)


def _living(place: int, sheet: content.PersonSheet, diary: Diary, random: Random) -> Living:
    habit = HABITS[place % len(HABITS)]
    joins = diary.at(random.randint(*SINCE[habit]), random.randint(9, 20), random.randint(0, 59))
    return Living(sheet, habit, place + 2, joins)


def _today(diary: Diary) -> datetime:
    """Earlier today, whatever the hour."""
    midnight = diary.at(0, 0)
    return midnight + (diary.end - midnight) * 0.9


def _join(world: World, person: Living, password_hash: str, *, now: datetime) -> None:
    sheet, phone = person.sheet, f"+86{FIRST_PHONE + person.number * 137}"
    if person.habit == "imported":
        person.id = members.create_unclaimed([phone], now=now)[phone]
        return
    # One hash for everybody: hashing a password for each of them would take longer than their whole lives.
    member = members.add_member(
        email=sheet.email,
        phone=phone,
        password_hash=password_hash,
        name=sheet.name,
        locale=None,
        **invitation(world, person, now=now),
        now=now,
    )
    person.id = member.id


def _tell_more(world: World, person: Living, *, now: datetime) -> None:
    """On a page of its own, where a complete profile is rewarded."""
    member, sheet = member_by_id(person.id), person.sheet
    assert member is not None
    members.update_profile(member, name=sheet.name, gender=sheet.gender, birth_date=birthday(world, person), now=now)
    members.save_address(
        member, recipient=sheet.name, phone=member.phone or "", **content.address(person.number, world.locale), now=now
    )


def address_of(world: World, person: Living) -> dict[str, str]:
    """Where this person has parcels sent."""
    member = member_by_id(person.id)
    phone = (member.phone if member else None) or ""
    return {"recipient": person.sheet.name, "phone": phone, **content.address(person.number, world.locale)}
