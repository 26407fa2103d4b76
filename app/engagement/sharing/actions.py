"""Following a link that a member passed on: that is what a share is rewarded for."""

from __future__ import annotations

from datetime import datetime

from app.engagement.referrals.queries import device_known
from app.engagement.sharing.models import ShareVisit
from app.foundation import clock
from app.foundation.database import insert_new
from app.loyalty.earning.actions import reward


def follow(*, member_id: int, thing: str, about: str, device: str, visitor_id: int | None, now: datetime) -> bool:
    """Somebody followed a member's link to ``thing``. ``False``, with nothing written, where that counts for nothing.

    It is somebody else, in a browser that is not known as the member's; a browser counts once a day for each member.
    The first one of the programme's day brings the member what the rules give for sharing, within their caps. Two at
    once wait for each other at the member's wallet. ``about`` names the thing in the points history.
    """
    if visitor_id == member_id or device_known(member_id, device):
        return False
    day = clock.local_date(now, clock.programme_zone())
    row = {"member_id": member_id, "thing": thing, "day": day, "device": device, "at": now}
    if not insert_new(ShareVisit, [row], unless=["member_id", "day", "device"], returning=[ShareVisit.id]):
        return False
    reward(member_id=member_id, kind="sharing", subject=f"{thing}:{day}", about=about, now=now)
    return True
