"""Inviting friends: the code and how to share it, who came, and the page that an invitation leads to."""

from __future__ import annotations

import hashlib
from dataclasses import astuple
from io import BytesIO
from typing import TYPE_CHECKING

import segno
from flask import Blueprint, Response, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from app.engagement.referrals import posters, queries
from app.engagement.referrals.actions import open_inviter, remember_device
from app.engagement.referrals.rules import first_name
from app.engagement.referrals.statements import friend_of, welcome_of
from app.engagement.referrals.terms import ReferralTerms
from app.extensions import limiter
from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.formats import points, short_money
from app.foundation.languages import current_locale
from app.foundation.listing import first_url, next_url
from app.foundation.pages import page, public_url, viewer
from app.foundation.permissions import Permission, public, requires
from app.foundation.terms import current
from app.identity import invitations
from app.identity.members.queries import member_by_id, members_by_ids
from app.identity.session import current_member
from app.loyalty.earning.queries import welcome_points

if TYPE_CHECKING:
    from app.identity.members.models import Member

referrals = Blueprint("referrals", __name__)
PAGE = 20
OPENINGS = "60 per minute; 600 per hour"
DRAWINGS = "30 per minute"  # Each takes a third of a second.


@referrals.get("/referrals")
@requires(Permission.REFERRAL_OWN)
def index() -> ResponseReturnValue:
    member, now = current_member(), clock.now()
    code = _code_of(member)
    _remember_this_browser(member)
    part = queries.referrals_of(member.id, after=request.args.get("after"), limit=PAGE)
    names = {id_: friend.name for id_, friend in members_by_ids([each.friend_id for each in part.items]).items()}
    spent = queries.spent_by_friends(part.items, now=now)
    brought = queries.referral_of_friend(member.id)
    own = queries.spent_by_friends([brought] if brought else [], now=now)
    shown = page(
        "engagement/referrals/index.html",
        code=readable(code),
        link=_link(code),
        message=_("%(name)s invites you to %(programme)s.", name=_first_name(member), programme=_programme()),
        poster_version=_version(_words(member, code)),
        welcome=welcome_of(brought, own.get(brought.id) if brought else None, now=now),
        offer=queries.offer(),
        totals=queries.totals_of(member.id, now=now),
        friends=[friend_of(each, names.get(each.friend_id, ""), spent[each.id], now=now) for each in part.items],
        next_url=next_url(part),
        first_url=first_url(),
    )
    return invitations.mark(shown)


@referrals.get("/referrals/code.svg")
@requires(Permission.REFERRAL_OWN)
def code_picture() -> Response:
    """The link as a QR picture. Only attributes, no styles: the Content-Security-Policy stays strict."""
    picture = BytesIO()
    segno.make(_link(_code_of(current_member())), error="m", micro=False).save(
        picture, kind="svg", scale=8, border=3, light="#fff", dark="#000", omitsize=True, xmldecl=False
    )
    return Response(picture.getvalue(), mimetype="image/svg+xml")


@referrals.get("/referrals/poster")
@limiter.limit(DRAWINGS)
@requires(Permission.REFERRAL_OWN)
def poster() -> Response:
    """The picture to save. Its address changes with what it says, so the browser may keep it for an hour."""
    member = current_member()
    code = _code_of(member)
    made = posters.draw(_words(member, code), url=_link(code), locale=current_locale())
    answer = Response(made.data, mimetype=made.mimetype)
    answer.headers["Content-Disposition"] = f'inline; filename="{code}.{made.ending}"'
    answer.headers["Cache-Control"] = "private, max-age=3600"
    return answer


@referrals.get("/r/<code>")
@limiter.limit(OPENINGS)
@public
def show(code: str) -> ResponseReturnValue:
    """Where an invitation leads: who invites, what there is to get, and the way to join."""
    inviter_id, now, kind = queries.inviter_of(code), clock.now(), viewer().kind
    inviter = member_by_id(inviter_id) if inviter_id else None
    if inviter and kind == "member" and inviter.id == current_member().id:
        return redirect(url_for(".index"))
    answer = page(
        "engagement/referrals/show.html",
        status=200 if inviter else 404,
        headline=_headline(inviter) if inviter else None,
        offer=queries.offer(),
        welcome=int(welcome_points(now)),
        visitor=kind == "visitor",
        member=kind == "member",
    )
    if inviter and kind == "visitor":
        keep_for = current(ReferralTerms).link_period
        invitations.remember(answer, queries.code_of_member(inviter.id) or "", keep_for=keep_for, now=now)
        invitations.mark(answer)
    return answer


# --- what they are made of ------------------------------------------------------------------


def _code_of(member: Member) -> str:
    member_id = member.id
    if code := queries.code_of_member(member_id):
        return code
    with transaction():
        return open_inviter(member_id=member_id, now=clock.now())


def _remember_this_browser(member: Member) -> None:
    """Who looks after their invitations here does not bring a friend by joining once more from here."""
    member_id, device = member.id, invitations.device()
    if not queries.device_known(member_id, device):
        with transaction():
            remember_device(member_id=member_id, device=device, now=clock.now())


def _link(code: str) -> str:
    return public_url("portal.referrals.show", code=code)


def readable(code: str) -> str:
    """``K7M 2PQX``: seven signs are easier to read out in two parts."""
    return f"{code[:3]} {code[3:]}"


def _programme() -> str:
    return str(current_app.config["SETTINGS"].programme_name)


def _first_name(member: Member) -> str:
    return first_name(member.name) or _("A friend")


def _headline(inviter: Member) -> str:
    return _("%(name)s invites you to %(programme)s", name=_first_name(inviter), programme=_programme())


def _words(member: Member, code: str) -> posters.Words:
    """The poster's texts, in the reader's language."""
    offer = queries.offer()
    promise = _(
        "%(points)s points for you once you have spent %(amount)s",
        points=points(offer.friend_points),
        amount=short_money(offer.least_spend),
    )
    call = ngettext(
        "Scan, join, and shop within %(num)s day.", "Scan, join, and shop within %(num)s days.", offer.within_days
    )
    return posters.Words(
        programme=_programme(),
        headline=_("%(name)s invites you", name=_first_name(member)),
        promise=promise if offer.friend_points else _("Collect points wherever you shop with us"),
        code=readable(code),
        call=call if offer.friend_points else _("Scan and join. It is free."),
    )


def _version(words: posters.Words) -> str:
    return hashlib.sha256("\0".join(astuple(words)).encode()).hexdigest()[:12]
