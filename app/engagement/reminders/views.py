"""The switch for reminders: a page of its own, and a card among the member's other settings."""

from __future__ import annotations

from flask import Blueprint, abort, request, url_for
from flask.typing import ResponseReturnValue

from app.engagement.reminders.actions import switch_off, switch_on
from app.engagement.reminders.queries import wants_reminders
from app.engagement.reminders.terms import ReminderTerms
from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, requires
from app.foundation.terms import current
from app.identity.session import current_member

reminders = Blueprint("reminders", __name__)


@reminders.get("/me/reminders")
@requires(Permission.PROFILE_OWN)
def show() -> ResponseReturnValue:
    member = current_member()
    return page(
        "engagement/reminders/show.html",
        fragments={"expiry_switch"},
        wanted=wants_reminders(member.id),
        email=member.email,
        terms=current(ReminderTerms),
    )


@reminders.post("/me/reminders")
@requires(Permission.PROFILE_OWN)
def update() -> ResponseReturnValue:
    wanted = request.form.get("wanted")
    if wanted not in {"yes", "no"}:
        abort(400)
    with transaction():
        if wanted == "yes":
            switch_on(member_id=current_member().id)
        else:
            switch_off(member_id=current_member().id, now=clock.now())
    return seen(url_for(".show"))
