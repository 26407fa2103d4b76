"""Office pages: the benefits of the programme, each edited with a preview, and kept in the draft."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.foundation import clock, terms
from app.foundation.errors import DomainError, InvalidInput
from app.foundation.formats import points, short_money
from app.foundation.formtools import refuse
from app.foundation.languages import translated
from app.foundation.money import Money, minor_units, programme_currency
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, allowed, requires
from app.foundation.screens.terms_pages import around
from app.foundation.screens.terms_registry import Effect, Line, editor, keep, preview, started, teller
from app.identity.session import current_staff
from app.identity.tags.queries import members_tagged, tags_in_use
from app.loyalty.benefits import parsing
from app.loyalty.benefits.forms import BenefitForm, TimesForm
from app.loyalty.benefits.parsing import KINDS, NOTES, WHOLE
from app.loyalty.benefits.rules import GIFTS, Benefit, Kind, best
from app.loyalty.benefits.statements import tier_benefits, unit_names_by_code
from app.loyalty.benefits.terms import BenefitTerms
from app.loyalty.benefits.words import PICTURES, sentence, times
from app.loyalty.tiers.queries import ladder, members_by_tier, members_on

benefits = Blueprint("benefits", __name__, url_prefix="/benefits")
editor("benefits", "backoffice.benefits.index")
HUNDRED = 100


@benefits.get("")
@requires(Permission.PROGRAMME_READ)
def index() -> ResponseReturnValue:
    """All benefits, of the draft if there is one, by kind."""
    return _index(TimesForm())


def _index(form: TimesForm, *, status: int = 200) -> ResponseReturnValue:
    values, seal = started(BenefitTerms)
    may_write = allowed(Permission.PROGRAMME_WRITE)
    if not form.is_submitted():
        form.process(before=values.birthday_days_before, after=values.birthday_days_after, by_rule=values.days_by_rule)
    form.seal.data = seal
    return page(
        "loyalty/benefits/office/index.html",
        status=status,
        groups=_groups(values, may_write),
        kinds=[(kind.value, str(label), PICTURES[kind]) for kind, label in KINDS.items()] if may_write else [],
        form=form,
        may_write=may_write,
        **around("benefits"),
    )


@benefits.post("/times")
@requires(Permission.PROGRAMME_WRITE)
def update_times() -> ResponseReturnValue:
    """When birthday gifts can be claimed, and for how long a milestone's benefit is given."""
    form = TimesForm()
    if not form.validate_on_submit():
        return _index(form, status=422)
    values, _seal = started(BenefitTerms)
    wanted = asdict(values) | {
        "birthday_days_before": form.before.data,
        "birthday_days_after": form.after.data,
        "days_by_rule": form.by_rule.data,
    }
    try:
        return seen(keep(BenefitTerms, wanted, seen=form.seal.data or "", by=current_staff().actor))
    except DomainError as error:
        refuse(form, error)
        return _index(form, status=error.status)


@benefits.get("/new/<kind>")
@requires(Permission.PROGRAMME_WRITE)
def new(kind: str) -> ResponseReturnValue:
    form = BenefitForm(data={"seal": started(BenefitTerms)[1]})
    return _form(form, _kind_or_404(kind), "")


@benefits.post("/new/<kind>")
@requires(Permission.PROGRAMME_WRITE)
def create(kind: str) -> ResponseReturnValue:
    return _save(_kind_or_404(kind), "")


@benefits.get("/<code>")
@requires(Permission.PROGRAMME_WRITE)
def edit(code: str) -> ResponseReturnValue:
    values, seal = started(BenefitTerms)
    entry = _entry_or_404(values, code)
    return _form(BenefitForm(data={**BenefitForm.typed(entry), "seal": seal}), Kind(entry["kind"]), code)


@benefits.post("/<code>")
@requires(Permission.PROGRAMME_WRITE)
def update(code: str) -> ResponseReturnValue:
    return _save(Kind(_entry_or_404(started(BenefitTerms)[0], code)["kind"]), code)


@benefits.post("/<code>/removal")
@requires(Permission.PROGRAMME_WRITE)
def create_removal(code: str) -> ResponseReturnValue:
    """Take it out of the draft. What members have claimed stays theirs."""
    values, _seal = started(BenefitTerms)
    _entry_or_404(values, code)
    rest = [entry for entry in values.benefits if entry["code"] != code]
    seal = request.form.get("seal", "")
    return seen(keep(BenefitTerms, asdict(values) | {"benefits": rest}, seen=seal, by=current_staff().actor))


@benefits.post("/preview/<kind>")
@requires(Permission.PROGRAMME_WRITE)
def create_preview(kind: str) -> ResponseReturnValue:
    """How what stands in the form reads. Saves nothing."""
    return _form(_offered(), _kind_or_404(kind), request.args.get("code", "")[:40])


