"""The form by which staff give a tier, and the one in which an owner writes the ladder."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    DateField,
    FieldList,
    Form,
    FormField,
    HiddenField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length

from app.config import LOCALES
from app.foundation.formtools import NEEDED, by_language, stripped, texts_of
from app.foundation.languages import LABELS, translated
from app.foundation.money import Money, programme_currency
from app.loyalty.tiers.rules import METRICS
from app.loyalty.tiers.terms import MOST_TIERS

LONGEST_REASON = 300


class GivenTierForm(FlaskForm):
    """``tier`` offers what the page says may be given."""

    tier = SelectField(_l("Tier"), [NEEDED])
    last_day = DateField(_l("Last day"), [InputRequired(_l("Until when?"))])
    reason = TextAreaField(
        _l("Reason, for colleagues only"),
        [InputRequired(_l("Please write down why, for your colleagues.")), Length(max=LONGEST_REASON)],
        filters=[stripped],
    )


# --- the ladder -----------------------------------------------------------------------------


def whole(text: str | None) -> Any:
    """``"500"`` → 500; what is no whole number stays as it is, for the terms to refuse; nothing is ``None``."""
    if not text:
        return None
    return int(text) if re.fullmatch(r"-?[0-9]{1,15}", text) else text


def _typed(metric: str, value: Any) -> str:
    if value is None:
        return ""
    if metric != "spend":
        return str(value)
    text = str(Money(value, programme_currency()).decimal)
    whole_part, _point, rest = text.partition(".")
    return text if rest.strip("0") else whole_part


def _meant(metric: str, text: str | None) -> Any:
    """Money is typed in major units and kept in minor ones; what is no amount stays, to be refused."""
    if metric != "spend" or not text:
        return whole(text)
    try:
        return Money.parse(text, programme_currency()).amount
    except ValueError:
        return text


def _text(label: Any, hint: Any = "", mode: str = "text") -> StringField:
    return StringField(
        label, filters=[stripped], description=hint, render_kw={"inputmode": mode, "autocomplete": "off"}
    )


def _match() -> SelectField:
    choices = [SelectChoice("any", _l("one of these")), SelectChoice("all", _l("all of these"))]
    return SelectField(_l("Asks for"), choices=choices, validate_choice=False)


class Figures(Form):
    """One field for each thing that is counted; empty is not asked for."""

    spend = _text(_l("Money spent"), mode="decimal")
    purchases = _text(_l("Purchases"), mode="numeric")
    points_earned = _text(_l("Points earned"), mode="numeric")
    growth = _text(_l("Growth value"), mode="numeric")

    def asked(self) -> Iterator[tuple[str, Any]]:
        for metric in METRICS:
            if (value := _meant(metric, self[metric].data)) is not None:
                yield metric, value


class Months(Form):
    """In how many single months each figure is to be reached."""

    spend = _text(_l("months"), mode="numeric")
    purchases = _text(_l("months"), mode="numeric")
    points_earned = _text(_l("months"), mode="numeric")
    growth = _text(_l("months"), mode="numeric")


class TierRow(Form):
    """A tier. ``code`` is made from the name once: rows of members, products and benefits name it."""

    code = HiddenField()
    name_en = _text(_l("Name · %(language)s", language=LABELS["en"]))
    name_zh_Hans = _text(_l("Name · %(language)s", language=LABELS["zh_Hans"]))  # noqa: N815 - ends with the language
    name_zh_Hant = _text(_l("Name · %(language)s", language=LABELS["zh_Hant"]))  # noqa: N815
    match = _match()
    window = _text(_l("Window in months"), mode="numeric")
    reach = FormField(Figures)
    keep_match = _match()
    keep_window = _text(_l("Window in full months"), mode="numeric")
    keep_sum = FormField(Figures)
    keep_single = FormField(Figures)
    keep_months = FormField(Months)

    @property
    def name(self) -> dict[str, str]:
        return {locale: text for locale, text in texts_of(self.data, "name").items() if text}

    @property
    def title(self) -> str:
        return translated(self.name)

    def entry(self, *, first: bool) -> dict[str, Any]:
        conditions = [{"metric": metric, "at_least": value} for metric, value in self.reach.form.asked()]
        found: dict[str, Any] = {"code": self.code.data or "", "name": self.name, "conditions": {}, "keep": {}}
        if conditions or not first:
            found["conditions"] = {
                "match": self.match.data,
                "window_months": whole(self.window.data),
                "conditions": conditions,
            }
        if (kept := list(self._kept())) or not first:
            found["keep"] = {
                "match": self.keep_match.data,
                "window_months": whole(self.keep_window.data),
                "conditions": kept,
            }
        return found

    def _kept(self) -> Iterator[dict[str, Any]]:
        sums, single = dict(self.keep_sum.form.asked()), dict(self.keep_single.form.asked())
        for metric in METRICS:
            if metric in single:
                months = whole(self.keep_months.form[metric].data)
                yield {"metric": metric, "at_least": single[metric], "months": 1 if months is None else months}
            if metric in sums:
                yield {"metric": metric, "at_least": sums[metric]}

    @staticmethod
    def typed(entry: Mapping[str, Any]) -> dict[str, Any]:
        """A tier as what would have to be typed for it."""
        conditions: dict[str, Any] = entry["conditions"]
        keep: dict[str, Any] = {"match": "all", "window_months": 3} | dict(entry["keep"])
        kept = keep.get("conditions", ())
        single = [each for each in kept if each.get("months")]
        return {
            "code": entry["code"],
            **by_language("name", entry["name"]),
            "match": conditions.get("match", "any"),
            "window": str(conditions.get("window_months", 12)),
            "reach": _by_metric(conditions.get("conditions", ())),
            "keep_match": keep["match"],
            "keep_window": str(keep["window_months"]),
            "keep_sum": _by_metric([each for each in kept if not each.get("months")]),
            "keep_single": _by_metric(single),
            "keep_months": {each["metric"]: str(each["months"]) for each in single},
        }


NEW_TIER: dict[str, Any] = {"match": "any", "window": "12", "keep_match": "all", "keep_window": "3"}


def _by_metric(conditions: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {each["metric"]: _typed(each["metric"], each["at_least"]) for each in conditions}


class LifeFields(Figures):
    """What somebody does, to see where that leads."""

    months = _text(_l("Window in months"), mode="numeric")


class LadderForm(FlaskForm):
    """``seal`` is that of the draft it began with."""

    seal = HiddenField()
    tiers = FieldList(FormField(TierRow), max_entries=MOST_TIERS + 1)
    life = FormField(LifeFields)

    def values(self, taken: Collection[str]) -> dict[str, Any]:
        """What was typed, as terms; not yet known to make sense. ``taken`` are the codes that were ever used."""
        entries = [row.form.entry(first=place == 0) for place, row in enumerate(self.tiers)]
        used = set(taken) | {entry["code"] for entry in entries}
        for entry in entries:
            if not entry["code"]:
                entry["code"] = _new_code(entry["name"].get("en", ""), used)
                used.add(entry["code"])
        return {"tiers": [_in_order(entry) for entry in entries]}

    def changed(self, wanted: str) -> LadderForm:
        """``add:2``: with a new tier above the second; ``remove:2``: without it. Counted from 0, as typed otherwise."""
        what, _colon, number = wanted.partition(":")
        rows = [dict(row.data) for row in self.tiers]
        place = int(number) if re.fullmatch(r"[0-9]{1,2}", number) else len(rows)
        if what == "add" and place < len(rows) <= MOST_TIERS:
            rows.insert(place + 1, dict(NEW_TIER))
        elif what == "remove" and 0 < place < len(rows):
            del rows[place]
        return LadderForm(formdata=None, data={"seal": self.seal.data, "life": self.life.data, "tiers": rows})


def _in_order(entry: dict[str, Any]) -> dict[str, Any]:
    """The texts in the order of the languages, as the rows of the ladder have them."""
    return entry | {"name": {locale: entry["name"][locale] for locale in LOCALES if locale in entry["name"]}}


def _new_code(title: str, used: Collection[str]) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower())[:16].strip("-") or "tier"
    return next(code for number in range(1, 1000) if (code := slug if number == 1 else f"{slug}-{number}") not in used)
