"""A member exists: they get their accounts and their place on the ladder, however they came."""

from __future__ import annotations

from app.foundation.events import handles
from app.identity.members.events import MembersCreated
from app.loyalty.ledger import actions as ledger
from app.loyalty.tiers import actions as tiers


@handles(MembersCreated)
def welcome_to_the_books(event: MembersCreated) -> None:
    ledger.open_wallets(member_ids=event.member_ids)
    tiers.enrol(event.member_ids, now=event.at)
