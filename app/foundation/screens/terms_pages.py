"""The programme: what each domain's terms say, the draft of the next ones, publishing it, and every version there was.

Forms save a draft; publishing it is a page of its own, with what changes, what that brings, and from when.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf import FlaskForm

from app.foundation import clock, drafts
from app.foundation import terms as house_terms
from app.foundation.database import transaction
from app.foundation.errors import DomainError
from app.foundation.formats import moment
from app.foundation.formtools import refuse
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, allowed, requires
from app.foundation.screens.terms_forms import PublicationForm, form_of
from app.foundation.screens.terms_registry import (
    Difference,
    Line,
    companions_of,
    differences,
    editor_of,
    editor_url,
    effects_of,
    keep,
    lines_of,
    started,
    title_of,
)

terms_pages = Blueprint("terms", __name__, url_prefix="/terms")

LINES_ON_A_CARD = 7


# --- all of them ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Card:
    """One domain. ``waiting`` says which published versions have not started yet."""

    domain: str
    title: str
    version: str
    published: str
    lines: Sequence[Line]
    more: Sequence[Line]
    draft: bool
    waiting: Sequence[str]
    edit_url: str | None


@terms_pages.get("")
@requires(Permission.PROGRAMME_READ)
def index() -> ResponseReturnValue:
    house_terms.read_all_editions()
    drafted, may_write, now = drafts.domains_in_draft(), allowed(Permission.PROGRAMME_WRITE), clock.now()
    cards = [_card(cls, domain in drafted, may_write, now) for domain, cls in house_terms.declared.items()]
    return page("backoffice/terms/index.html", cards=sorted(cards, key=lambda card: card.title))


def _card(cls: type, draft: bool, may_write: bool, now: datetime) -> Card:
    domain = house_terms.domain_of(cls)
    edition: house_terms.Edition[Any] = house_terms.at(cls, now)
    lines = lines_of(edition.terms)
    return Card(
        domain=domain,
        title=title_of(domain),
        version=_("Version %(number)s", number=edition.version),
        published=_published(edition),
        lines=lines[:LINES_ON_A_CARD],
        more=lines[LINES_ON_A_CARD:],
        draft=draft,
        waiting=_to_come(cls, now),
        edit_url=editor_url(domain) if may_write else None,
    )


def _published(edition: house_terms.Edition[Any]) -> str:
    if edition.published_at is None or not edition.published_by:
        return _("from the beginning")
    return _("published %(moment)s by %(name)s", moment=moment(edition.published_at), name=edition.published_by)


def _to_come(cls: type, now: datetime) -> list[str]:
    later: list[house_terms.Edition[Any]] = house_terms.to_come(cls, now)
    return [_starts(each) for each in later]


def _starts(edition: house_terms.Edition[Any]) -> str:
    return _("Version %(number)s starts on %(moment)s", number=edition.version, moment=moment(edition.starts_at))


def _class_or_404(domain: str) -> type:
    return house_terms.declared.get(domain) or abort(404)


# --- the draft's form -----------------------------------------------------------------------


@terms_pages.get("/<domain>")
@requires(Permission.PROGRAMME_WRITE)
def edit(domain: str) -> ResponseReturnValue:
    cls = _class_or_404(domain)
    if own := editor_of(domain):
        return redirect(url_for(own))
    values, seal = started(cls)
    return _form(domain, form_of(cls)(data={**asdict(values), "seal": seal}))


@terms_pages.post("/<domain>")
@requires(Permission.PROGRAMME_WRITE)
def update(domain: str) -> ResponseReturnValue:
    cls = _class_or_404(domain)
    if editor_of(domain):
        abort(404)
    form = form_of(cls)()
    if not form.validate_on_submit():
        return _form(domain, form, status=422)
    values = {entry.name: form[entry.name].data for entry in fields(cls)}
    try:
        return seen(keep(cls, values, seen=form["seal"].data or "", by=current_user.actor))
    except DomainError as error:
        refuse(form, error)
        form["seal"].data = started(cls)[1]
        return _form(domain, form, status=error.status)


def _form(domain: str, form: FlaskForm, *, status: int = 200) -> ResponseReturnValue:
    return page(
        "backoffice/terms/edit.html",
        status=status,
        title=title_of(domain),
        form=form,
        fields=[part for part in form if part.type not in ("CSRFTokenField", "HiddenField")],
        action_url=url_for("backoffice.terms.update", domain=domain),
        **around(domain),
    )


def around(domain: str) -> dict[str, Any]:
    """What every form of terms shows around itself: whose draft it goes on with, and what is still to come."""
    cls = house_terms.declared[domain]
    draft: drafts.Draft[Any] | None = drafts.draft_of(cls)
    return {
        "draft": _by_whom(draft) if draft else "",
        "waiting": _to_come(cls, clock.now()),
        "publication_url": url_for("backoffice.terms.publication", domain=domain),
        "versions_url": url_for("backoffice.terms.versions", domain=domain),
        "back_url": url_for("backoffice.terms.index"),
    }


def _by_whom(draft: drafts.Draft[Any]) -> str:
    return _("%(name)s saved this draft on %(moment)s.", name=draft.saved_by, moment=moment(draft.saved_at))


# --- publishing it --------------------------------------------------------------------------


@terms_pages.get("/<domain>/publication")
@requires(Permission.PROGRAMME_READ)
def publication(domain: str) -> ResponseReturnValue:
    return _publication(_class_or_404(domain), PublicationForm())


@terms_pages.post("/<domain>/publication")
@requires(Permission.PROGRAMME_WRITE)
def create_publication(domain: str) -> ResponseReturnValue:
    cls, form, now = _class_or_404(domain), PublicationForm(), clock.now()
    if not form.validate_on_submit():
        return _publication(cls, form, status=422)
    starts_at = _moment(form.starts_at.data) if form.when.data == "later" else now
    before = _latest(cls)
    try:
        with transaction():
            drafts.publish_draft(
                cls,
                seen=form.seal.data or "",
                starts_at=starts_at,
                note=form.note.data or "",
                by=current_user.actor,
                now=now,
            )
    except DomainError as error:
        refuse(form, error)
        return _publication(cls, form, status=error.status)
    if _latest(cls) == before:
        flash(_("Nothing to publish: this is what holds then anyway."), "info")
    elif starts_at > now:
        flash(_("Published. The new terms hold from %(moment)s on.", moment=moment(starts_at)), "success")
    else:
        flash(_("Published. The new terms hold from now on; what has happened stays as it was."), "success")
    return seen(url_for("backoffice.terms.versions", domain=domain))


def _latest(cls: type) -> int:
    published: list[house_terms.Edition[Any]] = house_terms.editions(cls)
    return published[-1].version


def _moment(local: datetime) -> datetime:
    """What was typed without a timezone is meant in the programme's."""
    return local.replace(tzinfo=clock.programme_zone())