def _kind_or_404(text: str) -> Kind:
    return Kind(text) if text in list(Kind) else abort(404)


def _entry_or_404(values: BenefitTerms, code: str) -> Mapping[str, Any]:
    return next((entry for entry in values.benefits if entry["code"] == code), None) or abort(404)


# --- saving ---------------------------------------------------------------------------------


def _offered() -> BenefitForm:
    form = BenefitForm()
    form.offer(_tiers(), unit_names_by_code())
    return form


def _save(kind: Kind, code: str) -> ResponseReturnValue:
    form = _offered()
    if not form.validate_on_submit():
        return _form(form, kind, code, status=422)
    try:
        wanted = _with(form, kind, code)
        return seen(keep(BenefitTerms, wanted, seen=form.seal.data or "", by=current_staff().actor))
    except DomainError as error:
        refuse(form, error)
        form.seal.data = started(BenefitTerms)[1]
        return _form(form, kind, code, status=error.status)


def _with(form: BenefitForm, kind: Kind, code: str) -> dict[str, Any]:
    """The draft with what stands in the form. Raises ``InvalidInput``."""
    values, _seal = started(BenefitTerms)
    before: Mapping[str, Any] = next((entry for entry in values.benefits if entry["code"] == code), {})
    entry = form.entry(kind, code or _new_code(form, kind), before)
    _refuse_unknown(entry)
    there = [entry if each is before else each for each in values.benefits]
    return asdict(values) | {"benefits": there if before else [*there, entry]}


def _refuse_unknown(entry: Mapping[str, Any]) -> None:
    for code in entry["tiers"]:
        if code not in _tiers():
            raise InvalidInput(_("There is no tier “%(code)s”.", code=code[:40]))
    for code in entry["units"]:
        if code not in unit_names_by_code():
            raise InvalidInput(_("There is no business unit “%(code)s”.", code=code[:40]))


