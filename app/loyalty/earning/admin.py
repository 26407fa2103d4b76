"""Office page: the rules of earning, edited as a draft and tried on purchases while they are typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.foundation import clock, terms
from app.foundation.errors import DomainError, InvalidInput
from app.foundation.formats import points
from app.foundation.formtools import refuse
from app.foundation.languages import translated
from app.foundation.money import Money, programme_currency
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, requires
from app.foundation.screens.terms_pages import around
from app.foundation.screens.terms_registry import Effect, editor, keep, preview, started
from app.identity.members.queries import find_by_ref
from app.identity.session import current_staff
from app.identity.units.queries import all_units
from app.loyalty.benefits.queries import benefit_names, multiplier_of_tier
from app.loyalty.earning.forms import LISTS, EarningForm, change_rows, major, whole
from app.loyalty.earning.rules import PURCHASE, Factor
from app.loyalty.earning.terms import EarningTerms
from app.loyalty.earning.trials import Outcome, Trial, line, outcome, samples, spoken
from app.loyalty.earning.valuing import Prospect, used_budgets
from app.loyalty.purchases.queries import categories_sold
from app.loyalty.tiers.queries import ladder, tiers_of

earning = Blueprint("earning", __name__, url_prefix="/earning")
editor("earning", "backoffice.earning.edit")

# What higher floors know by category: code → name. The door that composes the back office says so.
_categories: list[Callable[[], Mapping[str, str]]] = []
YEARS = range(1971, 2200)
CODED = ("campaigns", "bonuses", "milestones")


def offer_categories(known: Callable[[], Mapping[str, str]]) -> None:
    if known not in _categories:
        _categories.append(known)


@earning.get("")
@requires(Permission.PROGRAMME_WRITE)
def edit() -> ResponseReturnValue:
    values, seal = started(EarningTerms)
    trial = {"amount": major(23850), "moment": _local(clock.now()).strftime("%Y-%m-%dT%H:%M"), "nth": "1"}
    form = EarningForm(data=EarningForm.typed(asdict(values)) | {"seal": seal, "trial": trial})
    return _page(form)


@earning.post("")
@requires(Permission.PROGRAMME_WRITE)
def update() -> ResponseReturnValue:
    """Save the draft; or, when a button for rows was pressed, come back with one row more or less."""
    form = EarningForm()
    form.validate_on_submit()
    if wanted := request.form.get("rows"):
        return _page(form, fresh=change_rows(form, wanted))
    if form.errors:
        return _page(form, status=422)
    try:
        return seen(keep(EarningTerms, _values(form), seen=form.seal.data or "", by=current_staff().actor))
    except DomainError as error:
        refuse(form, error)
        form.seal.data = started(EarningTerms)[1]
        return _page(form, status=error.status)


@earning.post("/trial")
@requires(Permission.PROGRAMME_WRITE)
def create_trial() -> ResponseReturnValue:
    """Try what is in the form on the purchase beside it. Saves nothing."""
    form = EarningForm()
    form.validate_on_submit()
    return _page(form, tried=True)


# --- what is in the form --------------------------------------------------------------------


def _values(form: EarningForm) -> dict[str, Any]:
    """Terms as they would be saved. Raises ``InvalidInput``."""
    published = [each.terms for each in terms.editions(EarningTerms)]
    taken = {name: {entry["code"] for each in published for entry in getattr(each, name)} for name in CODED}
    values = form.values(taken)
    units, categories = _units(), _known_categories()
    for entry in (*values["rates"], *values["campaigns"]):
        if entry.get("unit", "") not in {"", *units}:
            raise InvalidInput(_("There is no business unit “%(code)s”.", code=entry["unit"][:40]))
        if entry.get("category", "") not in {"", *categories}:
            raise InvalidInput(_("There is no category “%(code)s”.", code=entry["category"][:60]))
    for entry in values["milestones"]:
        if entry.get("benefit", "") not in {"", *benefit_names(clock.now())}:
            raise InvalidInput(_("There is no benefit “%(code)s”.", code=entry["benefit"][:40]))
    return values


def _units() -> dict[str, str]:
    return {unit.code: translated(unit.name) for unit in all_units()}


def _known_categories() -> dict[str, str]:
    """Those of the mall, and those that were sold lately."""
    named: dict[str, str] = {code: code for code in categories_sold()}
    for known in _categories:
        named |= known()
    return dict(sorted(named.items(), key=lambda each: each[1]))


def _local(moment: datetime) -> datetime:
    return moment.astimezone(clock.programme_zone()).replace(tzinfo=None)


def _used(form: EarningForm) -> dict[str, str]:
    """What was used of budgets so far, by the id of the row that has one."""
    kinds = {"campaigns": "campaign", "bonuses": "bonus", "milestones": "milestone"}
    rows = {
        row.id: f"{kind}:{row.form.code.data}"
        for name, kind in kinds.items()
        for row in form[name]
        if row.form.code.data
    }
    rows |= {row.id: f"reward:{row.short_name}" for row in form.rewards.form}
    rows[form.caps.id] = PURCHASE
    found = used_budgets(set(rows.values()))
    return {
        row: _("%(points)s used so far", points=points(found[code])) for row, code in rows.items() if found.get(code)
    }


# --- trying it ------------------------------------------------------------------------------


def _trial(form: EarningForm) -> Trial:
    """The purchase beside the form. Raises ``InvalidInput``."""
    asked, currency = form.trial.form, programme_currency()
    moment = _moment(asked.moment.data)
    amount = _amount(asked.amount.data, currency)
    units = _units()
    unit = asked.unit.data if asked.unit.data in units else next(iter(units), "")
    lines = line(amount, asked.category.data or "", asked.sku.data or "")
    named = _known_categories().get(asked.category.data or "", "")
    of = named or asked.sku.data or ""
    if asked.member.data:
        member = find_by_ref(asked.member.data)
        if member is None:
            raise InvalidInput(_("There is no member “%(ref)s”.", ref=asked.member.data[:60]))
        tier = tiers_of([member.id]).get(member.id)
        name = member.label
        who = _("%(name)s, %(tier)s,", name=name, tier=translated(tier.name)) if tier else name
        return Trial(spoken(who, amount, of, moment), Prospect(member.id, unit, currency, moment, lines))
    on = next((tier for tier in ladder() if tier.code == asked.who.data), None)
    times = multiplier_of_tier(on.code, unit, moment) if on else None
    factor = Factor("tier", on.name, times) if on and times else None
    who = _("Somebody on %(tier)s", tier=translated(on.name)) if on else _("Anybody")
    return Trial(
        spoken(who, amount, of, moment), Prospect(None, unit, currency, moment, lines), factor, _nth(asked.nth.data)
    )


def _moment(text: str | None) -> datetime:
    try:
        local = datetime.fromisoformat(text) if text else _local(clock.now())
        if local.year not in YEARS:
            raise ValueError(text)
        return local.replace(tzinfo=clock.programme_zone())
    except ValueError as error:
        raise InvalidInput(_("“%(text)s” is no day and time.", text=(text or "")[:40])) from error


def _nth(text: str | None) -> int:
    nth = whole(text or "1")
    if not isinstance(nth, int) or nth < 1:
        raise InvalidInput(_("“%(text)s” is not the number of a purchase: 1 is the first.", text=(text or "")[:40]))
    return nth


def _amount(text: str | None, currency: str) -> int:
    try:
        amount = Money.parse(text or "", currency).amount
    except ValueError as error:
        raise InvalidInput(_("“%(text)s” is not an amount of money.", text=(text or "")[:40])) from error
    if amount < 0:
        raise InvalidInput(_("What somebody spends cannot be negative."))
    return amount


def _tried(form: EarningForm) -> tuple[Outcome | None, Sequence[Effect], str]:
    """What the trial brings, the standing samples, and the sentence that says why there is none."""
    try:
        draft = EarningTerms(**_values(form))
        in_force = terms.current(EarningTerms)
        standing = brings(in_force, draft)
    except InvalidInput as error:
        return None, [], str(error)
    try:
        return outcome(_trial(form), draft, in_force), standing, ""
    except InvalidInput as error:
        return None, standing, str(error)


@preview(EarningTerms)
def brings(in_force: EarningTerms, draft: EarningTerms) -> Sequence[Effect]:
    return samples(in_force, draft, now=clock.now())


def _page(form: EarningForm, *, status: int = 200, fresh: str = "", tried: bool = False) -> ResponseReturnValue:
    tiers = {tier.code: translated(tier.name) for tier in ladder()}
    benefits = {code: translated(name) for code, name in benefit_names(clock.now()).items()}
    form.offer(_units(), _known_categories(), tiers, benefits)
    tried_out, standing, refusal = _tried(form)
    return page(
        "loyalty/earning/office/edit.html",
        status=status,
        fragments={"editor", "trial"},
        form=form,
        lists=LISTS,
        fresh=fresh,
        brings=tried_out,
        standing=standing,
        refusal=refusal,
        tried=tried,
        used=_used(form),
        action_url=url_for("backoffice.earning.update"),
        trial_url=url_for("backoffice.earning.create_trial"),
        **around("earning"),
    )