@terms_pages.post("/<domain>/withdrawal")
@requires(Permission.PROGRAMME_WRITE)
def create_withdrawal(domain: str) -> ResponseReturnValue:
    """Throw the draft away that was seen."""
    cls, form = _class_or_404(domain), PublicationForm()
    try:
        with transaction():
            drafts.discard_draft(cls, seen=form.seal.data or "")
    except DomainError as error:
        refuse(form, error)
        return _publication(cls, form, status=error.status)
    flash(_("The draft is thrown away. The terms in force stay as they are."), "success")
    return seen(url_for("backoffice.terms.index"))


def _publication(cls: type, form: PublicationForm, *, status: int = 200) -> ResponseReturnValue:
    domain, now = house_terms.domain_of(cls), clock.now()
    draft: drafts.Draft[Any] | None = drafts.draft_of(cls)
    in_force: house_terms.Edition[Any] = house_terms.at(cls, now)
    # What is on the page is what may be published: the seal is always that of the draft just read.
    form.seal.data = draft.seal if draft else ""
    return page(
        "backoffice/terms/publication.html",
        status=status,
        form=form,
        title=title_of(domain),
        draft=draft,
        by_whom=_by_whom(draft) if draft else "",
        in_force=in_force.version,
        version=_latest(cls) + 1,
        differences=differences(in_force.terms, draft.terms) if draft else [],
        effects=effects_of(in_force.terms, draft.terms) if draft else [],
        companions=[(url_for(each.endpoint), str(each.label), str(each.hint)) for each in companions_of(cls)],
        waiting=_to_come(cls, now),
        outdated=draft is not None and draft.based_on != in_force.version,
        earliest=now.astimezone(clock.programme_zone()).strftime("%Y-%m-%dT%H:%M"),
        zone=str(clock.programme_zone()),
        may_write=allowed(Permission.PROGRAMME_WRITE),
        edit_url=editor_url(domain),
        create_url=url_for("backoffice.terms.create_publication", domain=domain),
        withdrawal_url=url_for("backoffice.terms.create_withdrawal", domain=domain),
        versions_url=url_for("backoffice.terms.versions", domain=domain),
        back_url=url_for("backoffice.terms.index"),
    )


