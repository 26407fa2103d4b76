"""Alice brings friends: some have shopped, some are on their way, one ran out of time, one was herself once more."""

from __future__ import annotations

from datetime import datetime

from app.engagement.referrals import actions as referrals
from app.entrypoints.demo.world import Living, World

# How many of each habit came by Alice's link. Bob, the newcomer, is one of them.
BROUGHT = {"newcomer": 1, "gold": 1, "silver": 1, "newish": 2, "regular": 2}
ALICES_PHONE = "demo-phone-of-alice"  # The last of the regulars joined on it, which does not count.


def invitation(world: World, person: Living, *, now: datetime) -> dict[str, str]:
    """What this person brings along to joining; nothing where nobody invited them."""
    brought, alice = _brought(world), world.members[0]
    if person.number not in brought:
        return {}
    code = referrals.open_inviter(member_id=alice.id, now=now)
    if person.number != brought[-1]:
        return {"invite_code": code}
    referrals.remember_device(member_id=alice.id, device=ALICES_PHONE, now=now)
    return {"invite_code": code, "device": ALICES_PHONE}


def _brought(world: World) -> list[int]:
    """The numbers of Alice's friends, habit by habit."""
    alice, *others = world.members
    later = [person for person in others if person.joins > alice.joins]
    chosen = [[person.number for person in later if person.habit == habit][:most] for habit, most in BROUGHT.items()]
    return [number for numbers in chosen for number in numbers]
