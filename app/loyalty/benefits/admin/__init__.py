"""The office's pages of benefits: what the programme grants, and what one member has of it."""

from app.loyalty.benefits.admin.people import member_benefits
from app.loyalty.benefits.admin.programme import benefits

__all__ = ["benefits", "member_benefits"]
