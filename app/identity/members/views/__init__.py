"""The members' own pages: at the door, and about themselves."""

from app.identity.members.views.address import address
from app.identity.members.views.contact import contact
from app.identity.members.views.password import password
from app.identity.members.views.preferences import preferences
from app.identity.members.views.profile import profile
from app.identity.members.views.registration import registration
from app.identity.members.views.session import session

__all__ = ["address", "contact", "password", "preferences", "profile", "registration", "session"]
