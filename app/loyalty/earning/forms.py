"""The rules of earning as a form. Everything is kept as it was typed; what it means is ``parsing``'s to say.

A row that was left empty does not count. Rows come and go by buttons that send the form: see ``change_rows``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import FieldList, Form, FormField, HiddenField, SelectChoice, SelectField, SelectMultipleField, StringField
from wtforms.widgets import CheckboxInput, DateTimeLocalInput, ListWidget

from app.foundation.errors import InvalidInput
from app.foundation.formtools import by_language, stripped, texts_of
from app.foundation.languages import LABELS, translated
from app.foundation.money import Money, programme_currency
from app.loyalty.earning.parsing import CAPS, CODE, SCOPE
from app.loyalty.earning.rules import PERIODS
from app.loyalty.earning.terms import REWARDS

MOST_ROWS = 60
LISTS = ("rates", "campaigns", "bonuses", "milestones")
SEPARATOR = re.compile(r"[\s,，、;]+")
WEEKDAYS = (_l("Monday"), _l("Tuesday"), _l("Wednesday"), _l("Thursday"), _l("Friday"), _l("Saturday"), _l("Sunday"))
PERIOD_WORDS = {"month": _l("in a month"), "year": _l("in a year"), "ever": _l("ever")}
EXPIRIES = {
    "": _l("As the programme says"),
    "months": _l("At the end of a month, so many months later"),
    "inactivity": _l("So many months after the last activity"),
    "yearly": _l("Once a year, on a day"),
    "never": _l("Never"),
}


def _text(label: Any, hint: Any = "", **render: Any) -> StringField:
    return StringField(label, filters=[stripped], description=hint, render_kw=render or None)


def _number(label: Any, hint: Any = "") -> StringField:
    return _text(label, hint, inputmode="numeric", autocomplete="off")


def _moment(label: Any) -> StringField:
    """As a browser's own calendar writes it, in the programme's timezone."""
    return StringField(label, filters=[stripped], widget=DateTimeLocalInput())


def _choice(label: Any, choices: Mapping[str, Any]) -> SelectField:
    return SelectField(label, choices=[SelectChoice(*each) for each in choices.items()], validate_choice=False)


def whole(text: str | None) -> Any:
    """``"500"`` → 500; what is no whole number stays as it is, for ``parsing`` to refuse; nothing is ``None``."""
    if not text:
        return None
    return int(text) if re.fullmatch(r"-?[0-9]{1,15}", text) else text


def _offer(field: SelectField, known: Mapping[str, str], nothing: str) -> None:
    """``known`` are codes with their names. What is stored stays to be seen, known or not."""
    offered = {"": nothing} | dict(known)
    offered |= {field.data: field.data} if field.data and field.data not in offered else {}
    field.choices = [SelectChoice(*each) for each in offered.items()]


def _filled(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}


def _shown(value: Any) -> str:
    return "" if value is None else str(value)


# --- the rows -------------------------------------------------------------------------------


class _Scope(Form):
    """What something is for; nothing chosen is everything."""

    unit = SelectField(_l("Business unit"), choices=[], validate_choice=False)
    category = SelectField(_l("Category"), choices=[], validate_choice=False)
    sku = _text(_l("Article (SKU)"))

    def offer(self, units: Mapping[str, str], categories: Mapping[str, str]) -> None:
        _offer(self.unit, units, _("all units"))
        _offer(self.category, categories, _("all"))

    @property
    def scope(self) -> dict[str, Any]:
        return _filled(unit=self.unit.data, category=self.category.data, sku=self.sku.data)


class _Named(Form):
    """``code`` is made from the name once, and never changes: what was used of a budget is counted by it."""

    code = HiddenField()
    name_en = _text(_l("Name · %(language)s", language=LABELS["en"]))
    name_zh_Hans = _text(_l("Name · %(language)s", language=LABELS["zh_Hans"]))  # noqa: N815 - ends with the language
    name_zh_Hant = _text(_l("Name · %(language)s", language=LABELS["zh_Hant"]))  # noqa: N815

    @property
    def name(self) -> dict[str, str]:
        return {locale: text for locale, text in texts_of(self.data, "name").items() if text}

    @property
    def title(self) -> str:
        return translated(self.name)


class RateRow(_Scope):
    rate = _text(_l("Points"), inputmode="decimal", autocomplete="off")

    @property
    def empty(self) -> bool:
        return not (self.scope or self.rate.data)

    def entry(self) -> dict[str, Any]:
        return {**self.scope, "rate": self.rate.data or ""}

    @staticmethod
    def typed(entry: Mapping[str, Any]) -> dict[str, Any]:
        return {name: _shown(entry.get(name)) for name in (*SCOPE, "rate")}


class CampaignRow(_Named, _Scope):
    times = _text(_l("Points times"), _l("2 for double points, 1.5 for half as many again."), inputmode="decimal")
    starts = _moment(_l("From"))
    ends = _moment(_l("Until"))
    days = _text(_l("Days of the month"), _l("For example 8 18 28; empty for every day."), inputmode="numeric")
    weekdays = SelectMultipleField(
        _l("Days of the week"),
        choices=[SelectChoice(str(day), label) for day, label in enumerate(WEEKDAYS)],
        validate_choice=False,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        description=_l("None ticked: every day."),
    )
    budget = _number(_l("Budget in points"), _l("The most it may bring in addition, to all members together."))

    @property
    def empty(self) -> bool:
        return not (self.name or self.times.data)

    def entry(self) -> dict[str, Any]:
        return {
            "code": self.code.data or "",
            "name": self.name,
            "times": self.times.data or "",
            **self.scope,
        } | _filled(
            starts=self.starts.data,
            ends=self.ends.data,
            days=[whole(day) for day in SEPARATOR.split(self.days.data or "") if day],
            weekdays=[whole(day) for day in self.weekdays.data or []],
            budget=whole(self.budget.data),
        )

    @staticmethod
    def typed(entry: Mapping[str, Any]) -> dict[str, Any]:
        return {
            **{name: _shown(entry.get(name)) for name in ("code", "times", "budget", *SCOPE)},
            **by_language("name", entry.get("name") or {}),
            "starts": _shown(entry.get("starts"))[:16],
            "ends": _shown(entry.get("ends"))[:16],
            "days": " ".join(map(str, entry.get("days") or ())),
            "weekdays": [str(day) for day in entry.get("weekdays") or ()],
        }


class BonusRow(_Named):
    nth = _number(_l("For purchase number"), _l("1 is the first purchase."))
    period = _choice(_l("Counted"), {period: PERIOD_WORDS[period] for period in PERIODS})
    points = _number(_l("Points"))
    at_least = _text(_l("Only purchases of at least"), _l("In money; empty for any amount."), inputmode="decimal")
    budget = _number(_l("Budget in points"))

    @property
    def empty(self) -> bool:
        return not (self.name or self.nth.data or self.points.data)

    def entry(self) -> dict[str, Any]:
        return {
            "code": self.code.data or "",
            "name": self.name,
            "nth": whole(self.nth.data),
            "period": self.period.data,
            "points": whole(self.points.data),
        } | _filled(at_least=_minor(self.at_least.data, self.title), budget=whole(self.budget.data))

    @staticmethod
    def typed(entry: Mapping[str, Any]) -> dict[str, Any]:
        return {
            **{name: _shown(entry.get(name)) for name in ("code", "nth", "period", "points", "budget")},
            **by_language("name", entry.get("name") or {}),
            "at_least": major(entry["at_least"]) if entry.get("at_least") else "",
        }


class MilestoneRow(_Named):
    earn = _number(_l("Points to earn"))
    period = _choice(_l("Counted"), {period: PERIOD_WORDS[period] for period in PERIODS})
    points = _number(_l("Points on top"))
    benefit = SelectField(_l("Benefit"), choices=[], validate_choice=False)
    budget = _number(_l("Budget in points"))

    def offer(self, benefits: Mapping[str, str]) -> None:
        _offer(self.benefit, benefits, _("none"))

    @property
    def empty(self) -> bool:
        return not (self.name or self.earn.data or self.points.data)

    def entry(self) -> dict[str, Any]:
        return {
            "code": self.code.data or "",
            "name": self.name,
            "earn": whole(self.earn.data),
            "period": self.period.data,
        } | _filled(points=whole(self.points.data), benefit=self.benefit.data, budget=whole(self.budget.data))

    @staticmethod
    def typed(entry: Mapping[str, Any]) -> dict[str, Any]:
        names = ("code", "earn", "period", "points", "benefit", "budget")
        return {
            **{name: _shown(entry.get(name)) for name in names},
            **by_language("name", entry.get("name") or {}),
        }


class ExpiryFields(Form):
    kind = _choice(_l("These points expire"), EXPIRIES)
    months = _number(_l("Months"))
    month = _number(_l("Month"))
    day = _number(_l("Day"))

    def entry(self) -> dict[str, Any]:
        kind = self.kind.data or ""
        asked = {"months": ("months",), "inactivity": ("months",), "yearly": ("month", "day")}.get(kind, ())
        return {"kind": kind} | _filled(**{name: whole(self[name].data) for name in asked}) if kind else {}

    @staticmethod
    def typed(entry: Mapping[str, Any]) -> dict[str, Any]:
        return {name: _shown(entry.get(name)) for name in ("kind", "months", "month", "day")}


class CapFields(Form):
    """Caps and budget of purchases."""

    purchase = _number(_l("Per purchase"))
    day = _number(_l("A day"))
    month = _number(_l("A month"))
    total = _number(_l("Per member"))
    budget = _number(_l("Budget"))

    def entry(self) -> dict[str, Any]:
        return _filled(**{name: whole(self[name].data) for name in (*CAPS, "budget")})

    @staticmethod
    def typed(entry: Mapping[str, Any]) -> dict[str, Any]:
        return {name: _shown(entry.get(name)) for name in (*CAPS, "budget")}


class RewardRow(Form):
    """A kind of reward; without points there is none."""

    points = _number(_l("Points"))
    day = _number(_l("A day"))
    month = _number(_l("A month"))
    total = _number(_l("Ever"))
    budget = _number(_l("Budget"))
    expiry = FormField(ExpiryFields)

    @property
    def hint(self) -> str:
        """What is typed, in short."""
        if not self.points.data:
            return _("nothing")
        most = [
            (self.day, _l("at most %(number)s a day")),
            (self.month, _l("at most %(number)s a month")),
            (self.total, _l("at most %(number)s ever")),
            (self.budget, _l("budget %(number)s")),
        ]
        given = _("%(number)s points", number=self.points.data)
        return " · ".join([given, *(str(words) % {"number": field.data} for field, words in most if field.data)])

    def entry(self) -> dict[str, Any]:
        names = ("points", "day", "month", "total", "budget")
        return _filled(**{name: whole(self[name].data) for name in names}, expiry=self.expiry.form.entry())

    @staticmethod
    def typed(entry: Mapping[str, Any]) -> dict[str, Any]:
        names = ("points", "day", "month", "total", "budget")
        return {name: _shown(entry.get(name)) for name in names} | {
            "expiry": ExpiryFields.typed(entry.get("expiry") or {})
        }


RewardTable = type("RewardTable", (Form,), {kind: FormField(RewardRow, title) for kind, title in REWARDS.items()})


class TrialFields(Form):
    """A purchase to try the rules on."""

    who = _choice(_l("Who"), {"": _l("anybody")})
    member = _text(_l("Or a member"), _l("By member code, email or phone."), autocomplete="off")
    amount = _text(_l("Spends"), inputmode="decimal", autocomplete="off")
    unit = SelectField(_l("Business unit"), choices=[], validate_choice=False)
    category = SelectField(_l("Category"), choices=[], validate_choice=False)
    sku = _text(_l("Article (SKU)"))
    moment = _moment(_l("When"))
    nth = _number(_l("It is their purchase number"), _l("For bonuses. A member’s own purchases are counted."))


class EarningForm(FlaskForm):
    """All of it. ``seal`` is that of the draft it began with."""

    seal = HiddenField()
    rate = _text(_l("Points per unit of money"), inputmode="decimal", autocomplete="off")
    growth_rate = _text(_l("Growth value per unit of money"), inputmode="decimal", autocomplete="off")
    rates = FieldList(FormField(RateRow), max_entries=MOST_ROWS)
    caps = FormField(CapFields)
    expiry = FormField(ExpiryFields)
    campaigns = FieldList(FormField(CampaignRow), max_entries=MOST_ROWS)
    bonuses = FieldList(FormField(BonusRow), max_entries=MOST_ROWS)
    rewards = FormField(RewardTable)
    milestones = FieldList(FormField(MilestoneRow), max_entries=MOST_ROWS)
    trial = FormField(TrialFields)

    @staticmethod
    def typed(values: Mapping[str, Any]) -> dict[str, Any]:
        """Terms as what would have to be typed for them."""
        return {
            "rate": values["rate"],
            "growth_rate": values["growth_rate"],
            "rates": [RateRow.typed(entry) for entry in values["rates"]],
            "caps": CapFields.typed(values["caps"]),
            "expiry": ExpiryFields.typed(values["expiry"]),
            "campaigns": [CampaignRow.typed(entry) for entry in values["campaigns"]],
            "bonuses": [BonusRow.typed(entry) for entry in values["bonuses"]],
            "rewards": {kind: RewardRow.typed(values["rewards"].get(kind) or {}) for kind in REWARDS},
            "milestones": [MilestoneRow.typed(entry) for entry in values["milestones"]],
        }

    def values(self, taken: Mapping[str, Collection[str]]) -> dict[str, Any]:
        """What was typed, as terms; not yet known to make sense. ``taken`` are the codes in use, by list.

        Raises ``InvalidInput`` for money that is none.
        """
        found: dict[str, Any] = {
            "rate": self.rate.data or "",
            "growth_rate": self.growth_rate.data or "",
            "caps": self.caps.form.entry(),
            "expiry": self.expiry.form.entry(),
            "rewards": {kind: entry for kind in REWARDS if (entry := self.rewards.form[kind].form.entry())},
        }
        for name in LISTS:
            rows = [row.form.entry() for row in self[name] if not row.form.empty]
            found[name] = _coded(rows, taken[name], name) if name in taken else rows
        return found

    def offer(
        self,
        units: Mapping[str, str],
        categories: Mapping[str, str],
        tiers: Mapping[str, str],
        benefits: Mapping[str, str],
    ) -> None:
        """The choices there are: code → name."""
        for row in self.milestones:
            row.form.offer(benefits)
        for row in (*self.rates, *self.campaigns):
            row.form.offer(units, categories)
        trial = self.trial.form
        trial.unit.choices = [SelectChoice(*each) for each in units.items()]
        trial.category.choices = [SelectChoice("", _("any")), *(SelectChoice(*each) for each in categories.items())]
        anybody = SelectChoice("", _("anybody"))
        trial.who.choices = [anybody, *(SelectChoice(*each) for each in tiers.items())]


def change_rows(form: FlaskForm, wanted: str, lists: Iterable[str] = LISTS) -> str:
    """``add:campaigns`` or ``remove:campaigns-2``: one row more or less. The id of the row that is new, or empty."""
    what, _colon, name = wanted.partition(":")
    if what == "add" and name in lists:
        rows = form[name]
        return str(rows.append_entry().id) if len(rows.entries) < MOST_ROWS else ""
    for rows in (form[each] for each in lists):
        rows.entries = [row for row in rows.entries if (what, row.id) != ("remove", name)]
    return ""


# --- codes and money ------------------------------------------------------------------------


def _coded(entries: list[dict[str, Any]], taken: Collection[str], name: str) -> list[dict[str, Any]]:
    """Give a code to entries that have none yet: one that was never used, whatever became of its entry."""
    used = set(taken) | {entry["code"] for entry in entries}
    for entry in entries:
        if not entry["code"]:
            entry["code"] = _new_code(entry["name"].get("en", ""), used, name)
            used.add(entry["code"])
    return entries


def _new_code(title: str, used: Collection[str], name: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower())[:25].strip("-")
    base = slug if CODE.fullmatch(slug) else name.rstrip("s")
    numbered = (base if number == 1 else f"{base}-{number}" for number in range(1, 10_000))
    return next(code for code in numbered if code not in used)


def _minor(text: str | None, name: str) -> int | None:
    """Minor units from what was typed in major ones. Raises ``InvalidInput``."""
    if not text:
        return None
    try:
        return Money.parse(text, programme_currency()).amount
    except ValueError as error:
        raise InvalidInput(_("“%(name)s”: “%(text)s” is not an amount of money.", name=name, text=text[:40])) from error


def major(amount: int) -> str:
    """``23850`` → ``"238.50"``, ``200000`` → ``"2000"``."""
    text = str(Money(amount, programme_currency()).decimal)
    whole_part, _point, rest = text.partition(".")
    return text if rest.strip("0") else whole_part
