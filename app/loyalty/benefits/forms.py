"""Forms of the back office: a benefit for one person, and a benefit of the programme."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    DateField,
    HiddenField,
    IntegerField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, DateTimeLocalInput, ListWidget

from app.config import LOCALES
from app.foundation.formtools import NEEDED, at_most, by_language, stripped, texts_of
from app.identity.names import clean
from app.loyalty.benefits.models import LONGEST_REASON
from app.loyalty.benefits.parsing import LONGEST_TEXT, WHOLE, Entry
from app.loyalty.benefits.rules import GIFTS, Kind


class GrantForm(FlaskForm):
    """``code`` offers the benefits of the programme."""

    code = SelectField(_l("Benefit"), [NEEDED])
    first_day = DateField(_l("First day"), [InputRequired(_l("From when on?"))])
    last_day = DateField(_l("Last day"), [InputRequired(_l("Until when?"))])
    reason = TextAreaField(
        _l("Reason, for colleagues only"),
        [InputRequired(_l("Please write down why, for your colleagues.")), Length(max=LONGEST_REASON)],
        filters=[stripped],
    )


def _boxes(label: Any, description: Any = "") -> SelectMultipleField:
    return SelectMultipleField(
        label, description=description, widget=ListWidget(prefix_label=False), option_widget=CheckboxInput()
    )


class BenefitForm(FlaskForm):
    """One benefit; a page shows the fields that its kind has. What makes sense, ``parsing`` decides."""

    seal = HiddenField()
    name_en = StringField(_l("Name, English"), [at_most(LONGEST_TEXT)], filters=[stripped])
    name_zh_Hans = StringField(_l("Name, Simplified Chinese"), [at_most(LONGEST_TEXT)], filters=[stripped])  # noqa: N815
    name_zh_Hant = StringField(_l("Name, Traditional Chinese"), [at_most(LONGEST_TEXT)], filters=[stripped])  # noqa: N815
    value = StringField(_l("Value"), [at_most(20)], filters=[stripped])
    points = StringField(_l("Points"), [at_most(10)], filters=[stripped])
    texts = TextAreaField(
        _l("Gifts that our staff hand out"),
        [at_most(4_000)],
        description=_l("A line each: English | 简体中文 | 繁體中文. Each gets a code of its own."),
        filters=[stripped],
    )
    period = SelectField(
        _l("How often"),
        choices=[
            SelectChoice("once", _l("Once")),
            SelectChoice("month", _l("Every month")),
            SelectChoice("year", _l("Every year")),
        ],
        default="once",
    )
    contact_en = StringField(_l("How to reach them, English"), [at_most(LONGEST_TEXT)], filters=[stripped])
    contact_zh_Hans = StringField(  # noqa: N815
        _l("How to reach them, Simplified Chinese"), [at_most(LONGEST_TEXT)], filters=[stripped]
    )
    contact_zh_Hant = StringField(  # noqa: N815
        _l("How to reach them, Traditional Chinese"), [at_most(LONGEST_TEXT)], filters=[stripped]
    )
    tiers = _boxes(_l("Tiers"))
    tags = StringField(
        _l("Tags"),
        [at_most(200)],
        description=_l("Separated by commas. With neither tier nor tag it is given to single persons only."),
        filters=[stripped],
    )
    units = _boxes(_l("Business units"), _l("None ticked: it counts in all."))
    starts = StringField(_l("From"), widget=DateTimeLocalInput(), filters=[stripped])
    ends = StringField(_l("Until"), widget=DateTimeLocalInput(), filters=[stripped])

    def offer(self, tiers: Mapping[str, str], units: Mapping[str, str]) -> None:
        """What can be ticked; what the entry names already and is no more stays visible."""
        for field, known in ((self.tiers, tiers), (self.units, units)):
            unknown = [code for code in field.data or () if code not in known]
            field.choices = [*known.items(), *((code, code) for code in unknown)]

    @staticmethod
    def typed(entry: Entry) -> dict[str, Any]:
        """A stored entry as the form shows it."""
        gifts = entry.get("gifts") or []
        texts = [gift["text"] for gift in gifts if "text" in gift]
        return {
            **by_language("name", entry.get("name") or {}),
            **by_language("contact", entry.get("contact") or {}),
            "value": str(entry.get("value", "")),
            "points": str(sum(gift.get("points", 0) for gift in gifts) or ""),
            "texts": "\n".join(" | ".join(text.get(locale, "") for locale in LOCALES).rstrip(" |") for text in texts),
            "period": entry.get("period") or "once",
            "tiers": list(entry.get("tiers") or ()),
            "tags": ", ".join(entry.get("tags") or ()),
            "units": list(entry.get("units") or ()),
            "starts": entry.get("starts") or "",
            "ends": entry.get("ends") or "",
        }

    def entry(self, kind: Kind, code: str, before: Entry) -> dict[str, Any]:
        """What stands in the form as it is stored. Keeps of ``before`` what the form does not show."""
        made: dict[str, Any] = {key: before[key] for key in ("series",) if key in before}
        made |= {"code": code, "kind": kind.value, "name": _filled(texts_of(self.data, "name"))}
        if kind is Kind.MULTIPLIER:
            made["value"] = self.value.data or ""
        elif kind in WHOLE:
            made["value"] = _number(self.value.data)
        if kind in GIFTS:
            made["gifts"] = self._gifts()
        if kind is Kind.COUPON_PACK:
            made["period"] = self.period.data
        if kind is Kind.DEDICATED_AGENT:
            made["contact"] = _filled(texts_of(self.data, "contact"))
        made["tiers"], made["units"] = list(self.tiers.data or ()), list(self.units.data or ())
        made["tags"] = [clean(tag) for tag in (self.tags.data or "").replace("，", ",").split(",") if clean(tag)]
        return made | {key: self[key].data for key in ("starts", "ends") if self[key].data}

    def _gifts(self) -> list[dict[str, Any]]:
        gifts: list[dict[str, Any]] = [{"points": _number(self.points.data)}] if self.points.data else []
        for line in (self.texts.data or "").splitlines():
            texts = [part.strip() for part in line.split("|")]
            if any(texts):
                gifts.append({"text": _filled(dict(zip(LOCALES, texts, strict=False)))})
        return gifts


def _filled(texts: Mapping[str, str]) -> dict[str, str]:
    return {locale: clean(text) for locale, text in texts.items() if clean(text)}


def _number(text: str | None) -> int | str:
    """As a number where it is one; else ``parsing`` says what is wrong with it."""
    text = text or ""
    return int(text) if text.isascii() and text.removeprefix("-").isdecimal() else text


class TimesForm(FlaskForm):
    """When birthday gifts can be claimed, and for how long a milestone's benefit is given."""

    seal = HiddenField()
    before = IntegerField(_l("Days before the birthday"), [NEEDED])
    after = IntegerField(_l("Days after the birthday"), [NEEDED])
    by_rule = IntegerField(_l("Days from the day it is reached on"), [NEEDED])
