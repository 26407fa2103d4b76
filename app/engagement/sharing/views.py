"""Passing on a product or the programme, and the page that such a link leads to."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING

import segno
from flask import Blueprint, Response, abort, current_app, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _

from app.engagement.referrals.actions import open_inviter, remember_device
from app.engagement.referrals.queries import code_of_member, device_known, inviter_of, link_period, offer
from app.engagement.referrals.statements import friendly_name, promise
from app.engagement.sharing.actions import follow
from app.engagement.sharing.queries import Thing, followers, thing_of
from app.engagement.sharing.statements import state_of
from app.extensions import limiter
from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.languages import translated
from app.foundation.pages import page, public_url, seen, viewer
from app.foundation.permissions import Permission, public, requires
from app.identity import invitations
from app.identity.members.queries import member_by_id
from app.identity.session import current_member
from app.loyalty.earning.queries import reward_at, rewards_had, welcome_points
from app.loyalty.earning.statements import cap_sentence
from app.mall.catalog.statements import picture_of, tint_of

if TYPE_CHECKING:
    from app.identity.members.models import Member

sharing = Blueprint("sharing", __name__)
OPENINGS = "60 per minute; 600 per hour"


# --- passing it on ------------------------------------------------------------------------


@sharing.get("/share", defaults={"slug": None})
@sharing.get("/share/<slug>")
@requires(Permission.SHARE_OWN)
def new(slug: str | None) -> ResponseReturnValue:
    """The link in every form that there is. Which browser this is gets remembered: it brings its own member nothing."""
    member, now = current_member(), clock.now()
    thing = _thing_or_404(slug, now)
    code, name = _code_of(member), _name_of(thing)
    _remember_this_browser(member)
    rule, had = reward_at("sharing", now), rewards_had(member.id, now=now).get("sharing")
    followed = followers(member.id, day=clock.local_date(now, clock.programme_zone()))
    answer = page(
        "engagement/sharing/new.html",
        name=name,
        product=_picture(thing),
        link=_link(code, thing),
        code_url=url_for(".code_picture", slug=slug),
        message=_("%(name)s recommends %(thing)s.", name=friendly_name(member.name), thing=name),
        state=state_of(rule, had, followed.get(thing.code, 0)) if rule.points else None,
        cap=cap_sentence(rule.caps),
        invitation=promise(offer()),
        back_url=_address(thing),
    )
    return invitations.mark(answer)


@sharing.get("/share.svg", defaults={"slug": None})
@sharing.get("/share/<slug>/code.svg")
@requires(Permission.SHARE_OWN)
def code_picture(slug: str | None) -> Response:
    """The link as a QR picture. Only attributes, no styles: the Content-Security-Policy stays strict."""
    picture = BytesIO()
    link = _link(_code_of(current_member()), _thing_or_404(slug, clock.now()))
    segno.make(link, error="m", micro=False).save(
        picture, kind="svg", scale=8, border=3, light="#fff", dark="#000", omitsize=True, xmldecl=False
    )
    return Response(picture.getvalue(), mimetype="image/svg+xml")


# --- where it leads -----------------------------------------------------------------------


@sharing.get("/s/<code>", defaults={"slug": None})
@sharing.get("/s/<code>/<slug>")
@limiter.limit(OPENINGS)
@public
def show(code: str, slug: str | None) -> ResponseReturnValue:
    """Who recommends what. Looking at it counts for nothing yet: messengers do that, too, to draw a preview."""
    now, kind = clock.now(), viewer().kind
    sharer, thing = _sharer(code), thing_of(slug, now=now)
    if sharer is None or thing is None:
        return page("engagement/sharing/show.html", status=404, sharer=None)
    if kind == "member" and current_member().id == sharer.id:
        return redirect(url_for(".new", slug=slug))
    answer = page(
        "engagement/sharing/show.html",
        sharer=friendly_name(sharer.name),
        name=_name_of(thing),
        product=_picture(thing),
        follow_url=url_for(".create_visit", code=code, slug=slug),
        welcome=int(welcome_points(now)) if kind == "visitor" else 0,
        visitor=kind == "visitor",
    )
    if kind == "visitor":
        invitations.remember(answer, code_of_member(sharer.id) or "", keep_for=link_period(), now=now)
    return invitations.mark(answer)


@sharing.post("/s/<code>/visits", defaults={"slug": None})
@sharing.post("/s/<code>/<slug>/visits")
@limiter.limit(OPENINGS)
@public
def create_visit(code: str, slug: str | None) -> ResponseReturnValue:
    """Somebody goes on to what was recommended to them: that is what a share is for, and what counts."""
    now, kind = clock.now(), viewer().kind
    sharer, thing = _sharer(code), thing_of(slug, now=now)
    if sharer is None or thing is None:
        abort(404)
    there, sharer_id, about = _address(thing), sharer.id, _name_for(sharer, thing)
    # A colleague's browser is no customer's; one that keeps nothing cannot be told from the next.
    if kind != "staff" and invitations.brought_name():
        visitor_id = current_member().id if kind == "member" else None
        with transaction():
            follow(
                member_id=sharer_id,
                thing=thing.code,
                about=about,
                device=invitations.device(),
                visitor_id=visitor_id,
                now=now,
            )
    return seen(there)


# --- what they are made of ----------------------------------------------------------------


def _thing_or_404(slug: str | None, now: datetime) -> Thing:
    return thing_of(slug, now=now) or abort(404)


def _sharer(code: str) -> Member | None:
    member_id = inviter_of(code)
    return member_by_id(member_id) if member_id else None


def _code_of(member: Member) -> str:
    """The same code that invites: who joins by a recommendation came by invitation."""
    member_id = member.id
    if code := code_of_member(member_id):
        return code
    with transaction():
        return open_inviter(member_id=member_id, now=clock.now())


def _remember_this_browser(member: Member) -> None:
    member_id, device = member.id, invitations.device()
    if not device_known(member_id, device):
        with transaction():
            remember_device(member_id=member_id, device=device, now=clock.now())


def _link(code: str, thing: Thing) -> str:
    return public_url("portal.sharing.show", code=code, slug=thing.slug)


def _address(thing: Thing) -> str:
    """Where the thing itself is to be seen."""
    return url_for("portal.mall.show", slug=thing.slug) if thing.slug else url_for("portal.programme.show")


def _name_of(thing: Thing) -> str:
    if thing.product is None:
        return str(current_app.config["SETTINGS"].programme_name)
    return translated(thing.product.name)


def _name_for(member: Member, thing: Thing) -> str:
    """As the member will read it in their history, whatever language the friend reads."""
    with force_locale(member.locale or current_app.config["SETTINGS"].default_locale):
        return _name_of(thing)


def _picture(thing: Thing) -> dict[str, object] | None:
    if thing.product is None:
        return None
    file = thing.product.pictures[0].file if thing.product.pictures else None
    return {"picture": picture_of(file), "photo": file is not None, "tint": tint_of(thing.product.id)}
