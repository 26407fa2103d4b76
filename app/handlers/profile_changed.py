"""A member told us more about themselves: whose profile is complete now is thanked for it, once and for ever."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from app.foundation.database import after_commit, db, transaction
from app.foundation.events import handles
from app.identity.members.events import MemberJoined, MemberProfileChanged
from app.identity.members.queries import member_by_id, profile_complete
from app.loyalty.earning import actions as earning
from app.loyalty.earning.queries import rewarded_before


@handles(MemberProfileChanged)
def thank(event: MemberProfileChanged) -> None:
    reward_complete_profile(event.member_id, now=event.at)


@handles(MemberJoined)
def look_at_the_profile(event: MemberJoined) -> None:
    """Where no more is asked for than joining brings, it comes right after joining, whose own rewards go first."""
    after_commit(partial(_in_a_transaction_of_its_own, event.member_id, now=event.at))


def _in_a_transaction_of_its_own(member_id: int, *, now: datetime) -> None:
    if _deserved(member_id):
        with transaction():
            reward_complete_profile(member_id, now=now)


def reward_complete_profile(member_id: int, *, now: datetime) -> None:
    """Who has had it is not looked at any further, so that a change of one's name locks no wallet."""
    db.session.flush()
    if not _deserved(member_id):
        return
    earning.reward(member_id=member_id, kind="profile", subject="profile", now=now)


def _deserved(member_id: int) -> bool:
    member = member_by_id(member_id)
    return member is not None and profile_complete(member) and not rewarded_before(member_id, "profile", "profile")
