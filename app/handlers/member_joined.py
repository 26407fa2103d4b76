"""A person joined: they get the welcome gift. An imported member gets it on claiming, not before."""

from __future__ import annotations

from app.foundation.events import handles
from app.identity.members.events import MemberJoined
from app.loyalty.earning import actions as earning
from app.loyalty.tiers import actions as tiers


@handles(MemberJoined)
def welcome(event: MemberJoined) -> None:
    earning.award_joining(member_id=event.member_id, now=event.at)
    tiers.review_upgrades([event.member_id], now=event.at)
