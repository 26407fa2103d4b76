"""Which lines of a history an address asks for, and the choices that a page offers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, get_args

from flask import abort, request, url_for
from flask_babel import gettext as _

from app.foundation import clock
from app.foundation.formats import day as written
from app.foundation.languages import translated
from app.foundation.points import Points
from app.loyalty.ledger.explanations import kinds_called, known_kinds, label_of
from app.loyalty.ledger.forms import HistoryForm
from app.loyalty.ledger.history import Show, Wanted, Word, kinds_of

if TYPE_CHECKING:
    from app.identity.units.models import Unit

PERIODS = {"month": 1, "quarter": 3, "year": 12}
LARGEST = 2**53
KEPT = ("show", "kind", "unit", "period", "since", "until", "q")


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to press, or an option of a menu."""

    label: str
    url: str
    active: bool
    value: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """What the address asks for, as it was typed. ``form`` holds the free fields with their errors."""

    endpoint: str
    ledger: str
    show: Show
    kind: str
    unit: Unit | None
    period: str
    form: HistoryForm
    valid: bool
    before: int | None
    units: Sequence[Unit] = field(repr=False)

    @property
    def values(self) -> dict[str, str]:
        """The filter as the query of an address; defaults are left out, chosen days go before a preset."""
        days = {name: self.form[name].data.isoformat() for name in ("since", "until") if self.form[name].data}
        values = {
            "show": self.show if self.show != "all" else "",
            "kind": self.kind,
            "unit": self.unit.code if self.unit else "",
            "period": "" if days else self.period,
            **days,
            "q": " ".join((self.form.q.data or "").split()),
        }
        return {name: values[name] for name in KEPT if values.get(name)}

    def url(self, **changes: str | None) -> str:
        """The address of this page with its filter, but for ``changes``."""
        values: dict[str, Any] = {name: value for name, value in (self.values | changes).items() if value}
        return url_for(self.endpoint, **values)

    def wanted(self, now: datetime) -> Wanted:
        zone = clock.programme_zone()
        since, until = self.form.since.data, self.form.until.data
        if not since and not until and self.period:
            since = clock.first_of_month(clock.local_date(now, zone), 1 - PERIODS[self.period])
        return Wanted(
            ledger=self.ledger,
            show=self.show,
            kind=self.kind or None,
            unit_id=self.unit.id if self.unit else None,
            since=clock.start_of(since, zone) if since else None,
            until=clock.end_of(until, zone) if until else None,
            words=[self._word(text) for text in (self.form.q.data or "").split()],
        )

    def _word(self, text: str) -> Word:
        number = re.sub(r"[,+−-]", "", text)
        amount = int(number) if re.fullmatch(r"[0-9]{1,16}", number) else 0
        places = [unit.id for unit in self.units if text.casefold() in translated(unit.name).casefold()]
        return Word(text, kinds_called(text), places, amount if 0 < amount <= LARGEST else None)


def read(endpoint: str, ledger: str, units: Sequence[Unit]) -> Filter:
    """What the address asks for. 404 for a choice that is none; the form says what is wrong with a free field."""
    asked = {name: request.args.get(name, "") for name in ("show", "kind", "unit", "period", "before")}
    by_code = {unit.code: unit for unit in units}
    if (
        asked["show"] not in ("", *get_args(Show))
        or asked["kind"] not in ("", *known_kinds())
        or asked["unit"] not in ("", *by_code)
        or asked["period"] not in ("", *PERIODS)
        or not re.fullmatch(r"[0-9]{0,18}", asked["before"])
    ):
        abort(404)
    form = HistoryForm(request.args)
    return Filter(
        endpoint=endpoint,
        ledger=ledger,
        show=asked["show"] or "all",  # type: ignore[arg-type]
        kind=asked["kind"],
        unit=by_code.get(asked["unit"]),
        period=asked["period"],
        form=form,
        valid=form.validate(),
        before=int(asked["before"]) if asked["before"] else None,
        units=units,
    )


@dataclass(frozen=True, slots=True)
class Choices:
    """What stands above a history. ``chosen`` can be taken off one by one; menus with one option are left out."""

    shows: list[Choice]
    kinds: list[Choice]
    units: list[Choice]
    periods: list[Choice]
    chosen: list[Choice]


def choices(wanted: Filter, member_id: int) -> Choices:
    kinds = kinds_of(member_id, wanted.ledger)
    kinds = known_kinds() if kinds is None else kinds
    labels = sorted({label_of(kind): kind for kind in {*kinds, wanted.kind} if kind}.items())
    units = [(translated(unit.name), unit.code) for unit in wanted.units]
    periods = {"month": _("This month"), "quarter": _("Last 3 months"), "year": _("Last 12 months")}

    def menu(first: str, options: Sequence[tuple[str, str]], chosen: str) -> list[Choice]:
        return [Choice(label, "", value == chosen, value) for label, value in [(first, ""), *options]]

    return Choices(
        shows=_shows(wanted) if wanted.ledger == Points.ledger else [],
        kinds=menu(_("Everything"), labels, wanted.kind) if len(labels) > 1 or wanted.kind else [],
        units=menu(_("Everywhere"), units, wanted.unit.code if wanted.unit else "") if len(units) > 1 else [],
        periods=menu(_("Any time"), [(label, value) for value, label in periods.items()], wanted.period),
        chosen=_chosen(wanted, periods),
    )


def _shows(wanted: Filter) -> list[Choice]:
    labels: dict[Show, str] = {
        "all": _("All"),
        "earned": _("Earned"),
        "spent": _("Spent"),
        "expired": _("Expired"),
        "on_the_way": _("On the way"),
    }
    return [
        Choice(label, wanted.url(show=None if show == "all" else show), show == wanted.show)
        for show, label in labels.items()
    ]


def _chosen(wanted: Filter, periods: dict[str, str]) -> list[Choice]:
    """What narrows the history, each with the address without it."""
    values = wanted.values
    found = []
    if "q" in values:
        found.append((_("“%(words)s”", words=values["q"]), {"q": None}))
    if wanted.kind:
        found.append((label_of(wanted.kind), {"kind": None}))
    if wanted.unit:
        found.append((translated(wanted.unit.name), {"unit": None}))
    if "period" in values:
        found.append((periods[wanted.period], {"period": None}))
    if "since" in values or "until" in values:
        found.append((between(wanted.form.since.data, wanted.form.until.data), {"since": None, "until": None}))
    return [Choice(label, wanted.url(**without), True) for label, without in found]


def between(since: date | None, until: date | None) -> str:
    if since and until:
        return _("%(since)s to %(until)s", since=written(since), until=written(until))
    if since:
        return _("From %(since)s", since=written(since))
    return _("Up to %(until)s", until=written(until)) if until else ""
