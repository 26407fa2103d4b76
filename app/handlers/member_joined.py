"""A person joined: they get the welcome gift, and whoever invited them is written down.

An imported member gets the gift on claiming, not before.
"""

from __future__ import annotations

from app.engagement.referrals import actions as referrals
from app.foundation.events import handles
from app.identity.members.events import MemberJoined
from app.loyalty.earning import actions as earning


@handles(MemberJoined)
def welcome(event: MemberJoined) -> None:
    earning.award_joining(member_id=event.member_id, now=event.at)
    referrals.bind(friend_id=event.member_id, code=event.invite_code, device=event.device, now=event.at)
