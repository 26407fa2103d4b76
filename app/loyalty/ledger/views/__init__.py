"""The member's own pages about points: the account with its history, and statements."""

from app.loyalty.ledger.views.points import points
from app.loyalty.ledger.views.proof import proof
from app.loyalty.ledger.views.statements import statements

__all__ = ["points", "proof", "statements"]
