"""What the list of orders is asked to show, read from its address: nonsense finds nothing, or is left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from flask import request, url_for
from flask_babel import gettext as _

from app.foundation import clock
from app.foundation.formats import day, points
from app.foundation.formtools import YEARS
from app.foundation.languages import translated
from app.identity.members.queries import search as search_members
from app.identity.units.queries import units_within
from app.mall.catalog.queries import variants_called
from app.mall.orders.admin.door import scope
from app.mall.orders.delivery import LABELS as DELIVERIES
from app.mall.orders.rules import one_line
from app.mall.orders.worklist import SELECTIONS, Asked

if TYPE_CHECKING:
    from app.identity.units.models import Unit

NAMES = ("q", "state", "unit", "delivery", "product", "since", "until")
MEMBERS = 100
VARIANTS = 200
NUMBER = re.compile(r"[A-Za-z0-9]{1,20}")


@dataclass(frozen=True, slots=True)
class Filters:
    """``texts`` as they stand in the address; ``units`` are those that a colleague may choose from, by code."""

    texts: Mapping[str, str]
    units: Mapping[str, Unit]

    @classmethod
    def read(cls) -> Filters:
        texts = {name: one_line(request.args.get(name))[:80] for name in NAMES}
        if texts["state"] not in SELECTIONS:
            texts["state"] = ""
        if texts["delivery"] not in DELIVERIES:
            texts["delivery"] = ""
        for name in ("since", "until"):
            if _date(texts[name]) is None:
                texts[name] = ""
        units = {unit.code: unit for unit in units_within(scope())}
        return cls({name: text for name, text in texts.items() if text}, units)

    @property
    def asked(self) -> Asked:
        zone, since, until = clock.programme_zone(), _date(self.texts.get("since")), _date(self.texts.get("until"))
        return Asked(
            units=scope(),
            state=self.texts.get("state", ""),
            unit_id=self._unit_id(),
            delivery=self.texts.get("delivery", ""),
            since=clock.start_of(since, zone) if since else None,
            until=clock.end_of(until, zone) if until else None,
            variant_ids=self._variant_ids(),
            **self._search(),
        )

    def _unit_id(self) -> int | None:
        """An unknown code finds nothing rather than everything."""
        code = self.texts.get("unit")
        if code is None:
            return None
        return self.units[code].id if code in self.units else 0

    def _variant_ids(self) -> list[int] | None:
        words = self.texts.get("product")
        return variants_called(words, units=scope(), limit=VARIANTS) if words else None

    def _search(self) -> dict[str, Any]:
        """What somebody typed is the beginning of an order's number, or says who ordered."""
        text = self.texts.get("q")
        if not text:
            return {}
        ids = [member.id for member in search_members(text, limit=MEMBERS)]
        return {"number": text if NUMBER.fullmatch(text) else "", "member_ids": ids}

    # --- as the page shows them ---------------------------------------------------------------

    def url(self, endpoint: str = ".index", **changes: Any) -> str:
        return url_for(endpoint, **{**self.texts, **changes})

    def without(self, name: str) -> str:
        kept: dict[str, Any] = {each: text for each, text in self.texts.items() if each != name}
        return url_for(".index", **kept)

    @property
    def unit_choices(self) -> dict[str, str]:
        return {code: translated(unit.name) for code, unit in self.units.items()}

    @property
    def delivery_choices(self) -> dict[str, str]:
        return {code: str(label) for code, label in DELIVERIES.items()}

    def chips(self, waiting: Mapping[str, int]) -> list[dict[str, Any]]:
        labels = {
            "": _("All"),
            "paid": _("To pack"),
            "packed": _("To ship"),
            "part_shipped": _("Partly shipped"),
            "codes": _("Waiting for codes or grants"),
            "handout": _("To hand out"),
            "shipped": _("Shipped"),
            "delivered": _("Received"),
            "completed": _("Completed"),
            "placed": _("Unpaid"),
            "cancelled": _("Cancelled"),
            "closed": _("Closed"),
        }
        chosen = self.texts.get("state", "")
        return [
            {
                "label": label,
                "url": self.url(state=state or None),
                "active": chosen == state,
                "count": points(waiting[state]) if state in waiting else None,
            }
            for state, label in labels.items()
        ]

    @property
    def narrowed(self) -> list[dict[str, str]]:
        """The filters of the fold that are in force, each with a way out."""
        found = []
        if words := self.texts.get("product"):
            found.append(("product", words))
        if way := self.texts.get("delivery"):
            found.append(("delivery", str(DELIVERIES[way])))
        if since := _date(self.texts.get("since")):
            found.append(("since", _("From %(day)s", day=day(since))))
        if until := _date(self.texts.get("until")):
            found.append(("until", _("Up to %(day)s", day=day(until))))
        return [{"label": label, "url": self.without(name)} for name, label in found]


def _date(text: str | None) -> date | None:
    try:
        found = date.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.year in YEARS else None