def _new_code(form: BenefitForm, kind: Kind) -> str:
    """One that no version ever used: what was given by hand or claimed under a code stays what it was."""
    slug = re.sub(r"[^a-z0-9]+", "-", (form.name_en.data or "").lower()).strip("-")[:24].strip("-")
    slug = slug or kind.value.replace("_", "-")
    versions = [edition.terms for edition in terms.editions(BenefitTerms)] + [started(BenefitTerms)[0]]
    taken = {entry["code"] for each in versions for entry in each.benefits}
    names = [slug, *(f"{slug}-{number}" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)


# --- showing --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """One benefit in the list."""

    title: str
    text: str
    whom: str
    when: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """All benefits of one kind."""

    title: str
    picture: str
    entries: Sequence[Entry]


def _groups(values: BenefitTerms, may_write: bool) -> list[Group]:
    tiers, units = _tiers(), unit_names_by_code()
    return [
        Group(
            str(label),
            PICTURES[kind],
            [
                Entry(
                    translated(each.name),
                    sentence(each, units),
                    whom(each, tiers),
                    when(each),
                    url_for(".edit", code=each.code) if may_write else None,
                )
                for each in values.all
                if each.kind is kind
            ],
        )
        for kind, label in KINDS.items()
        if any(each.kind is kind for each in values.all)
    ]


def _tiers() -> dict[str, str]:
    return {tier.code: translated(tier.name) for tier in ladder()}


def whom(benefit: Benefit, tiers: Mapping[str, str]) -> str:
    """For whom it is: ``Gold, Diamond · tag “vip”``."""
    names = ", ".join(name for code, name in tiers.items() if code in benefit.tiers)
    unknown = [_("unknown tier “%(code)s”", code=code) for code in sorted(benefit.tiers - tiers.keys())]
    tags = [_("tag “%(tag)s”", tag=tag) for tag in sorted(benefit.tags)]
    return " · ".join(filter(None, [names, *unknown, *tags])) or _("single persons, by hand")


def when(benefit: Benefit) -> str:
    """From when until when, where it is not for ever."""
    if benefit.starts and benefit.ends:
        return _("%(from)s to %(until)s", **{"from": _local(benefit.starts), "until": _local(benefit.ends)})
    if benefit.starts:
        return _("from %(moment)s on", moment=_local(benefit.starts))
    return _("until %(moment)s", moment=_local(benefit.ends)) if benefit.ends else ""


def _local(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M")


def _form(form: BenefitForm, kind: Kind, code: str, *, status: int = 200) -> ResponseReturnValue:
    form.offer(_tiers(), unit_names_by_code())
    shown, refusal = _shown(form, kind, code)
    what = WHOLE[kind][0] if kind in WHOLE else ""
    return page(
        "loyalty/benefits/office/edit.html",
        status=status,
        fragments={"preview"},
        form=form,
        kind=str(KINDS[kind]),
        picture=PICTURES[kind],
        note=NOTES.get(kind, ""),
        measured=kind in WHOLE or kind is Kind.MULTIPLIER,
        what=_("Times, from 1 to 10: 1.5") if kind is Kind.MULTIPLIER else str(what).capitalize(),
        gift=kind in GIFTS,
        pack=kind is Kind.COUPON_PACK,
        agent=kind is Kind.DEDICATED_AGENT,
        known_tags=tags_in_use(),
        shown=shown,
        refusal=refusal,
        action_url=url_for(".update", code=code) if code else url_for(".create", kind=kind.value),
        preview_url=url_for(".create_preview", kind=kind.value, code=code),
        removal_url=url_for(".create_removal", code=code) if code else None,
        list_url=url_for(".index"),
    )


@dataclass(frozen=True, slots=True)
class Shown:
    """The benefit as members read it, and what it comes to."""

    title: str
    text: str
    whom: str
    when: str
    example: str
    members: str


def _shown(form: BenefitForm, kind: Kind, code: str) -> tuple[Shown | None, str]:
    """How the benefit in the form reads, and the sentence that says why it cannot be saved; neither without a name."""
    if not any((form.name_en.data, form.name_zh_Hans.data, form.name_zh_Hant.data)):
        return None, ""
    values, _seal = started(BenefitTerms)
    before: Mapping[str, Any] = next((entry for entry in values.benefits if entry["code"] == code), {})
    entry = form.entry(kind, code or kind.value.replace("_", "-"), before)
    try:
        benefit = parsing.benefit(entry)
    except InvalidInput as error:
        return None, str(error)
    refusal = ""
    try:
        parsing.benefits(_with(form, kind, code)["benefits"])
    except InvalidInput as error:
        refusal = str(error)
    shown = Shown(
        translated(benefit.name),
        sentence(benefit, unit_names_by_code()),
        whom(benefit, _tiers()),
        when(benefit),
        example(benefit),
        _members(benefit),
    )
    return shown, refusal


def example(benefit: Benefit) -> str:
    """What it comes to, for ¥100; empty for what cannot be said in figures."""
    currency = programme_currency()
    major = minor_units(currency)
    full = Money(HUNDRED * major, currency)
    if benefit.kind is Kind.DISCOUNT:
        left = Money(full.amount * (HUNDRED - benefit.number) // HUNDRED, currency)
        return _("%(full)s becomes %(left)s.", full=short_money(full), left=short_money(left))
    if benefit.kind is Kind.MULTIPLIER:
        brought = int(HUNDRED * benefit.value)
        return _("%(full)s at 1 point each brings %(points)s points.", full=short_money(full), points=points(brought))
    return ""


def _members(benefit: Benefit) -> str:
    """How many have it by their tier or a tag now."""
    by_tier, tiers = members_by_tier(), [tier.id for tier in ladder() if tier.code in benefit.tiers]
    total = sum(by_tier.get(tier_id, 0) for tier_id in tiers)
    total += members_tagged(benefit.tags, besides=members_on(tiers))
    return ngettext("%(points)s member now", "%(points)s members now", total, points=points(total))


# --- what publishing changes ----------------------------------------------------------------


@teller(BenefitTerms)
def _lines(values: BenefitTerms) -> list[Line]:
    tiers, units = _tiers(), unit_names_by_code()
    lines = [
        Line(
            f"{KINDS[each.kind]} · {each.code}",
            " · ".join(filter(None, (translated(each.name), sentence(each, units), whom(each, tiers), when(each)))),
        )
        for each in sorted(values.all, key=lambda each: list(Kind).index(each.kind))
    ]
    window = _(
        "%(before)s days before to %(after)s days after",
        before=values.birthday_days_before,
        after=values.birthday_days_after,
    )
    by_rule = ngettext("%(num)s day", "%(num)s days", values.days_by_rule)
    return [*lines, Line(_("Birthday gifts"), window), Line(_("What a milestone brings"), by_rule)]


@preview(BenefitTerms)
def _effects(before: BenefitTerms, after: BenefitTerms) -> list[Effect]:
    """What ¥100 cost and bring on each tier."""
    full = short_money(Money(HUNDRED * minor_units(programme_currency()), programme_currency()))
    effects = []
    for tier in ladder():
        name = translated(tier.name)
        for kind, label in (
            (Kind.DISCOUNT, _l("%(tier)s: off %(full)s")),
            (Kind.MULTIPLIER, _l("%(tier)s: points for purchases")),
        ):
            old, new = (
                _figure(best(tier_benefits(each.all, tier, clock.now()), kind, None)) for each in (before, after)
            )
            effects.append(Effect(str(label) % {"tier": name, "full": full}, old, new))
    return effects


def _figure(benefit: Benefit | None) -> str:
    if benefit is None:
        return "–"
    return f"{benefit.number} %" if benefit.kind is Kind.DISCOUNT else times(benefit.value)