# --- what there was -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Chapter:
    """One version among the others. The first has ``lines`` instead of differences."""

    title: str
    state: str
    tone: str
    starts: str
    published: str
    note: str
    differences: Sequence[Difference]
    lines: Sequence[Line]
    withdrawal_url: str | None


@terms_pages.get("/<domain>/versions")
@requires(Permission.PROGRAMME_READ)
def versions(domain: str) -> ResponseReturnValue:
    cls, now = _class_or_404(domain), clock.now()
    published: list[house_terms.Edition[Any]] = house_terms.editions(cls)
    in_force = house_terms.in_force(published, now)
    chapters = [
        _chapter(cls, edition, before, in_force, now)
        for edition, before in zip(published, [None, *published[:-1]], strict=True)
    ]
    return page(
        "backoffice/terms/versions.html",
        title=title_of(domain),
        form=FlaskForm(),
        chapters=chapters[::-1],
        now=lines_of(in_force.terms),
        edit_url=editor_url(domain) if allowed(Permission.PROGRAMME_WRITE) else None,
        draft_url=url_for("backoffice.terms.publication", domain=domain) if drafts.draft_of(cls) else None,
        back_url=url_for("backoffice.terms.index"),
    )


@terms_pages.post("/<domain>/versions/<int:version>/withdrawal")
@requires(Permission.PROGRAMME_WRITE)
def create_version_withdrawal(domain: str, version: int) -> ResponseReturnValue:
    """Take a version back that has not started yet."""
    cls = _class_or_404(domain)
    try:
        with transaction():
            house_terms.take_back(cls, version, by=current_user.actor, now=clock.now())
    except DomainError as error:
        flash(str(error), "warning")
    else:
        flash(_("Version %(number)s is taken back: what holds until then holds on.", number=version), "success")
    return seen(url_for("backoffice.terms.versions", domain=domain))


def _withdrawal_url(cls: type, version: int, now: datetime) -> str | None:
    if not allowed(Permission.PROGRAMME_WRITE) or house_terms.held_until(cls, version, now=now) is None:
        return None
    domain = house_terms.domain_of(cls)
    return url_for("backoffice.terms.create_version_withdrawal", domain=domain, version=version)


def _chapter(
    cls: type,
    edition: house_terms.Edition[Any],
    before: house_terms.Edition[Any] | None,
    in_force: house_terms.Edition[Any],
    now: datetime,
) -> Chapter:
    if edition.version == in_force.version:
        state, tone = _("in force"), "brand"
    elif edition.starts_at > now:
        state, tone = _("to come"), "gold"
    else:
        state, tone = "", "neutral"
    first = before is None or edition.starts_at == house_terms.BEGINNING
    return Chapter(
        title=_("Version %(number)s", number=edition.version),
        state=state,
        tone=tone,
        starts=_("from the beginning") if first else _("from %(moment)s on", moment=moment(edition.starts_at)),
        published="" if first and not edition.published_by else _published(edition),
        note=edition.note,
        differences=differences(before.terms, edition.terms) if before else [],
        lines=[] if before else lines_of(edition.terms),
        withdrawal_url=_withdrawal_url(cls, edition.version, now),
    )
